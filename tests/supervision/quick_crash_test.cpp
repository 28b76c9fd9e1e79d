#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::Supervisor;

namespace {

struct Go {};
struct Ask {};

/// Its first incarnations crash at once after init, by a message that init sends.
class Hasty : public sp::Actor<Hasty> {
 public:
  explicit Hasty(bool crashes) : crashes_(crashes) {}
  void init(sp::Context<Hasty>& context) {
    if (crashes_) context.self().send<Go>();
  }
  void handle_message(Go /*go*/) { throw std::runtime_error("boom"); }
  int handle_request(Ask /*ask*/) { return 7; }

 private:
  bool crashes_;
};

}  // namespace

TEST_SUITE("supervision/quick_crash") {
  TEST_CASE("a child that crashes right after its init has started: it is restarted and counted") {
    auto body = []() -> sp::Task<void> {
      auto counts = std::make_shared<test::Events>();
      spawned::SupervisorOptions options;
      options.intensity = 3;
      std::vector<spawned::ChildSpec> specs;
      specs.push_back(spawned::child("a", [counts](spawned::RestartInfo const& why) {
        counts->add(std::to_string(why.count) + " " + why.reason.to_string());
        return Hasty(why.count < 3);
      }));
      auto root = co_await Supervisor(options, std::move(specs)).start_and_wait();
      REQUIRE(root.has_value());
      auto info = co_await root->request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Hasty>().value();
      while (counts->all().size() < 4) co_await sp::sleep(1ms);
      auto answer = co_await ref.request<Ask>();
      CHECK(answer.value() == 7);
      std::string const boom = " error: std::runtime_error: boom";
      CHECK(counts->take() == test::Strings{"0 normal", "1" + boom, "2" + boom, "3" + boom});
      (void)co_await root->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
}
