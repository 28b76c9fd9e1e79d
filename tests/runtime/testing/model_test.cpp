#include <spawned/testing/model.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>

#include <doctest/doctest.h>

namespace {

namespace model = spawned::testing::model;
using model::FailureKind;
using model::memory_order;
using model::memory_order_acq_rel;
using model::memory_order_acquire;
using model::memory_order_relaxed;
using model::memory_order_release;
using model::memory_order_seq_cst;
using model::Strategy;

using Outcomes = std::set<std::tuple<int, int>>;

model::Options exhaustive(int bound = model::unbounded) {
  return {.strategy = Strategy::exhaustive,
          .executions = 2'000'000,
          .preemption_bound = bound,
          .spurious = 0};
}

template <typename F>
model::Result everything(F program) {
  auto result = model::explore(exhaustive(), program);
  CHECK_MESSAGE(result.ok(), result.report());
  CHECK(result.complete);
  return result;
}

template <typename F>
model::Failure failure_of(F program, model::Options const& options = exhaustive()) {
  auto const result = model::explore(options, program);
  REQUIRE_MESSAGE(!result.ok(), "nothing found");
  return *result.failure;
}

template <typename F>
std::optional<FailureKind> found(F program) {
  auto const result = model::explore(exhaustive(), program);
  if (!result.ok()) return result.failure->kind;
  CHECK(result.complete);
  return std::nullopt;
}

// A message in a plain cell, announced by a flag.
auto message_passing(memory_order store, memory_order load) {
  return [=] {
    model::SharedCell<int> data{0};
    model::atomic<bool> ready{false};
    model::parallel(
        [&] {
          data.set(42);
          ready.store(true, store);
        },
        [&] {
          if (ready.load(load)) model::check(data.get() == 42, "the message is there");
        });
  };
}

Outcomes store_buffering(memory_order store, memory_order load, bool fences) {
  Outcomes seen;
  everything([&] {
    model::atomic<int> x{0};
    model::atomic<int> y{0};
    int a = 0;
    int b = 0;
    model::parallel(
        [&] {
          x.store(1, store);
          if (fences) model::fence(memory_order_seq_cst);
          a = y.load(load);
        },
        [&] {
          y.store(1, store);
          if (fences) model::fence(memory_order_seq_cst);
          b = x.load(load);
        });
    seen.emplace(a, b);
  });
  return seen;
}

// Two writers, two readers that look in opposite order: do they agree on who was first?
bool readers_disagree(memory_order store, memory_order load, bool fences = false) {
  bool disagree = false;
  everything([&] {
    model::atomic<int> x{0};
    model::atomic<int> y{0};
    int a = 0;
    int b = 0;
    int c = 0;
    int d = 0;
    model::parallel([&] { x.store(1, store); }, [&] { y.store(1, store); },
                    [&] {
                      a = x.load(load);
                      if (fences) model::fence(memory_order_seq_cst);
                      b = y.load(load);
                    },
                    [&] {
                      c = y.load(load);
                      if (fences) model::fence(memory_order_seq_cst);
                      d = x.load(load);
                    });
    disagree = disagree || (a == 1 && b == 0 && c == 1 && d == 0);
  });
  return disagree;
}

// The second thread continues the release sequence of the first, or breaks it with a store.
auto release_sequence(bool update) {
  return [=] {
    model::SharedCell<int> data{0};
    model::atomic<int> stage{0};
    model::parallel(
        [&] {
          data.set(1);
          stage.store(1, memory_order_release);
        },
        [&] {
          if (update) {
            int expected = 1;
            (void)stage.compare_exchange_strong(expected, 2, memory_order_relaxed,
                                                memory_order_relaxed);
          } else if (stage.load(memory_order_relaxed) == 1) {
            stage.store(2, memory_order_relaxed);
          }
        },
        [&] {
          if (stage.load(memory_order_acquire) == 2) (void)data.get();
        });
  };
}

// Sleep until `work` is set. The word counts the announcements.
auto sleeper(bool look_again) {
  return [=] {
    model::atomic<bool> work{false};
    model::atomic<std::uint32_t> word{0};
    model::parallel(
        [&] {
          for (;;) {
            auto const before = look_again ? word.load(memory_order_acquire) : 0U;
            if (work.load(memory_order_acquire)) return;
            auto const now = look_again ? before : word.load(memory_order_acquire);
            model::futex_wait(word, now);
          }
        },
        [&] {
          work.store(true, memory_order_release);
          (void)word.fetch_add(1, memory_order_release);
          model::futex_wake_one(word);
        });
  };
}

// Loses an update when both threads load before either stores.
void lost_update() {
  model::atomic<int> count{0};
  auto const add = [&] { count.store(count.load() + 1); };
  model::parallel(add, add);
  model::check(count.load() == 2, "both additions count");
}

}  // namespace

TEST_SUITE("runtime/testing/model") {
  TEST_CASE("message passing needs a release and an acquire") {
    CHECK(found(message_passing(memory_order_release, memory_order_acquire)) == std::nullopt);
    CHECK(found(message_passing(memory_order_seq_cst, memory_order_seq_cst)) == std::nullopt);
    CHECK(found(message_passing(memory_order_relaxed, memory_order_acquire)) ==
          FailureKind::data_race);
    CHECK(found(message_passing(memory_order_release, memory_order_relaxed)) ==
          FailureKind::data_race);
  }

  TEST_CASE("a data race is reported with both places") {
    auto const failure = failure_of(message_passing(memory_order_relaxed, memory_order_relaxed));
    CHECK(failure.text.find("data race") == 0);
    CHECK(failure.text.find("T1 writes it at model_test.cpp:") != std::string::npos);
    CHECK(failure.text.find("T2 reads it at model_test.cpp:") != std::string::npos);
  }

  TEST_CASE("message passing works by fences around relaxed accesses") {
    auto const program = [](bool release, bool acquire) {
      return [=] {
        model::var<int> data{0};
        model::atomic<int> ready{0};
        model::parallel(
            [&] {
              data.set(1);
              if (release) model::fence(memory_order_release);
              ready.store(1, memory_order_relaxed);
            },
            [&] {
              if (ready.load(memory_order_relaxed) == 0) return;
              if (acquire) model::fence(memory_order_acquire);
              (void)data.get();
            });
      };
    };
    CHECK(found(program(true, true)) == std::nullopt);
    CHECK(found(program(false, true)) == FailureKind::data_race);
    CHECK(found(program(true, false)) == FailureKind::data_race);
  }

  TEST_CASE("store buffering: only seq_cst forbids that both read 0") {
    Outcomes const all{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    Outcomes const without{{0, 1}, {1, 0}, {1, 1}};
    CHECK(store_buffering(memory_order_relaxed, memory_order_relaxed, false) == all);
    CHECK(store_buffering(memory_order_release, memory_order_acquire, false) == all);
    CHECK(store_buffering(memory_order_seq_cst, memory_order_acquire, false) == all);
    CHECK(store_buffering(memory_order_seq_cst, memory_order_seq_cst, false) == without);
    CHECK(store_buffering(memory_order_relaxed, memory_order_relaxed, true) == without);
  }

  TEST_CASE("IRIW: readers agree on the order of two stores only by seq_cst") {
    CHECK(readers_disagree(memory_order_release, memory_order_acquire));
    CHECK_FALSE(readers_disagree(memory_order_seq_cst, memory_order_seq_cst));
    CHECK_FALSE(readers_disagree(memory_order_relaxed, memory_order_relaxed, true));
  }

  TEST_CASE("a read-modify-write never loses another one, whatever its order") {
    everything([] {
      model::atomic<unsigned> count{0};
      auto const add = [&] {
        (void)count.fetch_add(1, memory_order_relaxed);
        (void)count.fetch_add(1, memory_order_relaxed);
      };
      model::parallel(add, add);
      model::check(count.load(memory_order_relaxed) == 4, "all four count");
    });
    CHECK(found(lost_update) == FailureKind::check);
  }

  TEST_CASE("a release sequence goes on through read-modify-writes, not through stores") {
    CHECK(found(release_sequence(true)) == std::nullopt);
    CHECK(found(release_sequence(false)) == FailureKind::data_race);
  }

  TEST_CASE("coherence: a thread never reads an older store than before") {
    Outcomes seen;
    everything([&] {
      model::atomic<int> x{0};
      int first = 0;
      int second = 0;
      model::parallel([&] { x.store(1, memory_order_relaxed); },
                      [&] {
                        first = x.load(memory_order_relaxed);
                        second = x.load(memory_order_relaxed);
                      });
      seen.emplace(first, second);
      model::check(x.load(memory_order_relaxed) == 1, "who joins sees everything");
    });
    CHECK(seen == Outcomes{{0, 0}, {0, 1}, {1, 1}});
  }

  TEST_CASE("a compare-exchange that fails may read an old store, a weak one fails for no reason") {
    Outcomes seen;
    everything([&] {
      model::atomic<int> x{0};
      int expected = 1;
      bool won = false;
      model::parallel([&] { x.store(1, memory_order_relaxed); },
                      [&] { won = x.compare_exchange_strong(expected, 2, memory_order_relaxed); });
      seen.emplace(won ? 1 : 0, expected);
    });
    CHECK(seen == Outcomes{{0, 0}, {1, 1}});

    auto options = exhaustive();
    options.spurious = 1;
    auto const weak = [] {
      model::atomic<int*> x{nullptr};
      int* expected = nullptr;
      int target = 0;
      model::check(x.compare_exchange_weak(expected, &target), "a weak exchange succeeds");
    };
    CHECK(failure_of(weak, options).kind == FailureKind::check);
  }

  TEST_CASE("the operations compute what those of std::atomic compute") {
    enum class Colour : std::uint8_t { red, green };
    everything([] {
      model::atomic<std::uint32_t> bits{12};
      model::check(bits.fetch_or(3) == 12 && bits.fetch_and(6) == 15, "or, and");
      model::check(bits.fetch_xor(5) == 6 && bits.load() == 3, "xor");
      model::atomic<int> number{-1};
      model::check(number.fetch_sub(1) == -1 && number.exchange(7) == -2, "sub, exchange");
      int array[4] = {};
      model::atomic<int*> pointer{array};
      model::check(pointer.fetch_add(2) == array && pointer.load() == array + 2, "pointers");
      model::atomic<Colour> colour{Colour::red};
      colour.store(Colour::green);
      model::check(colour.load() == Colour::green, "enumerations");
      model::atomic<bool> flag;
      model::check(!flag.exchange(true) && flag.load(), "bool");
    });
  }

  TEST_CASE("an atomic that another thread still uses must not be destroyed") {
    auto const program = [](memory_order order) {
      return [=] {
        std::optional<model::atomic<int>> owners;
        owners.emplace(2);
        auto const drop = [&] {
          if (owners->fetch_sub(1, order) == 1) owners.reset();
        };
        model::parallel(drop, drop);
      };
    };
    CHECK(found(program(memory_order_acq_rel)) == std::nullopt);
    CHECK(found(program(memory_order_relaxed)) == FailureKind::data_race);
    CHECK(found(program(memory_order_acquire)) == FailureKind::data_race);
  }

  TEST_CASE("a lost wake-up is a deadlock that says who sleeps where") {
    auto const failure = failure_of(sleeper(false));
    CHECK(failure.kind == FailureKind::deadlock);
    CHECK(failure.text.find("T1 sleeps in futex_wait at model_test.cpp:") != std::string::npos);
    CHECK(failure.text.find("T0 joins") != std::string::npos);
    CHECK(found(sleeper(true)) == std::nullopt);
  }

  TEST_CASE("waking the address of a word that is gone is harmless") {
    everything([] {
      std::optional<model::atomic<std::uint32_t>> word;
      word.emplace(0);
      model::parallel(
          [&] {
            while (word->load(memory_order_acquire) == 0) model::futex_wait(*word, 0);
            word.reset();
          },
          [&] {
            auto& kept = *word;
            kept.store(1, memory_order_release);
            model::futex_wake_one(kept);
          });
    });
  }

  TEST_CASE("a sleep with a time limit ends when nobody else can run") {
    everything([] {
      model::atomic<std::uint32_t> word{0};
      model::parallel([&] { model::futex_wait(word, 0, 1'000); });
    });
  }

  TEST_CASE("a spin loop that yields ends, one that does not runs into the limit of steps") {
    auto const program = [](bool yields) {
      return [=] {
        model::atomic<bool> ready{false};
        model::parallel([&] { ready.store(true, memory_order_release); },
                        [&] {
                          while (!ready.load(memory_order_acquire)) {
                            if (yields) model::cpu_pause();
                          }
                        });
      };
    };
    CHECK(found(program(true)) == std::nullopt);
    auto options = exhaustive(0);
    options.max_steps = 100;
    auto const spins = [] {
      model::atomic<bool> ready{false};
      while (!ready.load()) {
      }
    };
    auto const failure = failure_of(spins, options);
    CHECK(failure.kind == FailureKind::step_limit);
    CHECK(failure.text == "more than 100 steps (max_steps)");
  }

  TEST_CASE(
      "threads that all spin take turns, so that one with an old value comes to the new one") {
    auto const lock = [](model::atomic<bool>& word) {
      while (word.exchange(true, memory_order_acquire)) {
        do model::cpu_pause();
        while (word.load(memory_order_relaxed));
      }
    };
    auto const program = [&lock] {
      model::atomic<bool> one{false};
      model::atomic<bool> other{false};
      model::parallel(
          [&] {
            lock(one);
            lock(other);
            other.store(false, memory_order_release);
            one.store(false, memory_order_release);
          },
          [&] {
            for (int i = 0; i < 3; ++i) {  // so many old values the first one may see
              lock(other);
              other.store(false, memory_order_release);
            }
            lock(one);
            one.store(false, memory_order_release);
          });
    };
    auto const result = model::explore(exhaustive(2), program);
    CHECK_MESSAGE(result.ok(), result.report());
  }

  TEST_CASE("the exhaustive search runs each interleaving once") {
    auto const count = [](int threads, int accesses, int bound) {
      auto const program = [=] {
        model::atomic<int> place[3];
        auto const work = [&](int self) {
          for (int i = 0; i < accesses; ++i) place[self].store(i, memory_order_relaxed);
        };
        if (threads == 2) model::parallel([&] { work(0); }, [&] { work(1); });
        if (threads == 3) {
          model::parallel([&] { work(0); }, [&] { work(1); }, [&] { work(2); });
        }
      };
      auto const result = model::explore(exhaustive(bound), program);
      CHECK_MESSAGE(result.ok(), result.report());
      CHECK(result.complete);
      return result.executions;
    };
    CHECK(count(2, 1, model::unbounded) == 2);   // 2! / (1! 1!)
    CHECK(count(2, 2, model::unbounded) == 6);   // 4! / (2! 2!)
    CHECK(count(2, 3, model::unbounded) == 20);  // 6! / (3! 3!)
    CHECK(count(3, 2, model::unbounded) == 90);  // 6! / (2! 2! 2!)
    CHECK(count(2, 3, 0) == 2);                  // one after the other
    CHECK(count(2, 3, 1) == 6);                  // and either one cut in two places
  }

  TEST_CASE("a load has as many choices as there are stores it may read") {
    auto const result = everything([] {
      model::atomic<int> x{0};
      model::parallel([&] { x.store(1, memory_order_relaxed); },
                      [&] { (void)x.load(memory_order_relaxed); });
    });
    CHECK(result.executions == 3);  // load first: 0. Store first: 1 or 0.
  }

  TEST_CASE("every strategy finds the lost update, shrinks it, and the replay shows it again") {
    for (auto const strategy : {Strategy::random, Strategy::pct, Strategy::exhaustive}) {
      auto const failure = failure_of(lost_update, {.strategy = strategy});
      CHECK(failure.kind == FailureKind::check);
      CHECK(failure.text.find("both additions count at model_test.cpp:") == 0);
      CHECK(failure.choices <= 2);
      CHECK(failure.choices <= failure.found_with);
      CHECK(failure.trace.size() >= 8);
      auto const again = model::replay(lost_update, failure.replay);
      REQUIRE(!again.ok());
      CHECK(again.failure->kind == failure.kind);
      CHECK(again.failure->text == failure.text);
      CHECK(again.failure->trace == failure.trace);
    }
  }

  TEST_CASE("the same seed makes the same search") {
    model::Options options{.seed = 7};
    auto const first = model::explore(options, lost_update);
    auto const second = model::explore(options, lost_update);
    CHECK(first.executions == second.executions);
    CHECK(first.report() == second.report());
  }

  TEST_CASE("the trace names thread, operation, atomic, value, order and line") {
    auto const failure = failure_of([] {
      model::atomic<int> x{0};
      model::parallel([&] { x.store(5, memory_order_release); });
      model::check(false, "stop");
    });
    std::string all;
    for (auto const& line : failure.trace) all += line + "\n";
    CHECK_MESSAGE(all.find("T1 store #0(model_test.cpp:") != std::string::npos, all);
    CHECK_MESSAGE(all.find("=5 release  model_test.cpp:") != std::string::npos, all);
  }

  TEST_CASE("an exception that leaves a thread fails the execution") {
    auto const failure =
        failure_of([] { model::parallel([] { throw std::runtime_error("no luck"); }); });
    CHECK(failure.kind == FailureKind::exception);
    CHECK(failure.text == "an exception left the thread: no luck");
  }

  TEST_CASE("a thread object joins by itself and in any order") {
    everything([] {
      model::SharedCell<int> result{0};
      model::Thread thread([&] { result.set(1); });
      model::Thread const idle([] {});
      thread.join();
      model::check(result.get() == 1, "join makes the result visible");
    });
  }

  TEST_CASE("too many threads or atomics fail with the name of the limit") {
    auto const threads = failure_of([] {
      auto const nothing = [] {};
      model::parallel(nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing);
    });
    CHECK(threads.kind == FailureKind::thread_limit);
    CHECK(threads.text.find("more than 8 threads (max_threads)") == 0);
    auto const locations = failure_of([] { model::atomic<int> const many[65]; });
    CHECK(locations.kind == FailureKind::location_limit);
    CHECK(locations.text.find("more than 64 atomics (max_locations)") == 0);
  }

  TEST_CASE("objects of another execution are refused") {
    std::optional<model::atomic<int>> kept;
    auto const program = [&] {
      if (!kept) kept.emplace(0);
      (void)kept->load();
    };
    auto const failure = failure_of(program, {.shrink = false});
    CHECK(failure.kind == FailureKind::misuse);
  }

  TEST_CASE("what is out of range is an error of its own") {
    auto const nothing = [] {};
    CHECK_THROWS_AS(model::explore({.executions = 0}, nothing), model::BadOptions);
    CHECK_THROWS_AS(model::explore({.depth = 0}, nothing), model::BadOptions);
    CHECK_THROWS_AS(model::explore({.preemption_bound = -2}, nothing), model::BadOptions);
    CHECK_THROWS_AS(model::explore({.max_steps = 60'001}, nothing), model::BadOptions);
    CHECK_THROWS_AS(model::explore({.rereads = 0}, nothing), model::BadOptions);
    CHECK_THROWS_AS(model::atomic<int>(1), model::OutsideModel);
    CHECK_THROWS_AS(model::SharedCell<int>(1), model::OutsideModel);
  }

  TEST_CASE("a replay string that is none, or of another program, is told apart") {
    auto const nothing = [] {};
    CHECK_THROWS_AS(model::replay(nothing, "rubbish"), model::BadOptions);
    CHECK_THROWS_AS(model::replay(nothing, "model1/2/x"), model::BadOptions);
    CHECK_THROWS_AS(model::replay(nothing, "model1/2/0/3/1/"), model::BadOptions);
    auto const result = model::replay(nothing, "model1/-1/100/3/1/1.1");
    REQUIRE(!result.ok());
    CHECK(result.failure->kind == FailureKind::replay_mismatch);
    CHECK(model::replay(nothing, "model1/-1/100/3/1/").ok());
  }
}
