#include <spawned/supervision/partition_supervisor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/actors/links.hpp>
#include <spawned/runtime/simulation/program.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildCounts;
using spawned::ChildSpec;
using spawned::Supervisor;
using spawned::SupervisorError;
using test::counts;
using test::Fail;
using test::Log;
using test::LogPtr;
using test::Ping;
using test::Server;
using test::servers;
using test::Slow;
using test::Texts;
using test::up;

using spawned::partition_supervisor;
using spawned::PartitionOptions;
using spawned::Partitions;

namespace {

PartitionOptions partitions(std::size_t count) {
  PartitionOptions options;
  options.partitions = count;
  return options;
}

Supervisor three(LogPtr log) {
  return partition_supervisor(partitions(3),
                              [log](std::size_t n) { return Server(std::to_string(n), log); });
}

}  // namespace

TEST_SUITE("supervision/partition_supervisor") {
  TEST_CASE("PART-01: integer keys go by their remainder, without their sign") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto started = co_await three(log).start_and_wait();
      auto sup = started.value();
      CHECK(log->events.take() == Texts{"start 0", "start 1", "start 2"});
      auto found = co_await Partitions<Server>::of(sup);
      auto const& all = found.value();
      CHECK(all.size() == 3);
      for (int key = 0; key < 3; ++key) {
        CHECK(all.at(key).id() == all[static_cast<std::size_t>(key)].id());
      }
      CHECK(all.at(3).id() == all[0].id());
      CHECK(all.at(-1).id() == all[1].id());
      CHECK(all.at(std::size_t{5}).id() == all[2].id());
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{3, 3, 0, 3});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("PART-02: one partition for each worker unless told otherwise; equal keys are alike") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto factory = [log](std::size_t n) { return Server(std::to_string(n), log); };
      auto actor = partition_supervisor({}, factory);
      auto started = co_await std::move(actor).start_and_wait();
      auto sup = started.value();
      auto found = co_await Partitions<Server>::of(sup);
      auto const& all = found.value();
      std::size_t const workers = spawned::simulation::active() ? 1 : 3;
      CHECK(all.size() == workers);
      CHECK(all.at("key").id() == all.at(std::string("key")).id());
      (void)co_await sup.stop_and_wait();
    };
    auto options = test::virtual_time();
    options.workers = 3;
    sp::run(body(), options);
  }
  TEST_CASE("PART-03: no partitions are refused, and the default outside every runtime") {
    auto const factory = [](std::size_t) { return Slow(1ms); };
    CHECK_THROWS_AS((void)partition_supervisor(partitions(0), factory), sp::InvalidOptions);
    CHECK_THROWS_AS((void)partition_supervisor({}, factory), sp::NoRuntime);
  }
  TEST_CASE("a partition that is restarted is found by the look-up that was made before") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      std::vector<ChildSpec> specs;
      specs.push_back(child("caches", [log] { return three(log); }));
      auto root = co_await up({}, std::move(specs));
      auto info = co_await root.request<Supervisor::GetChild>("caches");
      CHECK(info.value().value().type == spawned::ChildType::supervisor);
      auto sup = info.value().value().ref.as<Supervisor>().value();
      auto found = co_await Partitions<Server>::of(sup);
      auto ref = found.value().at("key");
      (void)co_await ref.request<Fail>();
      auto alive = co_await found.value().at("key").request<Ping>();
      CHECK(alive.has_value());
      (void)co_await root.stop_and_wait();
      auto none = co_await Partitions<Server>::of(sup);
      CHECK(none.error().kind() == sp::ActorError::Kind::no_such_actor);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("partitions of another type are an error") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = three(log).start();
      auto found = co_await Partitions<Slow>::of(sup);
      CHECK(found.error().kind() == sp::ActorError::Kind::no_such_actor);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
}
