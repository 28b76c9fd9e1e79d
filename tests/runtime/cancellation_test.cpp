#include <spawned/runtime/cancellation.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::CancellationToken;
using spawned::Cancelled;
using spawned::JoinHandle;
using spawned::run;
using spawned::Runtime;
using spawned::Task;
using spawned::WaitError;

namespace {

Task<> wait_for(CancellationToken token) { co_await token.cancelled(); }

}  // namespace

TEST_SUITE("runtime/cancellation") {
  TEST_CASE("in a cancelled task an await with a Result returns cancelled once, the next throws") {
    auto body = []() -> Task<> {
      int returned = 0;
      bool thrown = false;
      auto child = [](int& cancelled, bool& caught) -> Task<> {
        auto [sender, receiver] = spawned::oneshot<int>();
        try {
          for (;;) {
            auto const result = co_await receiver;
            CHECK_FALSE(result.has_value());
            CHECK(result.error() == WaitError::cancelled);
            ++cancelled;
          }
        } catch (Cancelled const&) {
          caught = true;
          throw;
        }
      };
      auto handle = spawned::spawn(child(returned, thrown));
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
      CHECK(returned == 1);
      CHECK(thrown);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("awaits without a Result throw at once, every time") {
    auto body = []() -> Task<> {
      int thrown = 0;
      auto child = [](int& caught) -> Task<> {
        for (int i = 0; i < 12; ++i) {
          try {
            CancellationToken const never;
            if (i % 4 == 0) co_await never.cancelled();
            if (i % 4 == 1) co_await spawned::sleep(1h);
            if (i % 4 == 2) co_await spawned::yield_now();
            if (i % 4 == 3) co_await spawned::sleep_until(spawned::now() + 1h);
          } catch (Cancelled const&) {
            ++caught;
          }
        }
      };
      auto handle = spawned::spawn(child(thrown));
      handle.cancel();
      (void)co_await handle;
      CHECK(thrown == 12);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("the one cancelled result is shared by all kinds of awaits of the task") {
    auto body = []() -> Task<> {
      int returned = 0;
      auto child = [](int& cancelled) -> Task<> {
        auto [sender, receiver] = spawned::oneshot<int>();
        auto endless = spawned::spawn(wait_for(CancellationToken()));
        auto const first = co_await endless;
        CHECK(first.error().is_cancelled());
        ++cancelled;
        auto const second = co_await receiver;
        (void)second;
        ++cancelled;
      };
      auto handle = spawned::spawn(child(returned));
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
      CHECK(returned == 1);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a value that is there already is delivered in a cancelled task") {
    auto body = []() -> Task<> {
      int got = 0;
      auto child = [](int& value) -> Task<> {
        for (int i = 1; i <= 3; ++i) {
          auto [sender, receiver] = spawned::oneshot<int>();
          sender.send(i);
          auto const result = co_await receiver;
          value += result.value();
        }
      };
      auto handle = spawned::spawn(child(got));
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.has_value());
      CHECK(got == 6);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("the tasks that a cancelled task awaits directly are cancelled with it") {
    auto body = []() -> Task<> {
      auto middle = [](CancellationToken token) -> Task<> { co_await wait_for(token); };
      auto handle = spawned::spawn(middle(CancellationToken()));
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
    };
    run(body());
  }

  TEST_CASE("a token wakes everybody who waits for it, and later waiters do not suspend") {
    auto body = []() -> Task<> {
      CancellationToken token;
      std::vector<JoinHandle<void>> handles;
      for (int i = 0; i < 100; ++i) handles.push_back(spawned::spawn(wait_for(token)));
      co_await spawned::yield_now();
      CHECK_FALSE(token.is_cancelled());
      token.cancel();
      token.cancel();
      CHECK(token.is_cancelled());
      for (auto& handle : handles) {
        auto const result = co_await handle;
        CHECK(result.has_value());
      }
      co_await token.cancelled();
    };
    run(body());
  }

  TEST_CASE("copies are the same token, a default one is another") {
    CancellationToken first;
    CancellationToken const copy = first;
    CancellationToken const other;
    CancellationToken moved = CancellationToken(first);
    CancellationToken const target = std::move(moved);
    first.cancel();
    CHECK(copy.is_cancelled());
    CHECK(target.is_cancelled());
    CHECK_FALSE(other.is_cancelled());
  }

  TEST_CASE("assigning a token lets go of the old one") {
    CancellationToken first;
    CancellationToken second;
    second = first;
    first = CancellationToken();
    second.cancel();
    CHECK_FALSE(first.is_cancelled());
  }

  TEST_CASE("a child token is cancelled with its parent and not the other way round") {
    CancellationToken parent;
    CancellationToken child = parent.child_token();
    CancellationToken grandchild = child.child_token();
    CancellationToken sibling = parent.child_token();
    sibling.cancel();
    CHECK(sibling.is_cancelled());
    CHECK_FALSE(parent.is_cancelled());
    CHECK_FALSE(child.is_cancelled());
    parent.cancel();
    CHECK(child.is_cancelled());
    CHECK(grandchild.is_cancelled());
    CHECK(parent.child_token().is_cancelled());
  }

  TEST_CASE("a child token works after its parent object is gone") {
    CancellationToken const child = [] {
      CancellationToken const parent;
      return parent.child_token();
    }();
    CHECK_FALSE(child.is_cancelled());
  }

  TEST_CASE("waiters of a child token wake when the parent is cancelled") {
    auto body = []() -> Task<> {
      CancellationToken parent;
      auto handle = spawned::spawn(wait_for(parent.child_token()));
      co_await spawned::yield_now();
      parent.cancel();
      auto const result = co_await handle;
      CHECK(result.has_value());
    };
    run(body());
  }

  TEST_CASE("a std::stop_source cancels a token made of it") {
    // On the heap: g++ 12 warns of a stop_source on the stack.
    auto const source = std::make_unique<std::stop_source>();
    CancellationToken const token(source->get_token());
    CHECK_FALSE(token.is_cancelled());
    source->request_stop();
    CHECK(token.is_cancelled());
    CancellationToken const late(source->get_token());
    CHECK(late.is_cancelled());
  }

  TEST_CASE("a token without a std::stop_source behind it can be cancelled alone") {
    CancellationToken token{std::stop_token()};
    CHECK_FALSE(token.is_cancelled());
    token.cancel();
    CHECK(token.is_cancelled());
  }

  TEST_CASE("a token cancels the std::stop_token it hands out") {
    CancellationToken token;
    std::stop_token const stop = token.stop_token();
    bool called = false;
    std::stop_callback const callback(stop, [&called] { called = true; });
    CHECK_FALSE(stop.stop_requested());
    token.cancel();
    CHECK(stop.stop_requested());
    CHECK(called);
  }

  TEST_CASE("a thread outside the runtime wakes the waiters of a token") {
    Runtime runtime(test::with_workers(2));
    for (int round = 0; round < 500; ++round) {
      CancellationToken token;
      auto first = runtime.spawn(wait_for(token));
      auto second = runtime.spawn(wait_for(token.child_token()));
      token.cancel();
      CHECK(first.join_blocking().has_value());
      CHECK(second.join_blocking().has_value());
    }
  }

  TEST_CASE("a cancellation that races the event it ends is lost by neither side") {
    // Phase 1: a task waits for a token. Phase 2: the token and the task are cancelled at the same
    // time by two threads. Asserted: the task ends, by one or the other.
    Runtime runtime(test::with_workers(2));
    int by_event = 0;
    int by_cancel = 0;
    for (int round = 0; round < 1'000; ++round) {
      CancellationToken token;
      auto handle = runtime.spawn(wait_for(token));
      std::atomic<bool> go{false};
      std::thread other([&] {
        test::wait_until([&] { return go.load(); });
        token.cancel();
      });
      go = true;
      handle.cancel();
      auto const result = handle.join_blocking();
      other.join();
      ++(result.has_value() ? by_event : by_cancel);
      if (!result.has_value()) CHECK(result.error().is_cancelled());
    }
    CHECK(by_event + by_cancel == 1'000);
  }

  TEST_CASE("child tokens may be made and dropped while the parent is cancelled") {
    for (int round = 0; round < 200; ++round) {
      CancellationToken parent;
      std::atomic<bool> ready{false};
      std::thread other([&] {
        for (int i = 0; i < 50; ++i) {
          CancellationToken const child = parent.child_token();
          ready = true;
          (void)child.is_cancelled();
        }
      });
      test::wait_until([&] { return ready.load(); });
      parent.cancel();
      other.join();
      CHECK(parent.child_token().is_cancelled());
    }
  }
}
