#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;
using Result = sp::SendResult;

namespace {

struct Note {
  std::string text;
  std::shared_ptr<int> owned = {};
};
struct Ask {
  std::string text;
};
struct All {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};
struct Fill {};
struct FillAndWait {};

/// Reads what it gets, unless it is held.
class Reader : public sp::Actor<Reader> {
 public:
  explicit Reader(test::Events* events = nullptr) : events_(events) {}
  sp::Task<void> handle_message(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  void handle_message(Note const& note) { add(note.text); }
  std::string handle_request(Ask ask) {
    add(ask.text);
    return ask.text + "!";
  }
  test::Strings handle_request(All /*request*/) const { return read_; }
  // Sends to itself until it is full.
  int handle_request(Fill /*request*/, sp::Context<Reader>& context) {
    int sent = 0;
    while (context.self().send<Note>("self") == Result::ok) ++sent;
    return sent;
  }
  sp::Task<std::string> handle_request(FillAndWait /*request*/, sp::Context<Reader>& context) {
    for (;;) {
      auto sent = co_await context.self().send_wait<Note>("self");
      if (!sent) co_return spawned::to_string(sent.error().kind());
    }
  }
  void teardown() { add("teardown"); }

 private:
  void add(std::string text) {
    if (events_ != nullptr) events_->add(text);
    read_.push_back(std::move(text));
  }
  test::Strings read_;
  test::Events* events_;
};

/// Asks the reader in its handler.
class Relay : public sp::Actor<Relay> {
 public:
  explicit Relay(sp::ActorRef<Reader> reader) : reader_(std::move(reader)) {}
  sp::Task<void> handle_message(Note note) {
    auto answer = co_await reader_.request<Ask>(note.text);
    (void)answer;
  }

 private:
  sp::ActorRef<Reader> reader_;
};

sp::ActorOptions bounded(std::size_t capacity, sp::Overflow policy) {
  sp::ActorOptions options;
  options.mailbox_capacity = capacity;
  options.overflow = policy;
  return options;
}

/// A reader that handles nothing until it is let go.
struct Held {
  Held(std::size_t capacity, sp::Overflow policy, test::Events* events = nullptr)
      : reader(Reader(events).start(bounded(capacity, policy))) {
    reader.send<Hold>(entered, leave);
  }
  sp::ActorRef<Reader> reader;
  test::Gate entered;
  test::Gate leave;
};

sp::Task<void> send_one(sp::ActorRef<Reader> reader, std::string text, test::Events& events) {
  auto sent = co_await reader.send_wait<Note>(text);
  events.add(text + (sent ? " ok" : std::string(" ") + spawned::to_string(sent.error().kind())));
}

/// Until the task that was spawned before has come to its wait: one worker runs them in order.
sp::Task<void> settle() {
  for (int i = 0; i < 3; ++i) co_await sp::yield_now();
}

sp::RuntimeOptions one_worker() {
  auto options = test::virtual_time();
  options.workers = 1;
  return options;
}

}  // namespace

TEST_SUITE("actors/bounded") {
  TEST_CASE("reject: a send without room answers full, a request mailbox_full; both are counted") {
    auto body = []() -> sp::Task<void> {
      Held held(2, sp::Overflow::reject);
      auto& reader = held.reader;
      co_await held.entered.opened();
      CHECK(reader.send<Note>("1") == Result::ok);
      auto waiting = reader.start_request<Ask>("2");
      CHECK(reader.send<Note>("3") == Result::full);
      auto refused = co_await reader.request<Ask>("4");
      CHECK(refused.error() == Kind::mailbox_full);
      auto pending = reader.start_request<Ask>("5");
      auto also = co_await pending;
      CHECK(also.error() == Kind::mailbox_full);
      auto sent = co_await reader.send_wait<Note>("6");
      CHECK(sent.error() == Kind::mailbox_full);
      auto const info = reader.mailbox();
      CHECK(info.size == 2);
      CHECK(info.capacity == 2);
      CHECK(info.rejected == 4);
      CHECK(info.dropped == 0);
      held.leave.open();
      auto answer = co_await waiting;
      CHECK(answer.value() == "2!");
      CHECK(reader.mailbox().size == 0);
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"1", "2"});
    };
    sp::run(body());
  }

  TEST_CASE("the message in work does not count: a capacity of one holds one more") {
    auto body = []() -> sp::Task<void> {
      Held held(1, sp::Overflow::reject);
      co_await held.entered.opened();
      CHECK(held.reader.send<Note>("1") == Result::ok);
      CHECK(held.reader.send<Note>("2") == Result::full);
      held.leave.open();
      auto ended = co_await held.reader.stop_and_wait();
      CHECK(ended.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("drop_newest: the new message is a dead letter and the sender is told") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      Held held(1, sp::Overflow::drop_newest);
      auto& reader = held.reader;
      co_await held.entered.opened();
      auto const before = sp::dead_letters::counts();
      auto value = std::make_shared<int>(1);
      CHECK(reader.send<Note>("1") == Result::ok);
      CHECK(reader.send<Note>("2", value) == Result::dropped);
      CHECK(value.use_count() == 1);
      auto refused = co_await reader.request<Ask>("3");
      CHECK(refused.error() == Kind::mailbox_full);
      auto told = co_await reader.send_wait<Note>("4");
      CHECK(told.error() == Kind::mailbox_full);
      CHECK(sp::dead_letters::counts().overflow - before.overflow == 1);
      CHECK(reader.mailbox().dropped == 3);
      held.leave.open();
      auto ended = co_await reader.stop_and_wait();
      CHECK(ended.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("drop_oldest: the oldest unread makes room; a dropped request answers mailbox_full") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      Held held(2, sp::Overflow::drop_oldest);
      auto& reader = held.reader;
      co_await held.entered.opened();
      auto const before = sp::dead_letters::counts();
      auto value = std::make_shared<int>(1);
      CHECK(reader.send<Note>("1", value) == Result::ok);
      auto dropped = reader.start_request<Ask>("2");
      CHECK(reader.send<Note>("3") == Result::ok);
      CHECK(value.use_count() == 1);
      CHECK(reader.send<Note>("4") == Result::ok);
      auto answer = co_await dropped;
      CHECK(answer.error() == Kind::mailbox_full);
      CHECK(sp::dead_letters::counts().overflow - before.overflow == 1);
      CHECK(reader.mailbox().dropped == 2);
      CHECK(reader.mailbox().size == 2);
      held.leave.open();
      (void)co_await reader.stop_and_wait();
    };
    sp::run(body());
  }

  TEST_CASE("drop_oldest: a stop among the unread is never dropped") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(1, sp::Overflow::drop_oldest, &seen);
      auto& reader = held.reader;
      co_await held.entered.opened();
      reader.send<Note>("1");
      reader.stop(sp::ExitReason::custom("mine"));
      for (int i = 2; i < 10; ++i) reader.send<Note>(std::to_string(i));
      held.leave.open();
      auto reason = co_await reader.wait_exit();
      CHECK(reason.value() == sp::ExitReason::custom("mine"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown"});
  }

  TEST_CASE("stop_actor: an overflow ends the actor at once, with teardown and its reason") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(2, sp::Overflow::stop_actor, &seen);
      auto& reader = held.reader;
      co_await held.entered.opened();
      auto const before = sp::dead_letters::counts();
      CHECK(reader.send<Note>("1") == Result::ok);
      auto unread = reader.start_request<Ask>("2");
      CHECK(reader.send<Note>("3") == Result::dropped);
      auto refused = co_await reader.request<Ask>("4");
      CHECK(refused.error() == Kind::mailbox_full);
      held.leave.open();
      auto reason = co_await reader.wait_exit();
      CHECK(reason.value() == sp::ExitReason::error("mailbox overflow (capacity 2)"));
      auto answer = co_await unread;
      CHECK(answer.error() == Kind::stopped);
      auto const after = sp::dead_letters::counts();
      CHECK(after.overflow - before.overflow == 1);
      CHECK(after.unread - before.unread == 1);
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown"});
    CHECK(log.count("Reader", "mailbox overflow (capacity 2)") == 1);
  }

  TEST_CASE("wait: a send answers full, send_wait waits for room, first come, first let in") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(2, sp::Overflow::wait);
      auto& reader = held.reader;
      co_await held.entered.opened();
      auto first = co_await reader.send_wait<Note>("1");
      CHECK(first.has_value());
      CHECK(reader.send<Note>("2") == Result::ok);
      CHECK(reader.send<Note>("x") == Result::full);
      std::vector<sp::JoinHandle<void>> tasks;
      for (char const* text : {"a", "b", "c"}) {
        tasks.push_back(sp::spawn(send_one(reader, text, seen)));
        co_await settle();
      }
      CHECK(seen.all().empty());
      CHECK(reader.mailbox().size == 2);
      held.leave.open();
      for (auto& task : tasks) (void)co_await task;
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"1", "2", "a", "b", "c"});
      CHECK(reader.mailbox().rejected == 1);
    };
    sp::run(body(events), one_worker());
    CHECK(events.all().size() == 3);
  }

  TEST_CASE("wait: a message in work makes room, however long it takes") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(1, sp::Overflow::wait);
      test::Gate entered;
      test::Gate leave;
      co_await held.entered.opened();
      held.reader.send<Hold>(entered, leave);
      auto task = sp::spawn(send_one(held.reader, "a", seen));
      co_await settle();
      CHECK(seen.all().empty());
      held.leave.open();
      co_await entered.opened();
      (void)co_await task;
      CHECK(seen.all() == test::Strings{"a ok"});
      leave.open();
    };
    sp::run(body(events), one_worker());
  }

  TEST_CASE("wait: a request waits for room within its time limit, and withdraws when it is over") {
    auto body = []() -> sp::Task<void> {
      Held held(1, sp::Overflow::wait);
      auto& reader = held.reader;
      co_await held.entered.opened();
      reader.send<Note>("1");
      auto late = co_await reader.request_with_timeout<Ask>(10ms, "late");
      CHECK(late.error() == Kind::timeout);
      auto asked = [](sp::ActorRef<Reader> to) -> sp::Task<std::string> {
        auto answer = co_await to.request<Ask>("in time");
        co_return answer.value();
      };
      auto task = sp::spawn(asked(reader));
      co_await settle();
      auto pending = reader.start_request<Ask>("no wait");
      auto refused = co_await pending;
      CHECK(refused.error() == Kind::mailbox_full);
      held.leave.open();
      auto answer = co_await task;
      CHECK(answer.value() == "in time!");
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"1", "in time"});  // the withdrawn one was not handled
    };
    sp::run(body(), one_worker());
  }

  TEST_CASE("wait: a handler may be killed while its request is let in, before or after") {
    auto body = [](bool kill_first) -> sp::Task<void> {
      Held held(1, sp::Overflow::wait);
      co_await held.entered.opened();
      held.reader.send<Note>("1");
      auto relay = Relay(held.reader).start();
      relay.send<Note>("relayed");
      co_await settle();
      if (kill_first) relay.kill();
      held.leave.open();
      if (!kill_first) relay.kill();
      (void)co_await relay.wait_exit();
      auto read = co_await held.reader.request<All>();
      CHECK(read.value()[0] == "1");
      auto after = co_await held.reader.request<Ask>("after");
      CHECK(after.value() == "after!");
    };
    sp::run(body(true), one_worker());
    sp::run(body(false), one_worker());
  }

  TEST_CASE("wait: who is cancelled withdraws the message") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(1, sp::Overflow::wait);
      auto& reader = held.reader;
      co_await held.entered.opened();
      reader.send<Note>("1");
      auto first = sp::spawn(send_one(reader, "a", seen));
      co_await settle();
      auto second = sp::spawn(send_one(reader, "b", seen));
      co_await settle();
      first.cancel();
      (void)co_await first;
      CHECK(seen.all() == test::Strings{"a cancelled"});
      held.leave.open();
      (void)co_await second;
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"1", "b"});
    };
    sp::run(body(events), one_worker());
    CHECK(events.all() == test::Strings{"a cancelled", "b ok"});
  }

  TEST_CASE("wait: the end of the actor ends all waits: no_such_actor, and stopped for requests") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(1, sp::Overflow::wait);
      auto& reader = held.reader;
      co_await held.entered.opened();
      reader.stop();
      reader.send<Note>("1");
      auto waiting = sp::spawn(send_one(reader, "a", seen));
      auto asked = [](sp::ActorRef<Reader> to) -> sp::Task<void> {
        auto answer = co_await to.request<Ask>("b");
        CHECK(answer.error() == Kind::stopped);
      };
      auto asking = sp::spawn(asked(reader));
      co_await settle();
      auto const before = sp::dead_letters::counts();
      held.leave.open();
      (void)co_await waiting;
      (void)co_await asking;
      (void)co_await reader.wait_exit();
      CHECK(sp::dead_letters::counts().total() - before.total() == 1);  // "1"; the others were told
      auto late = co_await reader.send_wait<Note>("c");
      CHECK(late.error() == Kind::no_such_actor);
    };
    sp::run(body(events), one_worker());
    CHECK(events.all() == test::Strings{"a no_such_actor"});
  }

  TEST_CASE("an actor that fills its own mailbox gets full, or deadlock where it would wait") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(bounded(3, sp::Overflow::reject));
      auto sent = co_await reader.request<Fill>();
      CHECK(sent.value() == 3);
      auto patient = Reader().start(bounded(3, sp::Overflow::wait));
      auto kind = co_await patient.request<FillAndWait>();
      CHECK(kind.value() == "deadlock");
      auto read = co_await patient.request<All>();
      CHECK(read.value() == test::Strings{"self", "self", "self"});
    };
    sp::run(body());
  }

  TEST_CASE("stop keeps its place in a bounded mailbox, and a full one takes it all the same") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Held held(2, sp::Overflow::reject, &seen);
      auto& reader = held.reader;
      co_await held.entered.opened();
      reader.send<Note>("1");
      reader.send<Note>("2");
      reader.stop();
      held.leave.open();
      (void)co_await reader.wait_exit();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"1", "2", "teardown"});
  }

  TEST_CASE("each sender's messages are handled in the order sent, whoever waits for room") {
    struct Numbered {
      int sender;
      int number;
    };
    class Checker : public sp::Actor<Checker> {
     public:
      void handle_message(Numbered message) {
        auto& next = next_[static_cast<std::size_t>(message.sender)];
        if (message.number != next++) ++errors_;
      }
      int handle_request(All /*request*/) const { return errors_; }

     private:
      std::vector<int> next_ = std::vector<int>(8);
      int errors_ = 0;
    };
    auto body = []() -> sp::Task<void> {
      auto checker = Checker().start(bounded(4, sp::Overflow::wait));
      auto sender = [](sp::ActorRef<Checker> to, int self) -> sp::Task<void> {
        for (int i = 0; i < 500; ++i) {
          auto sent = co_await to.send_wait<Numbered>(self, i);
          CHECK(sent.has_value());
        }
      };
      std::vector<sp::JoinHandle<void>> tasks;
      for (int i = 0; i < 8; ++i) tasks.push_back(sp::spawn(sender(checker, i)));
      for (auto& task : tasks) (void)co_await task;
      auto errors = co_await checker.request<All>();
      CHECK(errors.value() == 0);
    };
    sp::run(body());
  }

  TEST_CASE("start_and_wait needs no room in the mailbox") {
    auto body = []() -> sp::Task<void> {
      class Busy : public sp::Actor<Busy> {
       public:
        static sp::ActorOptions actor_options() { return bounded(1, sp::Overflow::reject); }
        void init(sp::Context<Busy>& context) { context.self().send<Fill>(); }
        void handle_message(Fill /*message*/) {}
      };
      auto started = co_await Busy().start_and_wait();
      CHECK(started.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("an unbounded mailbox says so and counts nothing") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start();
      CHECK(reader.mailbox().capacity == sp::unbounded);
      CHECK(reader.mailbox().size == 0);
      auto sent = co_await reader.send_wait<Note>("1");
      CHECK(sent.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("an awaitable send that is never awaited sends nothing and leaks nothing") {
    auto body = []() -> sp::Task<void> {
      auto value = std::make_shared<int>(1);
      auto reader = Reader().start(bounded(1, sp::Overflow::wait));
      {
        [[maybe_unused]] auto unused = reader.send_wait<Note>("1", value);
      }
      CHECK(value.use_count() == 1);
      auto read = co_await reader.request<All>();
      CHECK(read.value().empty());
    };
    sp::run(body());
  }

  TEST_CASE("plain threads wait for room with send_wait_blocking, and ask a full mailbox") {
    sp::Runtime runtime;
    auto reader = Reader().start_on(runtime, bounded(1, sp::Overflow::wait));
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([reader] {
        for (int i = 0; i < 200; ++i) {
          bool const sent = reader.send_wait_blocking<Note>("n").has_value();
          bool const asked = reader.request_blocking<Ask>("q").has_value();
          if (!sent || !asked) std::abort();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(reader.request_blocking<All>().value().size() == 1200);
  }

  TEST_CASE("a blocking request to a full mailbox times out and withdraws") {
    sp::Runtime runtime;
    auto reader = Reader().start_on(runtime, bounded(1, sp::Overflow::wait));
    test::Gate entered;
    test::Gate leave;
    reader.send<Hold>(entered, leave);
    while (!entered.is_open()) std::this_thread::yield();
    CHECK(reader.send<Note>("1") == Result::ok);
    CHECK(reader.request_blocking_with_timeout<Ask>(1ms, "late").error() == Kind::timeout);
    leave.open();
    CHECK(reader.request_blocking<All>().value() == test::Strings{"1"});
  }

  TEST_CASE("the threads flavour waits for room by blocking") {
    namespace th = spawned::threads;
    class Slow : public th::Actor<Slow> {
     public:
      void handle_message(Note const& /*note*/) { ++read_; }
      int handle_request(All /*request*/) const { return read_; }

     private:
      int read_ = 0;
    };
    th::run([] {
      auto slow = Slow().start(bounded(2, sp::Overflow::wait));
      for (int i = 0; i < 100; ++i) CHECK(slow.send_wait<Note>("n").has_value());
      CHECK(slow.request<All>().value() == 100);
    });
  }
}
