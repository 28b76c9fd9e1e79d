#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

class Diary : public sp::Actor<Diary> {
 public:
  struct Note {
    std::string text;
  };
  struct All {};
  struct Crash {};
  struct Leave {};
  struct Long {};
  void handle_message(Note note) { text_ += note.text; }
  void handle_message(Crash /*message*/) { throw std::runtime_error("no paper"); }
  sp::MessageResponse handle_message(Leave /*message*/) { return sp::MessageResponse::stop(); }
  void handle_request(Crash /*request*/) { throw std::runtime_error("no paper"); }
  std::string handle_request(All /*request*/) { return text_; }
  sp::Task<int> handle_request(Long /*request*/) {
    co_await sp::sleep(1s);
    co_return 1;
  }

 private:
  std::string text_;
};

class Writer : public sp::Actor<Writer> {
 public:
  struct Write {
    std::string first;
    std::string second;
  };
  explicit Writer(sp::ActorRef<Diary> diary) : diary_(std::move(diary)) {}
  sp::Task<void> handle_request(Write write) {
    diary_.send<Diary::Note>(write.first);
    co_await sp::yield_now();
    diary_.send<Diary::Note>(write.second);
  }

 private:
  sp::ActorRef<Diary> diary_;
};

// Two writers with two notes each; the diary reads them when all are there.
sp::Task<void> write(std::string& text) {
  auto diary = Diary{}.start();
  auto one = Writer(diary).start();
  auto other = Writer(diary).start();
  auto first = one.start_request<Writer::Write>("a", "b");
  auto second = other.start_request<Writer::Write>("x", "y");
  (void)co_await first;
  (void)co_await second;
  auto read = co_await diary.request<Diary::All>();
  text = read.value();
}

sim::Options boring() {
  sim::Options options;
  options.clock = sim::ClockMode::idle;
  return options;
}

}  // namespace

TEST_SUITE("actors/simulation_faults") {
  TEST_CASE("reorder: messages of two senders overtake each other, those of one never") {
    sim::Options options = boring();
    options.faults.reorder = 0.5;
    std::set<std::string> seen;
    std::string text;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      CHECK(sim::run(seed, options, [&text] { return write(text); }).passed());
      seen.insert(text);
    }
    // A request overtakes nothing that its own sender sent, but the notes of others it does.
    for (std::string const& each : seen) {
      CAPTURE(each);
      if (each.size() < 4) continue;
      CHECK(each.find('a') < each.find('b'));
      CHECK(each.find('x') < each.find('y'));
    }
    CHECK(seen.contains("axby"));
    CHECK(seen.contains("xyab"));
    CHECK(seen.contains("abxy"));
  }

  TEST_CASE("crash: an actor crashes at a message or where it is suspended, once at most") {
    sim::Options options = boring();
    options.faults.crash = 0.2;
    int crashed = 0;
    int whole = 0;
    auto const program = [&]() -> sp::Task<void> {
      auto diary = Diary{}.start();
      auto answer = co_await diary.request<Diary::Long>();
      if (answer.has_value()) {
        ++whole;
      } else if (answer.error().kind() == sp::ActorError::Kind::stopped) {
        ++crashed;
        if (answer.error().reason().to_string().find("injected") == std::string::npos) {
          throw std::runtime_error(answer.error().reason().to_string());
        }
      }
    };
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      CHECK(sim::run(seed, options, program).problem.empty());
    }
    CHECK(crashed > 50);
    CHECK(whole > 50);
  }

  TEST_CASE("slow and pause: turns take time, and are late") {
    sim::Options options = boring();
    options.faults.slow = 0.3;
    options.faults.pause = 0.2;
    options.faults.pause_max = 8s;
    std::set<std::int64_t> times;
    int timeouts = 0;
    auto const program = [&]() -> sp::Task<void> {
      auto diary = Diary{}.start();
      auto answer = co_await diary.request<Diary::Long>();
      if (!answer.has_value()) ++timeouts;
    };
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      auto const report = sim::run(seed, options, program);
      CHECK(report.passed());
      times.insert(report.time.count());
    }
    CHECK(times.size() > 20);
    CHECK(timeouts > 0);
    CHECK(*times.begin() >= std::chrono::nanoseconds(1s).count());
  }

  TEST_CASE("starve: blocking jobs wait for a thread") {
    sim::Options options = boring();
    options.faults.starve = 0.5;
    options.faults.pause_max = 1s;
    int late = 0;
    auto const program = [&]() -> sp::Task<void> {
      auto work = [] { return 1; };
      auto job = spawned::spawn_blocking(spawned::moved(work));
      (void)co_await job;
      if (spawned::now().time_since_epoch() > 0s) ++late;
    };
    for (std::uint64_t seed = 0; seed < 100; ++seed)
      CHECK(sim::run(seed, options, program).passed());
    CHECK(late > 20);
    CHECK(late < 90);
  }

  TEST_CASE("the wall clock jumps and runs wrong, while time goes on") {
    sim::Options options = boring();
    options.faults.clock_jump = 0.5;
    options.faults.clock_skew = 0.01;
    int back = 0;
    auto const program = [&]() -> sp::Task<void> {
      auto wall = [] { return spawned::detail::simulated->clock()->utc_now(); };
      auto const before = wall();
      auto const start = spawned::now();
      for (int i = 0; i < 4; ++i) co_await sp::sleep(1s);
      if (spawned::now() - start != 4s) throw std::runtime_error("time jumps");
      if (wall() < before) ++back;
    };
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      CHECK(sim::run(seed, options, program).problem.empty());
    }
    CHECK(back > 5);
  }

  TEST_CASE("faults happen in their window only, and can be changed by the program") {
    sim::Options options = boring();
    options.faults.slow = 1;
    options.faults.slow_max = 10ms;
    options.faults.from = 1h;
    auto const program = []() -> sp::Task<void> {
      auto const start = spawned::now();
      co_await sp::yield_now();
      if (spawned::now() != start) throw std::runtime_error("slow before its window");
      sim::faults().from = 0s;
      co_await sp::yield_now();
      if (spawned::now() == start) throw std::runtime_error("not slow in it");
      sim::faults().slow = 0;
      auto const before = spawned::now();
      sim::pass_time(5s);
      if (spawned::now() - before != 5s) throw std::runtime_error("time has not passed");
    };
    CHECK(sim::run(1, options, program).problem.empty());
    CHECK_THROWS_AS((void)sim::faults(), std::logic_error);
    CHECK_THROWS_AS(sim::pass_time(1s), std::logic_error);
  }

  TEST_CASE("buggify: a site is active in one run of four, and never on a real runtime") {
    int active = 0;
    int fired = 0;
    auto const program = [&]() -> sp::Task<void> {
      int times = 0;
      for (int i = 0; i < 100; ++i) times += SPAWNED_BUGGIFY() ? 1 : 0;
      active += times != 0 ? 1 : 0;
      fired += times;
      co_return;
    };
    for (std::uint64_t seed = 0; seed < 400; ++seed) CHECK(sim::run(seed, program).passed());
    CHECK(active > 60);
    CHECK(active < 140);
    CHECK(fired > active * 15);
    CHECK(fired < active * 35);
    int const before = fired;
    sp::run(program());
    CHECK(fired == before);
    CHECK_FALSE(SPAWNED_BUGGIFY(1.0));
  }

  TEST_CASE("a crash that nobody is told of fails the run, one that a caller hears does not") {
    auto const unheard = []() -> sp::Task<void> {
      auto diary = Diary{}.start();
      diary.send<Diary::Crash>();
      (void)co_await diary.request<Diary::All>();
    };
    auto const report = sim::run(1, boring(), unheard);
    CHECK(report.outcome == sim::Outcome::failed);
    CHECK(report.problem.find("Diary::Crash with error: std::runtime_error: no paper") !=
          std::string::npos);
    sim::Options options = boring();
    options.crash_is_failure = false;
    CHECK(sim::run(1, options, unheard).passed());
    auto const heard = []() -> sp::Task<void> {
      auto diary = Diary{}.start();
      (void)co_await diary.request<Diary::Crash>();
    };
    CHECK(sim::run(1, boring(), heard).passed());
  }

  TEST_CASE("mail left by an actor that ended unasked fails the run, if that is wanted") {
    auto const program = [](bool asked) {
      return [asked]() -> sp::Task<void> {
        auto diary = Diary{}.start();
        diary.send<Diary::Note>("first");
        if (asked) {
          diary.stop();
        } else {
          diary.send<Diary::Leave>();
        }
        diary.send<Diary::Note>("unread");
        (void)co_await diary.wait_exit();
      };
    };
    sim::Options options = boring();
    CHECK(sim::run(1, options, program(false)).passed());
    options.unread_is_failure = true;
    CHECK(sim::run(1, options, program(false)).problem.find("Diary::Note") != std::string::npos);
    CHECK(sim::run(1, options, program(true)).passed());
  }
}
