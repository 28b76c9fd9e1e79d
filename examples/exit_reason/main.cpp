// The ways an actor can end, and what others see of each: who asks for its reason, who is linked to
// it, who monitors it, and its supervisor.
//
// Run    build/release/examples/exit_reason
// Prints a line for each; where a callback throws, the runtime's crash report comes before it.
#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

class Worker : public sp::Actor<Worker> {
 public:
  enum class Start { well, refuse, report_error, throw_error };

  struct Retire {};
  struct GiveUp {
    std::string why;
  };
  struct Fail {};

  explicit Worker(Start start = Start::well) : start_(start) {}

  sp::InitResult init() {
    switch (start_) {
      case Start::well:
        break;
      case Start::refuse:
        return sp::InitResult::no_success();
      case Start::report_error:
        return sp::InitResult::error(sp::ExitReason::error("no configuration"));
      case Start::throw_error:
        throw std::invalid_argument("bad configuration");
    }
    return sp::InitResult::success();
  }

  sp::RequestResponse<int> handle_request(Retire /*retire*/) {
    return sp::RequestResponse<int>::stop(42);
  }
  void handle_request(Fail /*fail*/) { throw std::runtime_error("out of stock"); }
  void handle_message(GiveUp message, sp::Context<Worker>& context) {
    context.stop(sp::ExitReason::custom(message.why));
  }

 private:
  Start start_;
};

void report(std::string_view how, std::optional<sp::ExitReason> const& reason) {
  std::string line = std::string(how) + ": ";
  if (!reason) {
    line += "it is alive";
  } else {
    line += reason->to_string() + (reason->is_abnormal() ? " (abnormal)" : "");
  }
  sp::log::info("exit_reason", line);
}

sp::Task<void> report_end(std::string how, sp::ActorRef<Worker> worker) {
  auto reason = co_await worker.wait_exit();
  report(how, reason.value());
}

sp::Task<void> ends_by_itself_or_is_stopped() {
  auto worker = Worker{}.start();
  report("Before anything", worker.exit_reason());
  worker.stop();
  co_await report_end("Stopped", worker);

  worker = Worker{}.start();
  worker.stop(sp::ExitReason::custom("maintenance"));
  co_await report_end("Stopped with a reason", worker);

  worker = Worker{}.start();
  auto reply = co_await worker.request<Worker::Retire>();
  std::string const how = "Stopped itself, with the reply " + std::to_string(reply.value());
  co_await report_end(how, worker);

  worker = Worker{}.start();
  worker.send<Worker::GiveUp>("nothing left to do");
  co_await report_end("Stopped itself with a reason", worker);
}

sp::Task<void> fails() {
  auto worker = Worker{}.start();
  auto reply = co_await worker.request<Worker::Fail>();
  sp::log::info("exit_reason", "The caller hears: " + reply.error().what());
  co_await report_end("Handler threw", worker);

  worker = Worker(Worker::Start::throw_error).start();
  co_await report_end("init threw", worker);

  worker = Worker(Worker::Start::report_error).start();
  co_await report_end("init reported an error", worker);

  worker = Worker(Worker::Start::refuse).start();
  co_await report_end("init chose not to run", worker);
}

sp::Task<void> gets_an_exit_signal() {
  auto worker = Worker{}.start();
  worker.exit(sp::ExitReason::custom("no longer needed"));
  co_await report_end("Exit signal", worker);

  worker = Worker{}.start();
  worker.kill();
  co_await report_end("Killed", worker);

  worker = Worker{}.start();
  auto timer = sp::exit_after(1ms, worker, sp::ExitReason::custom("time is up"));
  co_await report_end("Exit signal after a time", worker);
}

/// Is linked to a worker, monitors it, and tells what it hears of the worker's end.
class Witness : public sp::Actor<Witness> {
 public:
  struct Watch {
    sp::ActorRef<Worker> worker;
  };
  struct Heard {};

  void init(sp::Context<Witness>& context) { (void)context.trap_exit(true); }
  void handle_request(Watch const& watch, sp::Context<Witness>& context) {
    (void)context.link(watch.worker);
    (void)context.monitor(watch.worker);
  }
  void handle_message(sp::Exit const& exit) { hears("link: " + exit.reason.to_string()); }
  void handle_message(sp::Down const& down) { hears("monitor: " + down.reason.to_string()); }
  sp::RequestResponse<std::vector<std::string>> handle_request(Heard /*heard*/,
                                                               sp::Context<Witness>& context) {
    asked_.emplace(context.defer<std::vector<std::string>>());
    answer();
    return sp::RequestResponse<std::vector<std::string>>::deferred();
  }

 private:
  void hears(std::string what) {
    heard_.push_back(std::move(what));
    answer();
  }
  void answer() {
    if (!asked_ || heard_.size() < 2) return;
    std::sort(heard_.begin(), heard_.end());
    (void)asked_->reply(std::move(heard_));
    asked_.reset();
  }

  std::vector<std::string> heard_;
  std::optional<sp::ReplyTo<std::vector<std::string>>> asked_;
};

spawned::ChildSpec worker_spec(spawned::Restart restart) {
  return spawned::child("worker", [] { return Worker(); }).restart(restart);
}

/// Ends a supervised worker in front of a witness.
sp::Task<void> witnessed(std::string how, spawned::Restart restart,
                         void (*end)(sp::ActorRef<Worker> const&)) {
  using spawned::Supervisor;
  std::vector<spawned::ChildSpec> specs;
  specs.push_back(worker_spec(restart));
  auto supervisor = co_await Supervisor({}, std::move(specs)).start_and_wait();
  auto info = co_await supervisor->request<Supervisor::GetChild>("worker");
  auto const worker = info.value().value().ref.as<Worker>().value();
  auto witness = Witness{}.start();
  (void)co_await witness.request<Witness::Watch>(worker);

  end(worker);
  auto heard = co_await witness.request<Witness::Heard>();
  for (auto const& what : heard.value()) sp::log::info("exit_reason", how + ", " + what);
  info = co_await supervisor->request<Supervisor::GetChild>("worker");
  bool const again = info.value().value().restarts != 0;
  sp::log::info("exit_reason",
                how + ", supervisor: a " +
                    (restart == spawned::Restart::permanent ? "permanent" : "transient") +
                    " child is " + (again ? "" : "not ") + "restarted");
  (void)co_await supervisor->stop_and_wait();
  witness.stop();
}

sp::Task<void> before_witnesses() {
  using spawned::Restart;
  auto const stops = [](sp::ActorRef<Worker> const& worker) { worker.stop(); };
  co_await witnessed("Stopped", Restart::permanent, stops);
  co_await witnessed("Stopped", Restart::transient, stops);
  co_await witnessed("Shut down", Restart::transient, [](sp::ActorRef<Worker> const& worker) {
    worker.stop(sp::ExitReason::shutdown());
  });
  co_await witnessed("Stopped with a reason", Restart::transient,
                     [](sp::ActorRef<Worker> const& worker) {
                       worker.stop(sp::ExitReason::custom("maintenance"));
                     });
  co_await witnessed("Exit signal", Restart::transient, [](sp::ActorRef<Worker> const& worker) {
    worker.exit(sp::ExitReason::custom("no longer needed"));
  });
  co_await witnessed("Killed", Restart::transient,
                     [](sp::ActorRef<Worker> const& worker) { worker.kill(); });
  co_await witnessed("Handler threw", Restart::transient, [](sp::ActorRef<Worker> const& worker) {
    auto const nobody_waits = worker.start_request<Worker::Fail>();
  });
}

sp::Task<sp::ActorRef<Worker>> leaves_one_behind() {
  co_await ends_by_itself_or_is_stopped();
  co_await gets_an_exit_signal();
  co_await fails();
  co_await before_witnesses();
  co_return Worker{}.start();
}

int main() {
  auto left_behind = sp::run(leaves_one_behind);
  report("The runtime ended", left_behind.exit_reason());
}
