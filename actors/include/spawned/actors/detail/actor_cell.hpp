// ActorCell<A>: a cell with the actor's state and its callbacks.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/actors/responses.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned::detail {

template <typename A>
concept has_plain_init = requires(A& actor) { actor.init(); };
template <typename A>
concept has_context_init = requires(A& actor, context_t<A>& context) { actor.init(context); };
template <typename A>
concept has_init = has_plain_init<A> || has_context_init<A>;

/// It is a machine that is told when it enters a state, the first included.
template <typename A>
inline constexpr bool enters_states = false;
template <is_state_machine A>
inline constexpr bool enters_states<A> = A::machine_hooks::enters();

template <typename A>
concept has_plain_teardown = requires(A& actor) { actor.teardown(); };
template <typename A>
concept has_context_teardown =
    requires(A& actor, context_t<A>& context) { actor.teardown(context); };
template <typename A>
concept has_reason_teardown =
    requires(A& actor, ExitReason const& reason) { actor.teardown(reason); };
template <typename A>
concept has_reason_context_teardown = requires(
    A& actor, ExitReason const& reason, context_t<A>& context) { actor.teardown(reason, context); };
template <typename A>
concept has_teardown = has_plain_teardown<A> || has_context_teardown<A> || has_reason_teardown<A> ||
                       has_reason_context_teardown<A>;

/// How A is told of exit signals that it traps, or null. In notices.hpp.
template <typename A>
constexpr PostNotice exit_notice() noexcept;

/// Of a cell whose state is what a function returns.
template <typename Make>
struct StateFrom {
  Make& make;
};

template <typename A>
class ActorCell final : public CellBase {
 public:
  template <typename... Args>
  explicit ActorCell(Executor& where, Args&&... args)
      : CellBase(where, kind_table), context_(*this) {
    if constexpr (state_inline) {
      ::new (static_cast<void*>(&state_)) A(std::forward<Args>(args)...);
    } else {
      state_ = pool_new<A>(std::forward<Args>(args)...);
    }
  }

  /// `make()` gives the state, here and again for each restart.
  template <typename Make>
  ActorCell(Executor& where, StateFrom<Make> from) : CellBase(where, kind_table), context_(*this) {
    build(from.make);
  }
  /// The slot is vacant: a new state. What `make` throws leaves it vacant.
  template <typename Make>
  void build(Make& make) {
    if constexpr (state_inline) {
      ::new (static_cast<void*>(&state_)) A(make());
    } else {
      state_ = pool_new_from<A>(make);
    }
  }

  [[nodiscard]] A& actor() noexcept {
    if constexpr (state_inline) {
      return *std::launder(reinterpret_cast<A*>(&state_));
    } else {
      return *state_;
    }
  }
  [[nodiscard]] context_t<A>& context() noexcept { return context_; }

 private:
  // Refs to an ended actor keep its cell; a large state is not part of it and goes at once.
  static constexpr bool state_inline = sizeof(A) <= 256 && alignof(A) <= 16;

  static Turn on_init(CellBase& base) {
    auto& cell = static_cast<ActorCell&>(base);
    current_worker->activity.begin(init_step);
    if constexpr (is_state_machine<A>) A::machine_hooks::begin_init(cell);
    auto call = [&cell]() -> decltype(auto) {
      if constexpr (has_context_init<A>) {
        return cell.actor().init(cell.context_);
      } else if constexpr (has_init<A>) {
        return cell.actor().init();
      } else {
        (void)cell;  // a state machine without init
      }
    };
    using H = decltype(call());
    try {
      if constexpr (is_task<std::remove_cvref_t<H>>) {
        auto task = call();
        return cell.start_coroutine(task.release(), &after_init<typename H::value_type>);
      } else if constexpr (std::is_void_v<H>) {
        call();
        return init_done(cell);
      } else {
        return consume_init(cell, call());
      }
    } catch (...) {
      return init_threw(cell);
    }
  }
  template <typename X>
  static Turn after_init(CellBase& cell) {
    auto handle = std::coroutine_handle<TaskPromise<X>>::from_address(cell.coroutine().address());
    try {
      if constexpr (std::is_void_v<X>) {
        handle.promise().take();
        cell.end_coroutine();
        return init_done(cell);
      } else {
        InitResult result = handle.promise().take();
        cell.end_coroutine();
        return consume_init(cell, std::move(result));
      }
    } catch (...) {
      if (cell.coroutine()) cell.end_coroutine();
      return init_threw(cell);
    }
  }
  static Turn consume_init(CellBase& cell, InitResult result) {
    switch (result.kind()) {
      case InitResult::Kind::success:
        break;
      case InitResult::Kind::no_success:
        return cell.refuse(ExitReason::normal(), ActorError::Kind::init_no_success);
      case InitResult::Kind::error:
        return cell.refuse(std::move(result.reason()), ActorError::Kind::init_failed);
    }
    return init_done(cell);
  }
  static Turn init_done(CellBase& cell) {
    if constexpr (is_state_machine<A>) {
      A::machine_hooks::finish_init(static_cast<ActorCell&>(cell));
    }
    return Turn::next;
  }
  static Turn init_threw(CellBase& cell) noexcept {
    (void)cell.fail("init");
    return cell.refuse(std::move(cell.reason()), ActorError::Kind::init_failed);
  }

  static Turn on_teardown(CellBase& base) {
    auto& cell = static_cast<ActorCell&>(base);
    current_worker->activity.begin(teardown_step);
    auto call = [&cell]() -> decltype(auto) {
      if constexpr (has_reason_context_teardown<A>) {
        return cell.actor().teardown(std::as_const(cell.reason()), cell.context_);
      } else if constexpr (has_reason_teardown<A>) {
        return cell.actor().teardown(std::as_const(cell.reason()));
      } else if constexpr (has_context_teardown<A>) {
        return cell.actor().teardown(cell.context_);
      } else {
        return cell.actor().teardown();
      }
    };
    using H = decltype(call());
    try {
      if constexpr (is_task<std::remove_cvref_t<H>>) {
        auto task = call();
        return cell.start_coroutine(task.release(), &after_teardown<typename H::value_type>);
      } else {
        call();
      }
    } catch (...) {
      (void)cell.fail("teardown");
    }
    return Turn::next;
  }
  template <typename X>
  static Turn after_teardown(CellBase& cell) {
    auto handle = std::coroutine_handle<TaskPromise<X>>::from_address(cell.coroutine().address());
    try {
      (void)handle.promise().take();
      cell.end_coroutine();
    } catch (...) {
      cell.end_coroutine();
      (void)cell.fail("teardown");
    }
    return Turn::next;
  }

  static void on_destroy_state(CellBase& base) noexcept {
    auto& cell = static_cast<ActorCell&>(base);
    // A start that was refused destroys the state on the starter's thread.
    if (current_worker != nullptr) current_worker->activity.begin(destructor_step);
    if constexpr (state_inline) {
      std::destroy_at(&cell.actor());
    } else {
      pool_delete(cell.state_);
    }
  }
  static void on_destroy_cell(CellBase& base) noexcept {
    pool_delete(&static_cast<ActorCell&>(base));
  }

  // What Activity says during the callbacks that no message names.
  static constexpr Step init_step{&describe_actor_step, type_name<A>(), "init"};
  static constexpr Step teardown_step{&describe_actor_step, type_name<A>(), "teardown"};
  static constexpr Step destructor_step{&describe_actor_step, type_name<A>(), "its destructor"};

  static constexpr auto init_callback() noexcept {
    if constexpr (has_init<A> || enters_states<A>) {
      return &on_init;
    } else {
      return static_cast<Turn (*)(CellBase&)>(nullptr);
    }
  }
  static constexpr auto teardown_callback() noexcept {
    if constexpr (has_teardown<A>) {
      return &on_teardown;
    } else {
      return static_cast<Turn (*)(CellBase&)>(nullptr);
    }
  }
  static constexpr ActorKind kind_table{
      {&request_actor_end, &describe_actor, true, &crash_actor, &describe_actor_timers},
      init_callback(),
      teardown_callback(),
      &on_destroy_state,
      &on_destroy_cell,
      type_name<A>(),
      exit_notice<A>()};

  template <typename U>
  friend void pool_delete(U*) noexcept;

  struct alignas(A) InlineState {
    unsigned char bytes[sizeof(A)];
  };
  std::conditional_t<state_inline, InlineState, A*> state_;
  context_t<A> context_;
};

}  // namespace spawned::detail
