#include <spawned/runtime/simulation/stepper.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <spawned/runtime/runtime.hpp>

#include "simulation/choosers.hpp"
#include "simulation/driver.hpp"

namespace spawned::simulation {

namespace {

Options traced() {
  Options options;
  options.clock = ClockMode::idle;
  options.trace = true;
  return options;
}

}  // namespace

class Stepper::State {
 public:
  State() : driver(traced(), std::make_unique<GivenChooser>(std::vector<std::uint32_t>())) {
    detail::require_no_worker("simulation::Stepper");
    runtime = std::make_unique<Runtime>(detail::Driven{&driver}, RuntimeOptions());
    enter();
  }

  ~State() {
    enter();
    driver.checks_.close();
    driver.options_.trace = false;
    Report report;
    driver.end(report);
    detail::current_worker = worker_before_;
    detail::simulated = simulated_before_;
    if (driver.leaves_something()) (void)runtime.release();  // see run_with()
  }

  State(State const&) = delete;
  State& operator=(State const&) = delete;

  std::span<Ready const> ready() {
    (void)driver.collect();
    return driver.ready_.all();
  }

  void run(std::size_t index) {
    Ready const taken = driver.ready_.take(index);
    ++driver.steps_;
    driver.run_unit(*taken.work, taken.unit);
    if (driver.checks_.any()) driver.look(false);
    if (!driver.problem_.empty()) throw Violated(std::exchange(driver.problem_, {}));
  }

  // Moves time to the next timer if that is due by then. False: it is not.
  bool fire(std::int64_t until_ns) {
    (void)ready();  // what waits may arm a timer that is due sooner
    std::int64_t const next = driver.next_timer_ns();
    if (next == detail::TimerWheel::none || next > until_ns) return false;
    if (next > driver.now_ns()) (void)driver.move_time(next, true);
    (void)ready();
    if (driver.checks_.any()) driver.look(false);
    return true;
  }

  [[nodiscard]] std::int64_t end_of(std::chrono::nanoseconds duration) {
    if (duration.count() < 0) {
      throw CannotStep("simulation::Stepper: time does not go back, by " +
                       std::to_string(duration.count()) + " ns");
    }
    std::int64_t const now = driver.now_ns();
    std::int64_t const most = std::numeric_limits<std::int64_t>::max() - 1;
    return duration.count() > most - now ? most : now + duration.count();
  }

  void set_time(std::int64_t to_ns) {
    if (to_ns > driver.now_ns()) (void)driver.move_time(to_ns, true);
    if (driver.checks_.any()) driver.look(false);
    if (!driver.problem_.empty()) throw Violated(std::exchange(driver.problem_, {}));
  }

  // What a unit is called, and how much mail it has.
  [[nodiscard]] std::string describe(Ready const& unit) const {
    auto const& names = driver.units_;
    std::string name = unit.unit < names.size() && !names[unit.unit].empty()
                           ? names[unit.unit]
                           : "work #" + std::to_string(unit.unit);
    auto const mail = std::count_if(driver.under_way_.begin(), driver.under_way_.end(),
                                    [this, &unit](auto const& sent) {
                                      return driver.events_[sent.second.event].unit == unit.unit;
                                    });
    if (mail == 0) return name;
    return name + " (" + std::to_string(mail) + (mail == 1 ? " message)" : " messages)");
  }

  [[nodiscard]] std::string all_ready() {
    std::string text;
    for (Ready const& unit : ready()) text += (text.empty() ? "" : ", ") + describe(unit);
    return text.empty() ? "nothing" : text;
  }

  [[nodiscard]] std::string who_lives() const { return driver.who_lives(); }
  [[nodiscard]] Report so_far() const {
    Report report;
    report.events = driver.events_;
    report.units = driver.units_;
    return report;
  }

  Driver driver;
  std::unique_ptr<Runtime> runtime;

 private:
  void enter() {
    detail::WorkerLocal* const worker = driver.worker_;
    if (detail::current_worker != worker) {
      worker_before_ = std::exchange(detail::current_worker, worker);
      simulated_before_ = std::exchange(detail::simulated, &driver);
    }
  }

  detail::WorkerLocal* worker_before_ = nullptr;
  detail::Simulated* simulated_before_ = nullptr;
};

Stepper::Stepper() : state_(std::make_unique<State>()) {}
Stepper::~Stepper() = default;

std::vector<std::string> Stepper::ready() {
  std::vector<std::string> texts;
  for (Ready const& unit : state_->ready()) texts.push_back(state_->describe(unit));
  return texts;
}

std::size_t Stepper::ready_count() { return state_->ready().size(); }

bool Stepper::deliver_next(std::size_t index) {
  if (index >= state_->ready().size()) return false;
  state_->run(index);
  return true;
}

void Stepper::deliver_to_context(detail::ExecutionContext& context) {
  auto const ready = state_->ready();
  std::uint32_t const unit = state_->driver.ready_.number(context);
  auto const found =
      std::find_if(ready.begin(), ready.end(), [unit](Ready const& r) { return r.unit == unit; });
  if (found == ready.end()) {
    throw CannotStep("simulation::Stepper::deliver_to: " + context.kind->describe(context) +
                     " has nothing to do; what can run is: " + state_->all_ready());
  }
  state_->run(static_cast<std::size_t>(found - ready.begin()));
}

std::uint64_t Stepper::run_until_idle(std::uint64_t most) {
  std::uint64_t steps = 0;
  while (deliver_next()) {
    if (++steps == most && ready_count() != 0) {
      throw CannotStep("simulation::Stepper::run_until_idle: not idle after " +
                       std::to_string(most) + " steps; what can run is: " + state_->all_ready());
    }
  }
  return steps;
}

std::chrono::nanoseconds Stepper::time() const {
  return std::chrono::nanoseconds(state_->driver.now_ns());
}

void Stepper::advance(std::chrono::nanoseconds duration) {
  std::int64_t const end = state_->end_of(duration);
  while (state_->fire(end)) {
  }
  state_->set_time(end);
}

void Stepper::run_for(std::chrono::nanoseconds duration) {
  std::int64_t const end = state_->end_of(duration);
  do {
    (void)run_until_idle();
  } while (state_->fire(end));
  state_->set_time(end);
}

bool Stepper::advance_to_next_timer() {
  // The wheel also asks for a look where it turns, and nothing is due.
  std::size_t const before = ready_count();
  while (ready_count() == before) {
    if (!state_->fire(std::numeric_limits<std::int64_t>::max() - 1)) return false;
  }
  return true;
}

detail::Executor& Stepper::workers() noexcept { return *state_->driver.scheduler_; }

void Stepper::pump() {
  if (deliver_next() || advance_to_next_timer()) return;
  throw CannotStep("simulation::Stepper::block_on: nothing can run any more; there wait:" +
                   state_->who_lives());
}

std::vector<std::string> Stepper::story() const { return state_->so_far().story(); }

}  // namespace spawned::simulation
