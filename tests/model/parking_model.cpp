// Parking (scheduler/idle.hpp, as it is): no wake-up is lost, no more wake up than there is work
// for, and virtual time moves only while nobody runs.
//
// Worker and Scheduler are not here: they need threads and coroutines. What they do with Idle is
// repeated in Pool, step by step: Worker::search(), leave_search() and park(), Scheduler::post(),
// stop_workers(), outside_starts(), outside_stops() and advance_virtual_time(). The injection queue
// is a counter that is added to before the notification, as injector.hpp promises
// (injection_model.cpp).
#include <cstdint>

#include "model/support.hpp"
#include "scheduler/idle.hpp"

namespace {

using namespace model_test;
using spawned::detail::atomic;
using spawned::detail::cpu_pause;
using spawned::detail::Idle;
using spawned::detail::memory_order_acq_rel;
using spawned::detail::memory_order_acquire;
using spawned::detail::memory_order_relaxed;
using spawned::detail::memory_order_release;
using spawned::detail::memory_order_seq_cst;
using spawned::detail::SharedCell;

class Pool {
 public:
  explicit Pool(std::uint32_t workers, std::uint32_t spares = 0) : idle(workers, spares) {}

  // Scheduler::post().
  bool post() {
    pending_.fetch_add(1, memory_order_seq_cst);
    return idle.notify_one();
  }

  // Scheduler::stop_workers().
  void stop() {
    stopping_.store(true, memory_order_seq_cst);
    idle.notify_all();
  }

  // Worker::run(): `turn` is what one unit of work does.
  template <typename Turn>
  void work(std::uint32_t index, Turn turn) {
    bool searching = false;
    for (;;) {
      if (search(searching)) {
        if (searching) leave_search(searching);
        turn();
      } else if (stopping()) {
        return;
      } else {
        park(index, searching);
      }
    }
  }

  [[nodiscard]] bool stopping() const { return stopping_.load(memory_order_seq_cst); }
  [[nodiscard]] bool has_work() const { return pending_.load(memory_order_seq_cst) > 0; }

  bool take() {
    int pending = pending_.load(memory_order_seq_cst);
    while (pending > 0) {
      if (pending_.compare_exchange_strong(pending, pending - 1, memory_order_seq_cst)) return true;
    }
    return false;
  }

  bool search(bool& searching) {
    if (take()) return true;
    if (!searching) searching = idle.try_start_searching();
    return searching && take();
  }

  void leave_search(bool& searching) {
    searching = false;
    if (idle.stop_searching() && has_work()) (void)idle.notify_one();
  }

  void park(std::uint32_t index, bool& searching) {
    idle.announce(index);
    if (searching) {
      searching = false;
      (void)idle.stop_searching();
    }
    bool const found = has_work();
    if (!found && !stopping()) idle.sleep(index, spawned::detail::wait_forever);
    searching = idle.retract(index, found);
  }

  Idle idle;

 private:
  atomic<int> pending_{0};
  atomic<bool> stopping_{false};
};

/// Ends the pool after so many turns.
class Countdown {
 public:
  Countdown(Pool& pool, int turns) : pool_(pool), left_(turns) {}
  void turn() {
    if (left_.fetch_sub(1, memory_order_acq_rel) == 1) pool_.stop();
  }

 private:
  Pool& pool_;
  atomic<int> left_;
};

/// A unit of work that goes on when all of its like run: it needs as many workers at once.
class Meeting {
 public:
  explicit Meeting(std::uint32_t size) : size_(size) {}
  // True for the last to arrive.
  bool meet() {
    std::uint32_t const here = arrived_.fetch_add(1, memory_order_acq_rel) + 1;
    if (here == size_) {
      spawned::detail::futex_wake_all(arrived_);
      return true;
    }
    for (;;) {
      std::uint32_t const seen = arrived_.load(memory_order_acquire);
      if (seen == size_) return false;
      spawned::detail::futex_wait(arrived_, seen);
    }
  }

 private:
  std::uint32_t size_;
  atomic<std::uint32_t> arrived_{0};
};

// Workers under virtual time. The clock jumps to the next timer when nobody can run before it.
class VirtualPool {
 public:
  VirtualPool(std::uint32_t workers, int turns) : idle(workers), left_(turns) {}

  // A thread of the blocking pool: waits for the job that the first timer starts, brings a unit in
  // return, and ends. Scheduler::Entry, post(), outside_stops().
  void serve_job() {
    while (job_.load(memory_order_acquire) == 0) spawned::detail::futex_wait(job_, 0);
    brought_at_.store(now(), memory_order_relaxed);  // published with the unit
    pending_.fetch_add(1, memory_order_seq_cst);
    (void)idle.notify_one();
    if (outside_.fetch_sub(1, memory_order_seq_cst) % one_start == 1) idle.notify_all();
  }

  // Worker::run() of a worker with a timer at `deadline`.
  void work(std::uint32_t index, int deadline, bool with_job) {
    timers_[index].store(deadline, memory_order_release);
    bool searching = false;
    for (;;) {
      if (take()) {
        if (searching) leave_search(searching);
        int const start = now();
        model::check(start == brought_at_.load(memory_order_relaxed), "time waits for a unit");
        turn(start);
        continue;
      }
      if (int const time = now(); fire(index, time)) {
        if (searching) leave_search(searching);
        model::check(time == deadline, "no time goes by beyond a timer");
        if (with_job) start_job();
        turn(time);
        continue;
      }
      if (stopping()) return;
      park(index, searching);
    }
  }

  static constexpr int none = 1'000;
  Idle idle;

 private:
  static constexpr std::uint64_t one_start = 1U << 24U;

  [[nodiscard]] int now() const { return now_.load(memory_order_seq_cst); }
  [[nodiscard]] bool stopping() const { return left_.load(memory_order_seq_cst) == 0; }
  [[nodiscard]] bool has_work() const { return pending_.load(memory_order_seq_cst) > 0; }
  bool take() {
    int one = 1;
    return pending_.compare_exchange_strong(one, 0, memory_order_seq_cst);
  }
  bool fire(std::uint32_t index, int time) {
    if (timers_[index].load(memory_order_acquire) > time) return false;
    timers_[index].store(none, memory_order_release);
    return true;
  }
  // Scheduler::outside_starts().
  void start_job() {
    outside_.fetch_add(one_start + 1, memory_order_seq_cst);
    job_.store(1, memory_order_release);
    spawned::detail::futex_wake_one(job_);
  }
  void turn(int start) {
    model::check(now() == start, "time does not move during a turn");
    if (left_.fetch_sub(1, memory_order_seq_cst) == 1) idle.notify_all();
  }
  void leave_search(bool& searching) {
    searching = false;
    if (idle.stop_searching() && has_work()) (void)idle.notify_one();
  }

  // Worker::park().
  void park(std::uint32_t index, bool& searching) {
    int const before = now();
    int const deadline = timers_[index].load(memory_order_acquire);
    idle.announce(index);
    if (searching) {
      searching = false;
      (void)idle.stop_searching();
    }
    bool const found = has_work();
    bool const stay = found || stopping() || deadline <= before || advance() || now() != before;
    if (!stay) idle.sleep(index, spawned::detail::wait_forever);
    searching = idle.retract(index, found);
  }

  // Scheduler::advance_virtual_time().
  bool advance() {
    if (!idle.try_hold()) return false;
    std::uint64_t const outside = outside_.load(memory_order_seq_cst);
    bool moved = false;
    if (outside % one_start == 0 && !has_work()) {
      int next = timers_[0].load(memory_order_acquire);
      if (int const other = timers_[1].load(memory_order_acquire); other < next) next = other;
      moved = next != none && outside_.load(memory_order_seq_cst) == outside && next > now();
      if (moved) now_.store(next, memory_order_seq_cst);
    }
    idle.release();
    if (moved) idle.notify_all();
    return moved;
  }

  atomic<int> now_{0};
  atomic<int> timers_[2] = {none, none};
  atomic<int> pending_{0};
  atomic<int> brought_at_{0};
  atomic<std::uint64_t> outside_{0};
  atomic<std::uint32_t> job_{0};
  atomic<int> left_;  // turns
};

// What Worker::park() does for virtual time, without any work: the time is a plain value, so that
// each must be ordered with the one who moves it.
class Mover {
 public:
  explicit Mover(std::uint32_t workers, std::uint32_t spares = 0) : idle(workers, spares) {}

  void look() { (void)time_.get(); }
  bool move() {
    if (!idle.try_hold()) return false;
    bool const moves = outside_.load(memory_order_seq_cst) == 0;
    if (moves) time_.set(time_.get() + 1);
    idle.release();
    return moves;
  }
  // True: it has moved time.
  bool park(std::uint32_t index, std::int64_t timeout_ns) {
    look();
    idle.announce(index);
    bool const moved = move();
    if (!moved) idle.sleep(index, timeout_ns);
    if (idle.retract(index, false)) (void)idle.stop_searching();
    look();
    return moved;
  }
  // The timekeeper's thread: Scheduler::outside_starts(), timekeeper_stops().
  void timekeeper_starts() { outside_.fetch_add(1, memory_order_seq_cst); }
  void timekeeper_stops() { outside_.fetch_sub(1, memory_order_seq_cst); }

  Idle idle;

 private:
  SharedCell<int> time_{0};
  atomic<int> outside_{0};
};

}  // namespace

TEST_SUITE("model/parking") {
  TEST_CASE("a unit posted while the only worker parks is run") {
    holds([] {
      Pool pool(1);
      Countdown countdown(pool, 2);
      model::parallel([&] { pool.work(0, [&] { countdown.turn(); }); },
                      [&] {
                        (void)pool.post();
                        (void)pool.post();
                      });
    });
  }

  TEST_CASE("two posters and one worker: both units are run") {
    holds([] {
      Pool pool(1);
      Countdown countdown(pool, 2);
      model::parallel([&] { pool.work(0, [&] { countdown.turn(); }); }, [&] { (void)pool.post(); },
                      [&] { (void)pool.post(); });
    });
  }

  TEST_CASE("a unit posted beside a wake-up of all, who had no reason, is run") {
    holds([] {
      Pool pool(1);
      Countdown countdown(pool, 1);
      model::parallel([&] { pool.work(0, [&] { countdown.turn(); }); },
                      [&] { pool.idle.notify_all(); }, [&] { (void)pool.post(); });
    });
  }

  TEST_CASE("two units that need each other get two workers: the last searcher hands on") {
    holds([] {
      Pool pool(2);
      Meeting meeting(2);
      auto const work = [&](std::uint32_t index) {
        return [&, index] {
          pool.work(index, [&] {
            if (meeting.meet()) pool.stop();
          });
        };
      };
      model::parallel(work(0), work(1), [&] {
        (void)pool.post();
        (void)pool.post();
      });
    });
  }

  TEST_CASE("two workers leave when the pool stops, whatever they are about to do") {
    holds([] {
      Pool pool(2);
      auto const work = [&](std::uint32_t index) {
        return [&, index] { pool.work(index, [] {}); };
      };
      model::parallel(work(0), work(1), [&] { pool.stop(); });
    });
  }

  TEST_CASE("virtual time moves to each timer in turn, and not while one runs") {
    holds([] {
      VirtualPool pool(2, 2);
      model::parallel([&] { pool.work(0, 10, false); }, [&] { pool.work(1, 20, false); });
    });
  }

  TEST_CASE("virtual time stands still for a thread outside while the only worker sleeps") {
    holds([] {
      VirtualPool pool(1, 2);
      model::parallel([&] { pool.work(0, 10, true); }, [&] { pool.serve_job(); });
    });
  }

  TEST_CASE("virtual time stands still for a thread outside and for the unit it brings") {
    holds(
        [] {
          VirtualPool pool(2, 3);
          model::parallel([&] { pool.work(0, 10, true); }, [&] { pool.work(1, 20, false); },
                          [&] { pool.serve_job(); });
        },
        0);
  }

  TEST_CASE("who wakes while time is held sees the time after the move") {
    holds([] {
      Mover mover(2);
      auto const work = [&](std::uint32_t index) {
        return [&, index] { (void)mover.park(index, 1); };
      };
      model::parallel(work(0), work(1));
    });
  }

  TEST_CASE("a spare that joins sees the time after the move, and one that leaves lets it move") {
    holds([] {
      Mover mover(1, 1);
      model::parallel(
          [&] {
            while (!mover.park(0, spawned::detail::wait_forever)) {
            }
          },
          [&] {
            mover.idle.join(1);
            mover.look();
            mover.idle.leave();
            mover.idle.notify_all();
          });
    });
  }

  TEST_CASE("time moves when the timekeeper stops beside a worker that parks") {
    holds([] {
      Mover mover(1);
      mover.timekeeper_starts();
      atomic<std::uint32_t> moved{0};
      auto const done = [&] {
        moved.store(1, memory_order_release);
        spawned::detail::futex_wake_all(moved);
      };
      model::parallel(
          [&] {
            mover.idle.announce(0);
            if (mover.move()) done();
            while (moved.load(memory_order_acquire) == 0) spawned::detail::futex_wait(moved, 0);
          },
          [&] {
            mover.timekeeper_stops();
            if (mover.move()) done();
          });
    });
  }

  TEST_CASE("who is woken sees what the waker wrote") {
    holds([] {
      Idle idle(1);
      SharedCell<int> request{0};
      model::parallel(
          [&] {
            idle.announce(0);
            idle.sleep(0, 1);
            if (idle.retract(0, false)) {
              model::check(request.get() == 1, "the request is seen");
              model::check(idle.stop_searching(), "it was the searcher");
            }
          },
          [&] {
            request.set(1);
            (void)idle.wake(0);
          });
    });
  }

  TEST_CASE("the monitor does not sleep while a worker runs") {
    holds([] {
      Idle idle(1);
      atomic<bool> asleep{false};
      atomic<std::uint32_t> bell{0};
      atomic<std::uint32_t> rescued{0};
      idle.announce(0);
      model::parallel(
          [&] {  // Worker::park(), woken by its time limit, and a turn that is rescued
            (void)idle.retract(0, false);
            if (asleep.load(memory_order_seq_cst)) {
              asleep.store(false, memory_order_seq_cst);
              bell.fetch_add(1, memory_order_release);
              spawned::detail::futex_wake_one(bell);
            }
            while (rescued.load(memory_order_acquire) == 0) {
              spawned::detail::futex_wait(rescued, 0);
            }
          },
          [&] {  // Monitor::run()
            for (;;) {
              std::uint32_t const seen = bell.load(memory_order_acquire);
              if (!idle.all_parked()) break;
              asleep.store(true, memory_order_seq_cst);
              if (idle.all_parked()) spawned::detail::futex_wait(bell, seen);
              asleep.store(false, memory_order_seq_cst);
            }
            rescued.store(1, memory_order_release);
            spawned::detail::futex_wake_one(rescued);
          });
    });
  }

  TEST_CASE("a spare whose slot is new is found by the notifier, and leaves in the end") {
    holds([] {
      Pool pool(1, 1);  // worker 0 is blocked in a turn
      Countdown countdown(pool, 1);
      model::parallel(
          [&] {
            pool.idle.join(1);
            pool.work(1, [&] { countdown.turn(); });
            pool.idle.leave();
          },
          [&] { (void)pool.post(); });
    });
  }

  TEST_CASE("a spare joins, runs what the blocked worker cannot, and leaves") {
    holds([] {
      Pool pool(1, 1);
      Meeting meeting(2);
      auto const turn = [&] {
        if (meeting.meet()) pool.stop();
      };
      (void)pool.post();
      model::parallel([&] { pool.work(0, turn); },
                      [&] {
                        pool.idle.join(1);
                        pool.work(1, turn);
                        pool.idle.leave();
                      },
                      [&] { (void)pool.post(); });
    });
  }
}
