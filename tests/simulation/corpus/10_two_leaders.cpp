// 10: two leaders.
//
// Bug          who holds the lease writes; the lease has a time limit, the write has none.
// Interleaving the first leader is slow, its lease runs out, the second one gets it and writes;
//              then the first one's write arrives.
// Fix          leases are numbered, and the log refuses what is written with an old number.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Leases : public sp::Actor<Leases> {
 public:
  struct Acquire {};
  // The number of the lease; 0: somebody else has it.
  int handle_request(Acquire /*request*/) {
    corpus::maybe_sleep();
    auto const now = sp::now();
    if (lease_ != 0 && now < until_) return 0;
    until_ = now + 10ms;
    return ++lease_;
  }

 private:
  int lease_ = 0;
  sp::TimePoint until_;
};

class Log : public sp::Actor<Log> {
 public:
  struct Write {
    int lease;
  };
  struct Written {};
  explicit Log(Variant variant) : variant_(variant) {}
  bool handle_request(Write write) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed && !written_.empty() && write.lease < written_.back()) {
      return false;
    }
    written_.push_back(write.lease);
    return true;
  }
  std::vector<int> handle_request(Written /*request*/) { return written_; }

 private:
  Variant variant_;
  std::vector<int> written_;
};

sp::Task<void> lead(sp::ActorRef<Leases> leases, sp::ActorRef<Log> log) {
  for (;;) {
    auto const lease = co_await ask<Leases::Acquire>(leases);
    if (lease.value() != 0) {
      for (int i = 0; i < 3; ++i) {
        (void)co_await ask<Log::Write>(log, lease.value());
      }
      co_return;
    }
    co_await sp::sleep(10ms);
  }
}

template <Variant variant>
sp::Task<void> two_leaders() {
  auto leases = Leases{}.start();
  auto log = Log(variant).start();
  auto one = sp::spawn(lead(leases, log));
  auto other = sp::spawn(lead(leases, log));
  (void)co_await one;
  (void)co_await other;
  auto written = co_await ask<Log::Written>(log);
  std::vector<int> const numbers = std::move(written).value();
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    corpus::check(numbers[i - 1] <= numbers[i], "a leader of before wrote after the present one");
  }
}

CORPUS_PROGRAM(10, "two leaders", two_leaders, true);

}  // namespace
