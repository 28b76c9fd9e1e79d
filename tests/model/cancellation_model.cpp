// Cancellation tokens (cancellation.cpp and WaitList in slot.cpp, as they are): a cancel reaches
// whoever waits and every child, whatever is registered or dropped meanwhile, and nobody uses a
// state that is gone. std::stop_source is a stand-in (standin/stop_token): the standard library's
// words are hidden from the checker.
#include <coroutine>
#include <cstdint>
#include <optional>

#include <spawned/runtime/cancellation.hpp>

#include "model/support.hpp"
#include "model/world.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;
using spawned::CancellationToken;

// A task that awaits cancelled(): its coroutine is played by the calling thread.
class Task {
  struct Home final : Executor {
    Home() : Executor(*static_cast<Scheduler*>(nothing()), false) {}
    void post(Runnable& /*work*/) noexcept override {}
    static void* nothing() {
      static int object = 0;
      return &object;
    }
  };
  struct Context final : ExecutionContext {
    explicit Context(Home& where)
        : ExecutionContext(where, kind_of_task, [](Runnable&) noexcept {}) {}
    static constexpr LiveKind kind_of_task{};
    SharedCell<int> turns{0};
    atomic<std::uint32_t> queued{0};
  };

 public:
  /// What the worker does on schedule().
  static void queue(Runnable& work) {
    auto& context = static_cast<Context&>(work);
    context.turns.set(context.turns.get() + 1);
    context.queued.store(1, memory_order_release);
    futex_wake_one(context.queued);
  }

  void await_cancelled(CancellationToken const& token) {
    PromiseBase promise;
    promise.context = &context_;
    CancellationToken::Awaiter awaiter = token.cancelled();
    if (awaiter.await_suspend(std::coroutine_handle<PromiseBase>::from_promise(promise))) {
      while (context_.queued.load(memory_order_acquire) == 0) futex_wait(context_.queued, 0);
      context_.wait_gate();
      model::check(context_.turns.get() == 1, "it is woken once");
    }
    bool itself = false;
    try {
      awaiter.await_resume();
    } catch (spawned::Cancelled const&) {
      itself = true;
    }
    model::check(itself ? context_.is_cancelled() : token.is_cancelled(), "one of the two woke it");
  }
  /// Of the task itself, not of the token.
  void cancel() { context_.request_cancel(); }

 private:
  Home home_;
  Context context_{home_};
};

// Before the tokens of an execution are made.
void begin() {
  world.schedule = [](Runnable& work) { Task::queue(work); };
}

}  // namespace

TEST_SUITE("model/cancellation") {
  TEST_CASE("a cancel wakes who waits, or is seen by who is about to") {
    holds([] {
      begin();
      CancellationToken token;
      SharedCell<int> reason{0};
      model::parallel(
          [&] {
            reason.set(1);
            token.cancel();
          },
          [&] {
            Task task;
            task.await_cancelled(token);
            model::check(reason.get() == 1, "it sees what was done before the cancel");
          });
    });
  }

  TEST_CASE("two cancel at once: who waits is woken once") {
    holds([] {
      begin();
      CancellationToken token;
      auto const cancel = [&] {
        token.cancel();
        model::check(token.is_cancelled(), "afterwards it is");
      };
      model::parallel(cancel, cancel, [&] {
        Task task;
        task.await_cancelled(token);
      });
    });
  }

  TEST_CASE("a task that waits is cancelled itself while the token is: it goes, and is not used") {
    holds([] {
      begin();
      CancellationToken token;
      Task task;
      model::parallel([&] { token.cancel(); }, [&] { task.cancel(); },
                      [&] { task.await_cancelled(token); });
    });
  }

  TEST_CASE("a cancel wakes two who wait, while one of them comes and the other goes") {
    holds(
        [] {
          begin();
          CancellationToken token;
          auto const wait = [&] {
            Task task;
            task.await_cancelled(token);
          };
          model::parallel([&] { token.cancel(); }, wait, wait);
        },
        1);
  }

  TEST_CASE("a cancel reaches a child that is made at the same time, and who waits for it") {
    holds([] {
      begin();
      CancellationToken parent;
      model::parallel([&] { parent.cancel(); },
                      [&] {
                        CancellationToken const child = parent.child_token();
                        Task task;
                        task.await_cancelled(child);
                      });
    });
  }

  TEST_CASE("the last token of a child goes while the parent is cancelled") {
    holds([] {
      begin();
      CancellationToken parent;
      std::optional<CancellationToken> child(parent.child_token());
      model::parallel([&] { parent.cancel(); }, [&] { child.reset(); });
      model::check(parent.is_cancelled(), "the parent is cancelled all the same");
    });
  }

  TEST_CASE("two who share a child drop it while the parent is cancelled: it goes once") {
    holds([] {
      begin();
      CancellationToken parent;
      std::optional<CancellationToken> first(parent.child_token());
      std::optional<CancellationToken> second(first);
      model::parallel([&] { parent.cancel(); }, [&] { first.reset(); },
                      [&] {
                        (void)second->is_cancelled();
                        second.reset();
                      });
    });
  }

  TEST_CASE("who is woken by the cancel drops the last token of the child within it") {
    holds([] {
      begin();
      CancellationToken parent;
      std::optional<CancellationToken> child(parent.child_token());
      atomic<bool> dropped{false};
      Task task;
      world.schedule = [&](Runnable& work) {
        child.reset();  // as if the task ran to its end on this thread at once
        dropped.store(true, memory_order_release);
        Task::queue(work);
      };
      model::parallel([&] { parent.cancel(); },
                      [&] {
                        CancellationToken const own(*child);
                        task.await_cancelled(own);
                      });
    });
  }

  TEST_CASE("a token of a stop_token is cancelled with it, and can go alone") {
    holds([] {
      begin();
      std::stop_source source;
      std::optional<CancellationToken> token(std::in_place, source.get_token());
      model::parallel([&] { (void)source.request_stop(); },
                      [&] {
                        token->cancel();
                        model::check(token->is_cancelled(), "cancelled, by whom ever");
                        token.reset();
                      });
    });
  }

  TEST_CASE("who sees that the event of a wait list has happened sees what was done before it") {
    holds([] {
      WaitList list;
      SharedCell<int> before{0};
      model::parallel(
          [&] {
            before.set(1);
            list.close();
          },
          [&] {
            if (list.is_closed()) model::check(before.get() == 1, "it sees what was done before");
          });
    });
  }

  TEST_CASE("a callback of the child drops its last token within the cancel of the parent") {
    holds([] {
      begin();
      CancellationToken parent;
      std::optional<CancellationToken> child(parent.child_token());
      std::stop_callback const callback(child->stop_token(), [&] { child.reset(); });
      model::parallel([&] { parent.cancel(); }, [&] { parent.cancel(); });
      model::check(!child.has_value(), "both cancels are over, and one has run the callback");
    });
  }
}
