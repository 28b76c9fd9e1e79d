#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Counter : public sp::Actor<Counter> {
 public:
  struct Add {
    int amount;
  };
  struct Read {};

  void handle_message(Add add) { total_ += add.amount; }
  int handle_request(Read /*question*/) const { return total_; }

 private:
  int total_ = 0;
};

sp::Task<void> demo() {
  auto counter = Counter{}.start();
  counter.send<Counter::Add>(2);
  counter.send<Counter::Add>(40);
  auto total = co_await counter.request<Counter::Read>();
  sp::log::info("readme", "The total is " + std::to_string(total.value()));
}

int main() { sp::run(demo()); }
