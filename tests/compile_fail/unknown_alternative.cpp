// expect: error:.*actor_has_no_handle_request_for_this_message<NameServer, std::variant<Find
// A variant of which one alternative has no handler.
#include <variant>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

sp::Task<void> demo(sp::ActorRef<NameServer> server) {
  auto reply = co_await server.request<std::variant<Find, Forget>>(Find());
  (void)reply;
}
