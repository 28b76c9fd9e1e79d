// What every consumer project builds and runs: an actor, a request, and a million awaits at -O0.
#include <cstdio>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Counter : public sp::Actor<Counter> {
 public:
  struct Add {
    int n;
  };

  int handle_request(Add add) { return total_ += add.n; }

 private:
  int total_ = 0;
};

sp::Task<int> one() { co_return 1; }

sp::Task<int> main_task() {
  auto counter = Counter{}.start();
  auto const total = co_await counter.request<Counter::Add>(2);

  // Without optimisation nothing turns a resume into a jump: were each await a stack frame deeper,
  // the stack would overflow long before the end.
  int awaited = 0;
  for (int i = 0; i < 1'000'000; ++i) awaited += co_await one();

  std::printf("total %d, awaited %d\n", total.value(), awaited);
  co_return total.value() == 2 && awaited == 1'000'000 ? 0 : 1;
}

int main() { return sp::run(main_task()); }
