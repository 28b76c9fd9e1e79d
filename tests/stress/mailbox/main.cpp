// The mailbox word alone: producers against one owner at a time, nothing lost, nobody twice.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <spawned/actors/detail/mailbox.hpp>
#include <spawned/runtime/detail/pool.hpp>

#include "support/stress.hpp"

namespace {

struct Mail {
  Mail(std::uint32_t sender, std::uint64_t count) noexcept : producer(sender), number(count) {}
  spawned::detail::SharedCell<Mail*> next;
  std::uint32_t producer;
  std::uint64_t number;
};
using Mailbox = spawned::detail::BasicMailbox<Mail>;

constexpr unsigned producers_most = 4;

/// What an actor is to its mailbox: owned by one thread at a time, and runnable or not.
class Actor {
 public:
  explicit Actor(Mailbox::Start start) noexcept : mailbox_(start) {}

  /// A producer's whole send. Counts the hand-overs.
  bool send(std::uint32_t producer, std::uint64_t number) {
    Mail* const mail = spawned::detail::pool_new<Mail>(producer, number);
    switch (mailbox_.push(*mail)) {
      case Mailbox::Push::made_runnable:
        stress::check(runnable_.exchange(true) == false, "made runnable twice");
        return true;
      case Mailbox::Push::queued:
        return true;
      case Mailbox::Push::closed:
        break;
    }
    spawned::detail::pool_delete(mail);
    return false;
  }

  /// True: the caller is the owner now.
  bool try_own() noexcept { return runnable_.load() && runnable_.exchange(false); }
  void make_runnable() { stress::check(!runnable_.exchange(true), "queued twice"); }

  /// The owner's turn, as CellBase::work_through(). True: the actor was given up.
  bool work(stress::Random& random) {
    enter();
    for (unsigned handled = 0; handled < 100; ++handled) {
      Mail* mail = inbox_;
      if (mail != nullptr) {
        inbox_ = mail->next.get();
        handle(*mail);
        spawned::detail::pool_delete(mail);
        continue;
      }
      mail = mailbox_.peek();
      if (mail == nullptr) {
        leave();
        if (mailbox_.go_idle(nullptr)) return true;
        enter();
      } else if (mail->next.get() != nullptr || random.one_in(4)) {
        inbox_ = mailbox_.take_all();
      } else {  // alone: handled in place
        handle(*mail);
        if (random.one_in(8)) {
          inbox_ = mailbox_.take_above(mail);
          spawned::detail::pool_delete(mail);
          continue;
        }
        leave();
        bool const given_up = mailbox_.go_idle(mail);
        // From here on the actor may be another thread's, but the block is still ours.
        if (given_up) {
          spawned::detail::pool_delete(mail);
          return true;
        }
        enter();
        inbox_ = mailbox_.take_above(mail);
        spawned::detail::pool_delete(mail);
      }
    }
    leave();
    return false;
  }

  /// The owner's end. Returns how much mail was not read.
  std::uint64_t close() {
    enter();
    Mail* const late = mailbox_.close();
    std::uint64_t const unread = drop(inbox_) + drop(late);
    inbox_ = nullptr;
    return unread;
  }

  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_.load(); }

 private:
  void enter() { stress::check(!owned_.exchange(true), "two owners at once"); }
  void leave() { owned_.store(false); }

  void handle(Mail const& mail) {
    // Plain fields on purpose: the thread sanitizer checks the hand-over between owners.
    stress::check_equal(mail.number, expected_[mail.producer], "a producer's next mail");
    ++expected_[mail.producer];
    handled_.fetch_add(1, std::memory_order_relaxed);
  }
  // Unread mail is in order too, and goes on where the handled mail ended.
  std::uint64_t drop(Mail* mail) {
    std::uint64_t count = 0;
    while (mail != nullptr) {
      Mail* const gone = mail;
      mail = mail->next.get();
      stress::check_equal(gone->number, expected_[gone->producer], "a producer's next unread mail");
      ++expected_[gone->producer];
      spawned::detail::pool_delete(gone);
      ++count;
    }
    return count;
  }

  Mailbox mailbox_;
  std::atomic<bool> runnable_{false};
  std::atomic<bool> owned_{false};
  std::atomic<std::uint64_t> handled_{0};
  Mail* inbox_ = nullptr;
  std::array<std::uint64_t, producers_most> expected_{};
};

/// How a round of the game is played.
struct Game {
  unsigned producers;
  unsigned consumers;      // threads that compete for the runnable actor
  std::uint64_t each;      // mail of one producer
  std::uint64_t pause;     // most pauses between two sends: long ones let the actor go idle
  std::uint64_t close_at;  // close once so much is handled; 0: never
};

class Round {
 public:
  Round(stress::Run& run, Game game, std::uint64_t stream)
      : run_(&run),
        game_(game),
        stream_(stream),
        actor_(stream % 2 == 0 ? Mailbox::Start::idle : Mailbox::Start::running) {
    if (stream % 2 != 0) actor_.make_runnable();
  }

  void play() {
    run_->on_hang([this] {
      return "handled " + std::to_string(actor_.handled()) + " of " +
             std::to_string(game_.each * game_.producers) + ", accepted " +
             std::to_string(accepted_.load()) + ", producers done " +
             std::to_string(producers_done_.load()) + ", closed " + std::to_string(closed_.load());
    });
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < game_.producers; ++i) {
      threads.emplace_back([this, i] { produce(i); });
    }
    for (unsigned i = 0; i < game_.consumers; ++i) {
      threads.emplace_back([this, i] { consume(i); });
    }
    for (std::thread& thread : threads) thread.join();
    stress::check_equal(actor_.handled() + unread_, accepted_.load(), "mail handled or given back");
    if (game_.close_at == 0) {
      stress::check_equal(actor_.handled(), game_.each * game_.producers, "mail handled");
    }
    run_->on_hang({});
    run_->beat();
  }

 private:
  void produce(unsigned producer) {
    stress::Random random = run_->random(stream_ * 16 + producer);
    for (std::uint64_t number = 0; number < game_.each; ++number) {
      if (!actor_.send(producer, number)) {
        stress::check(game_.close_at != 0, "closed, but nobody did");
        break;
      }
      accepted_.fetch_add(1);
      for (std::uint64_t n = random.below(game_.pause + 1); n != 0; --n) {
        spawned::detail::cpu_pause();
      }
    }
    producers_done_.fetch_add(1);
  }

  [[nodiscard]] bool over() const {
    if (closed_.load()) return true;
    return producers_done_.load() == game_.producers && actor_.handled() == accepted_.load() &&
           game_.close_at == 0;
  }

  void consume(unsigned consumer) {
    stress::Random random = run_->random(stream_ * 16 + 8 + consumer);
    while (!over()) {
      if (!actor_.try_own()) {
        if (game_.close_at != 0 && producers_done_.load() == game_.producers) {
          if (finished_before_close()) return;
        }
        std::this_thread::yield();
        continue;
      }
      if (game_.close_at != 0 && actor_.handled() >= game_.close_at) {
        unread_ = actor_.close();
        closed_.store(true);
        return;
      }
      if (!actor_.work(random)) actor_.make_runnable();
    }
  }
  // All was handled without ever reaching the number to close at.
  [[nodiscard]] bool finished_before_close() const {
    return !closed_.load() && actor_.handled() == accepted_.load();
  }

  stress::Run* run_;
  Game game_;
  std::uint64_t stream_;
  Actor actor_;
  std::uint64_t unread_ = 0;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<unsigned> producers_done_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace

int main() {
  stress::Run run("mailbox");
  stress::Random random = run.random(0);
  for (std::uint64_t round = 1; run.time_left(); ++round) {
    bool const closes = random.one_in(3);
    std::uint64_t const each = closes ? 2000 : 10'000;
    Game const game{.producers = static_cast<unsigned>(1 + random.below(producers_most)),
                    .consumers = static_cast<unsigned>(1 + random.below(2)),
                    .each = each,
                    .pause = random.one_in(2) ? 0 : random.below(200),
                    .close_at = closes ? 1 + random.below(each) : 0};
    Round(run, game, round).play();
  }
  return 0;
}
