#include "traffic.hpp"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace soak {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// --- timers ---

Timers::~Timers() {
  while (!timers_.empty()) settle_oldest();
  for (sp::TimerHandle& interval : intervals_) (void)interval.cancel();
}

void Timers::settle_oldest() {
  sp::TimerHandle timer = std::move(timers_.front());
  timers_.pop_front();
  if (timer.cancel() == sp::CancelResult::cancelled) {
    ++world_->books.timers_cancelled;
    return;
  }
  bool const sent = timer.state() == sp::TimerState::sent;
  stress::check(sent || timer.state() == sp::TimerState::actor_ended,
                "the state of a timer that could not be cancelled");
  ++(sent ? world_->books.timers_sent : world_->books.timers_ended);
}

void Timers::set(sp::ActorRef<Server> const& server, stress::Random& random) {
  Books& books = world_->books;
  if (random.one_in(16)) {
    ++books.intervals;
    auto const missed = random.one_in(2) ? sp::MissedTicks::burst : sp::MissedTicks::skip;
    auto const period = milliseconds(1 + random.below(4));
    intervals_.push_back(sp::send_interval<Tick>(period, missed, server, books));
    if (intervals_.size() > 4) {
      (void)intervals_.front().cancel();
      intervals_.pop_front();
    }
    return;
  }
  ++books.timers;
  auto const delay = microseconds(random.one_in(8) ? 0 : random.below(10'000));
  timers_.push_back(sp::send_after<Timed>(delay, server, books));
  if (timers_.size() > 32) settle_oldest();
}

// --- owners ---

sp::Task<void> owner(World& world, sp::Runtime& runtime, std::size_t place, stress::Random random) {
  for (;;) {
    auto server = sp::start_with_on<Server>(runtime, options_of_place(place, random), world,
                                            place == 10, random.next());
    world.put(place, server);
    if (world.leaving) co_return;
    auto reason = co_await server.wait_exit();
    if (!reason) co_return;  // the runtime ends
    ++world.books.ends;
    world.run->beat();
  }
}

// --- clients ---

namespace {

microseconds random_limit(stress::Random& random) {
  return random.one_in(2) ? microseconds(random.below(3000)) : microseconds(seconds(1));
}

void attack(sp::ActorRef<Server> const& server, stress::Random& random) {
  switch (random.below(3)) {
    case 0:
      server.kill();
      break;
    case 1:
      server.exit(sp::ExitReason::custom("soak"));
      break;
    default:
      server.stop();
      break;
  }
}

sp::Task<void> ask(World& world, sp::ActorRef<Server> server, stress::Random& random) {
  std::uint64_t const question = random.next();
  auto const limit = random_limit(random);
  auto const way = random_way(random);
  Asking asking(world.books);
  auto answer = co_await server.request_with_timeout<Ask>(limit, world.books, question, way);
  asking.enter(answer, question);
}

// Asks in two halves, and perhaps forgets the second.
sp::Task<void> ask_later(World& world, sp::ActorRef<Server> server, stress::Random& random) {
  std::uint64_t const question = random.next();
  auto const limit = random_limit(random);
  Asking asking(world.books);
  auto pending = server.start_request<Ask>(world.books, question, random_way(random));
  if (random.one_in(3)) {
    if (random.one_in(2)) co_await sp::yield_now();
    asking.give_up();
    co_return;
  }
  auto answer = co_await pending.wait_for(limit);
  asking.enter(answer, question);
}

sp::Task<void> send_urgently(World& world, sp::ActorRef<Server> server, stress::Random& random) {
  auto urgent = co_await server.request_with_timeout<GiveUrgent>(milliseconds(5));
  if (!urgent || !*urgent) co_return;
  for (std::uint64_t n = 1 + random.below(16); n != 0; --n) {
    Sending sending(world.books);
    sending.enter((*urgent)->send<Note>(world.books));
    if (random.one_in(4)) co_await sp::yield_now();
  }
}

sp::Task<void> act(World& world, Timers& timers, stress::Random& random) {
  auto const server = world.pick(random);
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      for (std::uint64_t n = 1 + random.below(8); n != 0; --n) {
        Sending sending(world.books);
        sending.enter(server.send<Note>(world.books));
      }
      break;
    case 3:
    case 4: {
      Sending sending(world.books);
      auto sent = co_await server.send_wait<Note>(world.books);
      sending.enter(sent);
      break;
    }
    case 5:
    case 6:
      co_await ask(world, server, random);
      break;
    case 7:
      co_await ask_later(world, server, random);
      break;
    case 8:
      if (random.one_in(4)) {
        co_await send_urgently(world, server, random);
      } else {
        timers.set(server, random);
      }
      break;
    default:
      if (random.one_in(30)) attack(server, random);
      break;
  }
}

sp::Task<void> client(World& world, stress::Random random) {
  Timers timers(world);
  for (std::uint64_t left = 50 + random.below(1000); left != 0 && !world.leaving; --left) {
    if (world.is_crowded()) co_await sp::sleep(milliseconds(1));
    if (random.one_in(20)) co_await sp::sleep(microseconds(random.below(500)));
    co_await act(world, timers, random);
    if (random.one_in(64)) world.run->beat();
  }
}

}  // namespace

sp::Task<void> boss(World& world, stress::Random random) {
  while (!world.leaving) {
    std::vector<sp::JoinHandle<void>> clients;
    for (int i = 0; i < 12; ++i) {
      clients.push_back(sp::spawn(client(world, stress::Random(random.next()))));
    }
    if (random.one_in(2)) {
      co_await sp::sleep(microseconds(random.below(20'000)));
      for (auto& one : clients) {
        if (random.one_in(3)) one.cancel();
      }
    }
    for (auto& one : clients) {
      auto ended = co_await one;
      stress::check(ended || ended.error().is_cancelled(), "a client failed");
    }
  }
}

// --- threads ---

void outsider(World& world, stress::Random random) {
  Timers timers(world);
  Books& books = world.books;
  while (!world.closing) {
    auto const server = world.pick(random);
    if (world.is_crowded()) {
      std::this_thread::sleep_for(milliseconds(1));  // waiver G23: a plain thread gives way
    }
    switch (random.below(5)) {
      case 0:
      case 1: {
        Sending sending(books);
        sending.enter(server.send<Note>(books));
        break;
      }
      case 2: {
        Sending sending(books);
        sending.enter(server.send_wait_blocking<Note>(books));
        break;
      }
      case 3: {
        std::uint64_t const question = random.next();
        Asking asking(books);
        asking.enter(server.request_blocking_with_timeout<Ask>(random_limit(random), books,
                                                               question, random_way(random)),
                     question);
        break;
      }
      default:
        timers.set(server, random);
        break;
    }
    if (random.one_in(2000)) attack(server, random);
  }
}

}  // namespace soak
