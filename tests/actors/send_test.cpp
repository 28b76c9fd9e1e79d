#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

struct Note {
  std::string text;
};
struct Number {
  int value;
};
struct Owned {
  std::shared_ptr<int> value;
};
struct Ignored {};
struct All {};
struct Relay {
  int count;
};

class Notebook : public sp::Actor<Notebook> {
 public:
  void handle_message(Note note) { lines_.push_back(std::move(note.text)); }
  void handle_message(Number const& number) { lines_.push_back(std::to_string(number.value)); }
  void handle_message(Owned&& owned) { owned_ = std::move(owned.value); }
  sp::MessageResponse handle_message(Ignored /*message*/) { return sp::MessageResponse::unused(); }
  // Sends to itself while it handles.
  void handle_message(Relay relay, sp::Context<Notebook>& context) {
    lines_.push_back("relay " + std::to_string(relay.count));
    if (relay.count > 0) context.self().send<Relay>(relay.count - 1);
  }
  test::Strings handle_request(All /*request*/) const { return lines_; }

 private:
  test::Strings lines_;
  std::shared_ptr<int> owned_;
};

}  // namespace

TEST_SUITE("actors/send") {
  TEST_CASE("send hands a message over and does not wait for its handler") {
    auto body = []() -> sp::Task<void> {
      auto notebook = Notebook().start();
      CHECK(notebook.send<Note>("built in place") == sp::SendResult::ok);
      auto named = Note{"moved"};
      notebook.send(sp::moved(named));
      Note const kept{"copied"};
      notebook.send(kept);
      notebook.send(Number{7});
      auto lines = co_await notebook.request<All>();
      CHECK(lines.value() == test::Strings{"built in place", "moved", "copied", "7"});
      CHECK(kept.text == "copied");
    };
    sp::run(body());
  }

  TEST_CASE("GS-21: a send to an ended actor is ok, never blocks, and drops the message") {
    auto body = []() -> sp::Task<void> {
      auto notebook = Notebook().start();
      (void)co_await notebook.stop_and_wait();
      auto value = std::make_shared<int>(1);
      CHECK(notebook.send<Owned>(value) == sp::SendResult::ok);
      CHECK(value.use_count() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("SIG-07: a send to an actor whose runtime is gone is ok too") {
    auto runtime = std::make_unique<sp::Runtime>();
    auto notebook = Notebook().start_on(*runtime);
    runtime.reset();
    auto value = std::make_shared<int>(1);
    CHECK(notebook.send<Owned>(value) == sp::SendResult::ok);
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("messages that nobody reads any more are destroyed") {
    auto value = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int> shared) -> sp::Task<void> {
      auto notebook = Notebook().start();
      notebook.stop();
      for (int i = 0; i < 100; ++i) notebook.send<Owned>(shared);
      (void)co_await notebook.wait_exit();
    };
    sp::run(body(value));
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("an actor may send to itself; such messages queue up behind the others") {
    auto body = []() -> sp::Task<void> {
      auto notebook = Notebook().start();
      notebook.send<Relay>(2);
      auto begun = co_await notebook.request<All>();
      CHECK(begun.value().front() == "relay 2");
      auto second = co_await notebook.request<All>();
      auto third = co_await notebook.request<All>();
      CHECK(third.value() == test::Strings{"relay 2", "relay 1", "relay 0"});
    };
    sp::run(body());
  }

  TEST_CASE("a handler that answers unused leaves a warning, and the actor goes on") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto notebook = Notebook().start();
      notebook.send<Ignored>();
      notebook.send<Note>("after");
      auto lines = co_await notebook.request<All>();
      CHECK(lines.value() == test::Strings{"after"});
    };
    sp::run(body());
    CHECK(log.count("Notebook", "does not use", "Ignored") == 1);
  }

  TEST_CASE("plain threads may send") {
    sp::Runtime runtime;
    auto notebook = Notebook().start_on(runtime);
    notebook.send<Note>("from main");
    CHECK(notebook.request_blocking<All>().value() == test::Strings{"from main"});
  }
}
