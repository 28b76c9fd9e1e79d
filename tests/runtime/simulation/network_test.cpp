// The simulated network: what it guarantees, and each of its faults.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>

#include "runtime/simulation/io_support.hpp"

namespace sim = spawned::simulation;
namespace io = spawned::io;
using namespace std::chrono_literals;
using namespace spawned_test;

namespace {

// Runs the program with seeds until one fails, which fails the test.
void pass(sim::Program const& program, sim::ClockMode clock = sim::ClockMode::adversarial) {
  sim::Options options;
  options.clock = clock;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    sim::Report const report = sim::run(seed, options, program);
    CAPTURE(seed);
    CAPTURE(report.problem);
    REQUIRE(report.outcome == sim::Outcome::passed);
  }
}

std::string const long_text = [] {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + ",";
  return text;
}();

Task<void> write_and_end(io::TcpStream& stream, std::string text) {
  auto const written = co_await stream.write_all(bytes_of(text));
  require(written.has_value(), "write_all");
  stream.shutdown_write();
}

Task<void> bytes_in_order() {
  Pair pair = co_await connect_pair();
  auto writing = spawned::spawn(write_and_end(pair.a, long_text));
  auto const text = co_await read_all(pair.b);
  require(text.has_value() && *text == long_text, "what was read is what was written");
  (void)co_await writing;
}

Task<void> half_close() {
  Pair pair = co_await connect_pair();
  pair.a.shutdown_write();
  auto const nothing = co_await read_all(pair.b);
  require(nothing.has_value() && nothing->empty(), "the end");
  auto const refused = co_await pair.a.write_all(bytes_of("x"));
  require_error(refused, IoErrorKind::closed, "write after shutdown_write");
  auto writing = spawned::spawn(write_and_end(pair.b, long_text));
  auto const answer = co_await read_all(pair.a);
  require(answer.has_value() && *answer == long_text, "the other direction goes on");
  (void)co_await writing;
}

Task<void> measure_latency(std::chrono::nanoseconds& round_trip) {
  sim::network().set_link({.latency = 20ms});
  Pair pair = co_await connect_pair();
  auto const begin = spawned::now();
  (void)co_await pair.a.write_all(bytes_of("x"));
  (void)co_await read_exactly(pair.b, 1);
  (void)co_await pair.b.write_all(bytes_of("x"));
  (void)co_await read_exactly(pair.a, 1);
  round_trip = spawned::now() - begin;
}

Task<void> nothing_after_reset() {
  Pair pair = co_await connect_pair();
  (void)co_await pair.a.write_all(bytes_of("lost"));
  sim::network().reset("a", "b");
  std::byte part[8];
  auto const read = co_await pair.b.read_some(part);
  require_error(read, IoErrorKind::reset, "read");
  auto const again = co_await pair.b.read_some(part);
  require_error(again, IoErrorKind::reset, "read again");
  auto const written = co_await pair.a.write_some(bytes_of("x"));
  require_error(written, IoErrorKind::reset, "write");
}

Task<void> reset_wakes_a_reader() {
  Pair pair = co_await connect_pair();
  auto reading = spawned::spawn(read_all(pair.b));
  co_await spawned::sleep(10ms);
  sim::network().reset("a", "b");
  auto const joined = co_await reading;
  require_error(*joined, IoErrorKind::reset, "read");
}

Task<void> partition_then_heal() {
  Pair pair = co_await connect_pair();
  sim::network().partition("a", "b");
  (void)co_await pair.a.write_all(bytes_of("late"));
  std::byte part[8];
  auto const nothing = co_await pair.b.read_some(part).within(10s);
  require_error(nothing, IoErrorKind::timed_out, "read while they are apart");
  sim::network().heal("a", "b");
  auto const text = co_await read_exactly(pair.b, 4);
  require(text.has_value() && *text == "late", "what was written before heal()");
}

Task<void> partition_one_way() {
  Pair pair = co_await connect_pair();
  sim::network().partition_one_way("a", "b");
  (void)co_await pair.a.write_all(bytes_of("late"));
  (void)co_await pair.b.write_all(bytes_of("soon"));
  auto const soon = co_await read_exactly(pair.a, 4);
  require(soon.has_value() && *soon == "soon", "the open direction");
  std::byte part[8];
  auto const nothing = co_await pair.b.read_some(part).within(10s);
  require_error(nothing, IoErrorKind::timed_out, "the cut direction");
  sim::network().heal();
  auto const late = co_await read_exactly(pair.b, 4);
  require(late.has_value() && *late == "late", "after heal()");
}

Task<void> connect_through_a_partition() {
  sim::Host const a("a");
  sim::Host const b("b");
  auto listener = b.network().listen(80);
  sim::network().partition("a", "b");
  io::Network network = a.network();
  io::Address const to("b", 80);
  auto const never = co_await network.connect(to);
  require_error(never, IoErrorKind::timed_out, "connect");
  auto const soon = co_await network.connect(to).within(1s);
  require_error(soon, IoErrorKind::timed_out, "connect with a limit");
  sim::network().heal();
  auto const connected = co_await network.connect(to);
  require(connected.has_value(), "connect after heal()");
}

Task<void> bad_connects() {
  sim::Host const a("a");
  sim::Host const b("b");
  io::Network network = a.network();
  io::Address const nobody("b", 80);
  auto const refused = co_await network.connect(nobody);
  require_error(refused, IoErrorKind::refused, "nobody listens");
  io::Address const nowhere("c", 80);
  auto const bad = co_await network.connect(nowhere);
  require_error(bad, IoErrorKind::bad_address, "no such host");
  auto listener = b.network().listen(80);
  auto const second = b.network().listen(80);
  require_error(second, IoErrorKind::address_in_use, "two listeners");
  listener->close();
  auto const third = b.network().listen(80);
  require(third.has_value(), "the port is free again");
}

Task<void> back_pressure() {
  sim::network().set_window(10);
  Pair pair = co_await connect_pair();
  auto const first = co_await pair.a.write_some(bytes_of("0123456789abc"));
  require(first.has_value() && *first == 10, "as much as there is room for");
  auto const full = co_await pair.a.write_some(bytes_of("abc")).within(10s);
  require_error(full, IoErrorKind::timed_out, "no room");
  auto writing = spawned::spawn(write_and_end(pair.a, "abc"));
  auto const text = co_await read_all(pair.b);
  require(text.has_value() && *text == "0123456789abc", "reading makes room");
  (void)co_await writing;
}

Task<void> close_with_unread() {
  Pair pair = co_await connect_pair();
  (void)co_await pair.a.write_all(bytes_of("unread"));
  co_await spawned::sleep(10ms);
  pair.b.close();
  std::byte part[8];
  auto const read = co_await pair.a.read_some(part);
  require_error(read, IoErrorKind::reset, "read");
  auto const own = co_await pair.b.read_some(part);
  require_error(own, IoErrorKind::closed, "read of the closed side");
}

Task<void> crash_of_a_host() {
  sim::Host const b("b");
  Pair pair = co_await connect_pair();
  auto listener = b.network().listen(81);
  io::Network old = b.network();
  auto accepting = spawned::spawn([](io::TcpListener& from) -> Task<IoErrorKind> {
    auto const accepted = co_await from.accept();
    co_return accepted.has_value() ? IoErrorKind::busy : accepted.error().kind();
  }(*listener));
  co_await spawned::sleep(10ms);
  b.crash();
  auto const kind = co_await accepting;
  require(*kind == IoErrorKind::closed, "accept");
  std::byte part[8];
  auto const read = co_await pair.a.read_some(part);
  require_error(read, IoErrorKind::reset, "the other host");
  auto const zombie = co_await pair.b.write_some(bytes_of("x"));
  require_error(zombie, IoErrorKind::closed, "a handle of before the crash");
  auto const old_listen = old.listen(82);
  require_error(old_listen, IoErrorKind::closed, "the network of before the crash");
  auto const again = b.network().listen(80);
  require(again.has_value(), "the machine is up again");
}

Task<void> send_datagrams(int count, std::vector<int>& came) {
  sim::Host const a("a");
  sim::Host const b("b");
  auto from = a.network().bind(0);
  auto to = b.network().bind(53);
  for (int i = 0; i < count; ++i) {
    std::byte const number{static_cast<unsigned char>(i)};
    io::Address const address("b", 53);
    auto const sent = co_await from->send_to(address, std::span(&number, 1));
    require(sent.has_value(), "send_to");
  }
  for (;;) {
    std::byte number[4];
    auto const got = co_await to->receive_from(number).within(10s);
    if (!got.has_value()) break;
    require(got->size == 1 && got->from == from->local_address(), "who sent it");
    came.push_back(static_cast<int>(number[0]));
  }
}

struct Faulty {
  sim::NetworkFaults faults;
  sim::Link link;
};

// What of 8 datagrams comes, for each of many seeds.
std::set<std::vector<int>> datagrams(Faulty const& how) {
  std::set<std::vector<int>> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::vector<int> came;
    auto const program = [&came, &how]() {
      sim::network().set_faults(how.faults);
      sim::network().set_link(how.link);
      return send_datagrams(8, came);
    };
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    sim::Report const report = sim::run(seed, options, program);
    CAPTURE(report.problem);
    CHECK(report.passed());
    seen.insert(came);
  }
  return seen;
}

Task<void> use_all_of_it() {
  sim::network().set_faults(
      {.loss = 0.1, .duplication = 0.1, .short_read = 0.3, .short_write = 0.3});
  sim::network().set_link({.latency = 1ms, .jitter = 5ms});
  std::vector<int> came;
  co_await send_datagrams(5, came);
  co_await bytes_in_order();
}

Task<void> two_tasks_read() {
  Pair pair = co_await connect_pair();
  auto reading = spawned::spawn(read_all(pair.b));
  co_await spawned::sleep(10ms);
  std::byte part[8];
  auto const second = co_await pair.b.read_some(part);
  require_error(second, IoErrorKind::busy, "a second reader");
  reading.cancel();
  auto const joined = co_await reading;
  require(joined.has_value(), "join");
  require_error(*joined, IoErrorKind::cancelled, "a cancelled read");
  (void)co_await pair.a.write_all(bytes_of("abc"));
  auto const text = co_await read_exactly(pair.b, 3);
  require(text.has_value() && *text == "abc", "a cancelled read takes nothing");
}

}  // namespace

TEST_SUITE("runtime/simulation/network") {
  TEST_CASE("bytes arrive in order, each once, however they are cut, lost and delayed") {
    pass([] { return bytes_in_order(); });
    pass([] {
      sim::network().set_faults({.loss = 0.3, .short_read = 0.5, .short_write = 0.5});
      sim::network().set_link({.latency = 3ms, .jitter = 30ms});
      return bytes_in_order();
    });
    pass([] {
      sim::network().set_window(7);
      return bytes_in_order();
    });
  }

  TEST_CASE("half-close ends one direction, the other goes on") {
    pass([] { return half_close(); });
  }

  TEST_CASE("a packet takes the time of its link") {
    std::chrono::nanoseconds time{};
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    CHECK(sim::run(1, options, [&time] { return measure_latency(time); }).passed());
    CHECK(time >= 40ms);
    CHECK(time <= 44ms);
  }

  TEST_CASE("nothing is read or written after a reset") {
    pass([] { return nothing_after_reset(); });
    pass([] { return reset_wakes_a_reader(); });
  }

  TEST_CASE("a rate of resets resets connections") {
    int resets = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      auto const program = []() {
        sim::network().set_faults({.reset = 0.5});
        return bytes_in_order();
      };
      if (!sim::run(seed, program).passed()) ++resets;
    }
    CHECK(resets > 20);
    CHECK(resets < 100);
  }

  TEST_CASE("what is written during a partition arrives after heal") {
    pass([] { return partition_then_heal(); });
  }

  TEST_CASE("a one-way partition cuts one direction") {
    pass([] { return partition_one_way(); });
  }

  TEST_CASE("connect through a partition times out, and works after heal") {
    pass([] { return connect_through_a_partition(); });
  }

  TEST_CASE("connecting to nobody is refused, to nowhere a bad address; a port has one listener") {
    pass([] { return bad_connects(); });
  }

  TEST_CASE("a full window makes the writer wait until the reader reads") {
    pass([] { return back_pressure(); });
  }

  TEST_CASE("closing with unread bytes resets the other side") {
    pass([] { return close_with_unread(); });
  }

  TEST_CASE("a crash closes what the host had and resets its connections") {
    pass([] { return crash_of_a_host(); });
  }

  TEST_CASE("one task reads at a time, and a cancelled read takes nothing") {
    pass([] { return two_tasks_read(); }, sim::ClockMode::idle);
  }

  TEST_CASE("datagrams arrive once and in order where nothing is wrong") {
    CHECK(datagrams({}) == std::set<std::vector<int>>{{0, 1, 2, 3, 4, 5, 6, 7}});
  }

  TEST_CASE("datagrams are lost, duplicated and reordered by rate") {
    auto const lost = datagrams({.faults = {.loss = 0.3}, .link = {}});
    CHECK(std::any_of(lost.begin(), lost.end(), [](auto const& came) { return came.size() < 8; }));
    CHECK(std::all_of(lost.begin(), lost.end(), [](auto const& came) { return came.size() <= 8; }));
    auto const twice = datagrams({.faults = {.duplication = 0.3}, .link = {}});
    CHECK(
        std::any_of(twice.begin(), twice.end(), [](auto const& came) { return came.size() > 8; }));
    auto const mixed = datagrams({.faults = {}, .link = {.latency = 1ms, .jitter = 30ms}});
    CHECK(std::any_of(mixed.begin(), mixed.end(), [](auto const& came) {
      return came.size() == 8 && !std::is_sorted(came.begin(), came.end());
    }));
  }

  TEST_CASE("equal seeds are equal runs with network and faults") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      CHECK_NOTHROW(sim::check_determinism(seed, [] { return use_all_of_it(); }));
    }
  }

  TEST_CASE("a handle that outlives the simulation does nothing") {
    std::optional<Pair> kept;
    auto const program = [&kept]() {
      return [](std::optional<Pair>& into) -> Task<void> {
        Pair pair = co_await connect_pair();
        into.emplace(std::move(pair));
      }(kept);
    };
    CHECK(sim::run(1, program).passed());
    CHECK_NOTHROW(kept.reset());
  }

  TEST_CASE("rates out of range, negative times and unknown hosts are typed errors") {
    auto const bad = [](auto what) {
      bool thrown = false;
      auto const program = [&thrown, what]() {
        try {
          what();
        } catch (sim::InvalidSimulation const&) {
          thrown = true;
        }
        return []() -> Task<void> { co_return; }();
      };
      CHECK(sim::run(1, program).passed());
      return thrown;
    };
    CHECK(bad([] { sim::network().set_faults({.loss = 1.5}); }));
    CHECK(bad([] { sim::network().set_faults({.short_read = -1}); }));
    CHECK(bad([] { sim::network().set_link({.latency = -1ms}); }));
    CHECK(bad([] { sim::network().partition("nobody", "knows"); }));
    CHECK(bad([] { sim::network().set_window(0); }));
    CHECK(bad([] { sim::Host(""); }));
    CHECK(bad([] { sim::crash_host("nobody"); }));
  }

  TEST_CASE("outside of a simulation there is no network yet, and it says so") {
    CHECK_THROWS_AS((void)sim::network(), std::logic_error);
    CHECK_THROWS_AS((void)io::network(), spawned::NoRuntime);
    spawned::run([]() -> Task<void> {
      io::Network network = io::network();
      CHECK_FALSE(network.is_there());
      auto const listener = network.listen(80);
      CHECK(listener.error().kind() == IoErrorKind::not_there);
      CHECK(listener.error().what().find("simulated") != std::string::npos);
      io::Address const to("localhost", 80);
      auto const stream = co_await network.connect(to);
      CHECK(stream.error().kind() == IoErrorKind::not_there);
    }());
  }

  TEST_CASE("io::network and io::disk are those of the host in scope") {
    pass([]() -> Task<void> {
      sim::Host const a("a");
      io::Network network;
      {
        sim::HostScope const scope(a);
        network = io::network();
      }
      auto const listener = network.listen(80);
      require(listener->local_address() == io::Address("a", 80), "of a");
      auto const other = io::network().listen(80);
      require(other->local_address() == io::Address("localhost", 80), "outside");
      co_return;
    });
  }
}
