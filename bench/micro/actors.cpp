// The actors' hot paths. Each label names the floor benchmark it stands beside.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;

sp::RuntimeOptions options(unsigned workers) {
  sp::RuntimeOptions result;
  result.workers = workers;
  return result;
}

class Adder : public sp::Actor<Adder> {
 public:
  struct Add {
    std::int64_t n;
  };
  std::int64_t handle_request(Add add) { return add.n + 1; }
};

// --- request ---

sp::Task<std::int64_t> ask(sp::ActorRef<Adder> adder, std::int64_t count, bool timed) {
  std::int64_t sum = 0;
  if (timed) {
    for (std::int64_t i = 0; i < count; ++i) {
      auto reply = co_await adder.request<Adder::Add>(1);
      sum += *reply;
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      auto reply = co_await adder.request_with_timeout<Adder::Add>(sp::no_timeout, 1);
      sum += *reply;
    }
  }
  co_return sum;
}

// The batch is timed inside the runtime: block_on's two thread wake-ups are no part of a request.
sp::Task<double> timed_ask(sp::ActorRef<Adder> adder, std::int64_t count, bool timed) {
  auto const begin = bench::RealClock::now();
  benchmark::DoNotOptimize(co_await ask(std::move(adder), count, timed));
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

template <typename Batch>
void measure_inside(benchmark::State& state, std::int64_t operations, Batch&& batch) {
  (void)batch();
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    double const took = batch();
    state.SetIterationTime(took);
    seconds += took;
    count += operations;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
}

void request(benchmark::State& state, bool timed) {
  constexpr std::int64_t batch = 200'000;
  sp::Runtime runtime(options(2));
  auto adder = Adder{}.start_on(runtime);
  measure_inside(state, batch, [&] { return runtime.block_on(timed_ask(adder, batch, timed)); });
  state.SetLabel("floor=floor::request;unit=ns");
}
BENCHMARK_CAPTURE(request, none, false)->Name("actors::request/timeout=none")->UseManualTime();
BENCHMARK_CAPTURE(request, standard, true)
    ->Name("actors::request/timeout=default")
    ->UseManualTime();

sp::Task<double> many_clients(sp::ActorRef<Adder> adder, std::int64_t clients, std::int64_t each) {
  auto const begin = bench::RealClock::now();
  std::vector<sp::JoinHandle<std::int64_t>> handles;
  for (std::int64_t i = 0; i < clients; ++i) handles.push_back(sp::spawn(ask(adder, each, true)));
  for (auto& handle : handles) (void)co_await handle;
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

void request_clients(benchmark::State& state) {
  constexpr std::int64_t clients = 1000;
  constexpr std::int64_t each = 200;
  sp::Runtime runtime(options(2));
  auto adder = Adder{}.start_on(runtime);
  measure_inside(state, clients * each,
                 [&] { return runtime.block_on(many_clients(adder, clients, each)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(request_clients)->Name("actors::request/clients=1000")->UseManualTime();

// --- request by an actor: what looking for cycles costs ---

class Driver : public sp::Actor<Driver> {
 public:
  struct Drive {
    std::int64_t count;
  };
  explicit Driver(sp::ActorRef<Adder> adder) : adder_(std::move(adder)) {}
  sp::Task<double> handle_request(Drive drive) {
    auto const begin = bench::RealClock::now();
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < drive.count; ++i) {
      auto reply = co_await adder_.request<Adder::Add>(1);
      sum += *reply;
    }
    benchmark::DoNotOptimize(sum);
    co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  }

 private:
  sp::ActorRef<Adder> adder_;
};

sp::Task<double> drive(sp::ActorRef<Driver> driver, std::int64_t count) {
  auto reply = co_await driver.request_with_timeout<Driver::Drive>(sp::no_timeout, count);
  co_return *reply;
}

void request_nested(benchmark::State& state, bool cycles) {
  constexpr std::int64_t batch = 200'000;
  sp::RuntimeOptions with = options(2);
  with.detect_cycles = cycles;
  sp::Runtime runtime(with);
  auto driver = Driver(Adder{}.start_on(runtime)).start_on(runtime);
  measure_inside(state, batch, [&] { return runtime.block_on(drive(driver, batch)); });
  state.SetLabel("unit=ns");
}
BENCHMARK_CAPTURE(request_nested, off, false)
    ->Name("actors::request_nested/cycles=off")
    ->UseManualTime();
BENCHMARK_CAPTURE(request_nested, on, true)
    ->Name("actors::request_nested/cycles=on")
    ->UseManualTime();

// --- send ---

class RingNode : public sp::Actor<RingNode> {
 public:
  struct Next {
    sp::ActorRef<RingNode> node;
  };
  struct Token {
    std::int64_t left;
  };
  void handle_message(Next next) { next_.emplace(std::move(next.node)); }
  void handle_message(Token token) {
    if (token.left == 0) {
      done_->send(true);
    } else {
      next_->send<Token>(token.left - 1);
    }
  }
  struct Watch {
    sp::OneshotSender<bool>* done;
  };
  void handle_message(Watch watch) { done_ = watch.done; }

 private:
  std::optional<sp::ActorRef<RingNode>> next_;
  sp::OneshotSender<bool>* done_ = nullptr;
};

sp::Task<double> pass_round(std::vector<sp::ActorRef<RingNode>> const& ring, std::int64_t hops) {
  auto [sender, receiver] = sp::oneshot<bool>();
  for (auto const& node : ring) node.send<RingNode::Watch>(&sender);
  auto const begin = bench::RealClock::now();
  ring[0].send<RingNode::Token>(hops - 1);
  (void)co_await receiver;
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

void ring(benchmark::State& state, std::size_t actors, char const* label) {
  constexpr std::int64_t batch = 500'000;
  sp::Runtime runtime(options(2));
  std::vector<sp::ActorRef<RingNode>> nodes;
  for (std::size_t i = 0; i < actors; ++i) nodes.push_back(RingNode{}.start_on(runtime));
  for (std::size_t i = 0; i < actors; ++i) nodes[i].send<RingNode::Next>(nodes[(i + 1) % actors]);
  measure_inside(state, batch, [&] { return runtime.block_on(pass_round(nodes, batch)); });
  for (auto& node : nodes) node.stop();
  state.SetLabel(label);
}
BENCHMARK_CAPTURE(ring, ring, 100, "floor=floor::send_ring;unit=ns")
    ->Name("actors::send_ring/actors=100")
    ->UseManualTime();
BENCHMARK_CAPTURE(ring, pair, 2, "floor=floor::ping_pong;unit=ns")
    ->Name("actors::ping_pong")
    ->UseManualTime();

// --- fan-in: 16 senders, each 1,000 messages a turn, until each has sent its share ---

class Sink : public sp::Actor<Sink> {
 public:
  struct Item {
    std::int64_t n;
  };
  struct Expect {
    std::int64_t count;
    sp::OneshotSender<bool>* done;
  };
  void handle_message(Item item) {
    sum_ += item.n;
    if (--left_ == 0) done_->send(true);
  }
  void handle_message(Expect expect) {
    left_ = expect.count;
    done_ = expect.done;
  }

 private:
  std::int64_t sum_ = 0;
  std::int64_t left_ = 0;
  sp::OneshotSender<bool>* done_ = nullptr;
};

class Sender : public sp::Actor<Sender> {
 public:
  struct Flood {
    std::int64_t left;
  };
  explicit Sender(sp::ActorRef<Sink> sink) : sink_(std::move(sink)) {}
  void handle_message(Flood flood, sp::Context<Sender>& context) {
    for (int i = 0; i < 1000; ++i) sink_.send<Sink::Item>(i);
    if (flood.left > 1000) context.self().send<Flood>(flood.left - 1000);
  }

 private:
  sp::ActorRef<Sink> sink_;
};

sp::Task<double> flood(sp::ActorRef<Sink> const& sink, std::vector<sp::ActorRef<Sender>> const& all,
                       std::int64_t each) {
  auto [sender, receiver] = sp::oneshot<bool>();
  sink.send<Sink::Expect>(each * static_cast<std::int64_t>(all.size()), &sender);
  auto const begin = bench::RealClock::now();
  for (auto const& one : all) one.send<Sender::Flood>(each);
  (void)co_await receiver;
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

void fan_in(benchmark::State& state, unsigned workers, char const* label) {
  constexpr std::int64_t each = 20'000;
  sp::Runtime runtime(options(workers));
  auto sink = Sink{}.start_on(runtime);
  std::vector<sp::ActorRef<Sender>> senders;
  for (int i = 0; i < 16; ++i) senders.push_back(Sender(sink).start_on(runtime));
  measure_inside(state, 16 * each, [&] { return runtime.block_on(flood(sink, senders, each)); });
  state.SetLabel(label);
}
BENCHMARK_CAPTURE(fan_in, one, 1, "floor=floor::fan_in/workers=1;unit=ns")
    ->Name("actors::fan_in/senders=16/workers=1")
    ->UseManualTime();
BENCHMARK_CAPTURE(fan_in, two, 2, "floor=floor::fan_in/workers=2;unit=ns")
    ->Name("actors::fan_in/senders=16/workers=2")
    ->UseManualTime();

// The same into a bounded mailbox: the senders wait for room.
class PatientSender : public sp::Actor<PatientSender> {
 public:
  struct Flood {
    std::int64_t left;
  };
  explicit PatientSender(sp::ActorRef<Sink> sink) : sink_(std::move(sink)) {}
  sp::Task<void> handle_message(Flood flood, sp::Context<PatientSender>& context) {
    for (int i = 0; i < 1000; ++i) (void)co_await sink_.send_wait<Sink::Item>(i);
    if (flood.left > 1000) context.self().send<Flood>(flood.left - 1000);
  }

 private:
  sp::ActorRef<Sink> sink_;
};

sp::Task<double> patient_flood(sp::ActorRef<Sink> const& sink,
                               std::vector<sp::ActorRef<PatientSender>> const& all,
                               std::int64_t each) {
  auto [sender, receiver] = sp::oneshot<bool>();
  sink.send<Sink::Expect>(each * static_cast<std::int64_t>(all.size()), &sender);
  auto const begin = bench::RealClock::now();
  for (auto const& one : all) one.send<PatientSender::Flood>(each);
  (void)co_await receiver;
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

void fan_in_bounded(benchmark::State& state, unsigned workers) {
  constexpr std::int64_t each = 20'000;
  sp::Runtime runtime(options(workers));
  sp::ActorOptions bounded;
  bounded.mailbox_capacity = 1024;
  bounded.overflow = sp::Overflow::wait;
  auto sink = Sink{}.start_on(runtime, bounded);
  std::vector<sp::ActorRef<PatientSender>> senders;
  for (int i = 0; i < 16; ++i) senders.push_back(PatientSender(sink).start_on(runtime));
  measure_inside(state, 16 * each,
                 [&] { return runtime.block_on(patient_flood(sink, senders, each)); });
  state.SetLabel("unit=ns");
}
BENCHMARK_CAPTURE(fan_in_bounded, one, 1)
    ->Name("actors::fan_in_bounded/overflow=wait/workers=1")
    ->UseManualTime();
BENCHMARK_CAPTURE(fan_in_bounded, two, 2)
    ->Name("actors::fan_in_bounded/overflow=wait/workers=2")
    ->UseManualTime();

// --- life ---

class Idle : public sp::Actor<Idle> {
 public:
  struct Nothing {};
  void handle_message(Nothing /*message*/) {}
};

sp::Task<double> start_many(std::vector<sp::ActorRef<Idle>>& actors, std::size_t count) {
  auto const begin = bench::RealClock::now();
  for (std::size_t i = 0; i < count; ++i) actors.push_back(Idle{}.start());
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

sp::Task<void> stop_all(std::vector<sp::ActorRef<Idle>>& actors) {
  for (auto& actor : actors) actor.stop();
  for (auto& actor : actors) (void)co_await actor.wait_exit();
  actors.clear();
}

void start_idle(benchmark::State& state) {
  constexpr std::size_t batch = 100'000;
  sp::Runtime runtime(options(2));
  std::vector<sp::ActorRef<Idle>> actors;
  actors.reserve(batch);
  measure_inside(state, static_cast<std::int64_t>(batch), [&] {
    double const took = runtime.block_on(start_many(actors, batch));
    runtime.block_on(stop_all(actors));
    return took;
  });
  state.SetLabel("floor=floor::start_idle;unit=ns");
}
BENCHMARK(start_idle)->Name("actors::start_idle")->UseManualTime();

sp::Task<double> start_and_stop(std::int64_t count) {
  auto const begin = bench::RealClock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    auto actor = Idle{}.start();
    (void)co_await actor.stop_and_wait();
  }
  co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

void start_stop(benchmark::State& state) {
  constexpr std::int64_t batch = 50'000;
  sp::Runtime runtime(options(2));
  measure_inside(state, batch, [&] { return runtime.block_on(start_and_stop(batch)); });
  state.SetLabel("floor=floor::start_stop;unit=ns");
}
BENCHMARK(start_stop)->Name("actors::start_stop")->UseManualTime();

// --- timers: a million at a time on one actor, none of which fires. As a program should that has
// so much to do, it lets others run now and then. ---

sp::Task<double> arm_and_cancel(std::vector<sp::TimerHandle>& timers, std::size_t count) {
  auto idle = Idle{}.start();
  auto const begin = bench::RealClock::now();
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(sp::send_after<Idle::Nothing>(std::chrono::hours(1), idle));
    if (i % 1000 == 0) co_await sp::yield_now();
  }
  for (std::size_t i = 0; i < count; ++i) {
    timers[i].cancel();
    timers[i] = sp::TimerHandle();
    if (i % 1000 == 0) co_await sp::yield_now();
  }
  timers.clear();
  double const took = std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  idle.stop();
  co_return took;
}

// The resident memory of this process, in MiB.
double resident() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double pages = 0;
  statm >> size >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

void send_after_cancel(benchmark::State& state) {
  constexpr std::size_t batch = 1'000'000;
  sp::Runtime runtime(options(1));  // each worker keeps what it has freed
  std::vector<sp::TimerHandle> timers;
  timers.reserve(batch);
  auto once = [&] { return runtime.block_on(arm_and_cancel(timers, batch)); };
  once();
  double const before = resident();
  measure_inside(state, static_cast<std::int64_t>(batch), once);
  state.counters["rss_growth_mib"] = resident() - before;
  state.SetLabel("unit=ns");
}
BENCHMARK(send_after_cancel)->Name("actors::send_after_cancel")->UseManualTime();

std::int64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long total = 0;
  long resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return std::int64_t{resident} * sysconf(_SC_PAGESIZE);
}

// Bytes of resident memory that one idle actor costs, state of one byte included. In fresh memory:
// the pools of the process may have room from earlier benchmarks, so the growth of what they
// reserve counts too if the resident size did not grow.
void idle_bytes(benchmark::State& state) {
  constexpr std::size_t count = 1'000'000;
  double bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    sp::Runtime runtime(options(2));
    std::vector<sp::ActorRef<Idle>> actors;
    actors.reserve(count);
    for (std::size_t i = 0; i < count; ++i) actors.emplace_back(Idle{}.start_on(runtime));
    std::vector<sp::ActorRef<Idle>> more;
    more.reserve(count);
    std::int64_t const before = resident_bytes();
    for (std::size_t i = 0; i < count; ++i) more.emplace_back(Idle{}.start_on(runtime));
    // The refs' own vector is not the actor's.
    bytes = static_cast<double>(resident_bytes() - before) / count - sizeof(sp::ActorRef<Idle>);
    state.SetIterationTime(1e-3);
  }
  state.counters["value"] = bytes;
  state.SetLabel("unit=bytes");
}
BENCHMARK(idle_bytes)->Name("actors::idle_bytes")->UseManualTime()->Iterations(1);

}  // namespace
