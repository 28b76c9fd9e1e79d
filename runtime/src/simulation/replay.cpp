#include "simulation/replay.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <spawned/runtime/simulation/replay.hpp>

#include "simulation/trace_text.hpp"

namespace spawned::simulation {

namespace {

constexpr std::size_t line_most = 80;       // of a trace in a line
constexpr std::size_t inline_most = 2'000;  // of one that has no file to go to

std::string_view environment(char const* name) {
  char const* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool any_build(Options const& options) {
  return options.any_build || environment("SPAWNED_SIM_ANY_BUILD") == "1";
}

void require_this_build(Trace const& trace) {
  std::string const ours = short_build_identity();
  if (trace.build == ours) return;
  throw TraceMismatch(
      "simulation::replay: the trace was made by the build " + trace.build + ", and this is " +
          ours +
          "; replay it with the program that made it, or run its seed again with this one, or set "
          "SPAWNED_SIM_ANY_BUILD=1 (Options::any_build) to follow it as far as it fits",
      trace.build, ours);
}

std::string hex(std::uint32_t hash) {
  char text[16];
  (void)std::snprintf(text, sizeof text, "%06x", hash);
  return text;
}

// "name:value": the value, if the name fits.
std::optional<std::string_view> value_for(std::string_view text, std::string const& name) {
  if (text.size() <= name.size() || !text.starts_with(name) || text[name.size()] != ':') return {};
  return text.substr(name.size() + 1);
}

}  // namespace

Report replay_trace(std::string_view text, Options const& options, Program const& program) {
  Trace const trace = decode(text);
  bool const any = any_build(options);
  if (!any) require_this_build(trace);
  Options with_clock = options;
  with_clock.clock = trace.clock;
  Report report = replay(trace.choices, with_clock, program);
  auto const hash = static_cast<std::uint32_t>(report.hash & 0xffffffU);
  if (any || hash == trace.hash) return report;
  throw TraceMismatch(
      "simulation::replay: the trace was made by this build, but it leads elsewhere: the run " +
          std::string(simulation::to_string(report.outcome)) + ", and once it " +
          simulation::to_string(trace.outcome) +
          ". Its options or its program are not those of then, or something decides that no seed "
          "does (simulation::check_determinism() names it)",
      hex(trace.hash), hex(hash));
}

Report replay_file(std::string const& path, Options const& options, Program const& program) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                            "simulation::replay_file: cannot read \"" + path + "\"");
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return replay_trace(text, options, program);
}

std::optional<Findings> run_asked_for(Options const& options, Program const& program) {
  auto const trace = value_for(environment("SPAWNED_SIM_REPLAY"), options.name);
  if (!trace) return {};
  Options traced = options;
  traced.trace = true;
  Findings findings;
  findings.trace = *trace;
  findings.report = trace->starts_with('@')
                        ? replay_file(std::string(trace->substr(1)), traced, program)
                        : replay_trace(*trace, traced, program);
  findings.runs = 1;
  findings.steps = findings.report.steps;
  if (!findings.passed()) findings.shrunk = findings.report;
  std::string text =
      "Replay of " + options.name + ": " + simulation::to_string(findings.report.outcome);
  if (!findings.passed()) text += ": " + findings.report.problem;
  for (std::string const& line : findings.report.story()) text += "\n  " + line;
  (void)std::fprintf(stderr, "%s\n", text.c_str());
  return findings;
}

// --- commands and files ---

std::string as_file_name(std::string const& name) {
  std::string file;
  for (char const c : name) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    file += plain ? c : '_';
  }
  return file.empty() ? "simulation" : file;
}

void write_file(std::string const& path, std::string const& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (file) return;
  throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                          "simulation: cannot write \"" + path + "\"");
}

std::string keep_trace(Report const& report, Options const& options) {
  std::string trace = report.trace();
  if (trace.size() <= line_most) return trace;
  std::string directory = options.trace_directory;
  if (directory.empty()) directory = environment("SPAWNED_SIM_TRACE_DIR");
  if (directory.empty()) return trace;
  std::filesystem::create_directories(directory);
  std::string const path = (std::filesystem::path(directory) /
                            (as_file_name(report.name) + "-" +
                             hex(static_cast<std::uint32_t>(report.hash & 0xffffffU)) + ".trace"))
                               .string();
  write_file(path, trace + "\n");
  return "@" + path;
}

namespace {

// In double quotes a shell looks at these.
std::string quoted(std::string const& text) {
  std::string result = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

std::string replay_command(std::string const& name, std::string const& trace) {
  if (trace.size() > inline_most) {
    return "(the trace has " + std::to_string(trace.size()) +
           " characters; set SPAWNED_SIM_TRACE_DIR to a directory to have it written to a file)";
  }
  return "SPAWNED_SIM_REPLAY=" + quoted(name + ":" + trace) + " " + program_invocation_name;
}

std::string seed_command(std::uint64_t seed) {
  return "SPAWNED_SIM_SEED=" + std::to_string(seed) + " " + program_invocation_name;
}

std::string Report::replay_command() const { return simulation::replay_command(name, trace()); }

}  // namespace spawned::simulation
