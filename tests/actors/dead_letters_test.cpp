#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Cause = sp::DeadLetter::Cause;

namespace {

struct Note {
  int number;
};
struct Count {};
struct Forward {
  int number;
};
struct All {};

class Target : public sp::Actor<Target> {
 public:
  void handle_message(Note /*note*/) {}
  int handle_request(Count /*request*/) { return 0; }
};

/// Does not come to the end of a note.
class Sleeper : public sp::Actor<Sleeper> {
 public:
  explicit Sleeper(test::Gate begun) : begun_(std::move(begun)) {}
  sp::Task<void> handle_message(Note /*note*/) {
    begun_.open();
    co_await sp::sleep(1h);
  }

 private:
  test::Gate begun_;
};

class Courier : public sp::Actor<Courier> {
 public:
  explicit Courier(sp::ActorRef<Target> target) : target_(std::move(target)) {}
  void handle_request(Forward forward) { target_.send<Note>(forward.number); }

 private:
  sp::ActorRef<Target> target_;
};

class Undertaker : public sp::Actor<Undertaker> {
 public:
  void handle_message(sp::DeadLetter letter) { letters_.push_back(std::move(letter)); }
  std::vector<sp::DeadLetter> handle_request(All /*request*/) const { return letters_; }

 private:
  std::vector<sp::DeadLetter> letters_;
};

/// Keeps the dead letters of one receiver while it lives.
class Letters {
 public:
  explicit Letters(sp::ActorId receiver)
      : receiver_(receiver),
        subscription_(sp::dead_letters::subscribe(
            [this](sp::DeadLetter const& letter) noexcept { keep(letter); })) {}
  [[nodiscard]] std::vector<sp::DeadLetter> all() const {
    std::scoped_lock const lock(mutex_);
    return letters_;
  }

 private:
  void keep(sp::DeadLetter const& letter) noexcept {
    std::scoped_lock const lock(mutex_);
    if (letter.receiver == receiver_) letters_.push_back(letter);
  }
  sp::ActorId receiver_;
  mutable std::mutex mutex_;
  std::vector<sp::DeadLetter> letters_;
  sp::dead_letters::Subscription subscription_;  // first to go
};

sp::ActorOptions named(char const* name) {
  sp::ActorOptions options;
  options.name = name;
  return options;
}

}  // namespace

TEST_SUITE("actors/dead_letters") {
  TEST_CASE("a message to an ended actor is a dead letter with type, name, sender and cause") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start(named("t1"));
      auto courier = Courier(target).start();
      (void)co_await target.stop_and_wait();
      Letters letters(target.id());
      auto const before = sp::dead_letters::counts();
      auto sent = co_await courier.request<Forward>(1);
      CHECK(sent.has_value());
      CHECK(target.send<Note>(2) == sp::SendResult::ok);  // from a task: no sender
      auto const all = letters.all();
      REQUIRE(all.size() == 2);
      CHECK(all[0].cause == Cause::ended);
      CHECK(all[0].receiver_type.find("Target") != std::string_view::npos);
      CHECK(all[0].receiver_name == "t1");
      CHECK(all[0].message_type.find("Note") != std::string_view::npos);
      CHECK(all[0].sender == courier.id());
      CHECK(all[1].sender == sp::ActorId());
      CHECK(sp::dead_letters::counts().ended - before.ended == 2);
    };
    sp::run(body());
  }

  TEST_CASE("what an ending actor leaves unread is dead letters") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      Letters letters(target.id());
      target.stop();
      for (int i = 0; i < 3; ++i) target.send<Note>(i);
      (void)co_await target.wait_exit();
      auto const all = letters.all();
      REQUIRE(all.size() == 3);
      for (auto const& letter : all) CHECK(letter.cause != Cause::overflow);
    };
    sp::RuntimeOptions one;
    one.workers = 1;
    sp::run(body(), one);
  }

  TEST_CASE("a message whose handler is cut short by an exit signal is no dead letter") {
    auto body = []() -> sp::Task<void> {
      test::Gate begun;
      auto sleeper = sp::start<Sleeper>(begun);
      Letters letters(sleeper.id());
      sleeper.send<Note>(1);
      sleeper.send<Note>(2);
      co_await begun.opened();
      sleeper.kill();
      (void)co_await sleeper.wait_exit();
      auto const all = letters.all();  // the second, which nobody has seen
      REQUIRE(all.size() == 1);
      CHECK(all[0].cause == Cause::unread);
    };
    sp::run(body());
  }

  TEST_CASE("requests are no dead letters: their callers get an error") {
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      Letters letters(target.id());
      target.stop();
      auto unread = co_await target.request<Count>();
      CHECK(!unread.has_value());
      (void)co_await target.wait_exit();
      auto late = co_await target.request<Count>();
      CHECK(late.error() == sp::ActorError::Kind::no_such_actor);
      CHECK(letters.all().empty());
    };
    sp::run(body());
  }

  TEST_CASE("an actor may subscribe, and what it does not get is no dead letter of its own") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      auto undertaker = Undertaker().start();
      (void)co_await target.stop_and_wait();
      Letters own(undertaker.id());
      auto subscription = sp::dead_letters::subscribe(undertaker);
      target.send<Note>(1);
      auto all = co_await undertaker.request<All>();
      REQUIRE(all.value().size() == 1);
      CHECK(all.value()[0].receiver == target.id());
      (void)co_await undertaker.stop_and_wait();
      auto const before = sp::dead_letters::counts();
      target.send<Note>(2);
      CHECK(own.all().empty());
      CHECK(sp::dead_letters::counts().total() - before.total() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a subscription ends with its handle") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      (void)co_await target.stop_and_wait();
      int told = 0;
      {
        auto first =
            sp::dead_letters::subscribe([&told](sp::DeadLetter const&) noexcept { ++told; });
        auto const second = std::move(first);
        target.send<Note>(1);
      }
      target.send<Note>(2);
      CHECK(told == 1);
    };
    sp::run(body());
  }

  TEST_CASE("dead letters that a callback causes are counted and told to nobody") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      (void)co_await target.stop_and_wait();
      int told = 0;
      auto subscription = sp::dead_letters::subscribe([&](sp::DeadLetter const&) noexcept {
        ++told;
        target.send<Note>(3);
      });
      auto const before = sp::dead_letters::counts();
      target.send<Note>(1);
      CHECK(told == 1);
      CHECK(sp::dead_letters::counts().ended - before.ended == 2);
    };
    sp::run(body());
  }

  TEST_CASE("the log gets a few lines a second, then how many it did not get") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      (void)co_await target.stop_and_wait();
      co_await sp::sleep(std::chrono::hours(24 * 7));  // away from what other tests have logged
      for (int i = 0; i < 100; ++i) target.send<Note>(i);
      co_await sp::sleep(5s);
      target.send<Note>(100);
    };
    sp::run(body(), test::virtual_time());
    CHECK(log.count("dead letter (ended)", "Note", "Target") == 6);
    CHECK(log.count("(95 more before)") == 1);
  }

  TEST_CASE("what a runtime leaves unread at its end is not in the log") {
    test::LogCapture log;
    {
      sp::Runtime runtime;
      auto target = Target().start_on(runtime);
      auto const before = sp::dead_letters::counts();
      runtime.shutdown({});
      target.send<Note>(1);
      CHECK(sp::dead_letters::counts().ended - before.ended == 1);
    }
    CHECK(log.count("dead letter") == 0);
  }
}
