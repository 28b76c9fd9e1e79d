#include "simulation/driver.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/log.hpp>

#include "simulation/describe.hpp"
#include "simulation/told.hpp"

namespace spawned::simulation {

namespace {

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

Driver::Driver(Options const& options, std::unique_ptr<Chooser> chooser,
               std::shared_ptr<SimulatedClock> clock)
    : options_(options),
      chooser_(std::move(chooser)),
      clock_(std::move(clock)),
      real_world_(options.real_world, *clock_,
                  [this](std::uint32_t n) { return choose(n, Choice::random); }),
      plan_(options.faults, *this) {}

void Driver::attach(detail::Scheduler& scheduler) {
  scheduler_ = &scheduler;
  worker_ = &scheduler.worker(0);
  threads_.emplace(scheduler, *this, ready_);
}

void Driver::runtime_ended() noexcept {
  world.reset();
  scheduler_ = nullptr;
  if (on_end != nullptr) on_end(*this);
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
  tracker_.touches_all();
  return choice;
}

bool Driver::chance(double probability, Choice kind) noexcept {
  if (probability <= 0) return false;
  bool const yes = chooser_->chance(probability, kind);
  keep(yes ? 1 : 0, 2);
  tracker_.touches_all();
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
  event.time = scheduler_->clock().now();
  event.step = steps_;
  event.choices = choices_.size();
  event.unit = unit;
  event.text = std::move(text);
  return event;
}

void Driver::lives(detail::ExecutionContext& context) noexcept {
  std::uint32_t const unit = ready_.born(context);
  context.await_checks |= detail::ExecutionContext::tells_waits;
  if (tracks_) tracker_.born(unit, context.kind->in_order);
  if (!options_.trace) return;
  if (units_.size() <= unit) units_.resize(unit + 1);
  units_[unit] = unit == 1 ? "program" : short_name(context.kind->describe(context));
  note(Event::Kind::start, unit, {}).from = running_;
}

void Driver::ended(detail::ExecutionContext& context) noexcept {
  tracker_.touches_all();
  notice_handling();
  if (options_.trace) note(Event::Kind::end, ready_.number(context), {});
  ready_.dead(context);
}

void Driver::sent(detail::ExecutionContext& receiver, void const* message) noexcept {
  if (tracks_) tracker_.sent(running_, ready_.number(receiver), message);
  if (!options_.trace && plan_.faults().reorder == 0) return;
  notice_handling();
  under_way_[message] = {events_.size(), running_};
  if (options_.trace) note(Event::Kind::send, ready_.number(receiver), {}).from = running_;
}

// What has no number lives no more.
void Driver::waits(detail::ExecutionContext& waiter, void const* target, std::string_view message,
                   std::source_location where) noexcept {
  std::uint32_t const unit = ready_.find(&waiter);
  if (unit != Event::nobody) waits_for_[unit] = {ready_.find(target), message, where};
}

void Driver::waits_not(detail::ExecutionContext& waiter) noexcept {
  waits_for_.erase(ready_.find(&waiter));
}

void Driver::taken(detail::ExecutionContext& receiver, void const* message) noexcept {
  if (taken_ == nullptr) taken_ = message;
  if (tracks_) tracker_.taken(ready_.number(receiver), message);
}

// An actor that ends in the turn of its last message does other things in it, too.
void Driver::notice_handling() noexcept {
  if (taken_ != nullptr && handling_ == nullptr) handling_ = worker_->activity.step();
}

std::uint32_t Driver::sender(void const* message) noexcept {
  auto const found = under_way_.find(message);
  return found == under_way_.end() ? Event::nobody : found->second.from;
}

void Driver::crashed(std::string_view who, bool unheard) noexcept {
  if (unheard && options_.crash_is_failure) {
    fail(std::string(who) + ", and nobody is told of it");
  }
}

void Driver::unread(std::string_view who, std::string_view message) noexcept {
  if (!options_.unread_is_failure) return;
  fail(std::string(who) +
       " has ended by itself and left a message unread: " + std::string(message));
}

void Driver::pass_time(std::int64_t ns) noexcept {
  (void)move_time(scheduler_->clock().now().count() + ns, true);
}

void Driver::remark(std::string_view text) noexcept {
  mix(text);
  notice_handling();
  if (options_.trace) note(Event::Kind::remark, running_, std::string(text));
}

void Driver::fail(std::string problem) noexcept {
  if (problem_.empty()) problem_ = std::move(problem);
}

std::int64_t Driver::now_ns() noexcept { return scheduler_->clock().now().count(); }

// Looks at the checks of the program. `last`: it has ended.
void Driver::look(bool last) {
  std::string problem = checks_.after_step(now_ns(), last);
  if (problem.empty() || !problem_.empty()) return;
  remark(problem);
  violated_ = true;
  fail(std::move(problem));
}

// --- steps ---

std::int64_t Driver::next_timer_ns() const noexcept {
  return std::min({worker_->timers.next_deadline_ns(), scheduler_->timekeeper.next_deadline_ns(),
                   plan_.next_ns()});
}

// False: the runtime has a clock of its own, which does not want to.
bool Driver::move_time(std::int64_t to_ns, bool tell) {
  if (&scheduler_->clock() == clock_.get()) {
    clock_->set(to_ns);
  } else if (!scheduler_->clock().on_idle(std::chrono::nanoseconds(to_ns))) {
    return false;
  }
  mix(static_cast<std::uint64_t>(to_ns));
  if (!options_.trace || !tell) return true;
  last_step_ = events_.size();
  note(Event::Kind::time, Event::nobody, {});
  return true;
}

// Moves time until something is due: on its way it comes past moments at which only the wheels of
// the timers turn.
bool Driver::move_time_to_a_timer() {
  if (!move_time(earliest_timer_ns(*this), true)) return false;
  std::size_t const told = last_step_;
  std::size_t const before = ready_.all().size();
  while (collect() == 0 && ready_.all().size() == before) {
    std::int64_t const next = earliest_timer_ns(*this);
    // Not later: it is another runtime's, which has its turn.
    if (next == detail::TimerWheel::none || next <= scheduler_->clock().now().count()) break;
    if (!move_time(next, false)) break;
  }
  if (options_.trace) events_[told].time = scheduler_->clock().now();
  return true;
}

void Driver::note_step(detail::Runnable& work, std::uint32_t unit) {
  Event& event = note(Event::Kind::step, unit, {});
  auto const waker = wakers_.find(&work);
  if (waker != wakers_.end() && waker->second != Event::no_cause) {
    event.cause = waker->second;
    event.from = events_[waker->second].unit;
  }
  last_step_ = events_.size() - 1;
}

// What has come since the step before is there because of it.
void Driver::make_ready(detail::Runnable& work) {
  mix(ready_.add(work));
  if (options_.trace) wakers_[&work] = last_step_;
}

void Driver::run_unit(detail::Runnable& work, std::uint32_t unit) {
  running_ = unit;
  if (memory != nullptr) memory->runs(steps_, unit);
  if (!waits_for_.empty()) waits_for_.erase(unit);
  taken_ = nullptr;
  handling_ = nullptr;
  std::size_t const first = events_.size();
  if (options_.trace) note_step(work, unit);
  worker_->activity.end();
  worker_->running = &work;
  {
    detail::Watched const watched(real_world_.watch());
    work.run(work);
  }
  worker_->running = nullptr;
  running_ = Event::nobody;
  mix(unit);
  detail::Step const* step = worker_->activity.step();
  if (step != nullptr) mix(step->name);
  worker_->activity.end();
  if (!options_.trace) return;
  Event& event = events_[first];
  if (handling_ != nullptr) step = handling_;
  if (step != nullptr) event.text = step->name;
  if (taken_ == nullptr) return;
  auto const found = under_way_.find(taken_);
  if (found == under_way_.end()) return;
  event.cause = found->second.event;
  event.from = found->second.from;
  events_[found->second.event].text = event.text;
  under_way_.erase(found);
}

// Empties the queues into the list of what can run. How many timers have fired.
std::size_t Driver::collect() {
  detail::RunnableChain found;
  std::int64_t const now = scheduler_->clock().now().count();
  plan_.wake(now, ready_);
  std::size_t fired = worker_->take_all(now, found);
  fired += scheduler_->timekeeper.poll(now, found);
  while (detail::Runnable* const work = found.take_first()) make_ready(*work);
  return fired;
}

// False: the unit does not run now.
bool Driver::let_go_wrong(Ready const& unit) {
  detail::ExecutionContext* const context = ready_.context(*unit.work);
  bool const actor = context != nullptr && context->kind->crash != nullptr;
  bool const on_thread = unit.work->home == nullptr && context == nullptr;
  std::string said;
  bool const runs =
      plan_.before_turn(unit, actor, on_thread, scheduler_->clock().now().count(), said);
  if (!said.empty() && options_.trace) note(Event::Kind::fault, unit.unit, std::move(said));
  if (std::int64_t const delay = plan_.take_delay_ns(); delay != 0) pass_time(delay);
  clock_->set_wall_offset(plan_.wall_clock_offset_ns(scheduler_->clock().now().count()));
  if (plan_.take_crash()) context->kind->crash(*context);
  return runs;
}

Driver::Step Driver::step() {
  bool const fired = collect() != 0;
  bool const timers = next_timer_ns() != detail::TimerWheel::none;
  auto const ready = ready_.all();
  // Who was woken in place, a blocked thread, has his turn before time moves.
  if (fired && ready.empty()) return Step::done;
  if (tracks_) end_tracked_step();
  if (ready.empty() && !timers) return Step::quiet;
  if (steps_ == options_.steps_max) return Step::limit;
  ++steps_;
  bool const clock = timers && (ready.empty() || options_.clock == ClockMode::adversarial);
  std::uint32_t const of = static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0);
  std::uint32_t choice = 0;
  if (of > 1 || tracks_) {
    choice = chooser_->next(ready, clock);
    if (choice == Chooser::give_up) {
      if (running_ == Event::nobody) return Step::gave_up;
      choice = 0;  // in the middle of a step, which must come to its end
    }
    if (of > 1) keep(choice, of);
  }
  bool const is_time = choice == ready.size();
  std::uint32_t const unit = is_time ? Event::nobody : ready[choice].unit;
  recent_.ran(unit);
  if (tracks_) tracker_.begin(running_ == Event::nobody ? unit : Event::nobody);
  if (is_time) {
    if (!move_time_to_a_timer()) return Step::quiet;
  } else {
    Ready const taken = ready_.take(choice);
    if (!plan_.is_used() || let_go_wrong(taken)) run_unit(*taken.work, taken.unit);
  }
  if (checks_.any()) look(false);
  if (hashes != nullptr) hashes->push_back(hash_);
  return Step::done;
}

// Whom the last step has woken is known only now.
void Driver::end_tracked_step() {
  if (running_ != Event::nobody) tracker_.touches_all();  // another step in the middle of one
  for (Ready const& woken : ready_.fresh()) tracker_.touches(woken.unit);
  tracker_.end(*chooser_);
}

// --- threads ---

void Driver::block(detail::atomic<std::uint32_t>& word) noexcept {
  if (BatonThread::current() != nullptr) {
    while (word.load(detail::memory_order_acquire) == 0) threads_->block(word);  // the waiter's own
    return;
  }
  // The thread that drives: nothing of what it waits for happens unless it makes it happen.
  auto const woken = [&word] {
    return word.load(detail::memory_order_acquire) != 0;  // the waiter's own
  };
  if (!run_until(woken)) abort_waiting();
}

bool Driver::run_a_step(bool may_move_time) {
  Inside const inside(*worker_, *this);
  if (collect() != 0) return true;
  if (ready_.all().empty() && !may_move_time) return false;
  return step() == Step::done;
}

// Of any runtime of this thread: time moves when none has work.
bool Driver::run_any_step() {
  return run_a_step(false) || run_another_runtime(*this, false) || run_a_step(true) ||
         run_another_runtime(*this, true);
}

// False: it never comes to that.
template <typename Condition>
bool Driver::run_until(Condition condition) noexcept {
  Clock const& real = *real_clock();
  std::int64_t quiet_since = -1;
  detail::Exempt const exempt;
  while (!condition()) {
    if (run_any_step()) {
      quiet_since = -1;
      continue;
    }
    // Only a thread that is not simulated can change that. It has its time, but not for ever.
    std::int64_t const now = real.now().count();
    if (quiet_since < 0) quiet_since = now;
    if (now - quiet_since > 5'000'000'000) return false;
    detail::yield_thread();
  }
  return true;
}

// Jobs that nobody waits for are no living contexts, and are run before the runtime ends.
bool Driver::nothing_is_left() const {
  return scheduler_->living.count() == 0 && ready_.all().empty() && !threads_->any_blocked();
}

bool Driver::run_until_ended(bool roots_only, std::int64_t timeout_ns) noexcept {
  std::int64_t const end =
      timeout_ns < 0 ? INT64_MAX : scheduler_->clock().now().count() + timeout_ns;
  for (;;) {
    if (roots_only ? !scheduler_->living.roots_left() : nothing_is_left()) return true;
    if (run_a_step(false) || run_another_runtime(*this, false)) continue;
    if (next_timer_ns() > end || !run_any_step()) break;
  }
  if (steps_ == steps_at_timeout_) abort_waiting();
  steps_at_timeout_ = steps_;
  return false;
}

void Driver::abort_waiting() noexcept {
  std::string const text =
      "simulation: this thread waits, and nothing can run any more; there are:" + who_lives();
  log::error("spawned", text);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::abort();
}

// --- a run ---

std::string Driver::name_of(std::uint32_t unit) const {
  detail::ExecutionContext const* const context = ready_.context(unit);
  if (context == nullptr) return "one that has ended";
  std::string name = plain(short_name(context->kind->describe(*context)));
  return name.substr(0, name.find(" in "));  // without what it does
}

// "awaits Vault::Balance of Vault#1 at teller.cpp:12"
std::string Driver::what_it_awaits(Waiting const& waiting) const {
  std::string text =
      waiting.message.empty() ? "awaits the end" : "awaits " + plain(std::string(waiting.message));
  text += " of " + name_of(waiting.target);
  if (waiting.where.line() != 0) text += " at " + as_text(waiting.where);
  return text;
}

// That begins and ends with the unit, or nothing.
std::vector<std::uint32_t> Driver::find_circle(std::uint32_t unit) const {
  std::vector<std::uint32_t> circle{unit};
  for (auto next = waits_for_.find(unit); next != waits_for_.end() && circle.size() <= 20;
       next = waits_for_.find(next->second.target)) {
    circle.push_back(next->second.target);
    if (next->second.target == unit) return circle;
  }
  return {};
}

// Who lives and, if it waits for another, for whom, for what and where; a circle of them if there
// is one.
std::string Driver::who_lives() const {
  auto const living = ready_.living();
  std::string text;
  int lines = 0;
  for (auto const& [unit, context] : living) {
    if (++lines > 20) break;
    text += "\n  " + context->kind->describe(*context);
    auto const found = waits_for_.find(unit);
    if (found != waits_for_.end()) text += ", " + what_it_awaits(found->second);
  }
  for (auto const& [unit, context] : living) {
    std::vector<std::uint32_t> circle = find_circle(unit);
    if (circle.empty()) continue;
    circle.pop_back();
    std::string links;
    for (std::uint32_t const each : circle) {
      links += links.empty() ? "" : ", ";
      links += name_of(each) + " " + what_it_awaits(waits_for_.at(each));
    }
    return text + "\n  a circle: " + links;
  }
  return text;
}

std::string Driver::who_ran() const {
  constexpr std::size_t shown = 5;
  std::string text = "of the last " + std::to_string(recent_.size()) + " steps:";
  auto const busiest = recent_.busiest();
  auto const living = ready_.living();
  for (std::size_t i = 0; i < std::min(shown, busiest.size()); ++i) {
    auto const [unit, steps] = busiest[i];
    auto const found = living.find(unit);
    text += "\n  " + std::to_string(steps) + ": ";
    if (found != living.end()) {
      text += found->second->kind->describe(*found->second);
    } else {
      text += unit == Event::nobody ? "moves of time" : "what has ended, or has no name";
    }
  }
  return text;
}

bool Driver::leaves_something() const {
  return scheduler_->living.count() != 0 || threads_->any_blocked();
}

// Cancels what the program has left behind, and runs it to its end.
void Driver::end(Report& report) {
  scheduler_->living.begin_end(UnreadMail::cancel);
  scheduler_->living.close();
  options_.steps_max += steps_;
  options_.clock = ClockMode::idle;
  Step last = Step::done;
  while (scheduler_->living.count() != 0 && last == Step::done) last = step();
  while (last == Step::done) last = step();  // what holds no life: timers' last messages
  if (!leaves_something() || !report.passed()) return;
  report.outcome = Outcome::stuck_end;
  report.problem = "the program has ended, but not what it has left behind:" + who_lives();
}

Report Driver::run(Program const& program) {
  Report report;
  Ending ending;
  Inside const inside(*worker_, *this);
  Task<void> body = [&] {
    detail::Watched const watched(real_world_.watch());
    return program();
  }();
  JoinHandle<void> const handle = detail::spawn_on(
      *scheduler_, note_the_end(std::move(body), ending), std::source_location::current());
  tracks_ = chooser_->tracks();
  Step last = Step::done;
  auto wrong = [this] { return !problem_.empty() || real_world_.failed(); };
  while (!ending.ended && !wrong() && last == Step::done) last = step();
  if (ending.ended && ending.exception == nullptr) look(true);
  checks_.close();
  std::string leak;
  if (ending.ended && ending.exception == nullptr && !wrong()) leak = find_leak();
  report.marks = checks_.marks();
  if (real_world_.failed()) {
    report.outcome = Outcome::real_world;  // its text follows, when it is over
  } else if (!problem_.empty()) {
    report.outcome = violated_ ? Outcome::violated : Outcome::failed;
    report.problem = std::move(problem_);
  } else if (!ending.ended && last != Step::gave_up) {
    bool const limit = last == Step::limit;
    report.outcome = limit ? Outcome::step_limit : Outcome::deadlock;
    report.problem =
        (limit ? "the program has not ended after " + std::to_string(steps_) + " steps; " +
                     who_ran() + "\nThere are:"
               : std::string("nothing can run any more, and the program has not ended; "
                             "there wait:")) +
        who_lives();
  } else if (ending.exception != nullptr) {
    report.outcome = Outcome::failed;
    report.problem = what_of(ending.exception);
  } else if (!leak.empty()) {
    report.outcome = Outcome::leak;
    report.problem = std::move(leak);
  }
  report.name = options_.name;
  report.clock = options_.clock;
  report.strategy = chooser_->name();
  report.steps = steps_;
  report.time = scheduler_->clock().now();
  report.hash = hash_;
  report.choices = std::exchange(choices_, {});
  report.events = std::exchange(events_, {});
  options_.trace = false;
  if (tracks_ && last != Step::gave_up) end_tracked_step();
  tracks_ = false;
  chooser_->ended();
  end(report);
  if (real_world_.failed()) {
    report.outcome = Outcome::real_world;
    report.problem = real_world_.problem();
  }
  report.units = std::move(units_);
  return report;
}

}  // namespace spawned::simulation
