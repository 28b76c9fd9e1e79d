// One execution of a program under the model: its threads, its memory, and what went wrong.
//
// Threads are fibers. Each atomic access is a scheduling point: before it, one choice says who goes
// on. A thread that has just been given the word makes its access without asking again, so that
// n threads have exactly as many schedules as there are interleavings of their accesses. Plain
// accesses are none: without a race their place between two atomic ones cannot be observed, and a
// race is found by clocks in whichever order they come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/testing/detail/choices.hpp>
#include <spawned/testing/detail/fiber.hpp>
#include <spawned/testing/detail/order.hpp>
#include <spawned/testing/detail/view.hpp>

namespace spawned::testing::model {

enum class FailureKind : unsigned char {
  check,            // model::check() was false
  data_race,        // two unordered accesses, one of them a write
  deadlock,         // every thread sleeps or joins
  exception,        // left the program or one of its threads
  thread_limit,     // more than max_threads
  location_limit,   // more than max_locations
  step_limit,       // more than Options::max_steps: a loop that does not end
  misuse,           // of the model: an object of another execution
  replay_mismatch,  // the choices do not fit this program
};

/// A model object was used by code that no explore() or replay() runs.
class OutsideModel : public std::logic_error {
 public:
  OutsideModel() : std::logic_error("a model object was used outside of model::explore()") {}
};

namespace detail {

using Where = std::source_location;

inline std::string to_text(Where const& where) {
  std::string file = where.file_name();
  if (auto const slash = file.rfind('/'); slash != std::string::npos) file.erase(0, slash + 1);
  return file + ":" + std::to_string(where.line());
}

struct Limits {
  int preemptions = -1;  // none
  std::uint64_t steps = 10'000;
  unsigned rereads = 3;
  unsigned spurious = 1;
};

/// Of a plain cell: enough to find a race.
struct Accesses {
  std::array<Epoch, max_threads> epochs{};
  std::array<Where, max_threads> places{};
  void add(unsigned thread, Epoch epoch, Where const& where) noexcept {
    epochs[thread] = epoch;
    places[thread] = where;
  }
};

struct CellState {
  std::uint64_t execution = 0;
  unsigned writer = 0;
  Epoch written = 0;
  Where writer_place;
  Where born;
  Accesses reads;
};

struct AtomicState {
  std::uint64_t execution = 0;
  unsigned location = 0;
};

using Job = void (*)(void*);

class Execution {
 public:
  using Value = std::uint64_t;

  explicit Execution(Limits const& limits) noexcept : limits_(limits) {}
  Execution(Execution const&) = delete;
  Execution& operator=(Execution const&) = delete;

  [[nodiscard]] static Execution& active() {
    if (active_ == nullptr) throw OutsideModel();
    return *active_;
  }
  [[nodiscard]] static bool is_active() noexcept { return active_ != nullptr; }

  /// The host. True: nothing went wrong.
  bool run(Chooser& chooser, Job program, void* argument, bool trace) {
    IgnoreLeaks const ignore;
    begin(chooser, trace);
    active_ = this;
    thread_count_ = 0;
    (void)spawn(program, argument, Where{});
    current_ = 0;
    Fiber::switch_to(host_, fibers_[0]);
    active_ = nullptr;
    return !failed_;
  }

  [[nodiscard]] FailureKind kind() const noexcept { return kind_; }
  [[nodiscard]] std::string const& text() const noexcept { return text_; }
  [[nodiscard]] std::vector<std::string> const& trace() const noexcept { return trace_; }
  [[nodiscard]] std::vector<Choice> const& choices() const noexcept { return choices_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return all_steps_; }

  // Threads.
  [[nodiscard]] unsigned spawn(Job job, void* argument, Where const& where);
  void join(std::uint32_t threads, Where const& where);  // a set of them, as bits
  void yield(Where const& where);
  [[noreturn]] void fail(FailureKind kind, std::string text);

  // Memory.
  void construct(AtomicState& state, Value value, Where const& where);
  void destroy(AtomicState const& state);
  [[nodiscard]] Value load(AtomicState const& state, memory_order order, Where const& where);
  void store(AtomicState const& state, Value value, memory_order order, Where const& where);
  template <typename Update>
  [[nodiscard]] Value update(AtomicState const& state, Update update, memory_order order,
                             Where const& where);
  [[nodiscard]] bool compare_exchange(AtomicState const& state, Value& expected, Value desired,
                                      memory_order success, memory_order failure, bool weak,
                                      Where const& where);
  void fence(memory_order order, Where const& where);

  void construct(CellState& cell, Where const& where);
  void read(CellState& cell, Where const& where);
  void write(CellState& cell, Where const& where, char const* what = "write");

  void sleep(AtomicState const& state, Value expected, bool timed, Where const& where);
  void wake(AtomicState const& state, bool all, Where const& where);

 private:
  enum class Status : unsigned char { runnable, sleeping, joining, finished };
  static constexpr unsigned char most_yields = 0xff;

  struct Thread {
    View current;   // what this thread has seen
    View acquired;  // what it will have seen after an acquire fence
    View released;  // what its relaxed stores pass on: the view at its last release fence
    bool has_released = false;
    bool fresh = true;         // was just given the word
    unsigned char yields = 0;  // in a row, while nothing changed; at most most_yields
    bool timed = false;        // its sleep has a time limit
    Status status = Status::runnable;
    std::uint32_t waits_for = 0;  // threads, as bits, or the location it sleeps on
    std::uint64_t slept_at = 0;
    std::array<std::uint8_t, max_locations> rereads{};
    Job job = nullptr;
    void* argument = nullptr;
    char const* doing = "start";
    Where where;
  };

  struct Store {
    Value value = 0;
    bool carries = false;  // `view` is of use
    View view;
  };

  struct Location {
    std::vector<Store> history;
    Accesses accesses;
    Where born;
    unsigned creator = 0;
    Epoch created = 0;
    bool alive = false;
  };

  static constexpr unsigned nobody = max_threads;

  void begin(Chooser& chooser, bool trace);
  static void fiber_main(void* self);
  void work();
  void finish();
  void something_changed() noexcept;
  [[nodiscard]] unsigned collect(Status status, unsigned yields,
                                 unsigned char* into) const noexcept;
  [[nodiscard]] unsigned select();
  void transfer(unsigned next);
  void leave() { transfer(select()); }
  void step(char const* doing, Where const& where);
  void point(char const* doing, Where const& where);
  [[nodiscard]] std::uint32_t choose(ChoiceKind kind, std::uint32_t options,
                                     unsigned char const* threads = nullptr);
  [[nodiscard]] std::string deadlock_text() const;

  [[nodiscard]] Thread& me() noexcept { return threads_[current_]; }
  Location& touch(AtomicState const& state, Where const& where);
  [[nodiscard]] std::size_t floor_of(unsigned location, memory_order order) noexcept;
  void take(Location& location, std::size_t index, memory_order order);
  void append(Location& location, Value value, memory_order order, std::size_t read);
  [[nodiscard]] unsigned index_of(Location const& location) const noexcept {
    return static_cast<unsigned>(&location - locations_.data());
  }
  void tick() noexcept { ++me().current.clock[current_]; }
  [[nodiscard]] bool before_me(unsigned thread, Epoch epoch) noexcept {
    return epoch <= me().current.clock[thread];
  }
  [[noreturn]] void race(char const* mine, Where const& here, char const* other, unsigned thread,
                         Where const& there, Where const& born);

  template <typename... Parts>
  void note(Where const& where, Parts const&... parts);
  void add(std::string& line, std::string const& part) { line += part; }
  void add(std::string& line, char const* part) { line += part; }
  void add(std::string& line, Value value);
  [[nodiscard]] std::string name(Location const& location) const {
    return " #" + std::to_string(index_of(location)) + "(" + to_text(location.born) + ")";
  }

  static inline constinit thread_local Execution* active_ = nullptr;
  static inline constinit thread_local std::uint64_t last_id_ = 0;

  Limits limits_;
  Chooser* chooser_ = nullptr;
  std::uint64_t id_ = 0;
  Fiber host_;
  std::array<Fiber, max_threads> fibers_;
  std::array<bool, max_threads> parked_{};  // the fiber is idle between two executions
  std::array<Thread, max_threads> threads_;
  unsigned thread_count_ = 0;
  unsigned current_ = 0;
  std::array<Location, max_locations> locations_;
  unsigned location_count_ = 0;
  View total_;  // how far the total order of the seq_cst operations has seen each location
  std::vector<Choice> choices_;
  std::vector<std::size_t> candidates_;
  int preemptions_ = 0;
  unsigned spurious_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t all_steps_ = 0;
  bool tracing_ = false;
  bool failed_ = false;
  FailureKind kind_ = FailureKind::check;
  std::string text_;
  std::vector<std::string> trace_;
};

template <typename Update>
Execution::Value Execution::update(AtomicState const& state, Update update, memory_order order,
                                   Where const& where) {
  point("update", where);
  Location& location = touch(state, where);
  std::size_t const newest = location.history.size() - 1;
  Value const before = location.history[newest].value;
  Value const after = update(before);
  take(location, newest, order);
  append(location, after, order, newest);
  note(where, "update", name(location), " ", before, " -> ", after, " ", order_name(order));
  return before;
}

template <typename... Parts>
void Execution::note(Where const& where, Parts const&... parts) {
  if (!tracing_) return;
  std::string line = "T" + std::to_string(current_) + " ";
  (add(line, parts), ...);
  trace_.push_back(line + "  " + to_text(where));
}

}  // namespace detail
}  // namespace spawned::testing::model

#include <spawned/testing/detail/memory.hpp>
#include <spawned/testing/detail/threads.hpp>
