// expect: error:.*gcc12_destroys_this_temporary_twice.*<Add>
// compiler: gnu
// An aggregate temporary in a send, which may stand beside a co_await.
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Add {
  std::string key, value;
};

class NameServer : public sp::Actor<NameServer> {
 public:
  void handle_request(Add const&) {}
  void handle_message(Add const&) {}
};

sp::Task<void> demo(sp::ActorRef<NameServer> server) {
  server.send(Add{"Joe", "At Home"});
  co_return;
}
