#include "simulation/driver.hpp"

#include <cstring>
#include <exception>
#include <utility>

#include "simulation/describe.hpp"

namespace spawned::simulation {

namespace {

RuntimeOptions runtime_options(std::shared_ptr<Clock> clock) {
  RuntimeOptions options;
  options.name = "simulated";
  options.workers = 1;
  options.spare_workers_max = 0;
  options.seed = 1;
  options.clock = std::move(clock);
  options.rescue_after = std::chrono::nanoseconds(0);
  options.slow_turn_warning = std::chrono::nanoseconds(0);
  return options;
}

struct Ending {
  bool ended = false;
  std::exception_ptr exception;
};

Task<void> note_the_end(Task<void> program, Ending& ending) {
  try {
    co_await std::move(program);
  } catch (...) {
    ending.exception = std::current_exception();
  }
  ending.ended = true;
}

/// The calling thread is the worker of a driven runtime.
class Inside {
 public:
  Inside(detail::Worker& worker, detail::Simulated& driver) noexcept
      : worker_before_(std::exchange(detail::current_worker, &worker)),
        simulated_before_(std::exchange(detail::simulated, &driver)) {}
  ~Inside() {
    detail::current_worker = worker_before_;
    detail::simulated = simulated_before_;
  }
  Inside(Inside const&) = delete;
  Inside& operator=(Inside const&) = delete;

 private:
  detail::WorkerLocal* worker_before_;
  detail::Simulated* simulated_before_;
};

}  // namespace

Driver::Driver(Options const& options, std::unique_ptr<Chooser> chooser)
    : options_(options),
      chooser_(std::move(chooser)),
      clock_(std::make_shared<SimulatedClock>()),
      runtime_(std::make_unique<Runtime>(detail::Driven{this}, runtime_options(clock_))),
      scheduler_(runtime_->scheduler()),
      worker_(scheduler_.worker(0)),
      threads_(scheduler_, *this, ready_) {}

Driver::~Driver() {
  Inside const inside(worker_, *this);
  detail::current_worker = nullptr;
  // What does not end cannot be destroyed; its memory is given up (Outcome::stuck_end says so).
  if (scheduler_.living.count() != 0) (void)runtime_.release();
  runtime_.reset();
}

// --- decisions ---

void Driver::keep(std::uint32_t choice, std::uint32_t of) {
  choices_.push_back(choice);
  mix((std::uint64_t{of} << 32) | choice);
}

std::uint32_t Driver::choose(std::uint32_t n, Choice kind) noexcept {
  if (n < 2) return 0;
  std::uint32_t const choice = chooser_->choose(n, kind);
  keep(choice, n);
  return choice;
}

bool Driver::chance(double probability, Choice kind) noexcept {
  if (probability <= 0) return false;
  bool const yes = chooser_->chance(probability, kind);
  keep(yes ? 1 : 0, 2);
  return yes;
}

// --- what happens ---

void Driver::mix(std::uint64_t value) noexcept {
  hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15U;
  hash_ ^= hash_ >> 32;
}

void Driver::mix(std::string_view text) noexcept {
  while (!text.empty()) {
    std::uint64_t word = 0;
    std::size_t const part = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), part);
    mix(word);
    text.remove_prefix(part);
  }
}

Event& Driver::note(Event::Kind kind, std::uint32_t unit, std::string text) {
  Event& event = events_.emplace_back();
  event.kind = kind;
  event.time = clock_->now();
  event.step = steps_;
  event.choices = choices_.size();
  event.unit = unit;
  event.text = std::move(text);
  return event;
}

void Driver::lives(detail::ExecutionContext& context) noexcept {
  std::uint32_t const unit = ready_.born(context);
  if (!options_.trace) return;
  if (units_.size() <= unit) units_.resize(unit + 1);
  units_[unit] = unit == 1 ? "program" : short_name(context.kind->describe(context));
  note(Event::Kind::start, unit, {}).from = running_;
}

void Driver::ended(detail::ExecutionContext& context) noexcept {
  if (options_.trace) note(Event::Kind::end, ready_.number(context), {});
  ready_.dead(context);
}

void Driver::sent(detail::ExecutionContext& receiver, void const* message) noexcept {
  if (!options_.trace) return;
  under_way_[message] = events_.size();
  note(Event::Kind::send, ready_.number(receiver), {}).from = running_;
}

void Driver::taken(detail::ExecutionContext& /*receiver*/, void const* message) noexcept {
  taken_ = message;
}

void Driver::remark(std::string_view text) noexcept {
  mix(text);
  if (options_.trace) note(Event::Kind::remark, running_, std::string(text));
}

void Driver::fail(std::string problem) noexcept {
  if (problem_.empty()) problem_ = std::move(problem);
}

// --- steps ---

std::int64_t Driver::next_timer_ns() const noexcept {
  return std::min(worker_.timers.next_deadline_ns(), scheduler_.timekeeper.next_deadline_ns());
}

void Driver::move_time(std::int64_t to_ns) {
  clock_->set(to_ns);
  mix(static_cast<std::uint64_t>(to_ns));
  if (!options_.trace) return;
  last_step_ = events_.size();
  note(Event::Kind::time, Event::nobody, {});
}

// What has come since the step before is there because of it.
void Driver::ready(detail::Runnable& work) {
  ready_.add(work);
  if (options_.trace) wakers_[&work] = last_step_;
}

void Driver::run_unit(detail::Runnable& work, std::uint32_t unit) {
  running_ = unit;
  taken_ = nullptr;
  std::size_t const first = events_.size();
  if (options_.trace) {
    Event& event = note(Event::Kind::step, unit, {});
    auto const waker = wakers_.find(&work);
    if (waker != wakers_.end() && waker->second != Event::no_cause) {
      event.cause = waker->second;
      event.from = events_[waker->second].unit;
    }
    last_step_ = first;
  }
  worker_.activity.end();
  worker_.running = &work;
  work.run(work);
  worker_.running = nullptr;
  running_ = Event::nobody;
  mix(unit);
  detail::Step const* const step = worker_.activity.step();
  if (step != nullptr) mix(step->name);
  if (!options_.trace) return;
  Event& event = events_[first];
  if (step != nullptr) event.text = step->name;
  if (taken_ == nullptr) return;
  auto const found = under_way_.find(taken_);
  if (found == under_way_.end()) return;
  event.cause = found->second;
  event.from = events_[found->second].from;
  events_[found->second].text = event.text;
  under_way_.erase(found);
}

Driver::Step Driver::step() {
  detail::RunnableChain found;
  std::int64_t const now = clock_->now().count();
  worker_.take_all(now, found);
  scheduler_.timekeeper.poll(now, found);
  while (detail::Runnable* const work = found.take_first()) ready(*work);
  std::int64_t const next = next_timer_ns();
  bool const timers = next != detail::TimerWheel::none;
  auto const ready = ready_.all();
  if (ready.empty() && !timers) return Step::quiet;
  if (steps_ == options_.steps_max) return Step::limit;
  ++steps_;
  bool const clock = timers && (ready.empty() || options_.clock == ClockMode::adversarial);
  std::uint32_t const of = static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0);
  std::uint32_t choice = 0;
  if (of > 1) {
    choice = chooser_->next(ready, clock);
    keep(choice, of);
  }
  if (choice == ready.size()) {
    move_time(next);
  } else {
    Ready const taken = ready_.take(choice);
    run_unit(*taken.work, taken.unit);
  }
  if (hashes != nullptr) hashes->push_back(hash_);
  return Step::done;
}

// --- threads ---

void Driver::block(detail::atomic<std::uint32_t>& word) noexcept {
  if (BatonThread::current() != nullptr) {
    while (word.load(detail::memory_order_acquire) == 0) threads_.block(word);  // the waiter's own
    return;
  }
  // The thread that drives: nothing of what it waits for happens unless it makes it happen.
  Inside const inside(worker_, *this);
  while (word.load(detail::memory_order_acquire) == 0) {  // the waiter's own
    if (step() != Step::done) detail::yield_thread();
  }
}

bool Driver::run_until_ended(bool roots_only) noexcept {
  Inside const inside(worker_, *this);
  for (;;) {
    if (roots_only ? !scheduler_.living.roots_left() : scheduler_.living.count() == 0) return true;
    if (step() != Step::done) return false;
  }
}

// --- a run ---

std::string Driver::who_lives() const {
  std::string text;
  for (std::string const& name : scheduler_.living.describe(20)) text += "\n  " + name;
  return text;
}

// Cancels what the program has left behind, and runs it to its end.
void Driver::end(Report& report) {
  scheduler_.living.begin_end(UnreadMail::cancel);
  scheduler_.living.close();
  options_.steps_max += steps_;
  options_.clock = ClockMode::idle;
  Step last = Step::done;
  while (scheduler_.living.count() != 0 && last == Step::done) last = step();
  while (last == Step::done) last = step();  // what holds no life: timers' last messages
  if (scheduler_.living.count() == 0 || !report.passed()) return;
  report.outcome = Outcome::stuck_end;
  report.problem = "the program has ended, but not what it has left behind:" + who_lives();
}

Report Driver::run(Program const& program) {
  detail::require_no_worker("simulation::run");
  Report report;
  Ending ending;
  Inside const inside(worker_, *this);
  Task<void> body = program();
  JoinHandle<void> const handle = detail::spawn_on(
      scheduler_, note_the_end(std::move(body), ending), std::source_location::current());
  Step last = Step::done;
  while (!ending.ended && problem_.empty() && last == Step::done) last = step();
  if (!problem_.empty()) {
    report.outcome = Outcome::failed;
    report.problem = std::move(problem_);
  } else if (!ending.ended) {
    bool const limit = last == Step::limit;
    report.outcome = limit ? Outcome::step_limit : Outcome::deadlock;
    report.problem =
        (limit ? "the program has not ended after " + std::to_string(steps_) + " steps; there are:"
               : std::string("nothing can run any more, and the program has not ended; "
                             "there wait:")) +
        who_lives();
  } else if (ending.exception != nullptr) {
    report.outcome = Outcome::failed;
    report.problem = what_of(ending.exception);
  }
  report.strategy = chooser_->name();
  report.steps = steps_;
  report.time = clock_->now();
  report.hash = hash_;
  report.choices = std::exchange(choices_, {});
  report.events = std::exchange(events_, {});
  options_.trace = false;
  end(report);
  report.units = std::move(units_);
  return report;
}

}  // namespace spawned::simulation
