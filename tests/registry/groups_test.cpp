#include <doctest/doctest.h>

#include <spawned/registry/groups.hpp>
#include <spawned/tasks.hpp>

TEST_SUITE("registry/groups") {
  TEST_CASE("x") {
    struct A : spawned::Actor<A> { void handle_message(int) {} };
    spawned::groups::Group<spawned::Recipient<int>> g("x");
    spawned::groups::Scope s;
    CHECK(s.broadcast<int>(g, 3).members == 0);
  }
}
