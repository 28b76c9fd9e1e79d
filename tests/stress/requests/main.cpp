// Requests against time limits, stops and other runtimes: each has exactly one outcome.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

using Kind = sp::ActorError::Kind;
using Count = std::atomic<std::uint64_t>;

/// Both sides of all requests of a phase.
struct Books {
  Count asked{0};        // requests begun
  Count answered{0};     // with the right value
  Count timed_out{0};    // kind timeout
  Count refused{0};      // stopped, no_such_actor: never handled
  Count failed{0};       // handler_failed
  Count cancelled{0};    // kind cancelled
  Count handled{0};      // handlers that ran to their answer
  Count thrown{0};       // handlers that threw
  Count interrupted{0};  // handlers cut off by the end of their runtime
  Count messages_alive{0};

  [[nodiscard]] std::uint64_t outcomes() const {
    return answered + timed_out + refused + failed + cancelled;
  }
  [[nodiscard]] std::string describe() const {
    return "asked " + std::to_string(asked) + ", answered " + std::to_string(answered) +
           ", timed out " + std::to_string(timed_out) + ", refused " + std::to_string(refused) +
           ", failed " + std::to_string(failed) + ", cancelled " + std::to_string(cancelled) +
           "; handled " + std::to_string(handled) + ", thrown " + std::to_string(thrown) +
           ", messages alive " + std::to_string(messages_alive);
  }
  void check() const {
    std::printf("  %s\n", describe().c_str());
    stress::check_equal(outcomes(), asked, "outcomes of requests");
    stress::check_equal(messages_alive, 0, "messages that were never destroyed");
    stress::check(handled >= answered, "more answers than handlers that answered");
    stress::check(thrown >= failed, "more failures than handlers that threw");
    stress::check(handled + thrown + interrupted <= asked, "a request was handled twice");
  }
};

/// A message that counts itself, to find those that are lost or destroyed twice.
class Square {
 public:
  enum class How : std::uint8_t { at_once, yield, sleep, fail };
  Square(Books& books, std::uint64_t value, How how) noexcept
      : books_(&books), value_(value), how_(how) {
    books.messages_alive.fetch_add(1);
  }
  Square(Square&& other) noexcept : Square(*other.books_, other.value_, other.how_) {}
  Square& operator=(Square&&) = delete;
  ~Square() { books_->messages_alive.fetch_sub(1); }

  [[nodiscard]] Books& books() const noexcept { return *books_; }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] How how() const noexcept { return how_; }

 private:
  Books* books_;
  std::uint64_t value_;
  How how_;
};

Square::How random_how(stress::Random& random) {
  std::uint64_t const dice = random.below(100);
  if (dice == 0) return Square::How::fail;
  if (dice < 10) return Square::How::sleep;
  if (dice < 40) return Square::How::yield;
  return Square::How::at_once;
}

struct NotToday {};

class Server : public sp::Actor<Server> {
 public:
  sp::Task<std::uint64_t> handle_request(Square square) {
    try {
      if (square.how() == Square::How::yield) co_await sp::yield_now();
      if (square.how() == Square::How::sleep) co_await sp::sleep(milliseconds(1));
    } catch (sp::Cancelled const&) {
      square.books().interrupted.fetch_add(1);
      throw;
    }
    if (square.how() == Square::How::fail) {
      square.books().thrown.fetch_add(1);
      throw NotToday();
    }
    square.books().handled.fetch_add(1);
    co_return square.value() * square.value();
  }
};

/// The same without a coroutine: the path where a lone message stays in the mailbox word.
class PlainServer : public sp::Actor<PlainServer> {
 public:
  std::uint64_t handle_request(Square const& square) {
    if (square.how() == Square::How::fail) {
      square.books().thrown.fetch_add(1);
      throw NotToday();
    }
    square.books().handled.fetch_add(1);
    return square.value() * square.value();
  }
};

void enter(Books& books, sp::Result<std::uint64_t> const& answer, std::uint64_t value) {
  if (answer) {
    stress::check_equal(*answer, value * value, "the answer to a request");
    books.answered.fetch_add(1);
    return;
  }
  switch (answer.error().kind()) {
    case Kind::timeout:
      books.timed_out.fetch_add(1);
      break;
    case Kind::stopped:
    case Kind::no_such_actor:
      books.refused.fetch_add(1);
      break;
    case Kind::handler_failed:
      books.failed.fetch_add(1);
      break;
    case Kind::cancelled:
      books.cancelled.fetch_add(1);
      break;
    default:
      stress::fail("an outcome nobody can have caused: " + answer.error().what());
  }
}

/// Actors that come and go: whoever stops or breaks one puts a new one in its place.
template <typename A>
class Pool {
 public:
  explicit Pool(sp::Runtime& home) : home_(&home) {
    for (std::size_t i = 0; i < size; ++i) refs_.push_back(sp::start_on<A>(home));
  }
  ~Pool() {
    for (auto const& ref : refs_) ref.stop();
  }
  Pool(Pool const&) = delete;
  Pool& operator=(Pool const&) = delete;

  [[nodiscard]] sp::ActorRef<A> any(stress::Random& random) {
    std::size_t const index = random.below(size);
    std::scoped_lock const lock(mutex_);
    if (!refs_[index].is_alive()) refs_[index] = sp::start_on<A>(*home_);
    return refs_[index];
  }

 private:
  static constexpr std::size_t size = 4;
  sp::Runtime* home_;
  std::mutex mutex_;
  std::vector<sp::ActorRef<A>> refs_;
};

std::chrono::nanoseconds random_limit(stress::Random& random) {
  return random.one_in(3) ? microseconds(random.below(2500)) : microseconds(30'000'000);
}

template <typename A>
sp::Task<void> client(stress::Run& run, Pool<A>& pool, Books& books, stress::Random random,
                      double share) {
  std::uint64_t since = 0;
  while (run.time_left(share)) {
    auto server = pool.any(random);
    std::uint64_t const value = random.below(1'000'000);
    auto const how = random_how(random);
    auto const limit = random_limit(random);
    books.asked.fetch_add(1);
    switch (random.below(8)) {
      case 0: {  // in two halves
        auto pending = server.template start_request<Square>(books, value, how);
        if (random.one_in(2)) co_await sp::yield_now();
        auto answer = co_await pending.wait_for(limit);
        enter(books, answer, value);
        break;
      }
      case 1: {  // and a stop right behind it
        auto pending = server.template start_request<Square>(books, value, how);
        if (random.one_in(10)) server.stop();
        auto answer = co_await pending;
        enter(books, answer, value);
        break;
      }
      default: {
        auto answer =
            co_await server.template request_with_timeout<Square>(limit, books, value, how);
        enter(books, answer, value);
        break;
      }
    }
    if (random.one_in(500)) {
      auto ended = co_await server.stop_and_wait();
      stress::check(ended.has_value() || ended.error() == Kind::no_such_actor, "stop_and_wait");
    }
    if (++since % 64 == 0) run.beat();
  }
}

template <typename A>
void blocking_client(stress::Run& run, Pool<A>& pool, Books& books, stress::Random random,
                     double share) {
  while (run.time_left(share)) {
    auto server = pool.any(random);
    std::uint64_t const value = random.below(1'000'000);
    books.asked.fetch_add(1);
    auto answer = server.template request_blocking_with_timeout<Square>(random_limit(random), books,
                                                                        value, random_how(random));
    enter(books, answer, value);
    run.beat();
  }
}

sp::RuntimeOptions workers(unsigned count) {
  sp::RuntimeOptions options;
  options.workers = count;
  return options;
}

// Tasks, blocked threads and a second runtime, all at the same actors.
template <typename A>
void phase(stress::Run& run, char const* name, unsigned home_workers, double share) {
  std::printf("  phase \"%s\"\n", name);
  Books books;
  {
    sp::Runtime home(workers(home_workers));
    sp::Runtime abroad(workers(1));
    run.on_hang([&] {
      return books.describe() + "\nhome " + stress::describe(home) + "\nabroad " +
             stress::describe(abroad);
    });
    Pool<A> pool(home);
    std::vector<sp::JoinHandle<void>> tasks;
    std::uint64_t stream = 1000 * home_workers;
    for (int i = 0; i < 8; ++i) {
      tasks.push_back(home.spawn(client<A>(run, pool, books, run.random(++stream), share)));
      tasks.push_back(abroad.spawn(client<A>(run, pool, books, run.random(++stream), share)));
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&, random = run.random(++stream)] {
        blocking_client<A>(run, pool, books, random, share);
      });
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a client failed");
    for (std::thread& thread : threads) thread.join();
  }
  run.on_hang({});
  books.check();
}

// The actors' runtime ends while another runtime and plain threads go on asking.
void dying_runtime(stress::Run& run, double share) {
  std::printf("  phase \"a runtime that ends under its clients\"\n");
  Books books;
  {
    sp::Runtime abroad(workers(1));
    for (std::uint64_t round = 1; run.time_left(share); ++round) {
      std::vector<sp::JoinHandle<void>> tasks;
      std::vector<std::thread> threads;
      {
        sp::Runtime home(workers(2));
        run.on_hang([&] {
          return books.describe() + "\nhome " + stress::describe(home) + "\nabroad " +
                 stress::describe(abroad);
        });
        auto coroutine = sp::start_on<Server>(home);
        auto plain = sp::start_on<PlainServer>(home);
        for (std::uint64_t i = 0; i < 4; ++i) {
          auto const seed = run.random(round * 100 + i).next();
          auto body = [](auto server, Books& all, stress::Random random) -> sp::Task<void> {
            while (server.is_alive()) {
              std::uint64_t const value = random.below(1'000'000);
              auto const how = random.one_in(2) ? Square::How::at_once : Square::How::yield;
              all.asked.fetch_add(1);
              auto answer = co_await server.template request<Square>(all, value, how);
              enter(all, answer, value);
            }
          };
          tasks.push_back(i % 2 == 0 ? abroad.spawn(body(coroutine, books, stress::Random(seed)))
                                     : abroad.spawn(body(plain, books, stress::Random(seed))));
        }
        threads.emplace_back([&books, plain, random = run.random(round)]() mutable {
          while (plain.is_alive()) {
            std::uint64_t const value = random.below(1'000'000);
            books.asked.fetch_add(1);
            auto answer = plain.request_blocking<Square>(books, value, Square::How::at_once);
            enter(books, answer, value);
          }
        });
        stress::Random random = run.random(round * 7);
        for (std::uint64_t spins = random.below(200'000); spins != 0; --spins) {
          spawned::detail::cpu_pause();
        }
      }
      run.on_hang([&] { return books.describe() + "\nabroad " + stress::describe(abroad); });
      for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a client failed");
      for (std::thread& thread : threads) thread.join();
      run.beat();
    }
  }
  run.on_hang({});
  books.check();
}

enum class Teardown : std::uint8_t { quick, slow, crash, cancelled };

struct Farewell {};

/// Answers one request, the last one: its reply leaves after the teardown, whatever becomes of it.
class Mortal : public sp::Actor<Mortal> {
 public:
  explicit Mortal(Teardown way) noexcept : way_(way) {}
  sp::RequestResponse<int> handle_request(Farewell /*request*/) {
    return sp::RequestResponse<int>::stop(42);
  }
  sp::Task<void> teardown() {
    if (way_ == Teardown::slow) co_await sp::sleep(milliseconds(1));
    if (way_ == Teardown::crash) throw NotToday();
    if (way_ == Teardown::cancelled) throw sp::Cancelled();
    co_await sp::yield_now();
  }

 private:
  Teardown way_;
};

sp::Task<void> ask_last(sp::ActorRef<Mortal> mortal, Count& answered, Count& refused) {
  auto answer = co_await mortal.request_with_timeout<Farewell>(sp::no_timeout);
  if (answer) {
    stress::check_equal(static_cast<std::uint64_t>(*answer), 42, "a last reply");
    answered.fetch_add(1);
  } else {
    stress::check(answer.error() == Kind::stopped || answer.error() == Kind::no_such_actor,
                  "a late request got another error than stopped, no_such_actor");
    refused.fetch_add(1);
  }
}

// Several ask an actor that ends with its first answer: one gets it, the others are told.
void last_replies(stress::Run& run, double share) {
  std::printf("  phase \"last replies\"\n");
  sp::Runtime runtime(workers(2));
  stress::Random random = run.random(5000);
  while (run.time_left(share)) {
    Count answered{0};
    Count refused{0};
    run.on_hang([&] {
      return "answered " + std::to_string(answered) + ", refused " + std::to_string(refused) +
             "\n" + stress::describe(runtime);
    });
    auto mortal = sp::start_on<Mortal>(runtime, static_cast<Teardown>(random.below(4)));
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t n = 1 + random.below(5); n != 0; --n) {
      tasks.push_back(runtime.spawn(ask_last(mortal, answered, refused)));
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a client failed");
    run.on_hang({});
    stress::check_equal(answered, 1, "last replies");
    stress::check_equal(answered + refused, tasks.size(), "outcomes");
    run.beat();
  }
}

/// Crash reports are what the workload asks for, thousands of them.
class Silence final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& /*record*/) noexcept override {}
};

}  // namespace

int main() {
  Silence silence;
  sp::log::set_sink(&silence);
  stress::Run run("requests");
  phase<Server>(run, "coroutine handlers", 2, 0.3);
  phase<PlainServer>(run, "plain handlers", 2, 0.55);
  phase<PlainServer>(run, "plain handlers, one worker", 1, 0.7);
  last_replies(run, 0.85);
  dying_runtime(run, 1.0);
  sp::log::set_sink(nullptr);
  return 0;
}
