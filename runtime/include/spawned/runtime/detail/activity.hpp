// Activity: what a worker runs, published for the thread that watches for long turns (the monitor).
//
// The monitor must not touch what a worker runs, which may end and be freed at any moment. So the
// running unit publishes values that stay valid: a Step has static storage, an identity is a
// number. A turn costs two stores, each message of an actor two more.
//
//   step_   begin()     what runs, and how to describe it; null while the worker looks for work
//   id_     identify()  who: an actor's id, the place where a task was spawned
//   count_  begin()     so that one long step is told from many short ones of one name
//
// Orderings.
//   activity  identify(), begin() and end() store (release)  ->  step(), id() and count() load
//             (acquire). Who sees a value also sees the count of turns that the worker stored
//             before it. So values between two equal counts belong to one turn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

/// One kind of thing that a turn is spent on: an actor's handler of one message, an init, a task.
struct Step {
  /// Names it for a report. `id` is what identify() was told.
  std::string (*describe)(Step const& step, std::uint64_t id);
  std::string_view type;  // of the actor
  std::string_view name;  // of the message or callback
};

class Activity {
 public:
  // --- the thread itself ---
  void identify(std::uint64_t id) noexcept { id_.store(id, memory_order_release); }  // activity
  /// `step` has static storage.
  void begin(Step const& step) noexcept {
    count_.store(count_.load(memory_order_relaxed) + 1, memory_order_release);  // activity
    step_.store(&step, memory_order_release);                                   // activity
  }
  /// begin() for the first step of a turn.
  void begin_turn(Step const& step, std::uint64_t id) noexcept {
    identify(id);
    step_.store(&step, memory_order_release);  // activity
  }
  void end() noexcept { step_.store(nullptr, memory_order_release); }  // activity

  // --- anybody ---
  [[nodiscard]] Step const* step() const noexcept {
    return step_.load(memory_order_acquire);  // activity
  }
  [[nodiscard]] std::uint64_t id() const noexcept {
    return id_.load(memory_order_acquire);  // activity
  }
  [[nodiscard]] std::uint32_t count() const noexcept {
    return count_.load(memory_order_acquire);  // activity
  }

 private:
  atomic<Step const*> step_{nullptr};
  atomic<std::uint64_t> id_{0};
  atomic<std::uint32_t> count_{0};
};

}  // namespace spawned::detail
