#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

class Echo : public sp::Actor<Echo> {
 public:
  int handle_request(int number) { return number; }
};

class OnOwnThread : public sp::Actor<OnOwnThread> {
 public:
  static sp::ActorOptions actor_options() { return {.backend = sp::Backend::Thread}; }
  struct Thread {};
  std::thread::id handle_request(Thread /*question*/) const { return std::this_thread::get_id(); }
};

std::string refused(sp::ActorOptions options) {
  sp::Runtime runtime;
  try {
    (void)Echo{}.start_on(runtime, std::move(options));
  } catch (sp::InvalidOptions const& error) {
    return error.field();
  }
  return "";
}

}  // namespace

TEST_SUITE("actors/options") {
  TEST_CASE("an option out of range makes the start throw InvalidOptions, which names it") {
    CHECK(refused({.mailbox_capacity = 0}) == "mailbox_capacity");
    CHECK(refused({.handler_timeout = 0ns}) == "handler_timeout");
    CHECK(refused({.handler_timeout = -1s}) == "handler_timeout");
    CHECK(refused({.urgent_burst = 0}) == "urgent_burst");
    CHECK(refused({}).empty());
  }

  TEST_CASE("the class may give the options of all its actors; those of a start come first") {
    auto body = []() -> sp::Task<void> {
      auto own = OnOwnThread{}.start();
      auto a = co_await own.request<OnOwnThread::Thread>();
      CHECK(a.value() != std::this_thread::get_id());
      sp::ActorOptions options;
      auto shared = OnOwnThread{}.start(options);
      auto b = co_await shared.request<OnOwnThread::Thread>();
      CHECK(b.value() == std::this_thread::get_id());
    };
    sp::RuntimeOptions one;
    one.workers = 1;
    sp::run(body(), one);
  }
}
