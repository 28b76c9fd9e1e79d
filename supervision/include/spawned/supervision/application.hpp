// run_application: a supervision tree as a program.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/task.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/supervisor.hpp>

namespace spawned {

struct ApplicationOptions {
  /// For the log.
  std::string name = "application";
  /// Of the root, whose children are the application's.
  SupervisorOptions root;
  /// SIGINT (ctrl-c) and SIGTERM stop it. A second one, while it stops, does what it did before:
  /// it ends the process at once.
  bool stop_on_signals = true;
  /// So does this token, when somebody cancels it.
  std::optional<CancellationToken> stop;
  /// For everything to stop, from the signal on; not negative.
  std::chrono::nanoseconds stop_within = std::chrono::seconds(30);
  /// What occupies a thread beyond the deadline cannot be ended. With true, run_application() ends
  /// the process then (std::_Exit, exit code 3); with false it waits.
  bool leave_what_blocks = true;
  /// Of run_application().
  RuntimeOptions runtime;
};

/// What an application's end came from.
enum class ApplicationEnd : std::uint8_t {
  signalled,    ///< a signal
  stopped,      ///< ApplicationOptions::stop
  finished,     ///< by itself: auto_shutdown, or a stop of its root
  gave_up,      ///< a child was restarted too often, or the root was killed
  not_started,  ///< a child did not start; those before it were stopped in reverse
};

struct ApplicationReport {
  ApplicationEnd end = ApplicationEnd::finished;
  int signal = 0;     ///< of `signalled`
  ExitReason reason;  ///< of the root; of `not_started` why
  /// Everything had stopped within `stop_within`.
  bool in_time = true;
  /// Those that had not, and were killed: "worker 3: actor Worker#12 in Worker::Job, suspended".
  std::vector<std::string> late;
  /// Of these, still there a second later: they occupy a thread.
  std::vector<std::string> stuck;
  std::chrono::nanoseconds stopping{0};  ///< how long the stop took

  /// 0 signalled, stopped or finished; 1 gave_up; 2 not_started; 3 not in time.
  [[nodiscard]] int exit_code() const noexcept;
  /// "stopped by signal 15 in 12 ms".
  [[nodiscard]] std::string to_string() const;
};

/// Runs a tree until it ends or is told to, and stops it in reverse order. The children start in
/// order, under a root supervisor. In a task; see run_application() for a main.
///
/// Awaiting  yields the report, once nothing of the tree is left but what is `stuck`.
/// Errors    InvalidOptions from the call, for options and specs as Supervisor's, and a negative
///           stop_within; std::bad_alloc.
/// Cancel    the root is told to stop, and Cancelled thrown.
/// Cost      before the stop describe() is asked for the tree, to be able to name what is late.
/// Source    OTP's application and init:stop/0.
[[nodiscard("co_await it")]] Task<ApplicationReport> application(ApplicationOptions options,
                                                                 std::vector<ChildSpec> children);
template <std::same_as<ChildSpec>... Specs>
[[nodiscard("co_await it")]] Task<ApplicationReport> application(ApplicationOptions options,
                                                                 Specs... children) {
  std::vector<ChildSpec> all;
  (all.push_back(std::move(children)), ...);
  return application(std::move(options), std::move(all));
}

/// The same on a runtime there is, for a thread outside it: blocks until the end.
/// Errors  BlockingInWorker on a worker; RuntimeEnded.
template <typename... Children>
ApplicationReport run_application_on(Runtime& runtime, ApplicationOptions options,
                                     Children... children) {
  return runtime.block_on(application(std::move(options), std::move(children)...));
}

/// A main: `int main() { return sp::run_application({}, sp::child("a", ...), ...); }`. Makes the
/// runtime, runs the tree, logs how it ended, and returns ApplicationReport::exit_code(). Invalid
/// options and specs are `not_started`.
int run_application(ApplicationOptions options, std::vector<ChildSpec> children);
template <std::same_as<ChildSpec>... Specs>
int run_application(ApplicationOptions options, Specs... children) {
  std::vector<ChildSpec> all;
  (all.push_back(std::move(children)), ...);
  return run_application(std::move(options), std::move(all));
}

namespace tasks {
using spawned::application;
using spawned::ApplicationEnd;
using spawned::ApplicationOptions;
using spawned::ApplicationReport;
using spawned::child;
using spawned::run_application;
using spawned::run_application_on;
}  // namespace tasks

}  // namespace spawned
