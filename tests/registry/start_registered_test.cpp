#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"
#include "support/actors.hpp"

using namespace names;

namespace {

/// Counts its inits, and fails if it is told to.
class Counted : public sp::Actor<Counted> {
 public:
  explicit Counted(std::atomic<int>& inits, bool fails = false) : inits_(&inits), fails_(fails) {}
  sp::Task<sp::InitResult> init() {
    inits_->fetch_add(1);
    found_ = registry::whereis<Counted>("counted").has_value();
    co_await sp::yield_now();
    co_return fails_ ? sp::InitResult::error(sp::ExitReason::error("not today"))
                     : sp::InitResult::success();
  }
  bool handle_request(Ping) { return found_; }

 private:
  std::atomic<int>* inits_;
  bool fails_;
  bool found_ = false;
};

sp::Task<bool> start_one(std::atomic<int>& inits) {
  auto started = co_await registry::start_registered<Counted>("counted", inits);
  auto found = co_await started.value().ref.request<Ping>();
  CHECK(found.has_value());
  co_return started.value().started_now;
}

}  // namespace

TEST_SUITE("registry/start_registered") {
  TEST_CASE("GS-08: a second start under a name gives the one that has it, and calls no init") {
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      auto first = co_await registry::start_registered<Counted>("counted", count);
      CHECK(first.value().started_now);
      auto second = co_await registry::start_registered<Counted>("counted", count);
      CHECK_FALSE(second.value().started_now);
      CHECK(second.value().ref == first.value().ref);
      auto found = co_await first.value().ref.request<Ping>();
      CHECK(found.value());  // it had the name in its init
      auto named = registry::whereis<Counted>("counted");
      CHECK(named.value() == first.value().ref);
    };
    sp::run(body(inits));
    CHECK(inits.load() == 1);
  }
  TEST_CASE("EREG-06: who starts under a name is reachable by it until it ends; then another is") {
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      auto first = co_await registry::start_registered<Counted>("counted", count);
      auto named = registry::whereis<Counted>("counted");
      auto reply = co_await named.value().request<Ping>();
      CHECK(reply.has_value());
      auto ended = co_await first.value().ref.stop_and_wait();
      CHECK(ended.has_value());
      auto second = co_await registry::start_registered<Counted>("counted", count);
      CHECK(second.value().started_now);
    };
    sp::run(body(inits));
    CHECK(inits.load() == 2);
  }
  TEST_CASE("REG-07: when a start whose init fails returns, the name is free") {
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      for (int i = 0; i < 100; ++i) {
        auto failed = co_await registry::start_registered<Counted>("counted", count, true);
        REQUIRE_FALSE(failed.has_value());
        REQUIRE(failed.error().start_error() != nullptr);
        CHECK(*failed.error().start_error() == sp::ActorError::Kind::init_failed);
        CHECK(failed.error().name_error() == nullptr);
        CHECK(kind_of(registry::whereis<Counted>("counted")) == Kind::not_registered);
        CHECK(registry::registered().empty());
      }
      auto next = co_await registry::start_registered<Counted>("counted", count);
      CHECK(next.value().started_now);
    };
    sp::run(body(inits));
  }
  TEST_CASE("of many that start under one name at the same time, one does, and all get it") {
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      for (int round = 0; round < 20; ++round) {
        std::vector<sp::JoinHandle<bool>> starts;
        for (int i = 0; i < 8; ++i) starts.push_back(sp::spawn(start_one(count)));
        int started = 0;
        for (auto& each : starts) {
          auto joined = co_await each;
          started += joined.value() ? 1 : 0;
        }
        CHECK(started == 1);
        CHECK(count.load() == round + 1);
        auto named = registry::whereis<Counted>("counted");
        auto ended = co_await named.value().stop_and_wait();
        CHECK(ended.has_value());
      }
    };
    sp::run(body(inits));
  }
  TEST_CASE("a name of another type, an empty name and a throwing constructor start nothing") {
    struct Throws : sp::Actor<Throws> {
      Throws() { throw std::runtime_error("no"); }
      int handle_request(Ping) { return 0; }
    };
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("counted", holder).has_value());
      auto wrong = co_await registry::start_registered<Counted>("counted", count);
      REQUIRE(wrong.error().name_error() != nullptr);
      CHECK(*wrong.error().name_error() == registry::RegistryError(Kind::wrong_type, holder.id()));
      auto empty = co_await registry::start_registered<Counted>("", count);
      CHECK(*empty.error().name_error() == Kind::empty_name);
      CHECK(count.load() == 0);
      CHECK_THROWS_AS((void)registry::start_registered<Throws>("throws"), std::runtime_error);
      CHECK(kind_of(registry::whereis<Throws>("throws")) == Kind::not_registered);
    };
    sp::run(body(inits));
  }
  TEST_CASE("a typed key works as well, and in a registry of one's own") {
    static constexpr registry::Key<Counted> key("counted");
    std::atomic<int> inits{0};
    auto body = [](std::atomic<int>& count) -> sp::Task<void> {
      Registry own;
      auto first = co_await own.start_registered<Counted>(key, count);
      auto second = co_await own.start_registered<Counted>(key, count);
      CHECK(second.value().ref == first.value().ref);
      CHECK(own.whereis(key).value() == first.value().ref);
      CHECK(kind_of(registry::whereis(key)) == Kind::not_registered);
    };
    sp::run(body(inits));
  }
}
