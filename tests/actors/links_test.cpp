#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Reason = sp::ExitReason;

namespace {

struct Stop {
  Reason reason;
};
struct Crash {};
struct Die {
  Reason reason;
};
struct Alive {};

struct Tell;

/// Ends as it is told.
class Peer : public sp::Actor<Peer> {
 public:
  void handle_message(Tell const& tell, sp::Context<Peer>& context);
  void handle_message(Stop const& stop, sp::Context<Peer>& context) { context.stop(stop.reason); }
  void handle_message(Die const& die, sp::Context<Peer>& context) { context.exit(die.reason); }
  void handle_message(Crash) { throw std::runtime_error("boom"); }
  bool handle_request(Alive) { return true; }
};

struct Link {
  sp::ActorRef<Peer> peer;
};
struct Unlink {
  sp::ActorRef<Peer> peer;
};
struct LinkSelf {};
struct Watch {
  sp::ActorRef<Peer> peer;
};
struct WatchSelf {};
struct Unwatch {
  unsigned which;
  sp::Flush flush = sp::Flush::no;
};
struct Trap {
  bool on;
};
struct Heard {};
struct LinkKeeper;
struct UnlinkKeeper;
struct Busy {
  test::Gate until;
};
struct Start {
  Reason init;
  bool monitored = false;
};

/// Its init fails with a reason, or does not.
class Starts : public sp::Actor<Starts> {
 public:
  explicit Starts(Reason reason) : reason_(std::move(reason)) {}
  sp::InitResult init() {
    if (reason_.is_abnormal()) return sp::InitResult::error(reason_);
    return sp::InitResult::success();
  }
  bool handle_request(Alive) { return true; }

 private:
  Reason reason_;
};

/// Links and watches, and keeps what it hears in order.
class Keeper : public sp::Actor<Keeper> {
 public:
  sp::Result<void> handle_request(Link const& link, sp::Context<Keeper>& context) {
    return context.link(link.peer);
  }
  bool handle_request(Unlink const& unlink, sp::Context<Keeper>& context) {
    return context.unlink(unlink.peer);
  }
  sp::Result<void> handle_request(LinkSelf, sp::Context<Keeper>& context) {
    return context.link(context.self());
  }
  std::uint64_t handle_request(Watch const& watch, sp::Context<Keeper>& context) {
    monitors_.push_back(context.monitor(watch.peer));
    return monitors_.back().id().value;
  }
  void handle_request(WatchSelf, sp::Context<Keeper>& context) {
    monitors_.push_back(context.monitor(context.self()));
  }
  bool handle_request(Unwatch const& unwatch, sp::Context<Keeper>& context) {
    return context.demonitor(monitors_.at(unwatch.which), unwatch.flush);
  }
  bool handle_request(Trap const& trap, sp::Context<Keeper>& context) {
    return context.trap_exit(trap.on);
  }
  sp::Task<sp::Result<void>> handle_request(Start start, sp::Context<Keeper>& context) {
    if (start.monitored) {
      auto started = co_await context.start_monitored<Starts>(start.init);
      if (!started) co_return sp::Unexpected(started.error());
      monitors_.push_back(started.value().monitor);
      starts_ = started.value().actor;
      co_return sp::Result<void>();
    }
    auto started = co_await context.start_linked<Starts>(start.init);
    if (!started) co_return sp::Unexpected(started.error());
    starts_ = started.value();
    co_return sp::Result<void>();
  }
  sp::ActorRef<Starts> handle_request(Alive) { return starts_.value(); }
  sp::Result<void> handle_request(LinkKeeper const& link, sp::Context<Keeper>& context);
  bool handle_request(UnlinkKeeper const& unlink, sp::Context<Keeper>& context);
  /// Takes both monitors back, the first with what has come of it.
  sp::Task<void> handle_request(Busy busy, sp::Context<Keeper>& context) {
    co_await busy.until.opened();
    (void)context.demonitor(monitors_.at(0), sp::Flush::yes);
    (void)context.demonitor(monitors_.at(1));
  }
  void handle_message(std::string const& text) { heard_.push_back(text); }
  std::vector<std::string> handle_request(Heard) { return std::exchange(heard_, {}); }
  void handle_message(sp::Exit const& exit) { heard_.push_back("exit " + exit.reason.to_string()); }
  void handle_message(sp::Down const& down) {
    heard_.push_back("down " + down.reason.to_string());
    for (auto const& monitor : monitors_) {
      if (monitor == down.monitor) return;
    }
    heard_.push_back("of nobody's monitor");
  }

 private:
  std::optional<sp::ActorRef<Starts>> starts_;
  std::vector<sp::MonitorRef> monitors_;
  std::vector<std::string> heard_;
};

struct LinkKeeper {
  sp::ActorRef<Keeper> peer;
};
struct UnlinkKeeper {
  sp::ActorRef<Keeper> peer;
};
/// Says two things and ends.
struct Tell {
  sp::ActorRef<Keeper> keeper;
};
sp::Result<void> Keeper::handle_request(LinkKeeper const& link, sp::Context<Keeper>& context) {
  return context.link(link.peer);
}
bool Keeper::handle_request(UnlinkKeeper const& unlink, sp::Context<Keeper>& context) {
  return context.unlink(unlink.peer);
}
void Peer::handle_message(Tell const& tell, sp::Context<Peer>& context) {
  tell.keeper.send<std::string>("m1");
  tell.keeper.send<std::string>("m2");
  context.exit(Reason::custom("bye"));
}

using Texts = std::vector<std::string>;

sp::Task<Reason> end_of(sp::ActorRef<Peer> peer) {
  auto reason = co_await peer.wait_exit();
  co_return std::move(reason).value();
}

sp::Task<sp::ActorRef<Keeper>> trapping() {
  auto keeper = Keeper().start();
  (void)co_await keeper.request<Trap>(true);
  co_return keeper;
}

sp::Task<Texts> heard(sp::ActorRef<Keeper> keeper) {
  auto texts = co_await keeper.request<Heard>();
  co_return std::move(texts).value();
}

}  // namespace

TEST_SUITE("actors/links") {
  TEST_CASE(
      "EXIT-07: a linked actor that does not trap ends with the other's very reason, shutdown "
      "too") {
    auto body = []() -> sp::Task<void> {
      for (Reason const& reason : {Reason::shutdown(), Reason::custom("boom")}) {
        auto keeper = Keeper().start();
        auto peer = Peer().start();
        auto linked = co_await keeper.request<Link>(peer);
        CHECK(linked.value().has_value());
        peer.exit(reason);
        auto end = co_await keeper.wait_exit();
        CHECK(end.value() == reason);
      }
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-09: who is linked to an actor that ends normally lives") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      (void)co_await keeper.request<Link>(peer);
      (void)co_await peer.stop_and_wait();
      auto texts = co_await heard(keeper);
      CHECK(texts.empty());
      CHECK(keeper.is_alive());
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-02: who traps exits gets every signal as a message, normal too") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await keeper.request<Link>(peer);
      (void)co_await peer.stop_and_wait();
      keeper.exit(Reason::normal());
      keeper.exit(Reason::custom("by hand"));
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"exit normal", "exit normal", "exit custom: by hand"});
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-04: kill cannot be trapped") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      keeper.kill();
      auto end = co_await keeper.wait_exit();
      CHECK(end.value() == Reason::Kind::killed);
    };
    sp::run(body());
  }
  TEST_CASE(
      "EXIT-05: others see that an actor was killed; that can be trapped, and is lethal "
      "otherwise") {
    auto body = []() -> sp::Task<void> {
      auto trapper = co_await trapping();
      auto other = Keeper().start();
      auto victim = Peer().start();
      (void)co_await trapper.request<Link>(victim);
      (void)co_await other.request<Link>(victim);
      victim.kill();
      auto end = co_await other.wait_exit();
      CHECK(end.value() == Reason::Kind::killed);
      auto texts = co_await heard(trapper);
      CHECK(texts == Texts{"exit killed"});
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-06: an actor that ends itself with `kill` gives a reason like any other") {
    auto body = []() -> sp::Task<void> {
      auto trapper = co_await trapping();
      auto other = Keeper().start();
      auto victim = Peer().start();
      (void)co_await trapper.request<Link>(victim);
      (void)co_await trapper.request<Watch>(victim);
      (void)co_await other.request<Link>(victim);
      victim.send<Stop>(Reason(Reason::Kind::kill));
      auto end = co_await other.wait_exit();
      CHECK(end.value() == Reason::Kind::kill);
      auto texts = co_await heard(trapper);
      CHECK(texts == Texts{"exit kill", "down kill"});
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-10: a signal goes through a chain of links") {
    auto body = []() -> sp::Task<void> {
      auto first = Keeper().start();
      auto second = Keeper().start();
      auto third = Peer().start();
      auto watcher = Keeper().start();
      (void)co_await second.request<Link>(third);
      auto linked = co_await first.request<LinkKeeper>(second);
      CHECK(linked.value().has_value());
      third.exit(Reason::custom("boom"));
      auto end = co_await first.wait_exit();
      CHECK(end.value() == Reason::custom("boom"));
      CHECK(second.exit_reason() == Reason::custom("boom"));
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-13: trap_exit tells what it was before") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto first = co_await keeper.request<Trap>(true);
      auto second = co_await keeper.request<Trap>(true);
      auto third = co_await keeper.request<Trap>(false);
      CHECK((!first.value() && second.value() && third.value()));
    };
    sp::run(body());
  }
  TEST_CASE(
      "EXIT-15: an exit of a linked actor that is not the parent is a message, and the actor "
      "lives") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await keeper.request<Link>(peer);
      peer.send<Crash>();
      (void)co_await end_of(peer);
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"exit error: std::runtime_error: boom"});
    };
    sp::run(body());
  }
  TEST_CASE("LINK-01: a link to the dead is an error to who does not trap exits") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      (void)co_await peer.stop_and_wait();
      auto linked = co_await keeper.request<Link>(peer);
      CHECK(linked.value().error().kind() == sp::ActorError::Kind::no_such_actor);
    };
    sp::run(body());
  }
  TEST_CASE("LINK-02: a link to the dead is an Exit with no_actor to who traps exits") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await peer.stop_and_wait();
      auto linked = co_await keeper.request<Link>(peer);
      CHECK(linked.value().has_value());
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"exit no_actor"});
    };
    sp::run(body());
  }
  TEST_CASE("LINK-03: two links of one pair are one") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await keeper.request<Link>(peer);
      (void)co_await keeper.request<Link>(peer);
      peer.exit(Reason::custom("bye"));
      (void)co_await end_of(peer);
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"exit custom: bye"});
    };
    sp::run(body());
  }
  TEST_CASE("LINK-04: after unlink no Exit comes but one that is there already") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await keeper.request<Link>(peer);
      peer.exit(Reason::custom("bang"));
      (void)co_await keeper.request<Unlink>(peer);
      (void)co_await end_of(peer);
      auto early = co_await heard(keeper);
      CHECK(early.size() <= 1);
      auto late = co_await heard(keeper);
      CHECK(late.empty());
    };
    sp::run(body());
  }
  TEST_CASE("LINK-05: either side takes a link back") {
    auto body = []() -> sp::Task<void> {
      auto one = co_await trapping();
      auto other = co_await trapping();
      (void)co_await one.request<LinkKeeper>(other);
      auto cut = co_await other.request<UnlinkKeeper>(one);
      CHECK(cut.value());
      other.kill();
      (void)co_await other.wait_exit();
      auto texts = co_await heard(one);
      CHECK(texts.empty());
    };
    sp::run(body());
  }
  TEST_CASE("LINK-06: a link to oneself does nothing") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto linked = co_await keeper.request<LinkSelf>();
      CHECK(linked.value().has_value());
      auto end = co_await keeper.stop_and_wait();
      CHECK(end.value() == Reason::normal());
    };
    sp::run(body());
  }
  TEST_CASE("LINK-07: start_linked leaves no moment in which an end is lost") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 50; ++i) {
        auto keeper = co_await trapping();
        auto started = co_await keeper.request<Start>(Reason::normal());
        CHECK(started.value().has_value());
        auto child = co_await keeper.request<Alive>();
        child.value().exit(Reason::custom("now"));
        (void)co_await child.value().wait_exit();
        auto texts = co_await heard(keeper);
        CHECK(texts == Texts{"exit custom: now"});
      }
    };
    sp::run(body());
  }
  TEST_CASE("LINK-08: to unlink what is not linked does nothing") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      auto cut = co_await keeper.request<Unlink>(peer);
      CHECK(!cut.value());
    };
    sp::run(body());
  }
  TEST_CASE("GS-03: an init that fails under start_linked is told once, by the result") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto started = co_await keeper.request<Start>(Reason::custom("bad"));
      CHECK(started.value().error().kind() == sp::ActorError::Kind::init_failed);
      auto texts = co_await heard(keeper);
      CHECK(texts.empty());
    };
    sp::run(body());
  }
  TEST_CASE("MON-01: a monitor tells every end, a normal one too") {
    auto body = []() -> sp::Task<void> {
      for (Reason const& reason : {Reason::normal(), Reason::custom("frop")}) {
        auto keeper = Keeper().start();
        auto peer = Peer().start();
        (void)co_await keeper.request<Watch>(peer);
        peer.stop(reason);
        (void)co_await end_of(peer);
        auto texts = co_await heard(keeper);
        CHECK(texts == Texts{"down " + reason.to_string()});
      }
    };
    sp::run(body());
  }
  TEST_CASE("MON-02: a monitor of the dead tells no_actor at once") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      (void)co_await peer.stop_and_wait();
      (void)co_await keeper.request<Watch>(peer);
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"down no_actor"});
    };
    sp::run(body());
  }
  TEST_CASE("MON-03: two monitors of one actor are two") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      auto first = co_await keeper.request<Watch>(peer);
      auto second = co_await keeper.request<Watch>(peer);
      CHECK(first.value() != second.value());
      (void)co_await peer.stop_and_wait();
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"down normal", "down normal"});
    };
    sp::run(body());
  }
  TEST_CASE("MON-04: the end of who watches does nothing to the watched, which forgets it") {
    auto body = []() -> sp::Task<void> {
      auto peer = Peer().start();
      for (int i = 0; i < 100; ++i) {
        auto keeper = Keeper().start();
        (void)co_await keeper.request<Watch>(peer);
        (void)co_await keeper.stop_and_wait();
      }
      CHECK(peer.cell().waiters().guest_count() == 0);
      auto alive = co_await peer.request<Alive>();
      CHECK(alive.value());
    };
    sp::run(body());
  }
  TEST_CASE("MON-05: demonitor may be called again, and no Down comes") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      (void)co_await keeper.request<Watch>(peer);
      auto first = co_await keeper.request<Unwatch>(0U);
      auto again = co_await keeper.request<Unwatch>(0U);
      CHECK((first.value() && !again.value()));
      (void)co_await peer.stop_and_wait();
      auto texts = co_await heard(keeper);
      CHECK(texts.empty());
    };
    sp::run(body());
  }
  TEST_CASE("MON-06: demonitor with flush takes back the Down that waits, and that one alone") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto peer = Peer().start();
      (void)co_await keeper.request<Watch>(peer);
      (void)co_await keeper.request<Watch>(peer);
      test::Gate ended;
      auto busy = keeper.start_request<Busy>(ended);  // what comes meanwhile waits
      (void)co_await peer.stop_and_wait();
      ended.open();
      auto flushed = co_await std::move(busy);
      CHECK(flushed.has_value());
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"down normal"});
    };
    sp::run(body());
  }
  TEST_CASE("MON-09: a monitor of oneself never comes") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      (void)co_await keeper.request<WatchSelf>();
      auto end = co_await keeper.stop_and_wait();
      CHECK(end.value() == Reason::normal());
    };
    sp::run(body());
  }
  TEST_CASE("MON-13: start_monitored leaves no moment in which an end is lost") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      auto started = co_await keeper.request<Start>(Reason::normal(), true);
      CHECK(started.value().has_value());
      auto child = co_await keeper.request<Alive>();
      child.value().exit(Reason::custom("now"));
      (void)co_await child.value().wait_exit();
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"down custom: now"});
    };
    sp::run(body());
  }
  TEST_CASE("SIG-03: what an actor sent before its end comes before its Down") {
    auto body = []() -> sp::Task<void> {
      auto keeper = Keeper().start();
      for (int i = 0; i < 50; ++i) {
        auto peer = Peer().start();
        (void)co_await keeper.request<Watch>(peer);
        peer.send<Tell>(keeper);
        (void)co_await end_of(peer);
        auto texts = co_await heard(keeper);
        CHECK(texts == Texts{"m1", "m2", "down custom: bye"});
      }
    };
    sp::run(body());
  }
  TEST_CASE("SIG-11: the Exit of a link comes before the Down of a monitor") {
    auto body = []() -> sp::Task<void> {
      auto keeper = co_await trapping();
      auto peer = Peer().start();
      (void)co_await keeper.request<Watch>(peer);
      (void)co_await keeper.request<Link>(peer);
      (void)co_await keeper.request<Watch>(peer);
      (void)co_await peer.stop_and_wait();
      auto texts = co_await heard(keeper);
      CHECK(texts == Texts{"exit normal", "down normal", "down normal"});
    };
    sp::run(body());
  }
  TEST_CASE(
      "of two that are linked and end together each ends with a reason of its own or the other's") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 200; ++i) {
        auto keeper = Keeper().start();
        auto peer = Peer().start();
        (void)co_await keeper.request<Link>(peer);
        keeper.exit(Reason::custom("a"));
        peer.exit(Reason::custom("b"));
        auto one = co_await keeper.wait_exit();
        auto other = co_await peer.wait_exit();
        CHECK((one.value() == Reason::custom("a") || one.value() == Reason::custom("b")));
        CHECK((other.value() == Reason::custom("a") || other.value() == Reason::custom("b")));
        CHECK(keeper.cell().waiters().guest_count() == 0);
        CHECK(peer.cell().waiters().guest_count() == 0);
      }
    };
    sp::run(body());
  }
}
