#include <spawned/actors/listeners.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
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

namespace {

class Listening : public sp::Actor<Listening> {
 public:
  struct Note {
    std::string text;
  };
  struct Number {
    int value;
  };
  struct Token {
    std::shared_ptr<int> alive;
  };
  struct All {};

  void handle_message(Note note) { notes_.push_back(std::move(note.text)); }
  void handle_message(Number number) { notes_.push_back(std::to_string(number.value)); }
  void handle_message(int number) { notes_.push_back("int " + std::to_string(number)); }
  void handle_message(Token const& /*token*/) { notes_.push_back("token"); }
  test::Strings handle_request(All /*question*/) const { return notes_; }

 private:
  test::Strings notes_;
};

/// Takes its time for each item, which must come in order.
class Slow : public sp::Actor<Slow> {
 public:
  struct Seen {};
  sp::Task<void> handle_message(int item) {
    co_await sp::sleep(1ms);
    CHECK(item == seen_);
    ++seen_;
  }
  int handle_request(Seen /*question*/) const { return seen_; }

 private:
  int seen_ = 0;
};

int minus_one(int number) { return number - 1; }

sp::Task<void> feed(sp::ChannelSender<int> sender, int count) {
  for (int i = 0; i < count; ++i) {
    auto sent = co_await sender.send(i);
    CHECK(sent.has_value());
  }
}

sp::Task<test::Strings> notes_of(sp::ActorRef<Listening> actor) {
  auto reply = co_await actor.request<Listening::All>();
  co_return reply.value();
}

/// Waits until the listener has come to an end of some kind.
sp::Task<sp::ListenerState> end_of(sp::ListenerHandle const& handle) {
  while (handle.state() == sp::ListenerState::listening) co_await sp::sleep(1ms);
  co_return handle.state();
}

sp::Task<int> seven_later(std::chrono::milliseconds delay) {
  co_await sp::sleep(delay);
  co_return 7;
}
sp::Task<void> nothing_later(std::chrono::milliseconds delay) { co_await sp::sleep(delay); }
sp::Task<int> failing() {
  co_await sp::sleep(1ms);
  throw std::runtime_error("no event");
}

/// 1, 2, ..., `last`, each after `period`; afterwards the end, or nothing for ever.
class Counting {
 public:
  Counting(int last, std::chrono::milliseconds period, bool ends = true,
           std::shared_ptr<int> alive = {})
      : last_(last), period_(period), ends_(ends), alive_(std::move(alive)) {}
  sp::Task<std::optional<int>> next() {
    if (count_ == last_ && !ends_) co_await sp::sleep(24h * 365);
    if (count_ == last_) co_return std::nullopt;
    if (period_ > 0ms) co_await sp::sleep(period_);
    co_return ++count_;
  }

 private:
  int last_;
  std::chrono::milliseconds period_;
  bool ends_;
  std::shared_ptr<int> alive_;
  int count_ = 0;
};

template <typename Body>
void in_virtual_time(Body body) {
  sp::run(body(), test::virtual_time());
}

}  // namespace

TEST_SUITE("actors/listeners") {
  TEST_CASE("send_message_on sends once the event has completed") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      sp::CancellationToken token;
      auto on_task = sp::send_message_on<Listening::Note>(actor, nothing_later(10ms), "task");
      auto on_token = sp::send_message_on<Listening::Note>(actor, token, "token");
      auto wait = [token] { return token.cancelled(); };
      auto on_call = sp::send_message_on<Listening::Note>(actor, sp::moved(wait), "callable");
      CHECK(on_task.state() == sp::ListenerState::listening);
      co_await sp::sleep(20ms);
      auto notes = co_await notes_of(actor);
      CHECK(notes == test::Strings{"task"});
      CHECK(on_task.state() == sp::ListenerState::sent);
      CHECK(on_task.cancel() == sp::CancelResult::too_late);
      CHECK(on_token.state() == sp::ListenerState::listening);
      token.cancel();
      (void)co_await end_of(on_token);
      (void)co_await end_of(on_call);
      notes = co_await notes_of(actor);
      CHECK(notes.size() == 3);
    });
  }

  TEST_CASE("send_message_on without arguments makes the message of what the event carries") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto [sender, receiver] = sp::oneshot<int>();
      (void)sp::send_message_on<Listening::Number>(actor, seven_later(10ms));
      (void)sp::send_message_on<int>(actor, std::move(receiver));
      (void)sp::send_message_on<Listening::Note>(actor, seven_later(30ms), "given");
      (void)sp::send_message_on<Listening::Number>(actor, sp::spawn(seven_later(40ms)));
      co_await sp::sleep(20ms);
      sender.send(8);
      co_await sp::sleep(1s);
      auto notes = co_await notes_of(actor);
      CHECK(notes == test::Strings{"7", "int 8", "given", "7"});
    });
  }

  TEST_CASE("an event that cannot come any more, or fails, sends nothing") {
    test::LogCapture const log;
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      sp::ListenerHandle closed;
      {
        auto [sender, receiver] = sp::oneshot<int>();
        closed = sp::send_message_on<int>(actor, std::move(receiver));
      }
      auto failed = sp::send_message_on<Listening::Number>(actor, failing());
      auto first = co_await end_of(closed);
      auto second = co_await end_of(failed);
      CHECK(first == sp::ListenerState::finished);
      CHECK(second == sp::ListenerState::finished);
      CHECK(!closed.error());
      auto notes = co_await notes_of(actor);
      CHECK(notes.empty());
    });
    CHECK(log.count("send_message_on", "Listening", "no event") == 1);
  }

  TEST_CASE("a cancelled send_message_on sends nothing, and its await is woken") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto alive = std::make_shared<int>(0);
      auto listener = sp::send_message_on<Listening::Token>(actor, nothing_later(1h), alive);
      CHECK(alive.use_count() == 2);
      co_await sp::sleep(10ms);
      CHECK(listener.cancel() == sp::CancelResult::cancelled);
      CHECK(listener.cancel() == sp::CancelResult::too_late);
      CHECK(listener.state() == sp::ListenerState::cancelled);
      co_await sp::sleep(10ms);
      CHECK(alive.use_count() == 1);
    });
  }

  TEST_CASE("the end of the actor ends what listens for it, promptly") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto alive = std::make_shared<int>(0);
      auto event = sp::send_message_on<Listening::Token>(actor, nothing_later(1h), alive);
      auto stream = sp::spawn_listener(actor, Counting(3, 10ms, false, alive));
      co_await sp::sleep(100ms);
      CHECK(alive.use_count() == 3);
      (void)co_await actor.stop_and_wait(sp::ExitReason::shutdown());
      CHECK(event.state() == sp::ListenerState::actor_ended);
      CHECK(stream.state() == sp::ListenerState::actor_ended);
      CHECK(stream.error().value().reason() == sp::ExitReason::shutdown());
      co_await sp::sleep(10ms);
      CHECK(alive.use_count() == 1);
      auto late = sp::send_message_on<Listening::Token>(actor, nothing_later(1ms), alive);
      auto later = sp::spawn_listener(actor, Counting(3, 10ms, false, alive));
      CHECK(late.state() == sp::ListenerState::actor_ended);
      CHECK(later.state() == sp::ListenerState::actor_ended);
      CHECK(later.cancel() == sp::CancelResult::too_late);
      CHECK(alive.use_count() == 1);
    });
  }

  TEST_CASE("spawn_listener sends every item in order and ends with the sequence") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto stream = sp::spawn_listener(actor, Counting(3, 10ms));
      auto mapped = sp::spawn_listener(actor, Counting(2, 100ms), [](int number) {
        return Listening::Note{"mapped " + std::to_string(number)};
      });
      auto end = co_await end_of(stream);
      CHECK(end == sp::ListenerState::finished);
      (void)co_await end_of(mapped);
      auto notes = co_await notes_of(actor);
      CHECK(notes == test::Strings{"int 1", "int 2", "int 3", "mapped 1", "mapped 2"});
    });
  }

  TEST_CASE("a cancelled listener sends no further item, also while it waits for one") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto alive = std::make_shared<int>(0);
      auto stream = sp::spawn_listener(actor, Counting(1000, 10ms, true, alive));
      co_await sp::sleep(35ms);
      CHECK(stream.cancel() == sp::CancelResult::cancelled);
      co_await sp::sleep(10ms);
      CHECK(alive.use_count() == 1);
      auto notes = co_await notes_of(actor);
      CHECK(notes.size() == 3);
    });
  }

  TEST_CASE("a sequence that is always ready gives way to others and can be cancelled") {
    sp::RuntimeOptions options = test::virtual_time();
    options.workers = 1;
    auto body = []() -> sp::Task<void> {
      auto actor = sp::start<Listening>();
      auto stream = sp::spawn_listener(actor, Counting(1 << 30, 0ms));
      co_await sp::yield_now();
      auto notes = co_await notes_of(actor);
      CHECK(stream.cancel() == sp::CancelResult::cancelled);
      notes = co_await notes_of(actor);
      co_await sp::sleep(1s);
      auto later = co_await notes_of(actor);
      CHECK(later.size() == notes.size());
    };
    sp::run(body(), options);
  }

  TEST_CASE("listeners end with the runtime; what is set on a ref after it says so") {
    std::optional<sp::ActorRef<Listening>> ref;
    sp::ListenerHandle listener;
    {
      sp::Runtime runtime;
      auto start = []() -> sp::Task<sp::ActorRef<Listening>> { co_return sp::start<Listening>(); };
      ref.emplace(runtime.block_on(start()));
      listener = sp::send_message_on<Listening::Note>(*ref, sp::CancellationToken(), "never");
      CHECK(listener.state() == sp::ListenerState::listening);
    }
    CHECK(listener.state() == sp::ListenerState::actor_ended);
    CHECK(listener.cancel() == sp::CancelResult::too_late);
    auto late = sp::spawn_listener(*ref, Counting(1, 1ms));
    CHECK(late.state() == sp::ListenerState::actor_ended);
  }

  TEST_CASE("the blocking forms run on the blocking pool") {
    sp::Runtime runtime;
    auto start = []() -> sp::Task<sp::ActorRef<Listening>> { co_return sp::start<Listening>(); };
    auto actor = runtime.block_on(start());
    auto event = sp::send_message_on_blocking<Listening::Note>(actor, [] {}, "done");
    auto value = sp::send_message_on_blocking<Listening::Number>(actor, [] { return 7; });
    auto never = sp::send_message_on_blocking<int>(actor, [] { return std::optional<int>(); });
    auto items = sp::spawn_listener_blocking(actor, std::vector<int>{1, 2, 3});
    for (auto* listener : {&event, &value, &never, &items}) {
      auto const state = runtime.block_on(end_of(*listener));
      bool const sends = listener == &event || listener == &value;
      CHECK(state == (sends ? sp::ListenerState::sent : sp::ListenerState::finished));
    }
    CHECK(runtime.block_on(notes_of(actor)).size() == 5);
    // An endless range ends with the actor.
    struct Endless {
      struct Iterator {
        int operator*() const { return 1; }
        Iterator& operator++() { return *this; }
        bool operator!=(Iterator /*end*/) const { return true; }
      };
      Iterator begin() const { return {}; }
      Iterator end() const { return {}; }
    };
    auto endless = sp::spawn_listener_blocking(actor, Endless());
    actor.stop();
    CHECK(runtime.block_on(end_of(endless)) == sp::ListenerState::actor_ended);
  }

  TEST_CASE("on a runtime without workers the awaiting forms say what to use") {
    namespace th = spawned::threads;
    class Plain : public th::Actor<Plain> {
     public:
      explicit Plain(std::atomic<int>* sum) : sum_(sum) {}
      void handle_message(int number) { sum_->fetch_add(number); }

     private:
      std::atomic<int>* sum_;
    };
    std::atomic<int> sum{0};
    th::run([&sum] {
      auto actor = th::start<Plain>(&sum);
      CHECK_THROWS_AS((void)spawned::send_message_on<int>(actor, sp::CancellationToken(), 1),
                      std::logic_error);
      (void)th::spawn_listener_blocking(actor, std::vector<int>{1, 2, 3});
      (void)th::send_message_on_blocking<int>(actor, [] { th::sleep(1ms); }, 10);
      auto ticks = th::send_interval<int>(1ms, actor, 100);
      (void)th::send_after<int>(2ms, actor, 1000);
      while (sum.load() < 1316) th::sleep(1ms);
      CHECK(ticks.cancel() == th::CancelResult::cancelled);
      (void)actor.stop_and_wait();
    });
  }

  TEST_CASE("a stream waits for room in a bounded mailbox: nothing is lost, capacity is kept") {
    in_virtual_time([]() -> sp::Task<void> {
      for (auto const policy : {sp::Overflow::wait, sp::Overflow::reject}) {
        sp::ActorOptions options{.mailbox_capacity = 4, .overflow = policy};
        auto slow = sp::start_with<Slow>(std::move(options));
        auto pipe = sp::channel<int>(2);
        auto listener = sp::spawn_listener(slow, sp::moved(pipe.receiver));
        auto feeder = sp::spawn(feed(std::move(pipe.sender), 40));
        while (!feeder.is_finished()) {
          CHECK(slow.mailbox().size <= 4);
          co_await sp::sleep(1ms);
        }
        while (listener.state() == sp::ListenerState::listening) co_await sp::sleep(1ms);
        while (slow.mailbox().size != 0) co_await sp::sleep(1ms);
        auto seen = co_await slow.request<Slow::Seen>();
        CHECK(seen.value() == 40);
        CHECK(slow.mailbox().dropped == 0);
        CHECK(slow.mailbox().rejected == 0);
        CHECK(listener.state() == sp::ListenerState::finished);
      }
    });
  }

  TEST_CASE("a stream that blocks waits for room, too") {
    sp::Runtime runtime;
    sp::ActorOptions options{.mailbox_capacity = 4, .overflow = sp::Overflow::wait};
    auto slow = sp::start_with_on<Slow>(runtime, std::move(options));
    std::vector<int> numbers(40);
    for (int i = 0; i < 40; ++i) numbers[static_cast<std::size_t>(i)] = i;
    auto listener = sp::spawn_listener_blocking(slow, std::move(numbers));
    while (listener.state() == sp::ListenerState::listening) {
      CHECK(slow.mailbox().size <= 4);
      std::this_thread::yield();
    }
    CHECK(slow.request_blocking<Slow::Seen>().value() == 40);
  }

  TEST_CASE("a listener that waits for room ends by its handle, with its actor, with the runtime") {
    for (bool const blocks : {false, true}) {
      sp::Runtime runtime;
      for (int how = 0; how < 3; ++how) {
        sp::ActorOptions options{.mailbox_capacity = 1, .overflow = sp::Overflow::wait};
        auto actor = sp::start_with_on<Slow>(runtime, std::move(options));
        REQUIRE(sp::suspend(actor));
        std::vector<int> numbers{0, 1, 2};
        auto listener = blocks ? sp::spawn_listener_blocking(actor, std::move(numbers))
                               : sp::spawn_listener(actor, Counting(3, 0ms), minus_one);
        while (actor.mailbox().size == 0) std::this_thread::yield();
        if (how == 0) {
          CHECK(listener.cancel() == sp::CancelResult::cancelled);
          CHECK(sp::resume(actor));
          CHECK(actor.request_blocking<Slow::Seen>().value() == 1);
          CHECK(listener.state() == sp::ListenerState::cancelled);
        } else if (how == 1) {
          actor.kill();
          (void)actor.wait_exit_blocking();
          while (listener.state() == sp::ListenerState::listening) std::this_thread::yield();
          CHECK(listener.state() == sp::ListenerState::actor_ended);
        } else {
          CHECK(runtime.shutdown({.deadline = 60s, .mail = sp::UnreadMail::discard}).in_time);
          CHECK(listener.state() == sp::ListenerState::actor_ended);
        }
      }
    }
  }

  TEST_CASE("a stream into a mailbox that drops the oldest never waits, and drops") {
    in_virtual_time([]() -> sp::Task<void> {
      sp::ActorOptions options{.mailbox_capacity = 2, .overflow = sp::Overflow::drop_oldest};
      auto actor = sp::start_with<Slow>(std::move(options));
      REQUIRE(sp::suspend(actor));
      auto listener = sp::spawn_listener(actor, Counting(10, 0ms), minus_one);
      while (listener.state() == sp::ListenerState::listening) co_await sp::sleep(1ms);
      CHECK(listener.state() == sp::ListenerState::finished);
      CHECK(actor.mailbox().size == 2);
      CHECK(actor.mailbox().dropped == 8);
      actor.kill();
    });
  }
}
