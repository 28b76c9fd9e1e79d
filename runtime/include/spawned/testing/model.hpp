// A model checker for code on C++ atomics: runs a small program again and again, each time with
// other decisions about who runs and which store a load reads, and reports the decisions that break
// it. The program is ordinary code on model::atomic and model::SharedCell in place of the real
// ones.
//
//   Example.
//     auto const result = model::explore({.strategy = model::Strategy::exhaustive}, [] {
//       model::SharedCell<int> data{0};
//       model::atomic<bool> ready{false};
//       model::parallel([&] { data.set(1); ready.store(true, model::memory_order_release); },
//                       [&] { if (ready.load(model::memory_order_acquire)) (void)data.get(); });
//     });
//     CHECK_MESSAGE(result.ok(), result.report());
//
// Covered.    Every atomic has the history of its stores. A load reads any store that is not older
//             than what its thread has seen, by its own accesses or through acquire/release,
//             fences, and release sequences (C++20: continued by read-modify-writes only). seq_cst
//             accesses and fences keep their single total order, as [atomics.order] has it. A
//             compare-exchange that fails may read an old store, and a weak one may fail for no
//             reason. Races on SharedCell, also with the making and the destroying of an atomic.
// Not.        A new store is the newest of its atomic (no 2+2W), a load reads what was stored
// before
//             it in time (no load buffering), a read-modify-write reads the newest store. The total
//             order of seq_cst is the order of execution. consume is acquire. No mixed sizes,
//             no volatile, no memory but SharedCell's is watched for races; leaks are not reported.
//             A thread reads an old store at most Options::rereads times in a row, and no further
//             after yield() or cpu_pause(): stores become visible at some time.
// Programs.   Must decide nothing by clocks, addresses or random numbers, and make each object of
//             the model anew: no statics. No model operation within a catch block. After a failure
//             the execution is dropped where it stands: no destructor runs.
// Threads.    At most max_threads model threads; all run on the thread that calls explore().
// Errors.     OutsideModel where an object of the model is used outside; BadOptions.
// Cost.       An access 0.2 us, an execution that does nothing 0.3 us;
// docs/design/model-checking.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <spawned/testing/detail/execution.hpp>
#include <spawned/testing/detail/explore.hpp>
#include <spawned/testing/detail/order.hpp>
#include <spawned/testing/detail/view.hpp>

namespace spawned::testing::model {

namespace detail {

template <typename F>
void call(void* function) {
  (*static_cast<F*>(function))();
}

}  // namespace detail

/// Runs `program` by the options until it fails, nothing is left, or the budget is used up.
template <typename F>
Result explore(Options const& options, F program) {
  return detail::explore(options, {&detail::call<F>, &program});
}

/// Runs `program` once, by the decisions of a Failure::replay.
template <typename F>
Result replay(F program, std::string_view text) {
  return detail::replay({&detail::call<F>, &program}, text);
}

/// The execution fails with `text` if not `condition`, and goes no further.
inline void check(bool condition, std::string_view text,
                  std::source_location where = std::source_location::current()) {
  if (condition) return;
  detail::Execution::active().fail(FailureKind::check,
                                   std::string(text) + " at " + detail::to_text(where));
}

/// A thread of the model. The destructor joins.
class Thread {
 public:
  template <typename F>
  explicit Thread(F function, std::source_location where = std::source_location::current())
      : closure_(std::make_unique<Holder<F>>(std::move(function))),
        id_(detail::Execution::active().spawn(&Closure::run, closure_.get(), where)),
        where_(where) {}
  Thread(Thread const&) = delete;
  Thread& operator=(Thread const&) = delete;
  ~Thread() { join(where_); }

  void join(std::source_location where = std::source_location::current()) {
    if (!joined_) detail::Execution::active().join(1U << id_, where);
    joined_ = true;
  }

 private:
  struct Closure {
    virtual ~Closure() = default;
    virtual void call() = 0;
    static void run(void* self) { static_cast<Closure*>(self)->call(); }
  };
  template <typename F>
  struct Holder final : Closure {
    explicit Holder(F&& f) : function(std::move(f)) {}
    void call() override { function(); }
    F function;
  };

  std::unique_ptr<Closure> closure_;
  unsigned id_;
  std::source_location where_;
  bool joined_ = false;
};

/// Runs each function on a thread of its own and waits for all of them.
template <typename... Fs>
void parallel(Fs... functions) {
  auto& execution = detail::Execution::active();
  auto const where = std::source_location::current();
  std::uint32_t threads = 0;
  ((threads |= 1U << execution.spawn(&detail::call<Fs>, &functions, where)), ...);
  execution.join(threads, where);
}

/// std::atomic's interface, as far as this project uses it.
template <typename T>
class atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  using Where = std::source_location;
  using Difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;

 public:
  using value_type = T;

  atomic(Where where = Where::current()) : atomic(T{}, where) {}  // NOLINT: as the standard's
  atomic(T value, Where where = Where::current()) {               // NOLINT: as the standard's
    detail::Execution::active().construct(state_, to_value(value), where);
  }
  atomic(atomic const&) = delete;
  atomic& operator=(atomic const&) = delete;
  ~atomic() {
    if (detail::Execution::is_active()) detail::Execution::active().destroy(state_);
  }

  [[nodiscard]] T load(memory_order order = detail::default_order,
                       Where where = Where::current()) const {
    return from_value(engine().load(state_, order, where));
  }
  void store(T value, memory_order order = detail::default_order, Where where = Where::current()) {
    engine().store(state_, to_value(value), order, where);
  }
  T exchange(T value, memory_order order = detail::default_order, Where where = Where::current()) {
    return update([value](T) { return value; }, order, where);
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order success, memory_order failure,
                               Where where = Where::current()) {
    return compare_exchange(expected, desired, success, failure, false, where);
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order order = detail::default_order,
                               Where where = Where::current()) {
    return compare_exchange(expected, desired, order, detail::failure_order(order), false, where);
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order success, memory_order failure,
                             Where where = Where::current()) {
    return compare_exchange(expected, desired, success, failure, true, where);
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order order = detail::default_order,
                             Where where = Where::current()) {
    return compare_exchange(expected, desired, order, detail::failure_order(order), true, where);
  }
  T fetch_add(Difference by, memory_order order = detail::default_order,
              Where where = Where::current()) {
    return update([by](T value) { return static_cast<T>(value + by); }, order, where);
  }
  T fetch_sub(Difference by, memory_order order = detail::default_order,
              Where where = Where::current()) {
    return update([by](T value) { return static_cast<T>(value - by); }, order, where);
  }
  T fetch_or(T bits, memory_order order = detail::default_order, Where where = Where::current()) {
    return update([bits](T value) { return static_cast<T>(value | bits); }, order, where);
  }
  T fetch_and(T bits, memory_order order = detail::default_order, Where where = Where::current()) {
    return update([bits](T value) { return static_cast<T>(value & bits); }, order, where);
  }
  T fetch_xor(T bits, memory_order order = detail::default_order, Where where = Where::current()) {
    return update([bits](T value) { return static_cast<T>(value ^ bits); }, order, where);
  }

  /// For the futex.
  [[nodiscard]] detail::AtomicState const& state() const noexcept { return state_; }

 private:
  static detail::Execution& engine() { return detail::Execution::active(); }
  static std::uint64_t to_value(T value) noexcept {
    std::uint64_t result = 0;
    std::memcpy(&result, &value, sizeof(T));
    return result;
  }
  static T from_value(std::uint64_t value) noexcept {
    T result;
    std::memcpy(&result, &value, sizeof(T));
    return result;
  }
  template <typename Change>
  T update(Change change, memory_order order, Where where) {
    auto const next = [change](std::uint64_t value) { return to_value(change(from_value(value))); };
    return from_value(engine().update(state_, next, order, where));
  }
  bool compare_exchange(T& expected, T desired, memory_order success, memory_order failure,
                        bool weak, Where where) {
    std::uint64_t value = to_value(expected);
    bool const won =
        engine().compare_exchange(state_, value, to_value(desired), success, failure, weak, where);
    if (!won) expected = from_value(value);
    return won;
  }

  detail::AtomicState state_;
};

/// A plain value that threads share; two accesses that nothing orders are a data race.
template <typename T>
class SharedCell {
  using Where = std::source_location;

 public:
  SharedCell(Where where = Where::current()) : SharedCell(T{}, where) {}  // NOLINT: as the shim's
  explicit SharedCell(T value, Where where = Where::current()) : value_(std::move(value)) {
    detail::Execution::active().construct(state_, where);
  }
  SharedCell(SharedCell const&) = delete;
  SharedCell& operator=(SharedCell const&) = delete;
  ~SharedCell() {
    if (detail::Execution::is_active()) {
      detail::Execution::active().write(state_, state_.born, "destroys");
    }
  }

  [[nodiscard]] T get(Where where = Where::current()) const {
    detail::Execution::active().read(state_, where);
    return value_;
  }
  void set(T value, Where where = Where::current()) {
    detail::Execution::active().write(state_, where);
    value_ = std::move(value);
  }

 private:
  T value_;
  mutable detail::CellState state_;
};

template <typename T>
using var = SharedCell<T>;

inline void fence(memory_order order,
                  std::source_location where = std::source_location::current()) {
  detail::Execution::active().fence(order, where);
}

/// Sleeps while `word == expected`. May return for no reason; with a time limit also because of
/// that, when nobody else can run at the latest. Orders nothing: that is what the word is for.
inline void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::int64_t timeout_ns = -1,
                       std::source_location where = std::source_location::current()) {
  detail::Execution::active().sleep(word.state(), expected, timeout_ns >= 0, where);
}
inline void futex_wake_one(atomic<std::uint32_t>& word,
                           std::source_location where = std::source_location::current()) {
  detail::Execution::active().wake(word.state(), false, where);
}
inline void futex_wake_all(atomic<std::uint32_t>& word,
                           std::source_location where = std::source_location::current()) {
  detail::Execution::active().wake(word.state(), true, where);
}

/// Lets another thread make a step first. For spin loops, which do not end without.
inline void yield(std::source_location where = std::source_location::current()) {
  detail::Execution::active().yield(where);
}
inline void cpu_pause(std::source_location where = std::source_location::current()) {
  yield(where);
}

}  // namespace spawned::testing::model
