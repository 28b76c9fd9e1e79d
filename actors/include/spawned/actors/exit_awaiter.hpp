// ExitAwaiter: waiting for the end of an actor.
#pragma once

#include <coroutine>
#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/cycles.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

namespace spawned {

/// What stop_and_wait() and wait_exit() of the handles return; see there. Does not count as a ref.
class ExitAwaiter {
 public:
  ExitAwaiter(detail::CellBase& cell, bool stop, ExitReason reason, std::int64_t timeout_ns)
      : cell_(&cell),
        memory_(cell),
        stop_reason_(std::move(reason)),
        timeout_ns_(timeout_ns),
        wait_(cell.waiters()),
        stop_(stop) {}
  ExitAwaiter(ExitAwaiter const&) = delete;
  ExitAwaiter& operator=(ExitAwaiter const&) = delete;
  /// Also while suspended, once the context was queued and will not be resumed.
  ~ExitAwaiter() {
    if (edge_ != nullptr) detail::WaitEdge::leave(edge_);
  }

  [[nodiscard]] bool await_ready() const noexcept { return !stop_ && cell_->has_ended(); }
  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller,
                     std::source_location where = std::source_location::current()) noexcept {
    if (caller.promise().context == cell_) {
      own_ = true;
      return false;
    }
    if (caller.promise().context->await_checks != 0) [[unlikely]] {
      edge_ = detail::check_exit(*caller.promise().context, *cell_, wait_.slot_wait(), where);
      if (edge_ != nullptr && edge_->closes_cycle()) return false;
    }
    if (stop_) {
      dead_ = !detail::post_stop(*cell_, std::move(stop_reason_));
      if (dead_) {
        detail::simulated_waits_not(*caller.promise().context);
        return false;
      }
    }
    waited_ = true;
    return wait_.suspend(caller, *caller.promise().context, timeout_ns_);
  }
  Result<ExitReason, ActorError> await_resume() {
    if (edge_ != nullptr) {
      if (edge_->closes_cycle()) return Unexpected(edge_->error());
      detail::WaitEdge::leave(edge_);
    }
    if (own_) return Unexpected(ActorError::Kind::deadlock);
    if (dead_) return Unexpected(detail::dead_actor_error(*cell_));
    if (waited_) {
      detail::WaitOutcome const outcome = wait_.finish();
      if (outcome != detail::WaitOutcome::completed) {
        return Unexpected(detail::gave_up_error(outcome, wait_.context()));
      }
    }
    return cell_->exit_reason();
  }

 private:
  // A memory owner of the cell.
  class Memory {
   public:
    explicit Memory(detail::CellBase& cell) noexcept : cell_(&cell) { cell.retain_memory(); }
    Memory(Memory const&) = delete;
    Memory& operator=(Memory const&) = delete;
    ~Memory() { cell_->release_memory(); }

   private:
    detail::CellBase* cell_;
  };

  detail::CellBase* cell_;
  Memory memory_;  // outlives wait_, which is linked into the cell
  ExitReason stop_reason_;
  std::int64_t timeout_ns_;
  detail::ListWait wait_;
  detail::WaitEdge* edge_ = nullptr;
  bool stop_;
  bool own_ = false;  // an actor waits for itself
  bool dead_ = false;
  bool waited_ = false;
};

}  // namespace spawned
