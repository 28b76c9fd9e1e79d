// What a program has left behind when it has ended, as far as options forbid it.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "simulation/describe.hpp"
#include "simulation/driver.hpp"

namespace spawned::simulation {

namespace {

constexpr std::uint64_t run_on_most = 10'000;  // steps: intervals never come to an end

}  // namespace

// Lets who can go on do so, at a standing clock or not. Step::quiet: nothing can run any more.
Driver::Step Driver::run_on(bool moves_time) {
  ClockMode const clock = std::exchange(options_.clock, ClockMode::idle);
  std::uint64_t const end = steps_ + run_on_most;
  Step last = Step::done;
  while (last == Step::done && steps_ < end && problem_.empty() && !real_world_.failed()) {
    (void)collect();
    last = moves_time || !ready_.all().empty() ? step() : Step::quiet;
  }
  options_.clock = clock;
  return last;
}

std::string Driver::armed_timers() const {
  std::string text;
  for (auto const& [unit, context] : ready_.living()) {
    if (context->kind->describe_timers != nullptr) text += context->kind->describe_timers(*context);
  }
  return text;
}

std::string Driver::unanswered_requests() const {
  std::string text;
  for (auto const& [unit, context] : ready_.living()) {
    auto const found = waits_for_.find(unit);
    if (found == waits_for_.end() || found->second.message.empty()) continue;
    text += "\n  " + name_of(unit) + " " + what_it_awaits(found->second);
  }
  return text;
}

std::string Driver::find_leak() {
  if (options_.armed_timer_is_failure || options_.living_is_failure) {
    (void)run_on(false);
    std::string const armed = options_.armed_timer_is_failure ? armed_timers() : std::string();
    if (!armed.empty()) {
      return "the program has ended, and left timers armed; cancel them, or stop the actor:" +
             armed;
    }
    if (options_.living_is_failure && scheduler_->living.count() != 0) {
      return "the program has ended, and left something alive; stop it, or cancel it, and wait:" +
             who_lives();
    }
  }
  if (!options_.unanswered_is_failure || run_on(true) != Step::quiet) return {};
  std::string const requests = unanswered_requests();
  if (requests.empty()) return {};
  return "the program has ended, and left requests that nobody will answer; reply, drop the "
         "ReplyTo, or give them a time limit:" +
         requests;
}

}  // namespace spawned::simulation
