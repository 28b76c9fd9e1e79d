#include "simulation/checks.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/random.hpp>
#include <spawned/runtime/simulation/program.hpp>

#include "simulation/describe.hpp"

namespace spawned::simulation {

namespace {

// What a predicate says: yes, no, or why it cannot.
struct Look {
  bool holds = false;
  bool unknown = false;
  std::string thrown;
};

Look look_at(Predicate const& predicate) {
  try {
    return {predicate(), false, {}};
  } catch (OnlySimulated const&) {
    return {false, true, {}};
  } catch (...) {
    return {false, false, "; its predicate threw: " + what_of(std::current_exception())};
  }
}

std::string after(std::chrono::nanoseconds time) {
  std::string text = std::to_string(std::chrono::duration<double>(time).count());
  text.resize(text.size() - 3);
  return text + " s";
}

}  // namespace

std::string Check::Entry::problem(std::int64_t now_ns, bool last) {
  if (done) return {};
  std::string text;
  if (kind == CheckKind::monitor) {
    if (!hot.load(detail::memory_order_relaxed)) return {};  // one bit, nothing is read by it
    if (last) {
      text = "Monitor \"" + name + "\" is hot at the end";
    } else if (now_ns > deadline_ns) {
      text = "Monitor \"" + name + "\" has been hot for more than " + after(limit);
    }
  } else {
    Look const look = look_at(predicate);
    if (look.unknown) return {};
    if (kind == CheckKind::always && !look.holds) {
      text = "always \"" + name + "\" does not hold" + look.thrown;
    } else if (kind == CheckKind::never && (look.holds || !look.thrown.empty())) {
      text = "never \"" + name + "\" " + (look.holds ? "holds" : "cannot be told") + look.thrown;
    } else if (kind == CheckKind::eventually) {
      if (now_ns > deadline_ns) {  // late is late, even if it holds by now
        text = "eventually \"" + name + "\" has not held within " + after(limit) + look.thrown;
      } else if (look.holds) {
        done = true;
      } else if (last) {
        text = "eventually \"" + name + "\" has not held by the end" + look.thrown;
      }
    }
  }
  if (!text.empty()) done = true;
  return text;
}

// --- a run ---

void Checks::add(std::shared_ptr<Check::Entry> entry) {
  if (closed_) return;
  entry->run = this;
  entries_.push_back(std::move(entry));
}

void Checks::remove(Check::Entry& entry) noexcept {
  entry.run = nullptr;
  std::erase_if(entries_, [&entry](auto const& each) { return each.get() == &entry; });
}

std::string Checks::after_step(std::int64_t now_ns, bool last) {
  // By index: a predicate may end a check.
  for (std::size_t i = 0; i < entries_.size() && problem_.empty(); ++i) {
    std::shared_ptr<Check::Entry> const entry = entries_[i];
    problem_ = entry->problem(now_ns, last);
  }
  return std::exchange(problem_, {});
}

void Checks::tell(std::string problem) {
  if (!closed_ && problem_.empty()) problem_ = std::move(problem);
}

void Checks::close() noexcept {
  closed_ = true;
  for (auto const& entry : entries_) entry->run = nullptr;
  for (auto const& entry : entries_) entry->done = true;
  entries_.clear();
}

void Checks::mark(bool condition, std::string_view name) {
  if (closed_) return;
  auto found =
      std::find_if(marks_.begin(), marks_.end(), [name](Mark const& m) { return m.name == name; });
  if (found == marks_.end()) found = marks_.insert(found, Mark{std::string(name), 0, 0});
  ++found->reached;
  if (condition) ++found->hits;
}

void add_marks(std::vector<Mark>& sum, std::vector<Mark> const& run) {
  for (Mark const& mark : run) {
    auto found = std::find_if(sum.begin(), sum.end(),
                              [&mark](Mark const& each) { return each.name == mark.name; });
    if (found == sum.end()) found = sum.insert(found, Mark{mark.name, 0, 0});
    found->reached += mark.reached;
    found->hits += mark.hits;
  }
}

// --- a real run ---

namespace {

struct Real {
  std::mutex mutex;  // guards all below
  bool running = false;
  std::string problem;
  std::vector<Mark> marks;
};
Real& real() {
  static Real instance;
  return instance;
}
constinit detail::atomic<bool> real_running{false};  // a hint, the mutex decides

void tell_real(std::string problem) {
  if (problem.empty()) return;
  log::error("simulation", problem);
  std::scoped_lock const lock(real().mutex);
  if (real().running && real().problem.empty()) real().problem = std::move(problem);
}

}  // namespace

RealRun::RealRun() {
  std::scoped_lock const lock(real().mutex);
  real().running = true;
  real().problem.clear();
  real().marks.clear();
  real_running.store(true, detail::memory_order_relaxed);  // a hint
}
RealRun::~RealRun() {
  std::scoped_lock const lock(real().mutex);
  real().running = false;
  real_running.store(false, detail::memory_order_relaxed);  // a hint
}
std::string RealRun::problem() const {
  std::scoped_lock const lock(real().mutex);
  return real().problem;
}
std::vector<Mark> RealRun::marks() const {
  std::scoped_lock const lock(real().mutex);
  return real().marks;
}

// --- what programs call ---

namespace {

Check make_check(CheckKind kind, std::string name, Predicate predicate,
                 std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) {
  auto entry = std::make_shared<Check::Entry>(kind, std::move(name), std::move(predicate));
  entry->limit = limit;
  if (detail::simulated == nullptr) {
    if (kind != CheckKind::eventually) tell_real(entry->problem(0, false));
  } else {
    std::int64_t const now = detail::simulated->now_ns();
    if (limit.count() < Check::Entry::no_deadline - now) entry->deadline_ns = now + limit.count();
    detail::simulated->checks().add(entry);
  }
  return Check(std::move(entry));
}

// The object of a check goes: the last look.
void end_check(Check::Entry& entry) noexcept {
  bool const look = std::uncaught_exceptions() == 0;
  if (detail::simulated == nullptr) {
    if (look) tell_real(entry.problem(0, true));
  } else if (Checks* const run = entry.run) {
    if (look) run->tell(entry.problem(detail::simulated->now_ns(), true));
    run->remove(entry);
  }
}

}  // namespace

Check::Check(std::shared_ptr<Entry> entry) noexcept : entry_(std::move(entry)) {}
Check::~Check() { end(); }
Check& Check::operator=(Check&& other) noexcept {
  end();
  entry_ = std::move(other.entry_);
  return *this;
}
void Check::end() noexcept {
  if (std::shared_ptr<Entry> const entry = std::move(entry_)) end_check(*entry);
}
void Check::keep() && noexcept { entry_.reset(); }

Check always(std::string name, Predicate predicate) {
  return make_check(CheckKind::always, std::move(name), std::move(predicate));
}
Check never(std::string name, Predicate predicate) {
  return make_check(CheckKind::never, std::move(name), std::move(predicate));
}
Check eventually(std::string name, Predicate predicate, std::chrono::nanoseconds within) {
  return make_check(CheckKind::eventually, std::move(name), std::move(predicate), within);
}

Monitor::Monitor(std::string name, std::chrono::nanoseconds limit)
    : entry_(std::make_shared<Check::Entry>(CheckKind::monitor, std::move(name), Predicate())) {
  entry_->limit = limit;
  if (detail::simulated != nullptr) detail::simulated->checks().add(entry_);
}
Monitor::~Monitor() { end_check(*entry_); }

void Monitor::hot() {
  if (entry_->hot.exchange(true, detail::memory_order_relaxed)) return;  // one bit
  if (detail::simulated == nullptr) return;
  std::int64_t const now = detail::simulated->now_ns();
  std::int64_t const limit = entry_->limit.count();
  entry_->deadline_ns =
      limit < Check::Entry::no_deadline - now ? now + limit : Check::Entry::no_deadline;
}
void Monitor::cold() noexcept {
  if (detail::simulated != nullptr && is_hot() && entry_->run != nullptr) {
    entry_->run->tell(entry_->problem(detail::simulated->now_ns(), false));  // it may be too late
  }
  entry_->hot.store(false, detail::memory_order_relaxed);  // one bit
}
bool Monitor::is_hot() const noexcept {
  return entry_->hot.load(detail::memory_order_relaxed);  // one bit
}

bool active() noexcept { return detail::simulated != nullptr; }

void sometimes(bool condition, std::string_view mark) {
  if (detail::simulated != nullptr) {
    detail::simulated->checks().mark(condition, mark);
  } else if (real_running.load(detail::memory_order_relaxed)) {  // a hint
    std::scoped_lock const lock(real().mutex);
    if (real().running) add_marks(real().marks, {Mark{std::string(mark), 1, condition ? 1U : 0U}});
  }
}

void remark(std::string_view text) noexcept {
  if (detail::simulated != nullptr) {
    detail::simulated->remark(text);
  } else {
    log::debug("simulation", text);
  }
}

}  // namespace spawned::simulation
