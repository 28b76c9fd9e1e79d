#include <spawned/registry/topics.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using sp::SlowSubscriber;
using sp::Topic;
using sp::TopicOptions;
using test::Strings;

namespace {

struct News {
  std::string text;
};
struct Read {};
struct Wait {
  test::Gate until;
};

struct Subscribe {
  Topic<News> topic;
};
struct Leave {};

class Reader : public sp::Actor<Reader> {
 public:
  void handle_message(News const& news) { read_.push_back(news.text); }
  void handle_message(int) { read_.push_back("other mail"); }
  Strings handle_request(Read) { return std::exchange(read_, {}); }
  /// Takes nothing meanwhile.
  sp::Task<void> handle_request(Wait wait) { co_await wait.until.opened(); }
  bool handle_request(Subscribe const& subscribe, sp::Context<Reader>& context) {
    subscription_ = subscribe.topic.subscribe(context.self()).value();
    return true;
  }
  sp::Task<void> handle_message(Wait wait) {
    co_await wait.until.opened();
    subscription_.reset();
  }

 private:
  Strings read_;
  std::optional<sp::Subscription> subscription_;
};

class ThreadReader : public spawned::threads::Actor<ThreadReader> {
 public:
  void handle_message(News const& news) { read_.push_back(news.text); }
  Strings handle_request(Read) { return read_; }

 private:
  Strings read_;
};

class Bounded : public sp::Actor<Bounded> {
 public:
  static sp::ActorOptions actor_options() {
    return {.mailbox_capacity = 2, .overflow = sp::Overflow::reject};
  }
  void handle_message(News const& news) { read_.push_back(news.text); }
  Strings handle_request(Read) { return read_; }
  sp::Task<void> handle_request(Wait wait) { co_await wait.until.opened(); }

 private:
  Strings read_;
};

sp::RuntimeOptions options() { return test::virtual_time(); }

template <typename A>
sp::Task<Strings> read_by(sp::ActorRef<A> reader) {
  auto reply = co_await reader.template request<Read>();
  co_return std::move(reply).value();
}

/// Publishes "1" to "5" while the reader waits, and returns what it has read in the end.
template <typename A>
sp::Task<Strings> five(sp::ActorRef<A> reader, Topic<News> topic) {
  test::Gate const gate;
  auto waits = reader.template start_request<Wait>(gate);
  co_await sp::sleep(std::chrono::milliseconds(1));
  for (char const* text : {"1", "2", "3", "4", "5"}) topic.publish(text);
  gate.open();
  (void)co_await waits;
  auto read = co_await read_by(reader);
  co_return read;
}

}  // namespace

TEST_SUITE("registry/topics") {
  TEST_CASE("a subscriber gets what is published while its Subscription lasts") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          topic.publish("before");
          {
            auto const subscription = topic.subscribe(reader).value();
            CHECK(topic.subscribers() == 1);
            CHECK(topic.publish("one").subscribers == 1);
            topic.publish("two");
            auto const read = co_await read_by(reader);
            CHECK(read == Strings{"one", "two"});
          }
          CHECK(topic.subscribers() == 0);
          CHECK(topic.publish("after").subscribers == 0);
          auto const read = co_await read_by(reader);
          CHECK(read.empty());
          CHECK(topic.counters().published == 4);
          CHECK(topic.counters().sent == 2);
        }(),
        options());
  }

  TEST_CASE("a subscriber that ends is gone by itself, and who has ended cannot subscribe") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          auto subscription = topic.subscribe(reader).value();
          reader.kill();
          (void)co_await reader.wait_exit();
          CHECK(topic.subscribers() == 0);
          CHECK_FALSE(subscription.unsubscribe());
          auto const late = topic.subscribe(reader);
          REQUIRE_FALSE(late);
          CHECK(late.error() == sp::ActorError::Kind::no_such_actor);
        }(),
        options());
  }

  TEST_CASE("an actor that keeps its own Subscription may end, and the topic before it") {
    sp::run(
        []() -> sp::Task<void> {
          std::optional<Topic<News>> topic(std::in_place);
          auto const reader = Reader{}.start();
          auto const other = Reader{}.start();
          (void)co_await reader.request<Subscribe>(*topic);
          (void)co_await other.request<Subscribe>(*topic);
          (void)co_await reader.stop_and_wait();
          CHECK(topic->subscribers() == 1);
          topic->publish("last");
          topic.reset();
          auto const read = co_await read_by(other);
          CHECK(read == Strings{"last"});
        }(),
        options());
  }

  TEST_CASE("who subscribes twice gets everything twice") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          auto const one = topic.subscribe(reader).value();
          auto const other = topic.subscribe(reader).value();
          topic.publish("news");
          auto const read = co_await read_by(reader);
          CHECK(read == Strings{"news", "news"});
        }(),
        options());
  }

  TEST_CASE("actors of both flavours subscribe to one topic") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          auto const blocking = ThreadReader{}.start();
          auto const one = topic.subscribe(reader).value();
          auto const other = topic.subscribe(blocking).value();
          CHECK(topic.publish("news").subscribers == 2);
          auto const reply = co_await blocking.sp::ActorRef<ThreadReader>::request<Read>();
          CHECK(reply.value() == Strings{"news"});
        }(),
        options());
  }

  TEST_CASE("drop_newest: a slow subscriber misses what comes while it has enough") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.in_flight = 2, .slow = SlowSubscriber::drop_newest});
          auto const reader = Reader{}.start();
          auto const subscription = topic.subscribe(reader).value();
          auto const read = co_await five(reader, topic);
          CHECK(read == Strings{"1", "2"});
          CHECK(subscription.dropped() == 3);
          CHECK(topic.counters().dropped == 3);
          topic.publish("6");
          auto const more = co_await read_by(reader);
          CHECK(more == Strings{"6"});
        }(),
        options());
  }

  TEST_CASE("drop_oldest: a slow subscriber gets the last ones, in order") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.in_flight = 2, .slow = SlowSubscriber::drop_oldest});
          auto const reader = Reader{}.start();
          auto const subscription = topic.subscribe(reader).value();
          auto const read = co_await five(reader, topic);
          CHECK(read == Strings{"4", "5"});
          CHECK(subscription.dropped() == 3);
          CHECK(topic.counters().dropped == 3);
          auto const again = co_await five(reader, topic);
          CHECK(again == Strings{"4", "5"});
        }(),
        options());
  }

  TEST_CASE("drop_oldest with one in flight: the last value is all there is") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.in_flight = 1, .slow = SlowSubscriber::drop_oldest});
          auto const reader = Reader{}.start();
          auto const subscription = topic.subscribe(reader).value();
          auto const read = co_await five(reader, topic);
          CHECK(read == Strings{"5"});
        }(),
        options());
  }

  TEST_CASE("unsubscribe: a slow subscriber is one no more, and handles nothing of what waits") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.in_flight = 2, .slow = SlowSubscriber::unsubscribe});
          auto const reader = Reader{}.start();
          auto const quick = Reader{}.start();
          auto subscription = topic.subscribe(reader).value();
          auto const read = co_await five(reader, topic);
          CHECK(read.empty());
          CHECK(topic.counters().removed == 1);
          CHECK(topic.subscribers() == 0);
          CHECK_FALSE(subscription.unsubscribe());
        }(),
        options());
  }

  TEST_CASE("without a limit nothing is dropped") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          auto const subscription = topic.subscribe(reader).value();
          auto const read = co_await five(reader, topic);
          CHECK(read == Strings{"1", "2", "3", "4", "5"});
          CHECK(topic.counters().dropped == 0);
        }(),
        options());
  }

  TEST_CASE("a bounded mailbox without room is slow, too") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          Topic<News> const strict({.slow = SlowSubscriber::unsubscribe});
          auto const reader = Bounded{}.start();
          auto const subscription = topic.subscribe(reader).value();
          auto read = co_await five(reader, topic);
          CHECK(read == Strings{"1", "2"});
          CHECK(subscription.dropped() == 3);
          auto const other = strict.subscribe(reader).value();
          (void)co_await five(reader, strict);
          CHECK(strict.subscribers() == 0);
        }(),
        options());
  }

  TEST_CASE("retain_last: who subscribes gets the last message first") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.retain_last = true});
          auto const reader = Reader{}.start();
          auto const late = Reader{}.start();
          auto const one = topic.subscribe(reader).value();
          topic.publish("old");
          topic.publish("last");
          auto const other = topic.subscribe(late).value();
          topic.publish("new");
          auto read = co_await read_by(reader);
          CHECK(read == Strings{"old", "last", "new"});
          read = co_await read_by(late);
          CHECK(read == Strings{"last", "new"});
        }(),
        options());
  }

  TEST_CASE("a Subscription that ends on the actor's turn ends what waits in its mailbox") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic;
          auto const reader = Reader{}.start();
          (void)co_await reader.request<Subscribe>(topic);
          test::Gate const gate;
          reader.send<Wait>(gate);
          topic.publish("waits");
          reader.send<int>(1);
          gate.open();
          auto const read = co_await read_by(reader);
          CHECK(read == Strings{"other mail"});
        }(),
        options());
  }

  TEST_CASE("messages of a topic that nobody reads are no dead letters") {
    sp::run(
        []() -> sp::Task<void> {
          Topic<News> const topic({.in_flight = 4});
          auto const before = sp::dead_letters::counts().total();
          auto const reader = Reader{}.start();
          auto const subscription = topic.subscribe(reader).value();
          test::Gate const gate;
          auto waits = reader.start_request<Wait>(gate);
          co_await sp::sleep(std::chrono::milliseconds(1));
          topic.publish("unread");
          reader.kill();
          (void)co_await reader.wait_exit();
          topic.publish("late");
          CHECK(sp::dead_letters::counts().total() == before);
          (void)co_await waits;
        }(),
        options());
  }

  TEST_CASE("a topic with room for nothing is refused") {
    CHECK_THROWS_AS(Topic<News>({.in_flight = 0}), sp::InvalidOptions);
  }
}
