// ActorOptions::handler_timeout: a timer over one call of a coroutine handler.
//
// A watch is one block with two owners: the actor, from the start of the call to its end, and the
// timer, from its expiry until it has done what it is to do. `phase_`:
//
//   phase     set by                                   means
//   armed     watch_handler()                          the handler is in its time
//   striking  strike(), from armed                     it is late; the timer's side acts on the
//   call struck    strike(), from striking                  it has acted over      end_call(), from
//   armed or struck         the call has ended
//
// So either the call ends first and the timer does nothing, or the timer acts on this very call:
// its owner waits out `striking`, a few instructions, before it goes on to the next message.
//
// Orderings.
//   phase     strike() CASes, stores (acq_rel, release)  ->  end_call() loads, CASes (acquire).
//             The owner sees the cancellation of its context done.
//   refs      release() subtracts (acq_rel)  ->  release() subtracts (acq_rel).
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/timer.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::detail {

namespace {

std::string in_ms(std::int64_t ns) { return std::to_string(ns / 1'000'000) + " ms"; }

}  // namespace

class HandlerWatch final : public TimerEntry, public Runnable {
 public:
  HandlerWatch(CellBase& cell, std::string_view message, std::int64_t start_ns) noexcept
      : TimerEntry(&on_timer),
        Runnable(nullptr, &on_run),
        cell_(&cell),
        message_(message),
        start_ns_(start_ns) {
    cell.retain_memory();
  }

  /// The actor's side, once. True: the handler was late and has been dealt with.
  [[nodiscard]] bool end_call() noexcept {
    timer_cancel(*this);
    Phase phase = Phase::armed;
    while (!phase_.compare_exchange_weak(phase, Phase::over, memory_order_acq_rel,
                                         memory_order_acquire)) {  // phase
      if (phase == Phase::striking) {
        cpu_pause();
        phase = Phase::struck;
      }
    }
    bool const late = phase == Phase::struck;
    release();
    return late;
  }

 private:
  enum class Phase : std::uint8_t { armed, striking, struck, over };

  static Runnable* on_timer(TimerEntry& entry) noexcept {
    auto& self = static_cast<HandlerWatch&>(entry);
    self.refs_.fetch_add(1, memory_order_relaxed);  // the owner's side waits at the wheel's lock
    return &self;
  }
  static void on_run(Runnable& runnable) noexcept {
    auto& self = static_cast<HandlerWatch&>(runnable);
    self.strike();
    self.release();
  }

  void strike() noexcept {
    Phase phase = Phase::armed;
    if (!phase_.compare_exchange_strong(phase, Phase::striking, memory_order_acq_rel,
                                        memory_order_acquire)) {  // phase
      return;
    }
    HandlerTimeout const what = cell_->extra_or_null()->options.on_handler_timeout;
    if (what == HandlerTimeout::cancel) {
      cell_->request_cancel();
      cell_->cancel_token_soon();
    }
    phase_.store(Phase::struck, memory_order_release);  // phase
    try {
      std::int64_t const elapsed = clock_now_ns(cell_->home->runtime()) - start_ns_;
      char const* const words[] = {"", "; it is cancelled", "; the actor is killed"};
      log::warn("spawned", cell_->describe() + " has been handling " + std::string(message_) +
                               " for " + in_ms(elapsed) + words[static_cast<int>(what)]);
      if (what == HandlerTimeout::kill) cell_->exit(ExitReason::Kind::kill);
    } catch (...) {
      log::error("spawned", "a handler is late; no memory to deal with it");
    }
  }

  void release() noexcept {
    if (refs_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // refs
    CellBase& cell = *cell_;
    pool_delete(this);
    cell.release_memory();
  }

  template <typename U>
  friend void pool_delete(U*) noexcept;

  CellBase* cell_;
  std::string_view message_;
  std::int64_t start_ns_;
  atomic<Phase> phase_{Phase::armed};
  atomic<std::uint32_t> refs_{1};
};

void CellBase::watch_handler(std::string_view message) noexcept {
  CellExtra& more = *extra_or_null();
  try {
    more.watch = pool_new<HandlerWatch>(*this, message, clock_now_ns(home->runtime()));
  } catch (...) {
    log::error("spawned", "a handler runs without its time limit: no memory");
    return;
  }
  timer_arm_after(*more.watch, more.options.handler_timeout.count());
}

void CellBase::unwatch_handler() noexcept {
  CellExtra& more = *extra_or_null();
  HandlerWatch* const watch = std::exchange(more.watch, nullptr);
  if (watch == nullptr) return;  // of init or teardown
  if (!watch->end_call() || more.options.on_handler_timeout != HandlerTimeout::cancel) return;
  more.timed_out = true;
  // The end of the runtime may have been asked for meanwhile: request_actor_end() sets its flag
  // before its read-modify-write of the word that this one changes, so one of the two is last.
  clear_cancel();
  if (shutdown_sent_.load(memory_order_relaxed)) request_cancel();  // ordered by slot
}

bool CellBase::handler_timed_out(ExitReason& reason) noexcept {
  CellExtra& more = *extra_or_null();
  if (!std::exchange(more.timed_out, false)) return false;
  try {
    throw;
  } catch (Cancelled const&) {
    try {
      reason = ExitReason::error("the handler timed out after " +
                                 in_ms(more.options.handler_timeout.count()));
    } catch (...) {
      reason = ExitReason::Kind::error;  // no memory for the text
    }
    return true;
  } catch (...) {
    return false;  // it failed in its own way
  }
}

}  // namespace spawned::detail
