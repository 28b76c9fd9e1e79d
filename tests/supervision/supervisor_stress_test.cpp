#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/actors/links.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildCounts;
using spawned::RestartStrategy;
using spawned::SupervisorError;
using Reason = sp::ExitReason;
using Kind = SupervisorError::Kind;
using test::Crash;
using test::End;
using test::get;
using test::Log;
using test::Ping;
using test::Server;
using test::servers;
using test::Sup;
using test::up;
using test::with;

using spawned::DynamicSupervisor;

TEST_SUITE("supervision/supervisor_stress") {
  TEST_CASE("sup_stop_race: children that end while the supervisor stops keep their reasons") {
    // On real threads: the race is the point.
    auto body = []() -> sp::Task<void> {
      for (int round = 0; round < 20; ++round) {
        auto log = std::make_shared<Log>();
        auto sup = co_await up(with(RestartStrategy::one_for_one, 0), servers(log, "abcdefghijkl"));
        std::vector<sp::ActorRef<Server>> refs;
        for (char id = 'a'; id <= 'l'; ++id) {
          auto ref = co_await get(sup, std::string(1, id));
          refs.push_back(std::move(ref));
        }
        std::vector<Reason> const reasons{Reason::normal(), Reason::shutdown(),
                                          Reason(Reason::Kind::shutdown, "x"),
                                          Reason::custom("other")};
        auto stops = sp::spawn([](Sup which) -> sp::Task<void> {
          (void)co_await which.stop_and_wait(Reason::shutdown());
        }(sup));
        for (std::size_t i = 0; i < refs.size(); ++i) refs[i].send<End>(reasons[i % 4]);
        (void)co_await stops;
        CHECK(sup.exit_reason() == Reason::shutdown());
        for (std::size_t i = 0; i < refs.size(); ++i) {
          (void)co_await refs[i].wait_exit();
          bool const own = refs[i].exit_reason() == reasons[i % 4];
          bool const told = refs[i].exit_reason() == Reason::shutdown();
          CHECK((own || told));
        }
      }
    };
    sp::run(body());
  }
  TEST_CASE("sup_stop_race: the same under a dynamic supervisor") {
    auto body = []() -> sp::Task<void> {
      for (int round = 0; round < 20; ++round) {
        auto log = std::make_shared<Log>();
        spawned::DynamicOptions options;
        options.intensity = 1000;
        auto sup = DynamicSupervisor(options,
                                     spawned::child_template<std::string>(
                                         [log](std::string const& id) { return Server(id, log); }))
                       .start();
        std::vector<sp::ActorRef<Server>> refs;
        for (int i = 0; i < 12; ++i) {
          auto ref = co_await sup.request<DynamicSupervisor::StartWith>("x");
          refs.push_back(ref.value().value().as<Server>().value());
        }
        auto stops = sp::spawn([](sp::ActorRef<DynamicSupervisor> which) -> sp::Task<void> {
          (void)co_await which.stop_and_wait();
        }(sup));
        for (std::size_t i = 0; i < refs.size(); ++i) {
          i % 2 == 0 ? refs[i].kill() : (void)refs[i].send<Crash>();
        }
        (void)co_await stops;
        for (auto const& ref : refs) CHECK_FALSE(ref.is_alive());
      }
    };
    sp::run(body());
  }
  TEST_CASE("scale_start_stop_many_children: 10,000 children start, are counted and stop") {
    auto body = []() -> sp::Task<void> {
      struct Small : sp::Actor<Small> {
        void handle_message(Ping) {}
      };
      auto sup = DynamicSupervisor({}, spawned::child_template<>([] { return Small(); })).start();
      constexpr std::size_t many = 10'000;
      for (std::size_t i = 0; i < many; ++i) {
        auto started = co_await sup.request<DynamicSupervisor::StartWith>();
        if (!started.value()) FAIL("a child did not start");
      }
      auto count = co_await sup.request<DynamicSupervisor::CountChildren>();
      CHECK(count.value() == ChildCounts{1, many, 0, many});
      auto all = co_await sup.request<DynamicSupervisor::WhichChildren>();
      CHECK(all.value().size() == many);
      for (std::size_t i = 0; i < many / 2; ++i) {
        auto const id = all.value()[i].ref.id();
        (void)co_await sup.request<DynamicSupervisor::TerminateChild>(id);
      }
      count = co_await sup.request<DynamicSupervisor::CountChildren>();
      CHECK(count.value().active == many / 2);
      (void)co_await sup.stop_and_wait();
      CHECK_FALSE(all.value().back().ref.as<Small>()->is_alive());
    };
    sp::run(body());
  }
}
