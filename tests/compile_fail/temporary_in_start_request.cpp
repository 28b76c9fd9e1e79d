// expect: error:.*gcc12_destroys_this_temporary_twice.*<Add>
// compiler: gnu
// An aggregate temporary in start_request.
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
  auto reply = co_await server.start_request<Add>(Add{"Joe", "At Home"});
  (void)reply;
}
