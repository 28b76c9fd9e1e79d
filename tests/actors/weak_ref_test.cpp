#include <optional>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

struct Ping {};
struct Keep {  // holds the actor back until the gate opens
  test::Gate entered;
  test::Gate leave;
};
struct HoldYourself {};
struct LetGo {};

sp::ActorOptions until_unreferenced() {
  sp::ActorOptions options;
  options.stop_when_unreferenced = true;
  return options;
}

class Counter : public sp::Actor<Counter> {
 public:
  explicit Counter(test::Events& events) : events_(&events) {}
  int handle_request(Ping /*request*/) { return ++count_; }
  void handle_message(Ping /*message*/) { events_->add("ping"); }
  sp::Task<void> handle_message(Keep keep) {
    keep.entered.open();
    co_await keep.leave.opened();
    events_->add("kept");
  }
  void handle_request(HoldYourself /*request*/, sp::Context<Counter>& context) {
    self_ = context.self();
  }
  void handle_message(LetGo /*message*/) { self_.reset(); }
  void teardown(sp::ExitReason const& reason) { events_->add("teardown " + reason.to_string()); }

 private:
  test::Events* events_;
  int count_ = 0;
  std::optional<sp::ActorRef<Counter>> self_;
};

}  // namespace

TEST_SUITE("actors/weak_ref") {
  TEST_CASE("a weak ref gives a ref while the actor lives, and none once it has ended") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto counter = sp::start<Counter>(seen);
      auto weak = counter.downgrade();
      CHECK(weak.id() == counter.id());
      auto again = weak.upgrade();
      REQUIRE(again.has_value());
      CHECK(*again == counter);
      auto reply = co_await again->request<Ping>();
      CHECK(reply.value() == 1);
      (void)co_await counter.stop_and_wait();
      CHECK(!weak.upgrade().has_value());
      CHECK(weak.id() == counter.id());
    };
    sp::run(body(events));
  }

  TEST_CASE("an actor without the option lives on when its last ref is gone") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto weak = sp::start<Counter>(seen).downgrade();
      auto again = weak.upgrade();
      REQUIRE(again.has_value());
      auto reply = co_await again->request<Ping>();
      CHECK(reply.value() == 1);
    };
    sp::run(body(events));
  }

  TEST_CASE("stop_when_unreferenced: the last ref that goes stops it, behind what was sent") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto counter = sp::start_with<Counter>(until_unreferenced(), seen);
      auto weak = counter.downgrade();
      auto copy = std::optional(counter);
      test::Gate entered;
      test::Gate leave;
      counter.send<Keep>(entered, leave);
      counter.send<Ping>();
      co_await entered.opened();
      auto exit = counter.wait_exit();
      {
        auto last = std::move(counter);
        copy.reset();
      }
      leave.open();
      auto reason = co_await exit;
      CHECK(reason.value() == sp::ExitReason::normal());
      CHECK(!weak.upgrade().has_value());
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"kept", "ping", "teardown normal"});
  }

  TEST_CASE("stop_when_unreferenced: the ref of a start keeps it alive until it is used") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto reply = co_await sp::start_with<Counter>(until_unreferenced(), seen).request<Ping>();
      CHECK(reply.value() == 1);
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown normal"});
  }

  TEST_CASE("stop_when_unreferenced: a ref made before the stop's turn keeps it alive") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      std::optional counter = sp::start_with<Counter>(until_unreferenced(), seen);
      auto weak = counter->downgrade();
      test::Gate entered;
      test::Gate leave;
      counter->send<Keep>(entered, leave);
      co_await entered.opened();
      counter.reset();  // the stop is in the mailbox now
      auto new_ref = weak.upgrade();
      leave.open();
      REQUIRE(new_ref.has_value());
      auto reply = co_await new_ref->request<Ping>();
      CHECK(reply.value() == 1);
      seen.add("alive");
      auto exit = new_ref->wait_exit();
      new_ref.reset();
      (void)co_await exit;
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"kept", "alive", "teardown normal"});
  }

  TEST_CASE("stop_when_unreferenced: a ref the actor keeps to itself counts") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      std::optional counter = sp::start_with<Counter>(until_unreferenced(), seen);
      auto weak = counter->downgrade();
      (void)co_await counter->request<HoldYourself>();
      counter.reset();
      counter = weak.upgrade();
      auto reply = co_await counter->request<Ping>();
      CHECK(reply.value() == 1);
      auto exit = counter->wait_exit();
      counter->send<LetGo>();
      counter.reset();
      auto reason = co_await exit;
      CHECK(reason.value() == sp::ExitReason::normal());
    };
    sp::run(body(events));
  }

  TEST_CASE("stop_when_unreferenced: the last ref may go on any thread, and after the end") {
    test::Events events;
    std::optional<sp::WeakActorRef<Counter>> weak;
    std::optional<sp::ActorRef<Counter>> late;
    {
      sp::Runtime runtime;
      auto counter = sp::start_with_on<Counter>(runtime, until_unreferenced(), events);
      late = sp::start_with_on<Counter>(runtime, until_unreferenced(), events);
      weak = counter.downgrade();
      std::thread other([ref = std::move(counter)]() mutable { auto last = std::move(ref); });
      other.join();
      auto exit = [](sp::WeakActorRef<Counter> handle) -> sp::Task<void> {
        while (auto ref = handle.upgrade()) {
          ref.reset();
          co_await sp::yield_now();
        }
      };
      runtime.block_on(exit(*weak));
    }
    CHECK(!weak->upgrade().has_value());
    late.reset();
    CHECK(events.all() == test::Strings{"teardown normal", "teardown shutdown"});
  }
}
