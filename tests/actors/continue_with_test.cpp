#include <string>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;

namespace {

struct Note {
  std::string text;
};
struct Work {
  int steps;
};
struct Slow {
  test::Gate entered;
  test::Gate leave;
};
struct Sync {};
struct AndEnd {};

class Worker : public sp::Actor<Worker> {
 public:
  Worker(test::Events& events, bool from_init) : events_(&events), from_init_(from_init) {}
  void init(sp::Context<Worker>& context) {
    if (!from_init_) return;
    context.self().send<Note>("early");
    context.continue_with<Note>("c1");
    context.continue_with<Note>("c2");
  }
  void handle_message(Note note) { events_->add(note.text); }
  void handle_message(Work work, sp::Context<Worker>& context) {
    events_->add("work " + std::to_string(work.steps));
    if (work.steps == 0) return;
    context.continue_with<Work>(work.steps - 1);
    context.continue_with<Note>("note " + std::to_string(work.steps));
  }
  sp::Task<void> handle_message(Slow slow, sp::Context<Worker>& context) {
    slow.entered.open();
    context.continue_with<Note>("first");
    co_await slow.leave.opened();
    context.continue_with<Note>("second");
    events_->add("slow done");
  }
  void handle_request(Sync /*request*/) {}
  int handle_request(AndEnd /*request*/, sp::Context<Worker>& context) {
    context.continue_with<Note>("never");
    context.stop();
    return 1;
  }
  void teardown(sp::Context<Worker>& context) { context.continue_with<Note>("in teardown"); }

 private:
  test::Events* events_;
  bool from_init_;
};

}  // namespace

TEST_SUITE("actors/continue_with") {
  TEST_CASE("GS-22: what init continues with comes before what it sent to its own actor") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto worker = sp::start<Worker>(seen, true);
      (void)co_await worker.request<Sync>();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"c1", "c2", "early"});
  }

  TEST_CASE("a continuation comes right after its callback, before the mail; several in order") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto worker = sp::start<Worker>(seen, false);
      worker.send<Work>(2);
      worker.send<Note>("mail");
      (void)co_await worker.request<Sync>();
    };
    sp::RuntimeOptions one;
    one.workers = 1;
    sp::run(body(events), one);
    CHECK(events.all() == test::Strings{"work 2", "work 1", "note 2", "work 0", "note 1", "mail"});
  }

  TEST_CASE("a lone message is continued too, and the actor idles afterwards") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto worker = sp::start<Worker>(seen, false);
      for (int round = 0; round != 3; ++round) {
        worker.send<Work>(1);
        co_await sp::yield_now();
      }
      (void)co_await worker.request<Sync>();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"work 1", "work 0", "note 1", "work 1", "work 0", "note 1",
                                        "work 1", "work 0", "note 1"});
  }

  TEST_CASE("a coroutine handler continues after its end, before mail that came meanwhile") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto worker = sp::start<Worker>(seen, false);
      test::Gate entered;
      test::Gate leave;
      worker.send<Slow>(entered, leave);
      co_await entered.opened();
      worker.send<Note>("mail");
      leave.open();
      (void)co_await worker.request<Sync>();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"slow done", "first", "second", "mail"});
  }

  TEST_CASE("an actor that ends does not continue") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto worker = sp::start<Worker>(seen, false);
      auto reply = co_await worker.request<AndEnd>();
      CHECK(reply.value() == 1);
      (void)co_await worker.wait_exit();
    };
    sp::run(body(events));
    CHECK(events.all().empty());
  }
}
