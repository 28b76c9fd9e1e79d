// The events of a run in the JSON of chrome://tracing, which Perfetto loads.
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/report.hpp>

#include "simulation/told.hpp"

namespace spawned::simulation {

namespace {

constexpr std::uint64_t step_us = 10;  // of the timeline; no step takes virtual time
constexpr std::uint64_t slice_us = 8;

std::string quoted(std::string const& text) {
  std::string result = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      (void)std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      result += escape;
    } else if (byte >= 0x80) {
      result += '?';  // nothing says that it is UTF-8
    } else {
      result += c;
    }
  }
  return result + "\"";
}

class Timeline {
 public:
  explicit Timeline(Report const& report) : report_(report), told_(tell(report)) {}

  std::string draw() {
    event("process_name", 'M', 0) += ",\"args\":{\"name\":" + quoted(report_.name) + "}";
    close();
    std::set<std::uint32_t> units;
    for (Told const& told : told_) {
      units.insert(told.unit);
      for (Event const* const lost : told.lost) units.insert(lost->unit);
    }
    for (std::uint32_t const unit : units) {
      std::string const name = unit == Event::nobody ? "time" : name_of(report_, unit);
      event("thread_name", 'M', unit) += ",\"args\":{\"name\":" + quoted(name) + "}";
      close();
      event("thread_sort_index", 'M', unit) +=
          ",\"args\":{\"sort_index\":" + std::to_string(unit) + "}";
      close();
    }
    for (Told const& told : told_) add(told);
    return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" + text_ + "\n]}\n";
  }

 private:
  std::string& event(std::string const& name, char phase, std::uint32_t unit) {
    text_ += text_.empty() ? "\n" : ",\n";
    text_ += "{\"name\":" + quoted(name) + ",\"ph\":\"" + phase +
             "\",\"pid\":1,\"tid\":" + std::to_string(unit);
    return text_;
  }
  void close() { text_ += "}"; }

  static std::string at(std::uint64_t step, std::uint64_t offset) {
    return ",\"ts\":" + std::to_string(step * step_us + offset);
  }

  void add(Told const& told) {
    std::string const name = told.what == Told::What::time    ? "time moves"
                             : !told.message.empty()          ? told.message
                             : told.what == Told::What::idles ? "nothing to do"
                                                              : "runs";
    std::string const why = reason(report_, told);
    event(name, 'X', told.unit) += at(told.step, 0) + ",\"dur\":" + std::to_string(slice_us) +
                                   ",\"args\":{\"step\":" + std::to_string(told.step) +
                                   ",\"virtual time\":" + quoted(as_text(told.time)) +
                                   ",\"what\":" + quoted(deed(report_, told)) +
                                   ",\"why\":" + quoted(why) +
                                   ",\"chosen\":" + (told.chosen ? "true" : "false") + "}";
    close();
    if (told.what == Told::What::time) {
      char count[40];
      (void)std::snprintf(count, sizeof count, "%.6f",
                          static_cast<double>(told.time.count()) / 1e6);
      event("virtual time, ms", 'C', 0) += at(told.step, 0) + ",\"args\":{\"ms\":" + count + "}";
      close();
    }
    for (Event const* const remark : told.remarks) {
      event(plain(remark->text), 'i', told.unit) += at(told.step, 1) + ",\"s\":\"t\"";
      close();
    }
    if (told.what != Told::What::idles) flow(told);
  }

  // An arrow from the step that caused this one.
  void flow(Told const& told) {
    std::size_t const cause = find_step(told_, told.cause);
    if (cause == told_.size()) return;
    std::string const what = told.what == Told::What::takes ? "message" : "goes on";
    std::string const id = ",\"cat\":\"cause\",\"id\":" + std::to_string(told.step);
    event(what, 's', told_[cause].unit) += id + at(told.cause, slice_us / 2);
    close();
    event(what, 'f', told.unit) += id + at(told.step, 1) + ",\"bp\":\"e\"";
    close();
  }

  Report const& report_;
  std::vector<Told> told_;
  std::string text_;
};

}  // namespace

std::string Report::chrome_trace() const { return Timeline(*this).draw(); }

}  // namespace spawned::simulation
