#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

struct Get {};
struct Add {
  int amount;
};

class Counter : public sp::Actor<Counter> {
 public:
  Counter() = default;
  explicit Counter(int value) : value_(value) {}
  int handle_request(Get /*request*/) const { return value_; }
  void handle_message(Add add) { value_ += add.amount; }

 private:
  int value_ = 0;
};

// Neither copied nor moved, and its constructor wants two arguments.
class Pinned : public sp::Actor<Pinned> {
 public:
  Pinned(std::string name, std::unique_ptr<int> value)
      : name_(std::move(name)), value_(std::move(value)), self_(this) {}
  Pinned(Pinned const&) = delete;
  Pinned& operator=(Pinned const&) = delete;
  std::string handle_request(Get /*request*/) const {
    return self_ == this ? name_ + std::to_string(*value_) : "moved";
  }

 private:
  std::string name_;
  std::unique_ptr<int> value_;
  Pinned* self_;
};

class Large : public sp::Actor<Large> {
 public:
  explicit Large(std::shared_ptr<int> owned) : owned_(std::move(owned)) {
    for (int i = 0; i < 1000; ++i) table_[i] = i;
  }
  int handle_request(Add const& at) const { return table_[at.amount]; }

 private:
  int table_[1000] = {};
  std::shared_ptr<int> owned_;
};

class alignas(64) OverAligned : public sp::Actor<OverAligned> {
 public:
  bool handle_request(Get /*request*/) const {
    return reinterpret_cast<std::uintptr_t>(this) % 64 == 0;
  }
};

class ThrowsWhenMoved : public sp::Actor<ThrowsWhenMoved> {
 public:
  ThrowsWhenMoved() = default;
  ThrowsWhenMoved(ThrowsWhenMoved&& /*other*/) : owned_(std::make_shared<int>(1)) {
    throw std::runtime_error("no");
  }
  void handle_message(Get /*message*/) {}

 private:
  std::shared_ptr<int> owned_;
};

}  // namespace

TEST_SUITE("actors/start") {
  TEST_CASE("start gives a ref to an actor with the state it was started with") {
    auto body = []() -> sp::Task<void> {
      auto counter = Counter(7).start();
      CHECK(counter.is_alive());
      CHECK(!counter.exit_reason().has_value());
      auto value = co_await counter.request<Get>();
      CHECK(value.value() == 7);
    };
    sp::run(body());
  }

  TEST_CASE("an actor that can be neither copied nor moved is built in place by sp::start") {
    auto body = []() -> sp::Task<void> {
      auto actor = sp::start<Pinned>("pinned", std::make_unique<int>(4));
      auto name = co_await actor.request<Get>();
      CHECK(name.value() == "pinned4");
      auto waited = co_await sp::start_and_wait<Pinned>(1s, "waited", std::make_unique<int>(5));
      auto other = co_await waited.value().request<Get>();
      CHECK(other.value() == "waited5");
    };
    sp::run(body());
  }

  TEST_CASE("a state over 256 bytes is served like any other and destroyed when the actor ends") {
    auto body = []() -> sp::Task<void> {
      auto owned = std::make_shared<int>(1);
      auto large = sp::start<Large>(owned);
      auto value = co_await large.request<Add>(999);
      CHECK(value.value() == 999);
      CHECK(owned.use_count() == 2);
      (void)co_await large.stop_and_wait();
      CHECK(owned.use_count() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a state with a large alignment keeps it") {
    auto body = []() -> sp::Task<void> {
      auto actor = OverAligned().start();
      auto aligned = co_await actor.request<Get>();
      CHECK(aligned.value());
    };
    sp::run(body());
  }

  TEST_CASE("start outside a runtime throws NoRuntime, which says what to do") {
    CHECK_THROWS_AS((void)Counter().start(), sp::NoRuntime);
    CHECK_THROWS_WITH_AS((void)sp::start<Counter>(1), doctest::Contains("start"), sp::NoRuntime);
  }

  TEST_CASE("start_on starts from any thread") {
    sp::Runtime runtime;
    auto member = Counter(1).start_on(runtime);
    auto in_place = sp::start_on<Counter>(runtime, 2);
    CHECK(member.request_blocking<Get>().value() == 1);
    CHECK(in_place.request_blocking<Get>().value() == 2);
  }

  TEST_CASE("start_on a runtime that has ended throws RuntimeEnded") {
    sp::Runtime runtime;
    CHECK(runtime.shutdown());
    CHECK_THROWS_AS((void)Counter().start_on(runtime), spawned::RuntimeEnded);
    CHECK_THROWS_AS((void)sp::start_on<Counter>(runtime, 2), spawned::RuntimeEnded);
  }

  TEST_CASE("an actor whose constructor throws is not started and leaves nothing behind") {
    auto body = []() -> sp::Task<void> {
      CHECK_THROWS_AS((void)ThrowsWhenMoved().start(), std::runtime_error);
      auto counter = Counter(1).start();
      auto value = co_await counter.request<Get>();
      CHECK(value.value() == 1);
    };
    sp::Runtime runtime;
    runtime.block_on(body());
    CHECK(runtime.counters().live == 1);
  }

  TEST_CASE("refs to one actor are equal and ids of two actors differ") {
    auto body = []() -> sp::Task<void> {
      auto first = Counter().start();
      auto copy = first;
      auto second = Counter().start();
      CHECK(first == copy);
      CHECK(!(first == second));
      CHECK(first.id() == copy.id());
      CHECK(first.id() != second.id());
      second = first;
      CHECK(second == first);
      co_return;
    };
    sp::run(body());
  }

  TEST_CASE("an actor lives on when nobody has a ref to it") {
    auto body = [](test::Gate gate) -> sp::Task<void> {
      struct Open {};
      struct Opener : sp::Actor<Opener> {
        explicit Opener(test::Gate opens) : gate(std::move(opens)) {}
        void handle_message(Open /*message*/) { gate.open(); }
        test::Gate gate;
      };
      sp::start<Opener>(gate).send<Open>();
      co_await gate.opened();
    };
    sp::run(body(test::Gate()));
  }

  TEST_CASE("the end of the runtime ends every actor, and its refs say so") {
    auto owned = std::make_shared<int>(1);
    auto runtime = std::make_unique<sp::Runtime>();
    auto large = sp::start_on<Large>(*runtime, owned);
    CHECK(large.request_blocking<Add>(3).value() == 3);
    runtime.reset();
    CHECK(owned.use_count() == 1);
    CHECK(!large.is_alive());
    CHECK(large.exit_reason() == sp::ExitReason::shutdown());
  }
}
