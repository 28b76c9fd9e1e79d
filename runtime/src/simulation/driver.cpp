#include "simulation/driver.hpp"

#include <utility>

namespace spawned::simulation {

namespace {

RuntimeOptions runtime_options(std::shared_ptr<Clock> clock) {
  RuntimeOptions options;
  options.name = "simulated";
  options.workers = 1;
  options.seed = 1;
  options.clock = std::move(clock);
  options.rescue_after = std::chrono::nanoseconds(0);
  options.slow_turn_warning = std::chrono::nanoseconds(0);
  return options;
}

std::string as_text(std::chrono::nanoseconds time) {
  std::string text = std::to_string(static_cast<double>(time.count()) / 1e6);
  text.resize(text.size() - 3);
  return text + " ms";
}

std::string what_of(std::exception_ptr const& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (std::exception const& error) {
    return error.what();
  } catch (Cancelled const& cancelled) {
    return cancelled.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
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

}  // namespace

Driver::Driver(Options const& options, Choices choices)
    : options_(options),
      choices_(std::move(choices)),
      clock_(std::make_shared<SimulatedClock>()),
      real_world_(options.real_world, *clock_,
                  [this](std::uint32_t n) { return choices_.choose(n); }),
      runtime_(std::make_unique<Runtime>(detail::Driven{}, runtime_options(clock_))),
      scheduler_(runtime_->scheduler()),
      worker_(scheduler_.worker(0)) {}

Driver::~Driver() {
  // What does not end cannot be destroyed; its memory is given up (Outcome::stuck_end says so).
  if (scheduler_.living.count() != 0) (void)runtime_.release();
}

void Driver::mix(std::uint64_t value) noexcept {
  hash_ = (hash_ ^ value) * 0x100000001b3U;
  hash_ ^= hash_ >> 29;
}

// The how-manieth the unit of this identity was to run: ids differ between runs, this does not.
std::uint64_t Driver::ordinal(std::uint64_t id) {
  return ordinals_.try_emplace(id, ordinals_.size() + 1).first->second;
}

void Driver::note(std::string text) {
  if (options_.story) story_.push_back(as_text(clock_->now()) + "  " + std::move(text));
}

void Driver::collect() {
  detail::RunnableChain found;
  worker_.take_all(clock_->now().count(), found);
  if (ready_begin_ > 64 && ready_begin_ * 2 > ready_.size()) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_begin_));
    ready_begin_ = 0;
  }
  while (detail::Runnable* const unit = found.take_first()) ready_.push_back(unit);
}

void Driver::move_time(std::int64_t to_ns) {
  clock_->set(to_ns);
  mix(static_cast<std::uint64_t>(to_ns));
  note("time moves");
}

void Driver::run_unit(detail::Runnable& unit, std::size_t choice, std::size_t of) {
  worker_.activity.end();
  worker_.running = &unit;
  {
    detail::Watched const watched(real_world_.watch());
    unit.run(unit);
  }
  worker_.running = nullptr;
  mix(choice);
  mix(of);
  detail::Step const* const step = worker_.activity.step();
  if (step == nullptr) return note("nothing to tell");
  std::uint64_t const who = ordinal(worker_.activity.id());
  mix(who);
  for (char const c : step->name) mix(static_cast<unsigned char>(c));
  if (!options_.story) return;
  if (step->type.empty()) {
    note(step->describe(*step, worker_.activity.id()));
  } else {
    note(std::string(step->type) + "#" + std::to_string(who) + " in " + std::string(step->name));
  }
}

Driver::Step Driver::step() {
  collect();
  std::int64_t const next = worker_.timers.next_deadline_ns();
  std::size_t const count = ready_.size() - ready_begin_;
  bool const timers = next != detail::TimerWheel::none;
  if (count == 0 && !timers) return Step::quiet;
  if (steps_ == options_.steps_max) return Step::limit;
  ++steps_;
  if (count == 0 || (timers && options_.clock == ClockMode::adversarial &&
                     choices_.chance(options_.clock_share))) {
    move_time(next);
  } else {
    std::size_t const choice = choices_.choose(static_cast<std::uint32_t>(count));
    auto const place = ready_.begin() + static_cast<std::ptrdiff_t>(ready_begin_ + choice);
    detail::Runnable& unit = **place;
    if (choice == 0) {
      ++ready_begin_;
    } else {
      ready_.erase(place);
    }
    run_unit(unit, choice, count);
  }
  if (hashes != nullptr) hashes->push_back(hash_);
  return Step::done;
}

std::string Driver::who_lives() const {
  std::string text;
  for (std::string const& name : scheduler_.living.describe(20)) text += "\n  " + name;
  return text;
}

// Cancels what the program has left behind, and runs it to its end.
void Driver::end(Report& report) {
  scheduler_.living.begin_end(UnreadMail::cancel);
  scheduler_.living.close();
  std::uint64_t const used = steps_;
  options_.steps_max += used;
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
  detail::current_worker = &worker_;
  {
    Task<void> body = [&] {
      detail::Watched const watched(real_world_.watch());
      return program();
    }();
    JoinHandle<void> const handle = detail::spawn_on(
        scheduler_, note_the_end(std::move(body), ending), std::source_location::current());
    Step last = Step::done;
    while (!ending.ended && last == Step::done && !real_world_.failed()) last = step();
    if (!ending.ended && !real_world_.failed()) {
      bool const limit = last == Step::limit;
      report.outcome = limit ? Outcome::step_limit : Outcome::deadlock;
      report.problem =
          (limit
               ? "the program has not ended after " + std::to_string(steps_) + " steps; there are:"
               : std::string("nothing can run any more, and the program has not ended; "
                             "there wait:")) +
          who_lives();
    } else if (ending.exception != nullptr) {
      report.outcome = Outcome::failed;
      report.problem = what_of(ending.exception);
    }
  }
  report.steps = steps_;
  report.time = clock_->now();
  report.hash = hash_;
  report.choices = choices_.take();
  report.story = std::exchange(story_, {});
  end(report);
  if (real_world_.failed()) {
    report.outcome = Outcome::real_world;
    report.problem = real_world_.problem();
  }
  detail::current_worker = nullptr;
  return report;
}

}  // namespace spawned::simulation
