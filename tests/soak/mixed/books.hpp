// The books of the soak: each message carries a witness, each request a claim, and afterwards the
// sums agree.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace soak {

namespace sp = spawned::tasks;
using Count = std::atomic<std::uint64_t>;
using ErrorKind = sp::ActorError::Kind;

/// What became of the messages of one type. An object that was moved from is not counted.
struct Tally {
  Count made{0};       // constructed, by a sender or as the copy of an interval
  Count begun{0};      // a handler has seen it
  Count worked{0};     // destroyed, and a handler had seen it
  Count unheard{0};    // destroyed, and no handler had seen it
  Count told{0};       // its sender was told: full, an error, cancelled
  Count letters{0};    // dead letters of its type
  Count originals{0};  // what intervals copy; these are no messages

  [[nodiscard]] std::uint64_t alive() const noexcept { return made - worked - unheard; }
};

/// One message, wherever it is moved.
class Witness {
 public:
  explicit Witness(Tally& tally) noexcept : tally_(&tally) { ++tally_->made; }
  Witness(Witness&& other) noexcept
      : tally_(std::exchange(other.tally_, nullptr)), begun_(other.begun_) {}
  Witness& operator=(Witness&&) = delete;
  ~Witness() {
    if (tally_ != nullptr) ++(begun_ ? tally_->worked : tally_->unheard);
  }
  void begin() noexcept {
    stress::check(tally_ != nullptr, "a handler got a message that was moved from");
    stress::check(!std::exchange(begun_, true), "a message was handled twice");
    ++tally_->begun;
  }

 private:
  Tally* tally_;
  bool begun_ = false;
};

/// The original of an interval, and each tick that is copied from it.
class TickWitness {
 public:
  explicit TickWitness(Tally& tally) noexcept : tally_(&tally), original_(true) {
    ++tally_->originals;
  }
  TickWitness(TickWitness const& other) noexcept : tally_(other.tally_) { ++tally_->made; }
  TickWitness& operator=(TickWitness const&) = delete;
  ~TickWitness() {
    if (original_) {
      --tally_->originals;
    } else {
      ++(begun_ ? tally_->worked : tally_->unheard);
    }
  }
  void begin() noexcept {
    stress::check(!original_, "the original of an interval was sent");
    stress::check(!std::exchange(begun_, true), "a tick was handled twice");
    ++tally_->begun;
  }

 private:
  Tally* tally_;
  bool original_ = false;
  bool begun_ = false;
};

/// Everything of one period.
struct Books {
  static constexpr std::size_t error_kinds = 12;
  static constexpr std::size_t causes = 4;

  Tally notes;     // send, send_wait, urgent
  Tally timed;     // send_after
  Tally ticks;     // send_interval
  Tally requests;  // what asks, delegated requests included

  Count sent{0};  // attempts to send a note

  Count asked{0};
  Count answered{0};
  Count unwound{0};   // the caller was cancelled by exception, or its frame was destroyed
  Count given_up{0};  // PendingReply dropped without a wait, or after one that ended in time
  Count errors[error_kinds]{};

  Count deferred_sent{0};  // ReplyResult::sent
  Count deferred_gone{0};
  Count deferred_dropped{0};

  Count timers{0};
  Count timers_cancelled{0};
  Count timers_sent{0};
  Count timers_ended{0};
  Count intervals{0};

  Count letters_by_cause[causes]{};
  Count ends{0};

  [[nodiscard]] std::uint64_t alive() const noexcept {
    return notes.alive() + timed.alive() + ticks.alive() + requests.alive();
  }
};

/// A send that is under way. Unless its end is entered, its sender was told by an exception.
class Sending {
 public:
  explicit Sending(Books& books) noexcept : books_(&books) { ++books_->sent; }
  Sending(Sending const&) = delete;
  Sending& operator=(Sending const&) = delete;
  ~Sending() {
    if (told_) ++books_->notes.told;
  }
  void enter(sp::SendResult result) noexcept { told_ = result == sp::SendResult::full; }
  void enter(sp::Result<void> const& result) noexcept {
    told_ = !result;
    if (result) return;
    auto const kind = result.error().kind();
    stress::check(kind == ErrorKind::mailbox_full || kind == ErrorKind::no_such_actor ||
                      kind == ErrorKind::init_failed || kind == ErrorKind::init_no_success ||
                      kind == ErrorKind::cancelled || kind == ErrorKind::deadlock,
                  "send_wait with an error that cannot be");
  }

 private:
  Books* books_;
  bool told_ = true;
};

/// A request that is under way: has one outcome.
class Asking {
 public:
  explicit Asking(Books& books) noexcept : books_(&books) { ++books_->asked; }
  Asking(Asking const&) = delete;
  Asking& operator=(Asking const&) = delete;
  ~Asking() {
    if (!entered_) ++books_->unwound;
  }
  void give_up() noexcept {
    once();
    ++books_->given_up;
  }
  void enter(sp::Result<std::uint64_t> const& result, std::uint64_t question) noexcept {
    once();
    if (result) {
      stress::check_equal(*result, question + 1, "the answer to another question");
      ++books_->answered;
    } else {
      auto const kind = result.error().kind();
      stress::check(kind != ErrorKind::no_request, "a request with an error that cannot be");
      ++books_->errors[static_cast<std::size_t>(kind)];
    }
  }

 private:
  void once() noexcept {
    stress::check(!std::exchange(entered_, true), "a request with two outcomes");
  }
  Books* books_;
  bool entered_ = false;
};

/// Enters every dead letter of the process while it lives.
class Undertaker {
 public:
  explicit Undertaker(Books& books)
      : books_(&books),
        before_(sp::dead_letters::counts()),
        subscription_(sp::dead_letters::subscribe(
            [&books](sp::DeadLetter const& letter) noexcept { enter(books, letter); })) {}

  /// The process's own counters against what was told.
  void check() const {
    auto const after = sp::dead_letters::counts();
    std::uint64_t const counted[Books::causes] = {
        after.ended - before_.ended, after.unread - before_.unread,
        after.overflow - before_.overflow, after.revoked - before_.revoked};
    for (std::size_t i = 0; i < Books::causes; ++i) {
      stress::check_equal(books_->letters_by_cause[i], counted[i],
                          "dead letters told and counted, by cause");
    }
  }

 private:
  static void enter(Books& books, sp::DeadLetter const& letter) noexcept {
    ++books.letters_by_cause[static_cast<std::size_t>(letter.cause)];
    if (letter.message_type.ends_with("Note")) {
      ++books.notes.letters;
    } else if (letter.message_type.ends_with("Timed")) {
      ++books.timed.letters;
    } else if (letter.message_type.ends_with("Tick")) {
      ++books.ticks.letters;
    }
  }

  Books* books_;
  sp::dead_letters::Counts before_;
  sp::dead_letters::Subscription subscription_;
};

/// The text of the sums, for the end and for a hang.
std::string describe(Books const& books);

/// Nothing runs any more: the sums agree.
void check(Books const& books);

}  // namespace soak
