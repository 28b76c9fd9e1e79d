// The word between a completer and a receiver (runtime/detail/slot.hpp, slot.cpp), bare and under a
// coroutine's wait: the value against a time-out, a cancellation, doom and a receiver that is gone.
#include <coroutine>
#include <cstdint>
#include <optional>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

#include "model/support.hpp"
#include "model/world.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;

// What holds a slot. Destroying it is an access like any other, so a free that comes too early, or
// twice, is found.
struct Block {
  Slot slot;
  SharedCell<int> value{0};
};

struct SharedBlock {
  std::optional<Block> block{std::in_place};
  SharedCell<bool> freed{false};

  SharedBlock() = default;
  Block* operator->() { return &*block; }
  void free() {
    model::check(!freed.get(), "the block is freed once");
    freed.set(true);
    block.reset();
  }
  void complete() {
    block->value.set(42);
    if (!block->slot.complete()) free();
  }
  // By the receiver, once the slot is done.
  void take() {
    model::check(block->value.get() == 42, "the value is there");
    free();
  }
};

// The one timer of a model, with the wheel's lock.
struct Wheel {
  SpinLock lock;
  SharedCell<bool> armed{false};
  TimerEntry* entry = nullptr;

  explicit Wheel(TimerEntry& timer) : entry(&timer) {
    world.arm = [this](TimerEntry&) {
      SpinGuard const guard(lock);
      armed.set(true);
    };
    world.disarm = [this](TimerEntry&) {
      SpinGuard const guard(lock);
      armed.set(false);
    };
  }
  void fire() {
    Runnable* work = nullptr;
    {
      SpinGuard const guard(lock);
      if (!armed.get()) return;
      armed.set(false);
      work = entry->fire(*entry);
    }
    if (work != nullptr) world.schedule(*work);
  }
};

// A task whose turns are run by the model's thread that calls run().
struct Context : ExecutionContext {
  explicit Context(Executor& executor) : ExecutionContext(executor, live_kind, nullptr) {
    world.schedule = [this](Runnable&) {
      model::check(queued.exchange(1, memory_order_acq_rel) == 0, "it is queued once");
      futex_wake_one(queued);
    };
  }
  // The worker that takes it from the run queue.
  void await_turn() {
    while (queued.load(memory_order_acquire) == 0) futex_wait(queued, 0);
    wait_gate();
    (void)resume_point.get();
  }
  static constexpr LiveKind live_kind{};
  atomic<std::uint32_t> queued{0};
};

struct Home final : Executor {
  Home() : Executor(*static_cast<Scheduler*>(nullptr_scheduler()), false) {}
  void post(Runnable& /*work*/) noexcept override {}
  static void* nullptr_scheduler() {
    static int nothing = 0;
    return &nothing;
  }
};

// An await of the slot, from its beginning to the end of the receiver's part in the block.
struct Await {
  Home home;
  Context context{home};
  SharedBlock block;
  std::optional<SlotWait> wait;
  Wheel wheel;

  explicit Await(Slot::State give_up = Slot::abandoned)
      : wait(std::in_place, give_up), wheel(*wait) {}

  // The receiver's part after its turn, on the worker that takes the context from the run queue.
  void resume() {
    context.await_turn();
    WaitOutcome const outcome = wait->finish();
    wait.reset();
    if (outcome == WaitOutcome::completed) block.take();
  }
  // The same for a frame that holds the receiver's end and is destroyed where it is suspended.
  void resume_doomed() {
    context.await_turn();
    if (!context.is_doomed()) (void)wait->finish();
    wait.reset();
    if (!block->slot.abandon()) block.free();
  }
  // What did not suspend goes on at once; for this model, on the other thread too.
  void suspend(std::int64_t timeout_ns = no_deadline) {
    if (!wait->suspend(std::noop_coroutine(), context, block->slot, timeout_ns)) {
      world.schedule(context);
    }
  }
  void check_freed() { model::check(block.freed.get(), "one of the two has freed the block"); }
};

struct Waiter : SlotWaiter {
  Waiter() : SlotWaiter(&on_complete) {}
  static void on_complete(SlotWaiter& self, bool /*turn_ends*/) noexcept {
    auto& waiter = static_cast<Waiter&>(self);
    waiter.wakes.set(waiter.wakes.get() + 1);
    waiter.awake.store(1, memory_order_release);
  }
  SharedCell<int> wakes{0};
  atomic<int> awake{0};
};

}  // namespace

TEST_SUITE("model/slot") {
  TEST_CASE("of a completer and a receiver that goes, exactly one frees the block") {
    holds([] {
      SharedBlock shared;
      model::parallel([&] { shared.complete(); },
                      [&] {
                        if (shared->slot.is_done()) {
                          shared.take();
                        } else if (!shared->slot.abandon()) {
                          shared.take();
                        }
                      });
      model::check(shared.freed.get(), "one of the two has freed it");
    });
  }

  TEST_CASE("a completer that asks whether it is worth it sees what the receiver did before") {
    holds([] {
      SharedBlock shared;
      SharedCell<int> told{0};
      model::parallel(
          [&] {
            if (shared->slot.is_abandoned()) (void)told.get();
            shared.complete();
          },
          [&] {
            told.set(1);
            if (!shared->slot.abandon()) shared.take();
          });
      model::check(shared.freed.get(), "one of the two has freed it");
    });
  }

  TEST_CASE("a waiter is woken by exactly one of completer, timer and canceller") {
    holds([] {
      SharedBlock shared;
      Waiter waiter;
      int stopped = 0;
      auto const stop = [&] {
        if (shared->slot.stop_waiting(Slot::empty)) {
          waiter.wakes.set(waiter.wakes.get() + 1);
          ++stopped;
          waiter.awake.store(1, memory_order_release);
        }
      };
      bool const waits = shared->slot.begin_wait(waiter);
      model::check(waits, "nobody has completed it");
      model::parallel([&] { model::check(shared->slot.complete(), "the receiver owns it"); }, stop,
                      stop);
      model::check(waiter.wakes.get() == 1 && stopped <= 1, "woken once");
      model::check(shared->slot.is_done(), "and done");
    });
  }

  TEST_CASE("a completer that comes while the wait begins wakes it, or is seen by it") {
    holds([] {
      SharedBlock shared;
      Waiter waiter;
      model::parallel([&] { shared.complete(); },
                      [&] {
                        if (shared->slot.begin_wait(waiter)) {
                          while (waiter.awake.load(memory_order_acquire) == 0) cpu_pause();
                          model::check(waiter.wakes.get() == 1, "woken once");
                        }
                        shared.take();
                      });
    });
  }

  TEST_CASE("an await ends by the reply or by its time limit") {
    holds([] {
      Await await;
      model::parallel([&] { await.suspend(1'000); }, [&] { await.resume(); },
                      [&] { await.block.complete(); }, [&] { await.wheel.fire(); });
      await.check_freed();
    });
  }

  TEST_CASE("an await ends by the reply or by a cancellation") {
    holds([] {
      Await await;
      model::parallel([&] { await.suspend(); }, [&] { await.resume(); },
                      [&] { await.block.complete(); }, [&] { await.context.request_cancel(); });
      await.check_freed();
    });
  }

  TEST_CASE("an await that has begun ends by the reply or by a cancellation") {
    holds([] {
      Await await;
      await.suspend();
      model::parallel([&] { await.resume(); }, [&] { await.block.complete(); },
                      [&] { await.context.request_cancel(); });
      await.check_freed();
    });
  }

  TEST_CASE("a cancellation ends an await that begins, or is seen by it") {
    holds([] {
      Await await;
      model::parallel([&] { await.suspend(); }, [&] { await.resume(); },
                      [&] { await.context.request_cancel(); });
      await.block.complete();
      await.check_freed();
    });
  }

  TEST_CASE("a cancellation and a time limit at once end an await once") {
    holds([] {
      Await await;
      await.suspend(1'000);
      model::parallel([&] { await.resume(); }, [&] { await.context.request_cancel(); },
                      [&] { await.wheel.fire(); });
      await.block.complete();
      await.check_freed();
    });
  }

  TEST_CASE("who gives up second leaves the block alone, which the reply may have freed") {
    holds([] {
      Await await;
      await.suspend(1'000);
      model::parallel([&] { await.resume(); }, [&] { await.context.request_cancel(); },
                      [&] { await.wheel.fire(); }, [&] { await.block.complete(); });
      await.check_freed();
    });
  }

  TEST_CASE("a doomed await is taken down and leaves the block to one owner") {
    holds([] {
      Await await(Slot::empty);
      await.suspend();
      model::parallel([&] { await.resume_doomed(); }, [&] { await.block.complete(); },
                      [&] { await.context.request_doom(); });
      await.check_freed();
    });
  }

  TEST_CASE("who finds its context cancelled or doomed sees what came before") {
    holds([] {
      Home home;
      Context context(home);
      SharedCell<int> reason{0};
      SharedCell<int> why{0};
      model::parallel(
          [&] {
            why.set(1);
            context.request_cancel();
            reason.set(7);
            context.request_doom();
          },
          [&] {
            if (context.is_doomed()) model::check(reason.get() == 7, "the reason");
          },
          [&] {
            if (context.is_cancelled()) (void)why.get();
          });
    });
  }

  TEST_CASE("of who publishes and then looks, and who cancels and then looks, one sees the other") {
    holds([] {
      Home home;
      Context context(home);
      SharedCell<int> why{0};
      atomic<int> published{0};
      bool cancelled = false;
      bool seen = false;
      model::parallel(
          [&] {
            published.store(1, memory_order_relaxed);
            cancelled = context.is_cancelled_now();
            if (cancelled) (void)why.get();
          },
          [&] {
            why.set(1);
            context.request_cancel();
            seen = published.load(memory_order_relaxed) == 1;
          });
      model::check(cancelled || seen, "one of the two");
    });
  }

  TEST_CASE("a request is published while a canceller comes, and resumed once") {
    holds([] {
      Await await;
      model::parallel(
          [&] {
            auto& wait = *await.wait;
            if (!wait.prepare(std::noop_coroutine(), await.context, await.block->slot)) {
              model::check(!wait.refused(), "it is cancelled, not doomed");
              await.block.free();  // nobody else has seen it
              return;
            }
            model::Thread const completer([&] { await.block.complete(); });
            model::Thread const worker([&] { await.resume(); });
            wait.commit(no_deadline);
          },
          [&] { await.context.request_cancel(); });
      await.check_freed();
    });
  }

  TEST_CASE("a request that cannot be published is taken back, unless a canceller was faster") {
    holds([] {
      Await await;
      bool resumed = true;
      model::parallel(
          [&] {
            auto& wait = *await.wait;
            if (!wait.prepare(std::noop_coroutine(), await.context, await.block->slot)) return;
            resumed = wait.retract();
            if (resumed) await.context.await_turn();
            (void)wait.finish();
          },
          [&] { await.context.request_cancel(); });
      model::check(resumed || await.context.queued.load() == 0, "who is not resumed is not queued");
    });
  }

  TEST_CASE("a blocked thread is woken by the reply, also when it comes before the wait") {
    holds([] {
      world.looks_at_clock = 0;
      SharedBlock shared;
      std::optional<ThreadWait> wait;
      wait.emplace();
      model::parallel([&] { shared.complete(); },
                      [&] {
                        model::check(wait->wait(shared->slot), "no time limit");
                        wait.reset();
                        shared.take();
                      });
    });
  }

  TEST_CASE("a blocked thread gives up after its time, or takes the reply that came just then") {
    holds([] {
      world.looks_at_clock = 0;
      SharedBlock shared;
      std::optional<ThreadWait> wait;
      wait.emplace();
      model::parallel([&] { shared.complete(); },
                      [&] {
                        bool const done = wait->wait(shared->slot, 1'000);
                        wait.reset();
                        if (done) shared.take();
                      });
      model::check(shared.freed.get(), "one of the two has freed the block");
    });
  }
}
