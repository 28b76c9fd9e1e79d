#include <set>
#include <string>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

TEST_SUITE("actors/error") {
  TEST_CASE("every kind has a name and says what happened") {
    std::set<std::string> names;
    std::set<std::string> texts;
    for (Kind const kind :
         {Kind::timeout, Kind::no_such_actor, Kind::stopped, Kind::handler_failed,
          Kind::init_failed, Kind::init_no_success, Kind::unused, Kind::mailbox_full,
          Kind::cancelled, Kind::deadlock, Kind::unanswered, Kind::no_request}) {
      names.insert(to_string(kind));
      texts.insert(sp::ActorError(kind).what());
    }
    CHECK(names.size() == 12);
    CHECK(texts.size() == 12);
    CHECK(names.count("?") == 0);
    CHECK(names.count("no_such_actor") == 1);
  }

  TEST_CASE("an error that has a reason names it") {
    sp::ActorError const error(Kind::stopped, sp::ExitReason::custom("fire"));
    CHECK(error.what().find("custom: fire") != std::string::npos);
    CHECK(error.reason() == sp::ExitReason::custom("fire"));
  }

  TEST_CASE("errors compare by kind and reason, and with a kind alone") {
    sp::ActorError const error(Kind::stopped, sp::ExitReason::custom("fire"));
    CHECK(error == Kind::stopped);
    CHECK(!(error == Kind::timeout));
    CHECK(error == sp::ActorError(Kind::stopped, sp::ExitReason::custom("fire")));
    CHECK(!(error == sp::ActorError(Kind::stopped)));
  }

  TEST_CASE("Result::value on an error throws ActorFailure, which carries the error") {
    sp::Result<int> const result = sp::Unexpected(sp::ActorError(Kind::timeout));
    try {
      (void)result.value();
      FAIL("no exception");
    } catch (sp::ActorFailure const& failure) {
      CHECK(failure.error() == Kind::timeout);
      CHECK(std::string(failure.what()) == result.error().what());
    }
    CHECK(result.value_or(3) == 3);
  }
}
