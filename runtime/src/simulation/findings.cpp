#include "simulation/findings.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "simulation/replay.hpp"
#include "simulation/shrink.hpp"

namespace spawned::simulation {

namespace {

constexpr std::size_t lines_most = 200;  // of a story in a failure text

std::string plural(std::size_t count, char const* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// The end of a long story is what matters.
std::string indented_story(Report const& report, std::size_t most) {
  std::vector<std::string> const story = report.story();
  std::size_t const skipped = story.size() > most ? story.size() - most : 0;
  std::string text;
  if (skipped != 0) {
    text += "\n  (" + plural(skipped, "line") + " before; write_report() writes all)";
  }
  for (std::size_t i = skipped; i < story.size(); ++i) text += "\n  " + story[i];
  return text;
}

std::string as_text(Findings const& findings, std::size_t lines) {
  Report const& report = findings.report;
  Report const& shrunk = findings.shrunk;
  bool const replayed = findings.shrink_runs == 0 && report.hash == shrunk.hash;
  if (replayed && report.strategy == "replay") {
    return report.name + ": " + to_string(report.outcome) +
           " when it is replayed: " + report.problem + indented_story(report, lines);
  }
  std::string text = report.name + ": " + to_string(report.outcome) + " with seed " +
                     std::to_string(report.seed) + " (" + report.strategy + "), run " +
                     std::to_string(findings.runs) + ": " + report.problem;
  text += "\nThe simplest run found that fails alike, after " +
          plural(findings.shrink_runs, "more run") + ": " + plural(shrunk.steps, "step") + ", " +
          std::to_string(interesting(shrunk.choices)) + " of " +
          plural(shrunk.choices.size(), "choice") + " not the boring one (*); once " +
          std::to_string(interesting(report.choices)) + " of " +
          std::to_string(report.choices.size()) + ".";
  if (shrunk.problem != report.problem) text += "\nIts problem: " + shrunk.problem;
  text += indented_story(shrunk, lines);
  text += "\nTo repeat it:            " + replay_command(report.name, findings.trace);
  text += "\nTo repeat the first one: " + seed_command(report.seed);
  return text;
}

std::string missed_marks(Findings const& findings) {
  std::string text;
  for (std::string const& name : findings.missed()) {
    text += (text.empty() ? ", but none hit the mark \"" : "\", nor \"") + name;
  }
  return text.empty() ? text : text + "\"";
}

}  // namespace

std::vector<std::string> Findings::missed() const {
  std::vector<std::string> names;
  for (Mark const& mark : marks) {
    if (mark.hits == 0) names.push_back(mark.name);
  }
  return names;
}

void investigate(Findings& findings, Options const& options, Program const& program) {
  Shrunk shrunk = shrink(findings.report, options, program);
  findings.shrink_runs = shrunk.runs;
  Options traced = options;
  traced.trace = true;
  findings.shrunk = replay(shrunk.report.choices, traced, program);
  if (findings.shrunk.hash != shrunk.report.hash ||
      !same_failure(findings.shrunk, findings.report)) {
    throw NotDeterministic("simulation::explore: a run that failed with \"" +
                           shrunk.report.problem + "\" is another one when it is repeated, \"" +
                           (findings.shrunk.passed() ? "passed" : findings.shrunk.problem) +
                           "\": something decides that no seed does; check_determinism() of seed " +
                           std::to_string(findings.report.seed) + " may name it");
  }
  findings.shrunk.seed = findings.report.seed;
  findings.trace = keep_trace(findings.shrunk, options);
}

std::string Findings::to_string() const {
  if (report.passed()) return std::to_string(runs) + " runs passed" + missed_marks(*this);
  if (shrunk.passed()) {  // not looked for: on a real runtime
    return std::string(simulation::to_string(report.outcome)) + ": " + report.problem;
  }
  if (report.outcome == Outcome::crashed) {
    return report.name + ": seed " + std::to_string(report.seed) + " (" + report.strategy +
           "): " + report.problem + "\nTo repeat it: " + seed_command(report.seed);
  }
  return as_text(*this, lines_most);
}

std::vector<std::string> write_report(Findings const& findings, std::string const& directory) {
  std::filesystem::create_directories(directory);
  Report const& report = findings.passed() ? findings.report : findings.shrunk;
  std::string const base = (std::filesystem::path(directory) / as_file_name(report.name)).string();
  std::string text = findings.passed() ? findings.to_string() : as_text(findings, ~std::size_t{0});
  if (findings.passed()) text += indented_story(report, ~std::size_t{0});
  std::vector<std::pair<char const*, std::string>> const files{
      {".txt", text + "\n"},
      {".mmd", report.mermaid()},
      {".json", report.chrome_trace()},
      {".trace", report.trace() + "\n"},
  };
  std::vector<std::string> paths;
  for (auto const& [ending, content] : files) {
    write_file(base + ending, content);
    paths.push_back(base + ending);
  }
  return paths;
}

}  // namespace spawned::simulation
