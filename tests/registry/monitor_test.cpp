#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"
#include "support/actors.hpp"

using namespace names;

namespace {

struct Watch {
  std::string name;
};
struct Heard {};
struct Unwatch {};

/// Monitors names, and keeps what becomes of them.
class Watcher : public sp::Actor<Watcher> {
 public:
  sp::MonitorId handle_request(Watch const& watch, sp::Context<Watcher>& context) {
    last_ = registry::monitor(context, watch.name);
    return last_->id();
  }
  bool handle_request(Unwatch, sp::Context<Watcher>& context) { return context.demonitor(*last_); }
  void handle_message(sp::Down const& down) { downs_.push_back(down); }
  std::vector<sp::Down> handle_request(Heard) { return downs_; }

 private:
  std::vector<sp::Down> downs_;
  std::optional<sp::MonitorRef> last_;
};

/// At each Down of the one with the name: it is free, and can be had again.
class Successor : public sp::Actor<Successor> {
 public:
  explicit Successor(test::Gate done) : done_(std::move(done)) {}
  void handle_message(Ping, sp::Context<Successor>& context) { next(context); }
  void handle_message(sp::Down const& /*down*/, sp::Context<Successor>& context) {
    CHECK(kind_of(registry::whereis<Holder>("name")) == Kind::not_registered);
    CHECK(registry::register_name("name", context.self()).has_value());
    CHECK(registry::unregister("name").has_value());
    if (++rounds_ == 100) {
      done_.open();
    } else {
      next(context);
    }
  }

 private:
  void next(sp::Context<Successor>& context) {
    auto holder = Holder().start();
    CHECK(registry::register_name("name", holder).has_value());
    (void)context.monitor(holder);
    holder.kill();
  }
  test::Gate done_;
  int rounds_ = 0;
};

/// The same at the Exit of a linked one.
class Heir : public sp::Actor<Heir> {
 public:
  explicit Heir(test::Gate done) : done_(std::move(done)) {}
  void handle_message(Ping, sp::Context<Heir>& context) {
    (void)context.trap_exit(true);
    auto holder = Holder().start();
    CHECK(registry::register_name("name", holder).has_value());
    CHECK(context.link(holder).has_value());
    holder.kill();
  }
  void handle_message(sp::Exit const& /*exit*/, sp::Context<Heir>& context) {
    CHECK(registry::register_name("name", context.self()).has_value());
    done_.open();
  }

 private:
  test::Gate done_;
};

}  // namespace

TEST_SUITE("registry/monitor") {
  TEST_CASE("MON-08: a monitor by name is bound to who has the name when it is made") {
    auto body = []() -> sp::Task<void> {
      auto watcher = Watcher().start();
      auto holder = Holder().start();
      auto next = Holder().start();
      CHECK(registry::register_name("name", holder).has_value());
      auto monitor = co_await watcher.request<Watch>("name");
      CHECK(registry::unregister("name").has_value());
      CHECK(registry::register_name("name", next).has_value());
      next.kill();
      (void)co_await next.wait_exit();
      holder.exit(sp::ExitReason::custom("bye"));
      (void)co_await holder.wait_exit();
      auto heard = co_await watcher.request<Heard>();
      REQUIRE(heard.value().size() == 1);
      sp::Down const& down = heard.value().front();
      CHECK(down.monitor == monitor.value());
      CHECK(down.actor == holder.id());
      CHECK(down.reason == sp::ExitReason::custom("bye"));
    };
    sp::run(body());
  }
  TEST_CASE("MON-11: the monitor of a name that nobody has is over at once, with no_actor") {
    auto body = []() -> sp::Task<void> {
      auto watcher = Watcher().start();
      auto monitor = co_await watcher.request<Watch>("nobody");
      auto heard = co_await watcher.request<Heard>();
      REQUIRE(heard.value().size() == 1);
      sp::Down const& down = heard.value().front();
      CHECK(down.monitor == monitor.value());
      CHECK(down.actor == sp::ActorId{});
      CHECK(down.reason == sp::ExitReason::Kind::no_actor);
      auto unwatched = co_await watcher.request<Unwatch>();
      CHECK(!unwatched.value());
    };
    sp::run(body());
  }
  TEST_CASE(
      "MON-14, REG-02: when a Down is handled, the name is free and can be taken, 100 times") {
    auto body = []() -> sp::Task<void> {
      test::Gate const done;
      auto successor = sp::start<Successor>(done);
      successor.send<Ping>();
      co_await done.opened();
    };
    sp::run(body());
  }
  TEST_CASE("when an Exit is handled, the name is free") {
    auto body = []() -> sp::Task<void> {
      test::Gate const done;
      auto heir = sp::start<Heir>(done);
      heir.send<Ping>();
      co_await done.opened();
    };
    sp::run(body());
  }
}
