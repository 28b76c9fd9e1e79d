// 29: an answer for the one who had the number before.
//
// Bug          questions under way have the number of a place in a table, which is given to
//              somebody else when its owner has gone.
// Interleaving the owner goes before the answer has come, and the next has the place when it comes.
// Fix          the number says, too, how often the place was given away.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Proxy;

class Backend : public sp::Actor<Backend> {
 public:
  struct Question {
    std::size_t place;
    int generation;
    int key;
    sp::ActorRef<Proxy> from;
  };
  void handle_message(Question const& question);
};

class Proxy : public sp::Actor<Proxy> {
 public:
  struct Fetch {
    int key;
  };
  struct Answer {
    std::size_t place;
    int generation;
    int value;
  };
  Proxy(Variant variant, sp::ActorRef<Backend> backend)
      : variant_(variant), backend_(std::move(backend)) {}

  sp::RequestResponse<int> handle_request(Fetch fetch, sp::Context<Proxy>& context) {
    corpus::maybe_sleep();
    std::size_t const place = free_place();
    table_[place].asked_by = context.defer<int>();
    ++table_[place].generation;
    backend_.send<Backend::Question>(place, table_[place].generation, fetch.key, context.self());
    return sp::RequestResponse<int>::deferred();
  }
  void handle_message(Answer answer) {
    corpus::maybe_sleep();
    Place& place = table_[answer.place];
    if (!place.asked_by.has_value()) return;
    if (variant_ == Variant::fixed && place.generation != answer.generation) return;
    (void)place.asked_by->reply(answer.value);
    place.asked_by.reset();
  }

 private:
  struct Place {
    std::optional<sp::ReplyTo<int>> asked_by;
    int generation = 0;
  };
  std::size_t free_place() {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      auto& owner = table_[i].asked_by;
      if (!owner.has_value() || !owner->is_caller_waiting()) return i;
    }
    table_.emplace_back();
    return table_.size() - 1;
  }

  Variant variant_;
  sp::ActorRef<Backend> backend_;
  std::vector<Place> table_;
};

void Backend::handle_message(Question const& question) {
  corpus::maybe_sleep();
  question.from.send<Proxy::Answer>(question.place, question.generation, question.key * 10);
}

sp::Task<void> fetch_and_go(sp::ActorRef<Proxy> proxy) {
  auto const dropped = proxy.start_request<Proxy::Fetch>(1);
  co_await sp::yield_now();
}

template <Variant variant>
sp::Task<void> recycled_id() {
  auto backend = Backend{}.start();
  auto proxy = Proxy(variant, backend).start();
  auto impatient = sp::spawn(fetch_and_go(proxy));
  co_await sp::yield_now();
  auto const value = co_await ask<Proxy::Fetch>(proxy, 2);
  corpus::check(value.value() == 20, "the answer to a question of somebody else");
  (void)co_await impatient;
}

CORPUS_PROGRAM(29, "a number that is used again", recycled_id, false);

}  // namespace
