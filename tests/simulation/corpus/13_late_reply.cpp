// 13: a late answer to an older question.
//
// Bug          an answer is taken for that to the question that was asked last.
// Interleaving the first question is given up, the second is asked, the first one's answer comes.
// Fix          an answer names its question.
#include <array>
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Asker;

class Oracle : public sp::Actor<Oracle> {
 public:
  struct Square {
    sp::ActorRef<Asker> asker;
    int number;
  };
  void handle_message(Square square);
};

class Asker : public sp::Actor<Asker> {
 public:
  struct Answer {
    int number;  // the question
    int square;
  };
  struct TimeIsOver {
    int number;
  };
  struct Results {};
  Asker(Variant variant, sp::ActorRef<Oracle> oracle)
      : variant_(variant), oracle_(std::move(oracle)) {}

  void init(sp::Context<Asker>& context) { next(context); }
  void handle_message(Answer answer, sp::Context<Asker>& context) {
    corpus::maybe_sleep();
    if (number_ > last || (variant_ == Variant::fixed && answer.number != number_)) return;
    results_.at(static_cast<std::size_t>(number_)) = answer.square;
    next(context);
  }
  void handle_message(TimeIsOver over, sp::Context<Asker>& context) {
    corpus::maybe_sleep();
    if (over.number == number_) next(context);
  }
  // What was not answered in time is 0.
  sp::RequestResponse<std::array<int, 4>> handle_request(Results /*request*/,
                                                         sp::Context<Asker>& context) {
    corpus::maybe_sleep();
    if (number_ > last) return sp::RequestResponse<std::array<int, 4>>::reply(results_);
    waiting_ = context.defer<std::array<int, 4>>();
    return sp::RequestResponse<std::array<int, 4>>::deferred();
  }

 private:
  static constexpr int last = 3;

  void next(sp::Context<Asker>& context) {
    if (++number_ > last) {
      if (waiting_) (void)waiting_->reply(results_);
      return;
    }
    auto const self = context.self();
    oracle_.send<Oracle::Square>(self, number_);
    (void)sp::send_after<TimeIsOver>(10ms, self, number_);
  }

  Variant variant_;
  sp::ActorRef<Oracle> oracle_;
  int number_ = 0;
  std::array<int, 4> results_{};
  std::optional<sp::ReplyTo<std::array<int, 4>>> waiting_;
};

void Oracle::handle_message(Square square) {
  corpus::maybe_sleep();
  square.asker.send<Asker::Answer>(square.number, square.number * square.number);
}

template <Variant variant>
sp::Task<void> late_reply() {
  auto oracle = Oracle{}.start();
  auto asker = Asker(variant, oracle).start();
  auto results = co_await ask<Asker::Results>(asker);
  std::array<int, 4> const squares = results.value();
  for (int i = 1; i <= 3; ++i) {
    int const square = squares.at(static_cast<std::size_t>(i));
    corpus::check(square == 0 || square == i * i, "the answer to another question");
  }
}

CORPUS_PROGRAM(13, "a late answer mismatched", late_reply, true);

}  // namespace
