// expect: error:.*actor_has_no_handle_request_for_this_message<Names, Forget>
// A request to several actors that have no handler for it.
#include <vector>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class Names : public sp::Actor<Names> {
 public:
  int handle_request(Find) { return 1; }
};

sp::Task<void> demo(std::vector<sp::ActorRef<Names>> all) {
  auto replies = co_await sp::request_all<Forget>(all);
  (void)replies;
}
