// Bounded mailboxes under fire: afterwards the sums agree.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;
using std::chrono::microseconds;
using Kind = sp::ActorError::Kind;

namespace {

using Count = std::atomic<std::uint64_t>;

constexpr std::size_t senders_max = 16;

struct Books {
  Count sent{0};
  Count handled{0};
  Count full{0};        // SendResult::full
  Count wait_full{0};   // send_wait: mailbox_full
  Count wait_other{0};  // send_wait: cancelled, no_such_actor and its like
  Count letters{0};     // dead letters to this receiver
  Count overflows{0};   // those by overflow
  Count asked{0};
  Count answered{0};
  Count asked_full{0};
  Count asked_other{0};
  Count alive{0};

  [[nodiscard]] std::string describe() const {
    return "sent " + std::to_string(sent) + ", handled " + std::to_string(handled) + ", full " +
           std::to_string(full) + ", waits refused " + std::to_string(wait_full) + " + " +
           std::to_string(wait_other) + ", dead letters " + std::to_string(letters) +
           " (overflow " + std::to_string(overflows) + "); asked " + std::to_string(asked) +
           ", answered " + std::to_string(answered) + ", full " + std::to_string(asked_full) +
           ", other " + std::to_string(asked_other) + "; alive " + std::to_string(alive);
  }
  void add(Books const& round) {
    sent += round.sent, handled += round.handled, full += round.full;
    wait_full += round.wait_full, wait_other += round.wait_other, letters += round.letters;
    overflows += round.overflows, asked += round.asked, answered += round.answered;
    asked_full += round.asked_full, asked_other += round.asked_other;
  }
};

/// Counts the living.
class Token {
 public:
  explicit Token(Books& books) noexcept : books_(&books) { ++books_->alive; }
  Token(Token&& other) noexcept : books_(other.books_) { ++books_->alive; }
  Token(Token const& other) noexcept : books_(other.books_) { ++books_->alive; }
  Token& operator=(Token const&) = delete;
  ~Token() { --books_->alive; }

 private:
  Books* books_;
};

struct Note {
  Note(Books& books, std::size_t from, std::uint64_t count, bool is_urgent) noexcept
      : token(books), sender(from), number(count), urgent(is_urgent) {}
  Token token;
  std::size_t sender;
  std::uint64_t number;
  bool urgent;
};
struct Square {
  Square(Books& books, std::uint64_t of) noexcept : token(books), value(of) {}
  Token token;
  std::uint64_t value;
};
struct GiveUrgent {};

class Target : public sp::Actor<Target> {
 public:
  Target(Books& books, stress::Random random) noexcept : books_(&books), random_(random) {}
  sp::Task<void> handle_message(Note const& note) {
    auto& last = last_[note.urgent ? 1 : 0][note.sender];
    stress::check(note.number > last, "a message overtook another of its sender");
    last = note.number;
    if (random_.one_in(16)) co_await sp::yield_now();
    if (random_.one_in(2000)) co_await sp::sleep(microseconds(100));
    ++books_->handled;
  }
  std::uint64_t handle_request(Square const& square) { return square.value * square.value; }
  sp::UrgentRef<Target> handle_request(GiveUrgent /*request*/, sp::Context<Target>& context) {
    return context.urgent_ref();
  }

 private:
  Books* books_;
  stress::Random random_;
  std::array<std::array<std::uint64_t, senders_max>, 2> last_{};
};

void enter(Books& books, sp::SendResult result) {
  if (result == sp::SendResult::full) ++books.full;
}
void enter(Books& books, sp::Result<void> const& result) {
  if (result) return;
  ++(result.error() == Kind::mailbox_full ? books.wait_full : books.wait_other);
}
void enter(Books& books, sp::Result<std::uint64_t> const& result, std::uint64_t value) {
  if (result) {
    stress::check_equal(*result, value * value, "an answer");
    ++books.answered;
  } else {
    ++(result.error() == Kind::mailbox_full ? books.asked_full : books.asked_other);
  }
}

struct Round {
  Books books;
  std::optional<sp::ActorRef<Target>> target;
  std::optional<sp::UrgentRef<Target>> urgent;
};

std::chrono::nanoseconds random_limit(stress::Random& random) {
  return microseconds(random.one_in(2) ? random.below(3000) : 30'000'000);
}

sp::Task<void> sender(Round& round, std::size_t self, std::uint64_t count, stress::Random random) {
  Books& books = round.books;
  sp::ActorRef<Target> const target = *round.target;
  for (std::uint64_t i = 1; i <= count; ++i) {
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2:
        ++books.sent;
        enter(books, target.send<Note>(books, self, i, false));
        break;
      case 3:
      case 4: {
        ++books.sent;
        bool caught = false;
        try {
          auto sent = co_await target.send_wait<Note>(books, self, i, false);
          enter(books, sent);
        } catch (sp::Cancelled const&) {
          caught = true;
        }
        if (caught) ++books.wait_other;
        break;
      }
      case 5: {
        ++books.asked;
        bool caught = false;
        try {
          auto answer =
              co_await target.request_with_timeout<Square>(random_limit(random), books, i);
          enter(books, answer, i);
        } catch (sp::Cancelled const&) {
          caught = true;
        }
        if (caught) ++books.asked_other;
        break;
      }
      case 6: {
        ++books.asked;
        auto pending = target.start_request<Square>(books, i);
        bool caught = false;
        try {
          auto answer = co_await pending.wait_for(random_limit(random));
          enter(books, answer, i);
        } catch (sp::Cancelled const&) {
          caught = true;
        }
        if (caught) ++books.asked_other;
        break;
      }
      default:
        if (round.urgent) {
          ++books.sent;
          enter(books, round.urgent->send<Note>(books, self, i, true));
        }
        break;
    }
  }
}

void thread_sender(Round& round, std::size_t self, std::uint64_t count, stress::Random random) {
  Books& books = round.books;
  sp::ActorRef<Target> const target = *round.target;
  for (std::uint64_t i = 1; i <= count; ++i) {
    switch (random.below(3)) {
      case 0:
        ++books.sent;
        enter(books, target.send<Note>(books, self, i, false));
        break;
      case 1:
        ++books.sent;
        enter(books, target.send_wait_blocking<Note>(books, self, i, false));
        break;
      default:
        ++books.asked;
        enter(books, target.request_blocking_with_timeout<Square>(random_limit(random), books, i),
              i);
        break;
    }
  }
}

sp::ActorOptions random_options(stress::Random& random) {
  sp::ActorOptions options;
  options.mailbox_capacity = 1 + random.below(random.one_in(2) ? 4 : 100);
  options.overflow = static_cast<sp::Overflow>(random.below(5));
  if (random.one_in(3)) {
    options.urgent_messages = true;
    options.urgent_burst = static_cast<unsigned>(1 + random.below(4));
  }
  return options;
}

void check(Round const& round) {
  Books const& books = round.books;
  std::uint64_t const told = books.full + books.wait_full + books.wait_other;
  stress::check_equal(books.handled + told + books.letters, books.sent, "what became of messages");
  stress::check_equal(books.answered + books.asked_full + books.asked_other, books.asked,
                      "outcomes of requests");
  sp::MailboxInfo const info = round.target->mailbox();
  std::uint64_t const refused = info.dropped + info.rejected;
  std::uint64_t const seen = books.full + books.wait_full + books.overflows + books.asked_full;
  // A request that was dropped after its caller had given up is seen by nobody else.
  stress::check(seen <= refused && refused <= seen + books.asked_other, "dropped and rejected");
  stress::check_equal(info.size, 0, "unread messages of an ended actor");
  stress::check_equal(books.alive, 0, "messages that were never destroyed");
}

void play(sp::Runtime& runtime, Round& round, stress::Random random) {
  sp::ActorOptions const options = random_options(random);
  bool const may_end = random.one_in(2) || options.overflow == sp::Overflow::stop_actor;
  round.target.emplace(
      sp::start_with_on<Target>(runtime, options, round.books, stress::Random(random.next())));
  if (options.urgent_messages) {
    round.urgent.emplace(round.target->request_blocking<GiveUrgent>().value());
  }
  auto const id = round.target->id();
  auto subscription =
      sp::dead_letters::subscribe([&round, id](sp::DeadLetter const& letter) noexcept {
        if (letter.receiver != id) return;
        ++round.books.letters;
        if (letter.cause == sp::DeadLetter::Cause::overflow) ++round.books.overflows;
      });
  std::uint64_t const each = 50 + random.below(500);
  std::vector<sp::JoinHandle<void>> tasks;
  std::vector<std::thread> threads;
  std::size_t self = 0;
  for (std::uint64_t n = 1 + random.below(10); n != 0; --n) {
    tasks.push_back(runtime.spawn(sender(round, self++, each, stress::Random(random.next()))));
  }
  for (std::uint64_t n = random.below(3); n != 0; --n) {
    threads.emplace_back([&round, from = self++, each, seed = random.next()] {
      thread_sender(round, from, each, stress::Random(seed));
    });
  }
  for (std::uint64_t spins = random.below(100'000); spins != 0; --spins) {
    spawned::detail::cpu_pause();
  }
  if (may_end && random.one_in(2)) round.target->stop();
  if (random.one_in(2)) tasks.front().cancel();
  for (auto& task : tasks) (void)task.join_blocking();
  for (std::thread& thread : threads) thread.join();
  round.target->stop();
  (void)round.target->wait_exit_blocking();
}

/// Overflows are what the workload asks for, thousands of them.
class Silence final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& /*record*/) noexcept override {}
};

}  // namespace

int main() {
  Silence silence;
  sp::log::set_sink(&silence);
  stress::Run run("bounded");
  Books sums;
  for (unsigned workers : {2U, 1U}) {
    sp::RuntimeOptions options;
    options.workers = workers;
    sp::Runtime runtime(options);
    for (std::uint64_t n = workers; run.time_left(workers == 2 ? 0.7 : 1.0); n += 2) {
      Round round;
      run.on_hang([&] { return round.books.describe() + "\n" + stress::describe(runtime); });
      play(runtime, round, run.random(n));
      check(round);
      sums.add(round.books);
      run.on_hang({});
      run.beat();
    }
  }
  std::printf("  %s\n", sums.describe().c_str());
  sp::log::set_sink(nullptr);
  return 0;
}
