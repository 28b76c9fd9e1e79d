// The ways an actor can end, and the reason that others see of each.
//
// Run    build/release/examples/exit_reason
// Prints a line for each; where a callback throws, the runtime's crash report comes before it.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

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

sp::Task<sp::ActorRef<Worker>> leaves_one_behind() {
  co_await ends_by_itself_or_is_stopped();
  co_await gets_an_exit_signal();
  co_await fails();
  co_return Worker{}.start();
}

int main() {
  auto left_behind = sp::run(leaves_one_behind);
  report("The runtime ended", left_behind.exit_reason());
}
