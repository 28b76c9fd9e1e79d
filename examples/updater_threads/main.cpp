// The updater in the threads flavour: but for the include, the namespace and what waits, the text
// of examples/updater.
//
// Run    build/release/examples/updater_threads http://127.0.0.1:8000/ [updates [period in ms]]
//        (`python3 -m http.server` is such a server)
// Prints each answer, ten by default, one a second. The exit code is 1 when an update failed.
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include <spawned/threads.hpp>

#include "fetch.hpp"

namespace sp = spawned::threads;

struct Plan {
  std::string url;
  int updates = 10;
  std::chrono::milliseconds period{1000};
};

class Updater : public sp::Actor<Updater> {
 public:
  struct Check {};

  explicit Updater(Plan plan) : plan_(std::move(plan)) {}

  // The timer ends with the actor. Should an answer take longer than the period, one Check waits
  // and the others are left out.
  void init(sp::Context<Updater>& context) {
    context.self().send<Check>();
    sp::send_interval<Check>(plan_.period, context.self());
  }

  void handle_message(Check /*check*/, sp::Context<Updater>& context) {
    sp::log::info("updater", "Fetching: " + plan_.url);
    auto answer = fetch(plan_.url);
    sp::log::info("updater", answer ? "Response: " + *answer : "Error: " + answer.error());
    if (!answer) ++failed_;
    if (++done_ < plan_.updates) return;
    if (failed_ == 0) {
      context.stop();
    } else {
      context.stop(sp::ExitReason::custom(std::to_string(failed_) + " updates failed"));
    }
  }

 private:
  Plan plan_;
  int done_ = 0;
  int failed_ = 0;
};

int demo(Plan plan) {
  auto updater = Updater(std::move(plan)).start();
  auto reason = updater.wait_exit();
  sp::log::info("updater", "The updater ended: " + reason.value().to_string());
  return reason.value().is_abnormal() ? 1 : 0;
}

int main(int argc, char** argv) {
  Plan plan;
  if (argc > 1) plan.url = argv[1];
  if (argc > 2) plan.updates = std::atoi(argv[2]);
  if (argc > 3) plan.period = std::chrono::milliseconds(std::atoi(argv[3]));
  if (plan.url.empty() || plan.updates <= 0 || plan.period.count() <= 0) {
    sp::log::error("updater", "usage: updater URL [UPDATES [PERIOD_MS]]");
    return 2;
  }
  return sp::run([plan] { return demo(plan); });
}
