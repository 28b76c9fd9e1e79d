// Ends as monitors see them, and links across backends, flavours and runtimes.
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
namespace th = spawned::threads;
using Reason = sp::ExitReason;

namespace {

using Texts = std::vector<std::string>;

struct Bad {};
struct Good {};
struct Caught {};
struct Say {
  std::string what;
};

class Target : public sp::Actor<Target> {
 public:
  void handle_message(Good) {}
  void handle_message(Bad, sp::Context<Target>& context) { context.exit(Reason::custom("bad")); }
  void handle_message(Say say) { throw std::runtime_error(say.what); }
  /// Its own signal, and a handler that would catch everything.
  sp::Task<void> handle_request(Caught, sp::Context<Target>& context) {
    try {
      context.exit(Reason::custom("die"));
      co_await sp::yield_now();
    } catch (...) {
    }
    for (;;) co_await sp::yield_now();
  }
};
class Quick : public sp::Actor<Quick> {
 public:
  void init(sp::Context<Quick>& context) { context.stop(Reason::custom("bye")); }
};

template <typename Ref>
struct Watch {
  Ref target;
};
template <typename Ref>
struct Tagged {
  Ref target;
};
template <typename Ref>
struct Link {
  Ref target;
};
struct StartQuick {};
struct Many {
  sp::ActorRef<Target> target;
};
struct Heard {};
/// A Down of another name.
struct MyTag {
  explicit MyTag(sp::Down other) : down(std::move(other)) {}
  sp::Down down;
};

template <template <typename> class Base, template <typename> class Ctx, typename Self>
class WatcherOf : public Base<Self> {
 public:
  void init(Ctx<Self>& context) { (void)context.trap_exit(true); }
  void handle_message(sp::Exit const& exit) { heard_.push_back("exit " + exit.reason.to_string()); }
  void handle_message(sp::Down const& down) { heard_.push_back("down " + down.reason.to_string()); }
  void handle_message(MyTag const& tag) {
    heard_.push_back("mytag " + tag.down.reason.to_string());
  }
  Texts handle_request(Heard) { return std::exchange(heard_, {}); }

 private:
  Texts heard_;
};

class Watcher : public WatcherOf<sp::Actor, sp::Context, Watcher> {
 public:
  Watcher() noexcept {}  // no aggregate: g++ 12
  using WatcherOf::handle_message;
  using WatcherOf::handle_request;
  void handle_request(Watch<sp::ActorRef<Target>> const& watch, sp::Context<Watcher>& context) {
    (void)context.monitor(watch.target);
  }
  void handle_request(Tagged<sp::ActorRef<Target>> const& watch, sp::Context<Watcher>& context) {
    (void)context.monitor<MyTag>(watch.target);
  }
  sp::Result<void> handle_request(Link<sp::ActorRef<Target>> const& link,
                                  sp::Context<Watcher>& context) {
    return context.link(link.target);
  }
  sp::Task<bool> handle_request(StartQuick, sp::Context<Watcher>& context) {
    auto started = co_await context.start_monitored<Quick>();
    co_return started.has_value();
  }
  /// Adds and takes back, each a million times; what the pools took for the second half.
  std::uint64_t handle_request(Many const& many, sp::Context<Watcher>& context) {
    std::size_t before = 0;
    for (int i = 0; i < 500'000; ++i) {
      if (i == 1000) before = spawned::detail::pool_bytes_reserved();
      auto const monitor = context.monitor(many.target);
      auto const linked = context.link(many.target);
      if (!linked || !context.demonitor(monitor) || !context.unlink(many.target)) return 1;
    }
    return spawned::detail::pool_bytes_reserved() - before;
  }
};

class ThreadWatcher : public WatcherOf<th::Actor, th::Context, ThreadWatcher> {
 public:
  ThreadWatcher() noexcept {}  // no aggregate: g++ 12
  using WatcherOf::handle_message;
  using WatcherOf::handle_request;
  void handle_request(Watch<sp::ActorRef<Target>> const& watch,
                      th::Context<ThreadWatcher>& context) {
    (void)context.monitor(watch.target);
  }
  sp::Result<void> handle_request(Link<sp::ActorRef<Target>> const& link,
                                  th::Context<ThreadWatcher>& context) {
    return context.link(link.target);
  }
};

sp::Task<Texts> heard(sp::ActorRef<Watcher> watcher) {
  auto texts = co_await watcher.request<Heard>();
  co_return std::move(texts).value();
}
sp::Task<sp::ActorRef<Watcher>> watcher_of(sp::ActorRef<Target> target) {
  auto watcher = Watcher().start();
  (void)co_await watcher.request<Watch<sp::ActorRef<Target>>>(target);
  co_return watcher;
}

}  // namespace

TEST_SUITE("actors/links_signals") {
  TEST_CASE("SIG-02: by monitor: a signal comes before what the same sender sends after it") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 200; ++i) {
        auto target = Target().start();
        auto watcher = co_await watcher_of(target);
        target.send<Good>();
        target.send<Good>();
        target.exit(Reason::custom("good"));
        target.send<Bad>();
        (void)co_await target.wait_exit();
        auto texts = co_await heard(watcher);
        CHECK(texts == Texts{"down custom: good"});
      }
    };
    sp::run(body());
  }
  TEST_CASE("SIG-06: by monitor: the first exit signal wins") {
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      auto watcher = co_await watcher_of(target);
      target.exit(Reason::custom("first"));
      target.exit(Reason::custom("second"));
      (void)co_await target.wait_exit();
      auto texts = co_await heard(watcher);
      CHECK(texts == Texts{"down custom: first"});
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-08, MON-01, GS-33: a monitor tells returns, exits, throws and kills apart") {
    auto body = []() -> sp::Task<void> {
      Texts all;
      for (int how = 0; how < 4; ++how) {
        auto target = Target().start();
        auto watcher = co_await watcher_of(target);
        if (how == 0) target.stop();
        if (how == 1) target.send<Bad>();
        if (how == 2) target.send<Say>("oops");
        if (how == 3) target.kill();
        (void)co_await target.wait_exit();
        auto texts = co_await heard(watcher);
        all.insert(all.end(), texts.begin(), texts.end());
      }
      CHECK(all == Texts{"down normal", "down custom: bad", "down error: std::runtime_error: oops",
                         "down killed"});
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-12: an exit signal to oneself cannot be caught") {
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      auto watcher = co_await watcher_of(target);
      auto asked = co_await target.request<Caught>();
      CHECK(asked.error().kind() == sp::ActorError::Kind::stopped);
      (void)co_await target.wait_exit();
      auto texts = co_await heard(watcher);
      CHECK(texts == Texts{"down custom: die"});
    };
    sp::run(body());
  }
  TEST_CASE("MON-10: a monitor may come as a message of another type") {
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      auto watcher = Watcher().start();
      (void)co_await watcher.request<Tagged<sp::ActorRef<Target>>>(target);
      target.exit(Reason::custom("bye"));
      (void)co_await target.wait_exit();
      auto texts = co_await heard(watcher);
      CHECK(texts == Texts{"mytag custom: bye"});
    };
    sp::run(body());
  }
  TEST_CASE("GS-36: start_monitored gives ref and monitor, and an end right after init is told") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 50; ++i) {
        auto watcher = Watcher().start();
        auto started = co_await watcher.request<StartQuick>();
        // Whether the actor came up before it ended or not, one of the two says so.
        if (!started.value()) continue;
        Texts texts;
        while (texts.empty()) texts = co_await heard(watcher);
        CHECK(texts == Texts{"down custom: bye"});
      }
    };
    sp::run(body());
  }
  TEST_CASE("links and monitors work between all backends") {
    auto body = []() -> sp::Task<void> {
      auto const backends = {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread};
      for (auto const one : backends) {
        for (auto const other : backends) {
          sp::ActorOptions options;
          options.backend = one;
          auto watcher = Watcher().start(options);
          options.backend = other;
          auto target = Target().start(options);
          (void)co_await watcher.request<Watch<sp::ActorRef<Target>>>(target);
          auto linked = co_await watcher.request<Link<sp::ActorRef<Target>>>(target);
          CHECK(linked.value().has_value());
          target.exit(Reason::custom("boom"));
          (void)co_await target.wait_exit();
          auto texts = co_await heard(watcher);
          CHECK(texts == Texts{"exit custom: boom", "down custom: boom"});
        }
      }
    };
    sp::run(body());
  }
  TEST_CASE("links and monitors cross runtimes and flavours; the end of a runtime is told") {
    th::Runtime threads;
    auto watcher = ThreadWatcher().start_on(threads);
    std::optional<sp::ActorRef<Target>> kept;
    {
      sp::Runtime runtime;
      auto target = Target().start_on(runtime);
      kept = target;
      CHECK(watcher.request<Watch<sp::ActorRef<Target>>>(target).has_value());
      CHECK(watcher.request<Link<sp::ActorRef<Target>>>(target).value().has_value());
    }
    CHECK(watcher.request<Heard>().value() == Texts{"exit shutdown", "down shutdown"});
    CHECK(watcher.cell().waiters().guest_count() == 0);
    CHECK(watcher.request<Watch<sp::ActorRef<Target>>>(*kept).has_value());
    CHECK(watcher.request<Heard>().value() == Texts{"down no_actor"});
  }
  TEST_CASE("a million links and monitors that come and go leave nothing behind") {
    auto body = []() -> sp::Task<void> {
      auto target = Target().start();
      auto watcher = Watcher().start();
      auto more = co_await watcher.request_with_timeout<Many>(sp::no_timeout, target);
      CHECK(more.value() == 0);
      CHECK(target.cell().waiters().guest_count() == 0);
      CHECK(watcher.cell().waiters().guest_count() == 0);
    };
    sp::run(body());
  }
}
