// Activity: what a worker runs, published for the thread that watches for long turns (the monitor).
//
// The monitor must not touch what a worker runs, which may end and be freed at any moment. So the
// running unit publishes values that stay valid: its kind and the name of its step have static
// storage, its identity is a number.
//
//   kind_   begin_turn()   who runs; null between turns
//   id_     begin_turn()   which one of that kind, as LiveKind::describe_identity reads it
//   step_   begin_step()   what it is about: the type of an actor's message, "init", "teardown"
//   steps_  begin_step()   so that one long step is told from many short ones of one name
//
// A unit that does not call begin_turn() is not watched.
//
// Orderings.
//   activity  begin_turn(), begin_step() and end_turn() store (release)  ->  kind(), id(), step()
//             and steps() load (acquire). Who sees a value also sees the count of turns that the
//             worker stored before it. So values between two equal counts belong to one turn.
#pragma once

#include <cstdint>
#include <string_view>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

struct LiveKind;

class Activity {
 public:
  // --- the thread itself ---
  void begin_turn(LiveKind const& kind, std::uint64_t identity,
                  std::string_view const* step = nullptr) noexcept {
    step_.store(step, memory_order_release);   // activity
    id_.store(identity, memory_order_release);  // activity
    kind_.store(&kind, memory_order_release);  // activity
  }
  /// `name` has static storage.
  void begin_step(std::string_view const& name) noexcept {
    steps_.store(steps_.load(memory_order_relaxed) + 1, memory_order_release);  // activity
    step_.store(&name, memory_order_release);                                   // activity
  }
  void end_turn() noexcept { kind_.store(nullptr, memory_order_release); }  // activity

  // --- anybody ---
  [[nodiscard]] LiveKind const* kind() const noexcept {
    return kind_.load(memory_order_acquire);  // activity
  }
  [[nodiscard]] std::uint64_t id() const noexcept {
    return id_.load(memory_order_acquire);  // activity
  }
  [[nodiscard]] std::string_view const* step() const noexcept {
    return step_.load(memory_order_acquire);  // activity
  }
  [[nodiscard]] std::uint32_t steps() const noexcept {
    return steps_.load(memory_order_acquire);  // activity
  }

 private:
  atomic<LiveKind const*> kind_{nullptr};
  atomic<std::uint64_t> id_{0};
  atomic<std::string_view const*> step_{nullptr};
  atomic<std::uint32_t> steps_{0};
};

}  // namespace spawned::detail
