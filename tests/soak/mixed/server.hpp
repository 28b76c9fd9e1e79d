// The actors of the soak, and the board where everybody finds them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <spawned/tasks.hpp>

#include "books.hpp"
#include "support/stress.hpp"

namespace soak {

class Server;
struct World;

struct Note {
  explicit Note(Books& books) noexcept : witness(books.notes) {}
  Witness mutable witness;
};
struct Timed {
  explicit Timed(Books& books) noexcept : witness(books.timed) {}
  Witness mutable witness;
};
struct Tick {
  explicit Tick(Books& books) noexcept : witness(books.ticks) {}
  TickWitness mutable witness;
};

/// Asks for `question + 1`; `how` says how the server goes about it.
struct Ask {
  enum class How : std::uint8_t {
    at_once,
    yield,
    sleep,
    fail,
    keep,      // the reply is deferred to a later message
    spawn,     // a task answers
    drop,      // the ReplyTo is dropped
    relay,     // asks another actor, and waits
    delegate,  // another actor answers
    unused,
    stop,
    how_many
  };
  Ask(Books& books, std::uint64_t what, How way) noexcept
      : witness(books.requests), question(what), how(way) {}
  Witness witness;
  std::uint64_t question;
  How how;
};

struct GiveUrgent {};

class Server : public sp::Actor<Server> {
 public:
  Server(World& world, bool urgent, std::uint64_t seed) noexcept
      : world_(&world), random_(seed), urgent_(urgent) {}

  sp::Task<sp::InitResult> init();
  sp::Task<sp::MessageResponse> handle_message(Note const& note, sp::Context<Server>& context);
  void handle_message(Timed const& timed);
  void handle_message(Tick const& tick) const;
  sp::Task<sp::RequestResponse<std::uint64_t>> handle_request(Ask ask,
                                                              sp::Context<Server>& context);
  sp::Task<std::optional<sp::UrgentRef<Server>>> handle_request(GiveUrgent request,
                                                                sp::Context<Server>& context);
  sp::Task<void> teardown();

 private:
  struct Kept {
    Kept(std::uint64_t value, sp::ReplyTo<std::uint64_t> to) noexcept
        : answer(value), reply(std::move(to)) {}
    std::uint64_t answer;
    sp::ReplyTo<std::uint64_t> reply;
  };
  sp::Task<std::uint64_t> relay(std::uint64_t question);
  void answer_a_kept_one();

  World* world_;
  stress::Random random_;
  bool urgent_;
  std::deque<Kept> kept_;
};

/// Where the actors are found, and what they share.
struct World {
  static constexpr std::size_t places = 13;

  World(stress::Run& the_run, std::uint64_t period) noexcept : run(&the_run), number(period) {}

  sp::ActorRef<Server> pick(stress::Random& random) {
    std::scoped_lock const lock(mutex);
    return *refs[random.below(places)];
  }
  void put(std::size_t place, sp::ActorRef<Server> ref) {
    std::scoped_lock const lock(mutex);
    refs[place].emplace(std::move(ref));
  }
  /// More messages exist than is good for the memory: whoever sends should wait a little.
  [[nodiscard]] bool is_crowded() const noexcept { return books.alive() > 10'000; }

  stress::Run* run;
  std::uint64_t number;
  Books books;
  std::atomic<bool> leaving{false};  // for owners and clients: the runtime is about to end
  std::atomic<bool> closing{false};  // for the threads: it has ended
  std::mutex mutex;                  // guards refs
  std::array<std::optional<sp::ActorRef<Server>>, places> refs;
};

/// Each place has its own backend, capacity, policy and limits.
sp::ActorOptions options_of_place(std::size_t place, stress::Random& random);

/// A way to answer, seldom one that ends the server.
Ask::How random_way(stress::Random& random);

void enter(Books& books, sp::ReplyResult result) noexcept;

}  // namespace soak
