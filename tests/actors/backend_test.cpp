#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

class Whereabouts : public sp::Actor<Whereabouts> {
 public:
  struct Thread {};
  struct Nap {
    std::chrono::nanoseconds duration;
  };
  struct Relay {
    sp::ActorRef<Whereabouts> other;
  };
  struct RelayBlocking {
    sp::ActorRef<Whereabouts> other;
  };
  struct Fail {};

  explicit Whereabouts(test::Events* events = nullptr) : events_(events) {}

  std::thread::id handle_request(Thread /*question*/) const { return std::this_thread::get_id(); }
  sp::Task<sp::TimePoint> handle_request(Nap nap) {
    co_await sp::sleep(nap.duration);
    co_return sp::now();
  }
  sp::Task<std::thread::id> handle_request(Relay relay) {
    auto answer = co_await relay.other.request<Thread>();
    co_return answer.value();
  }
  std::thread::id handle_request(RelayBlocking const& relay) {
    return relay.other.request_blocking<Thread>().value();
  }
  void handle_message(Fail /*order*/) { throw std::runtime_error("told to"); }
  void teardown() {
    if (events_ != nullptr) events_->add("teardown");
  }

 private:
  test::Events* events_;
};

constexpr sp::Backend backends[] = {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread};

}  // namespace

TEST_SUITE("actors/backend") {
  TEST_CASE("every backend serves requests, sleeps, nested requests, failures and stops") {
    for (sp::Backend const backend : backends) {
      for (bool const virtual_time : {true, false}) {
        CAPTURE(static_cast<int>(backend));
        CAPTURE(virtual_time);
        test::LogCapture const log;
        test::Events events;
        auto body = [](sp::Backend where, test::Events& seen) -> sp::Task<void> {
          auto actor = Whereabouts(&seen).start_with_backend(where);
          auto other = Whereabouts(&seen).start();
          for (int i = 0; i < 100; ++i) {
            auto thread = co_await actor.request<Whereabouts::Thread>();
            CHECK(thread.has_value());
          }
          auto const before = sp::now();
          auto woken = co_await actor.request<Whereabouts::Nap>(20ms);
          CHECK(woken.value() - before >= 20ms);
          auto relayed = co_await actor.request<Whereabouts::Relay>(other);
          CHECK(relayed.has_value());
          auto back = co_await other.request<Whereabouts::Relay>(actor);
          CHECK(back.has_value());
          actor.send<Whereabouts::Fail>();
          auto reason = co_await actor.wait_exit();
          CHECK(reason.value().kind() == sp::ExitReason::Kind::error);
          auto stopped = co_await other.stop_and_wait();
          CHECK(stopped.has_value());
        };
        if (virtual_time) {
          sp::run(body(backend, events), test::virtual_time());
        } else {
          sp::run(body(backend, events));
        }
        CHECK(events.all() == test::Strings{"teardown", "teardown"});
      }
    }
  }

  TEST_CASE("an actor on a thread of its own always runs on that one, and on no worker") {
    auto body = []() -> sp::Task<void> {
      auto actor = Whereabouts{}.start_with_backend(sp::Backend::Thread);
      auto other = Whereabouts{}.start_with_backend(sp::Backend::Thread);
      auto first = co_await actor.request<Whereabouts::Thread>();
      auto second = co_await actor.request<Whereabouts::Thread>();
      auto elsewhere = co_await other.request<Whereabouts::Thread>();
      CHECK(first.value() == second.value());
      CHECK(first.value() != std::this_thread::get_id());
      CHECK(first.value() != elsewhere.value());
    };
    sp::run(body());
  }

  TEST_CASE("a handler on Backend::Blocking or Backend::Thread may block for a reply") {
    for (sp::Backend const backend : {sp::Backend::Blocking, sp::Backend::Thread}) {
      auto body = [](sp::Backend where) -> sp::Task<void> {
        auto actor = Whereabouts{}.start_with_backend(where);
        auto other = Whereabouts{}.start();
        auto relayed = co_await actor.request<Whereabouts::RelayBlocking>(other);
        CHECK(relayed.has_value());
      };
      sp::run(body(backend));
    }
  }

  TEST_CASE("actors on every backend end with their runtime") {
    test::Events events;
    {
      sp::Runtime runtime;
      for (sp::Backend const backend : backends) {
        sp::ActorOptions options;
        options.backend = backend;
        (void)Whereabouts(&events).start_on(runtime, options);
      }
    }
    CHECK(events.all().size() == 3);
  }

  TEST_CASE("an actor whose constructor throws leaves no thread behind") {
    struct Thrower : sp::Actor<Thrower> {
      explicit Thrower(int number) {
        if (number == 1) throw std::runtime_error("constructor");
      }
      int handle_request(int number) { return number; }
    };
    sp::Runtime runtime;
    sp::ActorOptions options;
    options.backend = sp::Backend::Thread;
    CHECK_THROWS_AS(sp::start_with_on<Thrower>(runtime, options, 1), std::runtime_error);
    auto actor = sp::start_with_on<Thrower>(runtime, options, 2);
    CHECK(actor.request_blocking<int>(7).value() == 7);
  }
}
