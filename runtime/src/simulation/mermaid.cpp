// The events of a run as a Mermaid sequence diagram.
#include <algorithm>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/report.hpp>

#include "simulation/told.hpp"

namespace spawned::simulation {

namespace {

// What Mermaid would read as its own.
std::string escaped(std::string const& text) {
  std::string result;
  for (char const c : text) {
    switch (c) {
      case '#':
        result += "#35;";
        break;
      case ';':
        result += "#59;";
        break;
      case '<':
        result += "#lt;";
        break;
      case '>':
        result += "#gt;";
        break;
      case '\n':
        result += "<br/>";
        break;
      default:
        result += c;
    }
  }
  return result;
}

class Diagram {
 public:
  explicit Diagram(Report const& report) : report_(report), told_(tell(report)) {}

  std::string draw() {
    text_ = "sequenceDiagram\n";
    add_participants();
    for (Told const& told : told_) add(told);
    if (!report_.passed())
      note(last_, std::string(to_string(report_.outcome)) + ": " + first_line());
    return std::move(text_);
  }

 private:
  static std::string id(std::uint32_t unit) { return "u" + std::to_string(unit); }

  std::string first_line() const { return report_.problem.substr(0, report_.problem.find('\n')); }

  // Those who do something, in the order in which they first do.
  void add_participants() {
    std::vector<std::uint32_t> units;
    auto const once = [&units](std::uint32_t unit) {
      if (std::find(units.begin(), units.end(), unit) == units.end()) units.push_back(unit);
    };
    for (Told const& told : told_) {
      if (told.what == Told::What::time || told.what == Told::What::idles) continue;
      once(told.unit);
      for (Event const* const event : told.lost) once(event->unit);
    }
    for (std::uint32_t const unit : units) {
      text_ += "  participant " + id(unit) + " as " + escaped(name_of(report_, unit)) + "\n";
    }
    if (units.empty()) text_ += "  participant u0 as nobody\n";
    first_ = units.empty() ? 0 : units.front();
    last_ = first_;
    leftmost_ = id(first_);
    rightmost_ = units.empty() ? leftmost_ : id(units.back());
  }

  void arrow(std::uint32_t from, char const* kind, std::uint32_t to, std::string const& label) {
    text_ += "  " + id(from) + kind + id(to) + ": " + escaped(label) + "\n";
  }
  void note(std::uint32_t over, std::string const& label) {
    text_ += "  Note over " + id(over) + ": " + escaped(label) + "\n";
  }

  void add(Told const& told) {
    std::string const number = (told.chosen ? "*" : "") + std::to_string(told.step) + " ";
    switch (told.what) {
      case Told::What::time:
        text_ += "  Note over " + leftmost_ + (leftmost_ == rightmost_ ? "" : "," + rightmost_) +
                 ": " + number + "time is " + as_text(told.time) + "\n";
        return;
      case Told::What::idles:
        break;
      case Told::What::takes:
        arrow(told.from, "->>", told.unit, number + told.message);
        break;
      case Told::What::goes_on:
        if (told.from != Event::nobody && told.from != told.unit) {
          arrow(told.from, "-->>", told.unit, number + "wakes");
        } else {
          note(told.unit, number + "goes on");
        }
        break;
      case Told::What::begins:
        if (told.from != Event::nobody) arrow(told.from, "-)", told.unit, number + "starts");
        break;
      case Told::What::outside:
        break;
    }
    for (Event const* const event : told.lost) {
      arrow(told.unit, "-x", event->unit, "never taken");
    }
    for (Event const* const event : told.remarks) {
      note(told.unit, (event->kind == Event::Kind::fault ? "FAULT: " : "") + plain(event->text));
    }
    if (told.what != Told::What::idles) last_ = told.unit;
  }

  Report const& report_;
  std::vector<Told> told_;
  std::string text_;
  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::string leftmost_;
  std::string rightmost_;
};

}  // namespace

std::string Report::mermaid() const { return Diagram(*this).draw(); }

}  // namespace spawned::simulation
