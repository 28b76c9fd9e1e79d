// 16: what was acknowledged and not yet written.
//
// Bug          a cache acknowledges and writes when it stops; who stops it kills it if that takes
//              too long.
// Interleaving the time is over between two of its writes.
// Fix          it writes, then acknowledges.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Disk : public sp::Actor<Disk> {
 public:
  struct Write {
    int value;
  };
  struct Sum {};
  void handle_request(Write write) {
    corpus::maybe_sleep();
    sum_ += write.value;
  }
  int handle_request(Sum /*request*/) {
    corpus::maybe_sleep();
    return sum_;
  }

 private:
  int sum_ = 0;
};

class Cache : public sp::Actor<Cache> {
 public:
  struct Put {
    int value;
  };
  Cache(Variant variant, sp::ActorRef<Disk> disk) : variant_(variant), disk_(std::move(disk)) {}
  sp::Task<void> handle_request(Put put) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed) {
      (void)co_await ask<Disk::Write>(disk_, put.value);
    } else {
      dirty_.push_back(put.value);
    }
  }
  sp::Task<void> teardown() {
    for (int const value : dirty_) {
      (void)co_await ask<Disk::Write>(disk_, value);
    }
  }

 private:
  Variant variant_;
  sp::ActorRef<Disk> disk_;
  std::vector<int> dirty_;
};

template <Variant variant>
sp::Task<void> stop_loses_write() {
  auto disk = Disk{}.start();
  auto cache = Cache(variant, disk).start();
  int acknowledged = 0;
  for (int const value : {1, 2, 4}) {
    auto const put = co_await ask<Cache::Put>(cache, value);
    if (put) acknowledged += value;
  }
  auto const stopped = co_await cache.stop_and_wait({}, 10ms);
  if (!stopped) {
    cache.kill();
    (void)co_await cache.wait_exit();
  }
  auto const sum = co_await ask<Disk::Sum>(disk);
  corpus::check(sum.value() == acknowledged, "an acknowledged write is lost");
}

CORPUS_PROGRAM(16, "a stop loses an acknowledged write", stop_loses_write, true);

}  // namespace
