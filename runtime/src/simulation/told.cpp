#include "simulation/told.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

namespace spawned::simulation {

namespace {

class Teller {
 public:
  explicit Teller(Report const& report) : report_(report) {}

  std::vector<Told> tell() {
    for (Event const& event : report_.events) add(event);
    return std::move(told_);
  }

 private:
  struct Unit {
    std::uint32_t starter = Event::nobody;
    std::uint64_t step = Told::none;
    bool has_run = false;
  };

  void add(Event const& event) {
    switch (event.kind) {
      case Event::Kind::step:
      case Event::Kind::time:
        begin(event);
        break;
      case Event::Kind::start:
        if (units_.size() <= event.unit) units_.resize(event.unit + 1);
        units_[event.unit] = {event.from, event.step};
        if (event.step != 0) here(event).started.push_back(event.unit);
        break;
      case Event::Kind::end:
        if (here(event).unit == event.unit) told_.back().ended = true;
        break;
      case Event::Kind::send:
        // One that was taken has the name of its message.
        if (event.text.empty()) here(event).lost.push_back(&event);
        break;
      case Event::Kind::fault:
      case Event::Kind::remark:
        here(event).remarks.push_back(&event);
        break;
    }
  }

  // The entry that the event belongs to.
  Told& here(Event const& event) {
    if (told_.empty() || told_.back().step != event.step) {
      Told& next = told_.emplace_back();
      next.step = event.step;
      next.time = event.time;
    }
    return told_.back();
  }

  void begin(Event const& event) {
    Told& next = told_.emplace_back();
    next.step = event.step;
    next.time = event.time;
    next.unit = event.unit;
    next.message = plain(event.text);
    next.chosen = event.choices > choices_ && event.choices <= report_.choices.size() &&
                  report_.choices[event.choices - 1] != 0;
    choices_ = event.choices;
    if (event.cause != Event::no_cause && event.cause < report_.events.size()) {
      next.from = event.from;
      next.cause = report_.events[event.cause].step;
    }
    next.what = what(event);
    if (next.what != Told::What::begins) return;
    next.from = units_[event.unit].starter;
    next.cause = units_[event.unit].step;
  }

  Told::What what(Event const& event) {
    if (event.kind == Event::Kind::time) return Told::What::time;
    bool const sent = event.cause != Event::no_cause && event.cause < report_.events.size() &&
                      report_.events[event.cause].kind == Event::Kind::send;
    bool const first =
        event.unit < units_.size() && !std::exchange(units_[event.unit].has_run, true);
    if (sent) return Told::What::takes;
    if (first) return Told::What::begins;
    bool const task = event.unit >= report_.units.size() || is_task(report_.units[event.unit]);
    return event.text.empty() && !task ? Told::What::idles : Told::What::goes_on;
  }

  static bool is_task(std::string const& name) {
    return name.empty() || name == "program" || name.starts_with("task ");
  }

  Report const& report_;
  std::vector<Told> told_;
  std::vector<Unit> units_;
  std::uint64_t choices_ = 0;
};

}  // namespace

std::vector<Told> tell(Report const& report) { return Teller(report).tell(); }

std::string plain(std::string text) {
  for (std::string_view const noise :
       {std::string_view("{anonymous}::"), std::string_view("(anonymous namespace)::")}) {
    for (auto at = text.find(noise); at != std::string::npos; at = text.find(noise, at)) {
      text.erase(at, noise.size());
    }
  }
  return text;
}

std::string name_of(Report const& report, std::uint32_t unit) {
  if (unit == Event::nobody) return "outside";
  if (unit < report.units.size() && !report.units[unit].empty()) return plain(report.units[unit]);
  return "work " + std::to_string(unit);
}

std::string as_text(std::chrono::nanoseconds time) {
  auto const count = static_cast<double>(time.count());
  double const size = count < 0 ? -count : count;
  char text[40];
  auto const say = [&text](double value, char const* unit) {
    (void)std::snprintf(text, sizeof text, "%.6g %s", value, unit);
    return std::string(text);
  };
  if (size >= 1e9) return say(count / 1e9, "s");
  if (size >= 1e6 || size == 0) return say(count / 1e6, "ms");
  return size >= 1e3 ? say(count / 1e3, "us") : say(count, "ns");
}

std::size_t find_step(std::vector<Told> const& told, std::uint64_t step) noexcept {
  auto const found =
      std::lower_bound(told.begin(), told.end(), step,
                       [](Told const& one, std::uint64_t wanted) { return one.step < wanted; });
  bool const there = found != told.end() && found->step == step && step != Told::none;
  return there ? static_cast<std::size_t>(found - told.begin()) : told.size();
}

std::string deed(Report const& report, Told const& told) {
  std::string text;
  auto const also = [&text](std::string const& more) { text += (text.empty() ? "" : "; ") + more; };
  switch (told.what) {
    case Told::What::begins:
      text = "begins" + (told.message.empty() ? "" : ", " + told.message);
      break;
    case Told::What::takes:
      // The driver sees what a turn did last. One that ends the actor ends with a callback.
      text = "takes " + (told.message.starts_with("its ") ? "its last message" : told.message);
      break;
    case Told::What::goes_on:
      text = "goes on" + (told.message.empty() ? "" : " with " + told.message);
      break;
    case Told::What::idles:
      text = "has nothing to do";
      break;
    case Told::What::time:
      text = "moves to " + as_text(told.time);
      break;
    case Told::What::outside:
      break;
  }
  std::string names;
  for (std::uint32_t const unit : told.started) {
    names += (names.empty() ? "starts " : ", ") + name_of(report, unit);
  }
  if (!names.empty()) also(names);
  for (Event const* const event : told.lost) {
    also("sends to " + name_of(report, event->unit) + " what nobody takes");
  }
  for (Event const* const event : told.remarks) {
    also((event->kind == Event::Kind::fault ? "FAULT: " : "says: ") + plain(event->text));
  }
  if (told.ended) also("ends");
  return text;
}

std::string reason(Report const& report, Told const& told) {
  if (told.cause == Told::none || told.what == Told::What::idles) return {};
  std::string const step = " (" + std::to_string(told.cause) + ")";
  if (told.what == Told::What::takes) {
    return "from " + (told.from == Event::nobody ? "a timer" : name_of(report, told.from)) + step;
  }
  if (told.what == Told::What::begins) return "started by " + name_of(report, told.from) + step;
  if (told.from == Event::nobody) return "its time has come" + step;
  if (told.from == told.unit) return "had yielded" + step;
  return "woken by " + name_of(report, told.from) + step;
}

std::string sentence(Report const& report, Told const& told) {
  std::string const who =
      told.what == Told::What::time ? std::string("time") : name_of(report, told.unit);
  std::string const why = reason(report, told);
  return "(" + std::to_string(told.step) + ") " + who + " " + deed(report, told) +
         (why.empty() ? "" : ", " + why);
}

}  // namespace spawned::simulation
