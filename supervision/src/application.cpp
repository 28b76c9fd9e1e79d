#include <spawned/supervision/application.hpp>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/signal.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>
#include <spawned/supervision/describe.hpp>

namespace spawned {

namespace {

using Root = ActorRef<Supervisor>;

// How long those that were killed at the deadline get to be gone.
constexpr std::chrono::nanoseconds grace = std::chrono::seconds(1);

// What an application waits for.
struct Event {
  enum class What : std::uint8_t { up, not_started, ended, signal, stop };
  What what;
  int signal = 0;
  ExitReason reason = {};
};
using Events = ChannelSender<Event>;

Task<void> watch_signals(Events events, Signals signals) {
  auto const signal = co_await signals.next();
  if (signal) (void)events.try_send(Event::What::signal, *signal);
}

Task<void> watch_token(Events events, CancellationToken token) {
  co_await token.cancelled();
  (void)events.try_send(Event::What::stop);
}

Task<void> watch_root(Events events, Root root) {
  auto up = co_await root.request_with_timeout<Supervisor::CountChildren>(no_timeout);
  if (!up && up.error() == ActorError::Kind::init_failed) {
    (void)events.try_send(Event::What::not_started, 0, up.error().reason());
    co_return;
  }
  (void)events.try_send(Event::What::up);
  auto reason = co_await root.wait_exit();
  if (reason) (void)events.try_send(Event::What::ended, 0, *reason);
}

// The tasks that watch; none outlives the application.
class Watchers {
 public:
  void add(Task<void> task) { handles_.push_back(spawn(std::move(task))); }
  ~Watchers() {
    for (auto& handle : handles_) handle.cancel();
  }
  Task<void> end() {
    for (auto& handle : handles_) handle.cancel();
    for (auto& handle : handles_) (void)co_await handle;
    handles_.clear();
  }

 private:
  std::vector<JoinHandle<void>> handles_;
};

// Tells the root to stop if its application is cancelled.
class RootGuard {
 public:
  explicit RootGuard(Root root) noexcept : root_(std::move(root)) {}
  RootGuard(RootGuard const&) = delete;
  RootGuard& operator=(RootGuard const&) = delete;
  ~RootGuard() {
    if (root_.is_alive()) root_.stop(ExitReason::shutdown());
  }

 private:
  Root root_;
};

struct Named {
  std::string id;
  ChildRef ref;
};

// Those of the tree that have not ended, the deepest and newest first: the order of the stop.
void find_late(TreeNode const& node, std::vector<Named>& late) {
  for (std::size_t i = node.children.size(); i > 0; --i) find_late(node.children[i - 1], late);
  if (node.ref && !node.ref.cell().has_ended()) late.push_back({node.id, node.ref});
}

std::vector<std::string> names_of(std::vector<Named> const& all) {
  std::vector<std::string> names;
  for (Named const& one : all) {
    if (one.ref.cell().has_ended()) continue;
    names.push_back(one.id + ": " + one.ref.cell().describe_work());
  }
  return names;
}

void log_each(std::string const& name, std::vector<std::string> const& all, char const* what) {
  for (std::string const& one : all) log::error("spawned", name + ": " + one + what);
}

// Stops the tree within the deadline; what is left then is named and killed.
Task<void> stop_tree(Root root, std::string name, std::chrono::nanoseconds within,
                     ApplicationReport* report) {
  TimePoint const begin = now();
  TreeNode tree = co_await supervision::describe(root);
  root.stop(ExitReason::shutdown());
  auto end = co_await root.wait_exit(within);
  if (!end && end.error() == ActorError::Kind::timeout) {
    std::vector<Named> late;
    find_late(tree, late);
    report->in_time = false;
    report->late = names_of(late);
    log_each(name, report->late, " has not stopped in time and is killed");
    for (Named const& one : late) one.ref.cell().exit(ExitReason::Kind::kill);
    TimePoint const last = now() + grace;
    for (Named const& one : late) {
      while (!one.ref.cell().has_ended() && now() < last) {
        co_await sleep(std::chrono::milliseconds(1));
      }
    }
    report->stuck = names_of(late);
    log_each(name, report->stuck, " does not end although it was killed: its handler blocks");
  }
  report->reason = root.exit_reason().value_or(ExitReason::shutdown());
  report->stopping = now() - begin;
}

ApplicationOptions checked(ApplicationOptions options) {
  if (options.stop_within.count() < 0) {
    throw InvalidOptions("ApplicationOptions", "stop_within", "0 and more",
                         std::to_string(options.stop_within.count()) + " ns");
  }
  return options;
}

Task<ApplicationReport> serve(ApplicationOptions options, Supervisor supervisor,
                              std::shared_ptr<bool> gave_up) {
  auto [events, next_event] = unbounded_channel<Event>();
  Watchers watchers;
  if (options.stop_on_signals) {
    watchers.add(watch_signals(events, Signals(SIGINT, SIGTERM)));  // before anything starts
  }
  if (options.stop) watchers.add(watch_token(events, *options.stop));
  Root const root = std::move(supervisor).start();
  RootGuard const guard(root);
  watchers.add(watch_root(events, root));

  ApplicationReport report;
  auto event = co_await next_event.next();
  if (event->what == Event::What::up) event = co_await next_event.next();
  report.signal = event->signal;
  report.reason = event->reason;
  co_await watchers.end();  // from here on a signal is the system's again
  switch (event->what) {
    case Event::What::not_started:
      report.end = ApplicationEnd::not_started;
      break;
    case Event::What::up:
    case Event::What::ended:
      report.end = *gave_up || report.reason.is_abnormal() ? ApplicationEnd::gave_up
                                                           : ApplicationEnd::finished;
      break;
    case Event::What::signal:
    case Event::What::stop:
      report.end =
          event->what == Event::What::signal ? ApplicationEnd::signalled : ApplicationEnd::stopped;
      log::info("spawned", options.name + " stops: " +
                               (report.signal != 0 ? "signal " + std::to_string(report.signal)
                                                   : std::string("it was told to")));
      co_await stop_tree(root, options.name, options.stop_within, &report);
  }
  co_return report;
}

std::string in_ms(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
         " ms";
}

int log_end(std::string const& name, ApplicationReport const& report) {
  bool const failed = report.exit_code() != 0;
  std::string const text = name + " has ended: " + report.to_string();
  failed ? log::error("spawned", text) : log::info("spawned", text);
  return report.exit_code();
}

ApplicationReport not_started(std::string const& why) {
  ApplicationReport report;
  report.end = ApplicationEnd::not_started;
  report.reason = ExitReason::error(why);
  return report;
}

}  // namespace

int ApplicationReport::exit_code() const noexcept {
  if (!in_time) return 3;
  if (end == ApplicationEnd::not_started) return 2;
  return end == ApplicationEnd::gave_up ? 1 : 0;
}

std::string ApplicationReport::to_string() const {
  std::string text;
  switch (end) {
    case ApplicationEnd::signalled:
      text = "stopped by signal " + std::to_string(signal) + " in " + in_ms(stopping);
      break;
    case ApplicationEnd::stopped:
      text = "stopped in " + in_ms(stopping);
      break;
    case ApplicationEnd::finished:
      text = "finished by itself (" + reason.to_string() + ")";
      break;
    case ApplicationEnd::gave_up:
      text = "gave up (" + reason.to_string() + ")";
      break;
    case ApplicationEnd::not_started:
      text = "did not start (" + reason.to_string() + ")";
      break;
  }
  if (!in_time) text += ", " + std::to_string(late.size()) + " had not stopped in time";
  return text;
}

Task<ApplicationReport> application(ApplicationOptions options, std::vector<ChildSpec> children) {
  options = checked(std::move(options));
  auto gave_up = std::make_shared<bool>(false);
  Supervisor supervisor(options.root, std::move(children));
  supervisor.tell_giving_up(gave_up);
  return serve(std::move(options), std::move(supervisor), std::move(gave_up));
}

int run_application(ApplicationOptions options, std::vector<ChildSpec> children) {
  std::string const name = options.name;
  bool const leaves = options.leave_what_blocks;
  try {
    Runtime runtime(options.runtime);
    ApplicationReport const report =
        run_application_on(runtime, std::move(options), std::move(children));
    int const code = log_end(name, report);
    if (leaves && !report.stuck.empty()) std::_Exit(code);  // the runtime would wait for them
    return code;
  } catch (std::exception const& error) {
    return log_end(name, not_started(error.what()));
  }
}

}  // namespace spawned
