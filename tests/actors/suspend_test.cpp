#include <spawned/actors/suspend.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;
using Reason = sp::ExitReason;

namespace {

class Server : public sp::Actor<Server> {
 public:
  struct Ping {};
  struct Note {
    std::string text;
  };
  struct Count {};
  struct Number {
    int value;
  };
  struct Hold {
    test::Gate begun;
    test::Gate gate;
  };
  struct Fuse {
    std::chrono::milliseconds time;
  };
  struct SuspendYourself {};

  std::string handle_request(Ping /*request*/) { return "pong"; }
  void handle_message(Note note) { notes_.push_back(std::move(note.text)); }
  test::Strings handle_request(Note /*question*/) { return notes_; }
  void handle_message(Number number) { in_order_ = in_order_ && number.value == count_++; }
  int handle_request(Count /*question*/) { return in_order_ ? count_ : -1; }
  sp::Task<void> handle_message(Hold hold) {
    hold.begun.open();
    co_await hold.gate.opened();
    notes_.emplace_back("held");
  }
  void handle_message(Fuse fuse, sp::Context<Server>& context) {
    context.set_idle_timeout<Note>(fuse.time, "idle");
  }
  void handle_request(SuspendYourself /*order*/, sp::Context<Server>& context) {
    (void)sp::suspend(context.self());
  }

 private:
  test::Strings notes_;
  int count_ = 0;
  bool in_order_ = true;
};

sp::Task<test::Strings> notes_of(sp::ActorRef<Server> server) {
  auto reply = co_await server.request<Server::Note>("");
  co_return reply.value();
}

template <typename Body>
void in_virtual_time(Body body) {
  sp::run(body(), test::virtual_time());
}

}  // namespace

TEST_SUITE("actors/suspend") {
  TEST_CASE("GS-35: a request to a suspended actor times out; after resume it answers again") {
    in_virtual_time([]() -> sp::Task<void> {
      auto server = Server().start();
      CHECK(sp::suspend(server));
      auto early = co_await server.request_with_timeout<Server::Ping>(50ms);
      CHECK(early.error() == Kind::timeout);
      CHECK(server.is_alive());
      CHECK(sp::resume(server));
      auto pong = co_await server.request<Server::Ping>();
      CHECK(pong.value() == "pong");
      CHECK_FALSE(sp::resume(server));
    });
  }

  TEST_CASE(
      "mail gathers at a suspended actor and is handled in order after resume, stop included") {
    in_virtual_time([]() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate const begun;
      test::Gate const gate;
      server.send<Server::Hold>(begun, gate);
      co_await begun.opened();
      CHECK(sp::suspend(server));
      CHECK(sp::suspend(server));  // twice is once
      server.send<Server::Note>("a");
      gate.open();
      server.send<Server::Note>("b");
      auto pending = server.start_request<Server::Note>("");
      server.stop();
      co_await sp::sleep(1s);
      CHECK_FALSE(pending.is_ready());
      CHECK(server.is_alive());
      CHECK(sp::resume(server));
      auto notes = co_await pending;
      CHECK(notes.value() == test::Strings{"held", "a", "b"});
      auto reason = co_await server.wait_exit();
      CHECK(reason.value() == Reason());
    });
  }

  TEST_CASE("an actor that suspends itself finishes its handler and takes no other message") {
    in_virtual_time([]() -> sp::Task<void> {
      auto server = Server().start();
      auto done = co_await server.request<Server::SuspendYourself>();
      CHECK(done.has_value());
      auto early = co_await server.request_with_timeout<Server::Ping>(50ms);
      CHECK(early.error() == Kind::timeout);
      CHECK(sp::resume(server));
      auto pong = co_await server.request<Server::Ping>();
      CHECK(pong.has_value());
    });
  }

  TEST_CASE("exit signals and kill end a suspended actor; what it has not read is not handled") {
    in_virtual_time([]() -> sp::Task<void> {
      auto const reasons = std::vector<Reason>{Reason::shutdown(), Reason::Kind::kill};
      for (Reason const& reason : reasons) {
        auto server = Server().start();
        CHECK(sp::suspend(server));
        auto pending = server.start_request<Server::Ping>();
        co_await sp::sleep(1ms);
        server.exit(reason);
        auto answer = co_await pending;
        CHECK(answer.error() == Kind::stopped);
        CHECK_FALSE(sp::suspend(server));
        CHECK_FALSE(sp::resume(server));
        auto end = co_await server.wait_exit();
        CHECK(end.has_value());
      }
    });
  }

  TEST_CASE("the end of the runtime ends suspended actors, in every mode and on every backend") {
    using Mail = sp::UnreadMail;
    for (auto const backend : {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread}) {
      for (auto const mail : {Mail::drain, Mail::discard, Mail::cancel}) {
        sp::Runtime runtime;
        auto parked = sp::start_with_on<Server>(runtime, {.backend = backend});
        auto other = sp::start_with_on<Server>(runtime, {.backend = backend});
        CHECK(sp::suspend(parked));
        auto unread = parked.start_request<Server::Ping>();
        CHECK(runtime.shutdown({.deadline = 60s, .mail = mail}).in_time);
        CHECK(parked.exit_reason().value() == Reason::shutdown());
        if (mail == Mail::drain) CHECK(unread.wait_blocking().value() == "pong");
        if (mail == Mail::discard) CHECK(unread.wait_blocking().error() == Kind::stopped);
        CHECK_FALSE(sp::suspend(other));
      }
    }
  }

  TEST_CASE("suspend and resume work on every backend, from plain threads") {
    for (auto const backend : {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread}) {
      sp::Runtime runtime;
      auto server = sp::start_with_on<Server>(runtime, {.backend = backend});
      CHECK(sp::suspend(server));
      auto early = server.request_blocking_with_timeout<Server::Ping>(5ms);
      CHECK(early.error() == Kind::timeout);
      CHECK(sp::resume(server));
      CHECK(server.request_blocking<Server::Ping>().value() == "pong");
    }
  }

  TEST_CASE(
      "the mailbox of a suspended actor keeps its limits, and those who wait get room later") {
    in_virtual_time([]() -> sp::Task<void> {
      auto server = Server().start({.mailbox_capacity = 2, .overflow = sp::Overflow::wait});
      CHECK(sp::suspend(server));
      CHECK(server.send<Server::Note>("a") == sp::SendResult::ok);
      CHECK(server.send<Server::Note>("b") == sp::SendResult::ok);
      CHECK(server.send<Server::Note>("no") == sp::SendResult::full);
      auto waits = [](sp::ActorRef<Server> to) -> sp::Task<bool> {
        auto sent = co_await to.send_wait<Server::Note>("c");
        co_return sent.has_value();
      };
      auto waiter = sp::spawn(waits(server));
      co_await sp::sleep(1s);
      CHECK_FALSE(waiter.is_finished());
      CHECK(sp::resume(server));
      auto sent = co_await waiter;
      CHECK(sent.value());
      auto notes = co_await notes_of(server);
      CHECK(notes == test::Strings{"a", "b", "c"});
    });
  }

  TEST_CASE("a suspension does not disturb an idle timeout, whose message waits like any other") {
    in_virtual_time([]() -> sp::Task<void> {
      auto server = Server().start();
      server.send<Server::Fuse>(50ms);
      co_await sp::sleep(10ms);
      CHECK(sp::suspend(server));
      co_await sp::sleep(1s);
      CHECK(sp::resume(server));
      auto notes = co_await notes_of(server);
      CHECK(notes == test::Strings{"idle"});
    });
  }

  TEST_CASE("resume racing suspend racing sends: no message is lost, none out of order, no hang") {
    constexpr int messages = 5'000;
    constexpr int toggles = 2'000;
    for (std::size_t const capacity : {sp::unbounded, std::size_t{16}}) {
      sp::Runtime runtime;
      sp::ActorOptions options{.mailbox_capacity = capacity, .overflow = sp::Overflow::wait};
      auto server = sp::start_with_on<Server>(runtime, std::move(options));
      std::vector<std::thread> togglers;
      for (int i = 0; i < 2; ++i) {
        togglers.emplace_back([&server] {
          for (int n = 0; n < toggles; ++n) {
            (void)sp::suspend(server);
            if (n % 3 == 0) std::this_thread::yield();
            (void)sp::resume(server);
          }
        });
      }
      for (int i = 0; i < messages; ++i) {
        REQUIRE(server.send_wait_blocking<Server::Number>(i).has_value());
      }
      for (std::thread& toggler : togglers) toggler.join();
      CHECK(server.request_blocking<Server::Count>().value() == messages);
    }
  }

  TEST_CASE("a kill racing suspend and resume ends the actor") {
    sp::Runtime runtime;
    for (int round = 0; round < 500; ++round) {
      auto server = Server().start_on(runtime);
      std::thread toggler([&server] {
        for (int i = 0; i < 20; ++i) {
          (void)sp::suspend(server);
          if (i % 3 == 0) (void)sp::resume(server);
        }
      });
      server.kill();
      CHECK(server.wait_exit_blocking().kind() == Reason::Kind::killed);
      toggler.join();
    }
  }
}
