// expect: error:.*send_interval_copies_the_message_for_each_tick\w*<Load>
// Each tick of an interval is a copy.
#include <chrono>
#include <memory>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Load {
  std::unique_ptr<int> weight;
};

class Carrier : public sp::Actor<Carrier> {
 public:
  void handle_message(Load) {}
};

void demo(sp::ActorRef<Carrier> carrier) {
  (void)sp::send_interval<Load>(std::chrono::seconds(1), carrier, std::make_unique<int>(1));
}
