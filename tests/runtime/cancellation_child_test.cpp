#include <optional>
#include <stop_token>

#include <doctest/doctest.h>

#include <spawned/runtime/cancellation.hpp>

TEST_SUITE("runtime/cancellation_child") {
  TEST_CASE("the last token of a child may go in what the parent's cancellation calls") {
    spawned::CancellationToken parent;
    std::optional<spawned::CancellationToken> child(parent.child_token());
    bool called = false;
    std::stop_callback const callback(child->stop_token(), [&] {
      called = true;
      child.reset();
    });
    parent.cancel();
    CHECK(called);
    CHECK_FALSE(child.has_value());
  }
}
