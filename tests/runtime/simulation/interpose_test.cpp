// Linked with spawned::simulation_interpose. What is not watched has to work as ever.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <future>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using sim::Outcome;
using sim::RealWorld;
using spawned::Task;

namespace {

// A program of one step that does this.
sim::Program doing(void (*what)()) {
  struct Body {
    static Task<void> run(void (*what)()) {
      co_await spawned::yield_now();
      what();
    }
  };
  return [what] { return Body::run(what); };
}

sim::Options with(RealWorld policy) {
  sim::Options options;
  options.real_world = policy;
  return options;
}

sim::Report run(void (*what)(), RealWorld policy = RealWorld::fail) {
  return sim::run(1, with(policy), doing(what));
}

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

// Makes the call before it no tail call, which would take its function off the stack.
template <typename T>
void use(T const& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// --- what programs do; not inlined, so that the stacks have them ---

[[gnu::noinline]] void read_steady_clock() { use(std::chrono::steady_clock::now()); }
[[gnu::noinline]] void read_system_clock() { use(std::chrono::system_clock::now()); }
[[gnu::noinline]] void read_posix_clock() {
  timespec moment{};
  use(clock_gettime(CLOCK_REALTIME, &moment));
}
[[gnu::noinline]] void read_gettimeofday() {
  timeval moment{};
  use(gettimeofday(&moment, nullptr));
}
[[gnu::noinline]] void read_time() { use(std::time(nullptr)); }
[[gnu::noinline]] void read_timespec() {
  timespec moment{};
  use(std::timespec_get(&moment, TIME_UTC));
}
[[gnu::noinline]] void read_processor_time() { use(std::clock()); }
[[gnu::noinline]] void read_clock_of_the_library() { use(spawned::real_clock()->now()); }
[[gnu::noinline]] void sleep_for_an_hour() {
  std::this_thread::sleep_for(1h);
  use(0);
}
[[gnu::noinline]] void sleep_until_tomorrow() {
  timespec const day{.tv_sec = 86'400, .tv_nsec = 0};
  use(clock_nanosleep(CLOCK_MONOTONIC, 0, &day, nullptr));
}
[[gnu::noinline]] void sleep_in_posix() { use(::sleep(3600)); }
[[gnu::noinline]] void sleep_in_microseconds() { use(::usleep(900'000)); }
[[gnu::noinline]] void yield_the_thread() {
  std::this_thread::yield();
  use(0);
}
[[gnu::noinline]] void wait_for_nobody() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  use(never.wait_for(lock, 1h));
}
[[gnu::noinline]] void wait_in_posix() {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  timespec const forever{.tv_sec = 1'000'000'000'000, .tv_nsec = 0};
  pthread_mutex_lock(&mutex);
  CHECK(pthread_cond_timedwait(&never, &mutex, &forever) == ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
}
[[gnu::noinline]] void start_thread() {
  std::thread([] {}).join();
}
[[gnu::noinline]] void start_async() {
  std::async(std::launch::async, [] {}).get();
}
[[gnu::noinline]] void start_runtime() {
  spawned::Runtime runtime;
  runtime.shutdown();
}
[[gnu::noinline]] void ask_random_device() { use(std::random_device()()); }
[[gnu::noinline]] void ask_getrandom() {
  int number = 0;
  use(getrandom(&number, sizeof(number), 0));
}
[[gnu::noinline]] void ask_getentropy() {
  int number = 0;
  use(getentropy(&number, sizeof(number)));
}
[[gnu::noinline]] void ask_rand() { use(std::rand()); }
[[gnu::noinline]] void ask_random() { use(::random()); }
[[gnu::noinline]] void open_socket() { use(::socket(AF_INET, SOCK_STREAM, 0)); }
[[gnu::noinline]] void open_socket_pair() {
  int pair[2];
  use(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}
[[gnu::noinline]] void connect_socket() {
  sockaddr_in address{};
  use(::connect(-1, reinterpret_cast<sockaddr const*>(&address), sizeof(address)));
}
[[gnu::noinline]] void accept_socket() { use(::accept(-1, nullptr, nullptr)); }
[[gnu::noinline]] void accept_socket_with_flags() { use(::accept4(-1, nullptr, nullptr, 0)); }
[[gnu::noinline]] void send_bytes() { use(::send(-1, "", 1, 0)); }
[[gnu::noinline]] void receive_bytes() {
  char byte = 0;
  use(::recv(-1, &byte, 1, 0));
}
[[gnu::noinline]] void look_up_name() {
  addrinfo* found = nullptr;
  use(::getaddrinfo("localhost", nullptr, nullptr, &found));
}
[[gnu::noinline]] void poll_files() { use(::poll(nullptr, 0, 3'600'000)); }
[[gnu::noinline]] void select_files() {
  timeval hour{.tv_sec = 3600, .tv_usec = 0};
  use(::select(0, nullptr, nullptr, nullptr, &hour));
}
[[gnu::noinline]] void wait_for_events() {
  epoll_event event{};
  use(::epoll_wait(-1, &event, 1, -1));
}

struct Offender {
  void (*what)();
  char const* function;  // named in the report
  char const* site;      // the function that called it
  char const* instead;   // part of the advice
};

constexpr Offender offenders[] = {
    {read_steady_clock, "clock_gettime", "read_steady_clock", "spawned::now()"},
    {read_system_clock, "clock_gettime", "read_system_clock", "spawned::now()"},
    {read_posix_clock, "clock_gettime", "read_posix_clock", "spawned::now()"},
    {read_gettimeofday, "gettimeofday", "read_gettimeofday", "spawned::now()"},
    {read_time, "time", "read_time", "spawned::now()"},
    {read_timespec, "timespec_get", "read_timespec", "spawned::now()"},
    {read_processor_time, "clock", "read_processor_time", "spawned::now()"},
    {read_clock_of_the_library, "clock_gettime", "read_clock_of_the_library", "spawned::now()"},
    {sleep_for_an_hour, "nanosleep", "sleep_for_an_hour", "spawned::sleep()"},
    {sleep_until_tomorrow, "clock_nanosleep", "sleep_until_tomorrow", "spawned::sleep()"},
    {sleep_in_posix, "sleep", "sleep_in_posix", "spawned::sleep()"},
    {sleep_in_microseconds, "usleep", "sleep_in_microseconds", "spawned::sleep()"},
    {yield_the_thread, "sched_yield", "yield_the_thread", "spawned::yield_now()"},
    {wait_in_posix, "pthread_cond_timedwait", "wait_in_posix", "channel"},
    {start_thread, "pthread_create", "start_thread", "spawned::spawn_blocking()"},
    {start_async, "pthread_create", "start_async", "spawned::spawn_blocking()"},
    {start_runtime, "pthread_create", "start_runtime", "spawned::spawn_blocking()"},
    {ask_random_device, "std::random_device::operator", "ask_random_device", "seed"},
    {ask_getrandom, "getrandom", "ask_getrandom", "seed"},
    {ask_getentropy, "getentropy", "ask_getentropy", "seed"},
    {ask_rand, "rand", "ask_rand", "seed"},
    {ask_random, "random", "ask_random", "seed"},
    {open_socket, "socket", "open_socket", "actor"},
    {open_socket_pair, "socketpair", "open_socket_pair", "actor"},
    {connect_socket, "connect", "connect_socket", "actor"},
    {accept_socket, "accept", "accept_socket", "actor"},
    {accept_socket_with_flags, "accept4", "accept_socket_with_flags", "actor"},
    {send_bytes, "send", "send_bytes", "actor"},
    {receive_bytes, "recv", "receive_bytes", "actor"},
    {look_up_name, "getaddrinfo", "look_up_name", "actor"},
    {poll_files, "poll", "poll_files", "actor"},
    {select_files, "select", "select_files", "actor"},
    {wait_for_events, "epoll_wait", "wait_for_events", "actor"},
};

// Keeps the lines that it gets.
class Kept final : public spawned::log::Sink {
 public:
  Kept() : before_(spawned::log::set_sink(this)) {}
  ~Kept() { spawned::log::set_sink(before_); }
  void write(spawned::log::Record const& record) noexcept override {
    use(std::chrono::steady_clock::now());  // as a sink may
    lines.emplace_back(record.text);
  }
  std::vector<std::string> lines;

 private:
  spawned::log::Sink* before_;
};

}  // namespace

TEST_SUITE("runtime/simulation/interpose") {
  TEST_CASE("each call of the real world ends the run, naming function, call site and remedy") {
    for (Offender const& each : offenders) {
      CAPTURE(each.site);
      sim::Report const report = run(each.what);
      CHECK(report.outcome == Outcome::real_world);
      CAPTURE(report.problem);
      CHECK(report.problem.starts_with(std::string(each.function) + "()"));
      std::size_t const called = report.problem.find("called by\n");
      REQUIRE(called != std::string::npos);
      std::string site = report.problem.substr(called + 10);
      site = site.substr(0, site.find('\n'));
      CHECK(has(site, each.site));
      CHECK(has(site, "interpose_test.cpp:"));
      CHECK(has(report.problem, each.instead));
    }
  }

  TEST_CASE("a call on the way in from a callback of the standard library names both") {
    auto const in_a_callback = +[] {
      std::vector<int> numbers{2, 1};
      std::sort(numbers.begin(), numbers.end(), [](int a, int b) {
        read_steady_clock();
        return a < b;
      });
    };
    sim::Report const report = run(in_a_callback);
    CHECK(has(report.problem, "read_steady_clock"));
    CHECK(has(report.problem, "in a call by"));
  }

  TEST_CASE("the run ends after the step of the call, whatever else goes wrong in it") {
    auto const throws = +[] {
      read_steady_clock();
      throw std::runtime_error("something else");
    };
    sim::Report const report = run(throws);
    CHECK(report.outcome == Outcome::real_world);
    CHECK(has(report.problem, "clock_gettime"));

    static int steps_after = 0;
    struct Body {
      static Task<void> run() {
        read_steady_clock();
        co_await spawned::yield_now();
        ++steps_after;
        co_await spawned::sleep(1h);
      }
    };
    sim::Report const longer = sim::run(1, [] { return Body::run(); });
    CHECK(longer.outcome == Outcome::real_world);
    CHECK(longer.steps == 1);
    CHECK(steps_after == 0);
  }

  TEST_CASE("the first call is the one that is reported") {
    sim::Report const report = run(+[] {
      read_time();
      ask_rand();
    });
    CHECK(has(report.problem, "read_time"));
    CHECK_FALSE(has(report.problem, "ask_rand"));
  }

  TEST_CASE("what makes the program is watched, and so is what destroys what it left behind") {
    auto const making = [] {
      read_steady_clock();
      return []() -> Task<void> { co_return; }();
    };
    CHECK(sim::run(1, making).outcome == Outcome::real_world);

    struct Left {
      struct Local {
        ~Local() { read_steady_clock(); }
      };
      static Task<void> wait() {
        Local const local;
        co_await spawned::sleep(24h);
      }
      static Task<void> run() {
        (void)spawned::spawn(wait());
        co_await spawned::yield_now();
        co_await spawned::yield_now();
      }
    };
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    CHECK(sim::replay({}, options, [] { return Left::run(); }).outcome == Outcome::real_world);
  }

  TEST_CASE("a thread that is refused is an exception that the program can catch") {
    static bool caught = false;
    sim::Report const report = run(+[] {
      try {
        std::thread([] {}).join();
      } catch (std::system_error const&) {
        caught = true;
      }
    });
    CHECK(caught);
    CHECK(report.outcome == Outcome::real_world);
  }

  TEST_CASE("virtualise: all clocks show virtual time") {
    struct Body {
      static Task<void> run() {
        auto const steady = std::chrono::steady_clock::now();
        auto const system = std::chrono::system_clock::now();
        timespec posix{};
        clock_gettime(CLOCK_REALTIME, &posix);
        std::time_t const seconds = std::time(nullptr);
        timeval day{};
        gettimeofday(&day, nullptr);
        auto const ours = spawned::now();
        co_await spawned::sleep(36h);
        CHECK(std::chrono::steady_clock::now() - steady == 36h);
        CHECK(std::chrono::system_clock::now() - system == 36h);
        CHECK(spawned::now() - ours == 36h);
        CHECK(std::time(nullptr) - seconds == 36 * 3600);
        CHECK(posix.tv_sec == seconds);
        CHECK(day.tv_sec == seconds);
        timespec later{};
        CHECK(std::timespec_get(&later, TIME_UTC) == TIME_UTC);
        CHECK(later.tv_sec - posix.tv_sec == 36 * 3600);
      }
    };
    sim::Report const report = sim::run(1, with(RealWorld::virtualise), [] { return Body::run(); });
    CHECK_MESSAGE(report.passed(), report.problem);
  }

  TEST_CASE("virtualise: random numbers follow from the seed, and are replayed") {
    static std::vector<std::uint64_t> drawn;
    auto const draw = +[] {
      drawn.clear();
      std::random_device device;
      drawn.push_back(device());
      std::uint64_t wide = 0;
      CHECK(getrandom(&wide, sizeof(wide), 0) == sizeof(wide));
      drawn.push_back(wide);
      CHECK(getentropy(&wide, 5) == 0);
      drawn.push_back(wide);
      drawn.push_back(static_cast<std::uint64_t>(std::rand()));
      drawn.push_back(static_cast<std::uint64_t>(::random()));
    };
    auto const options = with(RealWorld::virtualise);
    sim::Report const first = sim::run(7, options, doing(draw));
    CHECK_MESSAGE(first.passed(), first.problem);
    auto const of_seven = drawn;
    (void)sim::run(7, options, doing(draw));
    CHECK(drawn == of_seven);
    (void)sim::run(8, options, doing(draw));
    CHECK(drawn != of_seven);
    (void)sim::replay(first.choices, options, doing(draw));
    CHECK(drawn == of_seven);
  }

  TEST_CASE("virtualise: what has no virtual answer ends the run all the same") {
    for (auto* const what : {sleep_for_an_hour, start_thread, open_socket, wait_for_nobody}) {
      sim::Report const report = run(what, RealWorld::virtualise);
      CHECK(report.outcome == Outcome::real_world);
    }
    CHECK(has(run(wait_for_nobody, RealWorld::virtualise).problem, "pthread_cond_clockwait"));
  }

  TEST_CASE("warn: the call happens, and each call site is logged once") {
    Kept kept;
    static double seconds = 0;
    auto const twice = +[] {
      for (int i = 0; i < 2; ++i) {
        seconds = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                      .count();
      }
      read_steady_clock();
    };
    CHECK(run(twice, RealWorld::warn).passed());
    CHECK(run(twice, RealWorld::warn).passed());
    CHECK(seconds > 1e9);  // real time
    REQUIRE(kept.lines.size() == 2);
    CHECK(has(kept.lines[0], "clock_gettime() reads the real clock"));
    CHECK(has(kept.lines[1], "read_steady_clock"));
  }

  TEST_CASE("ignore: the call happens, and nobody hears of it") {
    Kept kept;
    CHECK(run(read_steady_clock, RealWorld::ignore).passed());
    CHECK(run(start_thread, RealWorld::ignore).passed());
    CHECK(kept.lines.empty());
  }

  TEST_CASE("a wait without a limit is told of before it begins, and ended by who can") {
    Kept kept;
    static std::mutex mutex;
    static std::condition_variable changed;
    static bool ready = false;
    static std::atomic<bool> waiting{false};
    std::thread other([] {
      while (!waiting) std::this_thread::yield();
      std::scoped_lock const lock(mutex);
      ready = true;
      changed.notify_one();
    });
    sim::Report const report = run(+[] {
      std::unique_lock lock(mutex);
      waiting = true;
      changed.wait(lock, [] { return ready; });
    });
    other.join();
    CHECK(report.outcome == Outcome::real_world);
    CHECK(has(report.problem, "pthread_cond_wait() blocks the thread"));
    REQUIRE_FALSE(kept.lines.empty());
    CHECK(has(kept.lines[0], "pthread_cond_wait"));
  }

  TEST_CASE("the threads of blocking jobs are the library's own; what runs on them is watched") {
    struct Body {
      static Task<void> run(void (*what)()) { (void)co_await spawned::spawn_blocking(what); }
    };
    sim::Report const harmless = sim::run(1, [] { return Body::run(+[] {}); });
    CHECK_MESSAGE(harmless.passed(), harmless.problem);
    sim::Report const report = sim::run(1, [] { return Body::run(read_steady_clock); });
    CHECK(report.outcome == Outcome::real_world);
    CHECK(has(report.problem, "read_steady_clock"));
  }

  TEST_CASE("a sink of the log may use the real world") {
    Kept kept;
    CHECK(run(+[] { spawned::log::warn("test", "a line"); }).passed());
    CHECK(kept.lines.size() == 1);
  }

  TEST_CASE("memory that the pools ask the system for is no call of the real world") {
    struct Body {
      static Task<void> wait(int) { co_await spawned::yield_now(); }
      static Task<void> run() {
        for (int i = 0; i < 2000; ++i) (void)spawned::spawn(wait(i));
        co_await spawned::yield_now();
      }
    };
    sim::Report const report = sim::run(1, [] { return Body::run(); });
    CHECK_MESSAGE(report.passed(), report.problem);
  }

  TEST_CASE("outside of a simulation everything is as ever") {
    auto const before = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(1ms);
    CHECK(std::chrono::steady_clock::now() - before >= 1ms);
    CHECK(std::time(nullptr) > 1'000'000'000);
    std::random_device device;
    CHECK((device() != device() || device() != device()));
    int const file = ::socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(file >= 0);
    ::close(file);

    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    std::thread other([&] {
      std::scoped_lock const lock(mutex);
      ready = true;
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      CHECK(changed.wait_for(lock, 1h, [&] { return ready; }));
      CHECK_FALSE(changed.wait_for(lock, 1ms, [] { return false; }));
    }
    other.join();
  }

  TEST_CASE("a thread that simulates nothing is not watched while another simulates") {
    std::atomic<bool> stop{false};
    std::atomic<int> rounds{0};
    std::thread other([&] {
      while (!stop || rounds == 0) {
        read_steady_clock();
        ask_random_device();
        std::this_thread::yield();
        ++rounds;
      }
    });
    for (std::uint64_t seed = 1; seed < 50; ++seed) {
      CHECK(sim::run(seed, doing(+[] {})).passed());
    }
    stop = true;
    other.join();
    CHECK(rounds > 0);
  }

  TEST_CASE("a real runtime in the same program works, clocks, timers and all") {
    auto body = []() -> Task<bool> {
      auto const before = std::chrono::steady_clock::now();
      co_await spawned::sleep(2ms);
      co_return std::chrono::steady_clock::now() - before >= 2ms;
    };
    CHECK(spawned::run(body()));
  }
}
