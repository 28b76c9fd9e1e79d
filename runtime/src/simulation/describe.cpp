#include "simulation/describe.hpp"

#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

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

std::string short_name(std::string const& description) {
  std::string name = description;
  if (name.starts_with("actor ")) name.erase(0, 6);
  std::string const spawned_at = "task spawned at ";
  if (name.starts_with(spawned_at)) {
    auto const slash = name.rfind('/');
    name = "task " + name.substr(slash == std::string::npos ? spawned_at.size() : slash + 1);
  }
  if (auto const end = name.find(' ', 5); name.starts_with("task ") && end != std::string::npos) {
    name.resize(end);
  }
  return name;
}

std::string as_text(std::source_location where) {
  std::string const file = where.file_name();
  auto const slash = file.rfind('/');
  return (slash == std::string::npos ? file : file.substr(slash + 1)) + ":" +
         std::to_string(where.line());
}

char const* to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::violated:
      return "violated";
    case Outcome::deadlock:
      return "deadlock";
    case Outcome::step_limit:
      return "step limit";
    case Outcome::stuck_end:
      return "stuck at the end";
    case Outcome::crashed:
      return "crashed";
    case Outcome::real_world:
      return "a call of the real world";
    case Outcome::leak:
      return "a leak";
  }
  return "?";
}

char const* to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::portfolio:
      return "portfolio";
    case Strategy::random:
      return "random";
    case Strategy::pct:
      return "pct";
    case Strategy::delay_bounded:
      return "delay_bounded";
    case Strategy::exhaustive:
      return "exhaustive";
    case Strategy::reduced:
      return "reduced";
  }
  return "?";
}

}  // namespace spawned::simulation
