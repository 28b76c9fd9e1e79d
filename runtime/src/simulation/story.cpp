// The events of a run as text.
#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

namespace {

std::string as_text(std::chrono::nanoseconds time) {
  std::string text = std::to_string(static_cast<double>(time.count()) / 1e6);
  text.resize(text.size() - 3);
  return text + " ms";
}

std::string line_of(Event const& event, std::vector<std::string> const& units) {
  auto name = [&units](std::uint32_t unit) {
    if (unit == Event::nobody) return std::string("outside");
    return unit < units.size() && !units[unit].empty() ? units[unit] : "#" + std::to_string(unit);
  };
  std::string const who = name(event.unit);
  switch (event.kind) {
    case Event::Kind::step:
      return who + (event.text.empty() ? " runs" : " " + event.text) +
             (event.cause == Event::no_cause ? "" : ", sent by " + name(event.from));
    case Event::Kind::time:
      return "time moves";
    case Event::Kind::start:
      return who + " is started by " + name(event.from);
    case Event::Kind::end:
      return who + " ends";
    case Event::Kind::send:
      return "  " + name(event.from) + " sends " + event.text + " to " + who;
    case Event::Kind::fault:
      return "FAULT: " + event.text;
    case Event::Kind::remark:
      return who + ": " + event.text;
  }
  return {};
}

}  // namespace

std::vector<std::string> Report::story() const {
  std::vector<std::string> lines;
  for (Event const& event : events) {
    lines.push_back(as_text(event.time) + "  " + line_of(event, units));
  }
  return lines;
}

}  // namespace spawned::simulation
