#include <spawned/supervision/pool.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/random.hpp>
#include <spawned/supervision/describe.hpp>
#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::Supervisor;
using spawned::SupervisorError;
using Reason = sp::ExitReason;
using ErrorKind = sp::ActorError::Kind;

namespace {

struct Who {};
struct Fail {};
struct Work {
  std::chrono::milliseconds time;
};
struct Count {};
struct Seen {};

class Worker : public sp::Actor<Worker> {
 public:
  std::uint64_t handle_request(Who /*who*/, sp::Context<Worker>& context) {
    return context.id().value;
  }
  void handle_request(Fail /*fail*/) { throw std::runtime_error("boom"); }
  sp::Task<std::uint64_t> handle_request(Work work, sp::Context<Worker>& context) {
    co_await sp::sleep(work.time);
    co_return context.id().value;
  }
  void handle_message(Count /*count*/) { ++count_; }
  int handle_request(Seen /*seen*/) { return count_; }

 private:
  int count_ = 0;
};

using WorkerPool = sp::Pool<Worker>;

WorkerPool pool_of(std::size_t size, sp::Routing routing = sp::Routing::round_robin) {
  sp::PoolOptions options;
  options.size = size;
  options.routing = routing;
  return WorkerPool(options, [] { return Worker{}; });
}

sp::Task<std::vector<std::uint64_t>> ask(WorkerPool pool, std::size_t times) {
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < times; ++i) {
    auto id = co_await pool.request<Who>();
    ids.push_back(id.value());
  }
  co_return ids;
}

sp::Task<std::uint64_t> work(WorkerPool pool, std::chrono::milliseconds time) {
  auto id = co_await pool.request_with_timeout<Work>(1h, time);
  co_return id.value();
}

std::size_t distinct(std::vector<std::uint64_t> ids) {
  std::sort(ids.begin(), ids.end());
  return static_cast<std::size_t>(std::unique(ids.begin(), ids.end()) - ids.begin());
}

}  // namespace

TEST_SUITE("supervision/pool") {
  TEST_CASE("round robin: each worker in turn") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(3);
      auto router = co_await pool.start();
      auto ids = co_await ask(pool, 9);
      CHECK(distinct(ids) == 3);
      for (std::size_t i = 3; i < ids.size(); ++i) CHECK(ids[i] == ids[i - 3]);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("least loaded: who has the fewest requests unanswered") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(3, sp::Routing::least_loaded);
      auto router = co_await pool.start();
      std::vector<sp::JoinHandle<std::uint64_t>> busy;
      for (int i = 0; i < 2; ++i) {
        busy.push_back(sp::spawn(work(pool, 1000ms)));
        co_await sp::sleep(1ms);
      }
      auto ids = co_await ask(pool, 10);  // all to the one that is free
      CHECK(distinct(ids) == 1);
      for (auto& handle : busy) {
        auto id = co_await handle;
        CHECK(id.value() != ids[0]);
      }
      ids = co_await ask(pool, 9);
      CHECK(distinct(ids) == 3);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("by key: always the same worker; a resize from n to m moves about |n-m|/max(n,m)") {
    for (int round = 0; round < 40; ++round) {
      std::size_t const from = 1 + spawned::random_below(60);
      std::size_t const to = 1 + spawned::random_below(60);
      std::size_t constexpr keys = 20'000;
      std::uint64_t const base = spawned::random_bits();
      std::map<std::size_t, std::size_t> shares;
      std::size_t moved = 0;
      for (std::size_t k = 0; k < keys; ++k) {
        std::uint64_t const hash = spawned::detail::key_hash(base + k);
        std::size_t const before = spawned::detail::consistent_index(hash, from);
        std::size_t const after = spawned::detail::consistent_index(hash, to);
        REQUIRE(before < from);
        REQUIRE(after < to);
        ++shares[before];
        if (before == after) continue;
        ++moved;
        // Only to a new worker, or from one that goes.
        CHECK((to > from ? after >= from : before >= to));
      }
      CAPTURE(from);
      CAPTURE(to);
      double const big = static_cast<double>(std::max(from, to));
      double const gap = big - static_cast<double>(std::min(from, to));
      CHECK(static_cast<double>(moved) == doctest::Approx(keys * gap / big).epsilon(0.25));
      for (auto const& [worker, share] : shares) {
        CHECK(static_cast<double>(share) * static_cast<double>(from) ==
              doctest::Approx(keys).epsilon(0.35));
      }
    }
  }

  TEST_CASE("by key through a pool: requests, messages and refs agree") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(5);
      auto router = co_await pool.start();
      std::string const key = "Joe";
      auto const ref = pool.pick_by_key(key);
      for (int i = 0; i < 3; ++i) {
        auto id = co_await pool.request_by_key<Who>(key);
        CHECK(id.value() == ref->id().value);
        CHECK(pool.send_by_key<Count>(key) == sp::SendResult::ok);
      }
      auto seen = co_await ref->request<Seen>();
      CHECK(seen.value() == 3);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("broadcast reaches every worker, and gather asks every one") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(4);
      auto router = co_await pool.start();
      CHECK(pool.broadcast<Count>() == 4);
      auto seen = co_await pool.gather<Seen>();
      REQUIRE(seen.size() == 4);
      for (auto const& one : seen) CHECK(one.value() == 1);
      std::chrono::milliseconds const long_time = 10s;
      auto slow = co_await pool.gather_with_timeout<Work>(1s, long_time);
      for (auto const& one : slow) CHECK(one.error() == ErrorKind::timeout);
      router->kill();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a crashed worker's request gets its error at once, the others go on, and it is back") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(2);
      auto router = co_await pool.start();
      auto other = sp::spawn(work(pool, 500ms));
      co_await sp::sleep(1ms);
      auto const begin = sp::now();
      auto failed = co_await pool.request<Fail>();
      CHECK(failed.error() == ErrorKind::handler_failed);
      CHECK(sp::now() - begin < 100ms);
      auto id = co_await other;
      CHECK(id.has_value());
      auto ids = co_await ask(pool, 4);
      CHECK(distinct(ids) == 2);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("it is resized while it works: who goes handles what it was sent first") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(1);
      auto router = co_await pool.start();
      auto grown = co_await pool.resize(4);
      CHECK(grown.value().value() == 4);
      CHECK(pool.size() == 4);
      auto ids = co_await ask(pool, 8);
      CHECK(distinct(ids) == 4);

      std::vector<sp::JoinHandle<std::uint64_t>> under_way;
      for (int i = 0; i < 12; ++i) under_way.push_back(sp::spawn(work(pool, 20ms)));
      co_await sp::sleep(1ms);
      auto shrunk = co_await pool.resize(1);
      CHECK(shrunk.value().value() == 1);
      for (auto& handle : under_way) {
        auto id = co_await handle;
        CHECK(id.has_value());
      }
      ids = co_await ask(pool, 4);
      CHECK(distinct(ids) == 1);
      auto tree = co_await spawned::supervision::describe(*router);
      CHECK(tree.children.size() == 1);
      auto too_many = co_await pool.resize(spawned::pool_size_max + 1);
      CHECK(too_many.value().error() == SupervisorError::Kind::invalid_spec);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a resize whose worker does not start leaves the pool as it was") {
    auto body = []() -> sp::Task<void> {
      auto starts = std::make_shared<int>(0);
      sp::PoolOptions options;
      options.size = 2;
      WorkerPool pool(options, [starts]() -> Worker {
        if (++*starts > 3) throw std::runtime_error("no room");
        return {};
      });
      auto router = co_await pool.start();
      auto grown = co_await pool.resize(5);
      CHECK(grown.value().error() == SupervisorError::Kind::start_failed);
      CHECK(grown.value().error().id() == "worker-3");
      CHECK(pool.size() == 2);
      auto ids = co_await ask(pool, 4);
      CHECK(distinct(ids) == 2);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a pool whose worker does not start does not start") {
    auto body = []() -> sp::Task<void> {
      WorkerPool pool({}, []() -> Worker { throw std::runtime_error("bad"); });
      auto router = co_await pool.start();
      CHECK(router.error() == ErrorKind::init_failed);
      CHECK(router.error().reason().text() ==
            "child worker-0 did not start: error: std::runtime_error: bad");
      auto answer = co_await pool.request<Who>();
      CHECK(answer.error() == ErrorKind::no_such_actor);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("without workers requests answer no_such_actor and messages are dropped") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(2);
      for (int i = 0; i < 2; ++i) {
        auto answer = co_await pool.request<Who>();
        CHECK(answer.error() == ErrorKind::no_such_actor);
        CHECK(pool.send<Count>() == sp::SendResult::dropped);
        CHECK(pool.broadcast<Count>() == 0);
        CHECK(!pool.pick());
        auto all = co_await pool.gather<Seen>();
        CHECK(all.empty());
        auto resized = co_await pool.resize(1);
        CHECK(resized.error() == ErrorKind::no_such_actor);
        auto router = co_await pool.start();
        CHECK(pool.size() == 2);
        auto second = co_await pool.start();
        CHECK(second.error() == ErrorKind::init_failed);
        CHECK(pool.size() == 2);
        (void)co_await router->stop_and_wait();
      }
      auto empty = pool_of(0);
      auto router = co_await empty.start();
      auto answer = co_await router->request<Who>();
      CHECK(answer.error() == ErrorKind::no_such_actor);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("its router is an actor of the worker's messages: a Protocol of them takes it") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(3);
      auto router = co_await pool.start();
      sp::Protocol<Count, std::uint64_t(Who)> const anyone = *router;
      std::vector<std::uint64_t> ids;
      for (int i = 0; i < 6; ++i) {
        auto id = co_await anyone.request<Who>();
        ids.push_back(id.value());
        anyone.send<Count>();
      }
      CHECK(distinct(ids) == 3);
      auto failed = co_await router->request<Fail>();
      CHECK(failed.error() == ErrorKind::handler_failed);
      (void)co_await router->stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("as a child: the handle is good through restarts of the router") {
    auto body = []() -> sp::Task<void> {
      auto pool = pool_of(2);
      std::vector<spawned::ChildSpec> specs;
      specs.push_back(pool.child("pool"));
      CHECK(specs[0].type() == spawned::ChildType::supervisor);
      auto root = co_await Supervisor({}, std::move(specs)).start_and_wait();
      auto tree = co_await spawned::supervision::describe(*root);
      CHECK(spawned::supervision::count(tree) == 4);
      auto info = co_await root->request<Supervisor::GetChild>("pool");
      auto router = info.value().value().ref.as<sp::PoolRouter<Worker>>().value();
      auto ids = co_await ask(pool, 2);
      router.kill();
      for (bool again = false; !again;) {  // until the new workers answer
        auto id = co_await pool.request<Who>();
        again = id && std::find(ids.begin(), ids.end(), *id) == ids.end();
        co_await sp::sleep(1ms);
      }
      ids = co_await ask(pool, 4);
      CHECK(distinct(ids) == 2);
      (void)co_await root->stop_and_wait();
      CHECK(pool.size() == 0);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("too many restarts end the pool with shutdown") {
    auto body = []() -> sp::Task<void> {
      sp::PoolOptions options;
      options.intensity = 2;
      WorkerPool pool(options, [] { return Worker{}; });
      auto router = co_await pool.start();
      for (int i = 0; i < 3; ++i) (void)co_await pool.request<Fail>();
      auto end = co_await router->wait_exit();
      CHECK(end.value() == Reason::shutdown());
      auto answer = co_await pool.request<Who>();
      CHECK(answer.error() == ErrorKind::no_such_actor);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("options out of range are refused by the constructor, which names the field") {
    auto const field = [](auto change) -> std::string {
      sp::PoolOptions options;
      change(options);
      try {
        WorkerPool const pool(options, [] { return Worker{}; });
      } catch (sp::InvalidOptions const& error) {
        return error.field();
      }
      return "accepted";
    };
    CHECK(field([](auto& options) { options.size = spawned::pool_size_max + 1; }) == "size");
    CHECK(field([](auto& options) { options.intensity = -1; }) == "intensity");
    CHECK(field([](auto& options) { options.period = 0s; }) == "period");
    CHECK(field([](auto& options) { options.drain = -1s; }) == "drain");
    CHECK(field([](auto& options) { options.shutdown = -1s; }) == "shutdown");
    CHECK(field([](auto&) {}) == "accepted");
  }
}
