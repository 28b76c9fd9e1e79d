// expect: error:.*gcc12_destroys_this_temporary_twice.*<Add>
// compiler: gnu
// An aggregate temporary as the argument that the message is built from.
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
  auto reply = co_await server.request<Add>(Add{"Joe", "At Home"});
  (void)reply;
}
