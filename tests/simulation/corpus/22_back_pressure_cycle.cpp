// 22: two stages that wait for room at each other.
//
// Bug          the parser waits for room in the writer's mailbox, and the writer, to say that it is
//              ready for more, for room in the parser's. Each holds one message.
// Interleaving both mailboxes are full, and both actors are in a handler.
// Fix          being ready for more is the answer to a request: nothing flows back.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

constexpr int lines = 4;

sp::ActorOptions one_message() {
  sp::ActorOptions options;
  options.mailbox_capacity = 1;
  options.overflow = sp::Overflow::wait;
  return options;
}

class Writer;

class Parser : public sp::Actor<Parser> {
 public:
  struct Line {
    int number;
  };
  struct Ready {};
  struct Parsed {};
  static sp::ActorOptions actor_options() { return one_message(); }
  Parser(Variant variant, sp::ActorRef<Writer> writer)
      : variant_(variant), writer_(std::move(writer)) {}
  sp::Task<void> handle_message(Line line, sp::Context<Parser>& context);
  void handle_message(Ready /*message*/) {
    corpus::maybe_sleep();
    ++ready_;
  }
  int handle_request(Parsed /*request*/) const { return parsed_; }

 private:
  Variant variant_;
  sp::ActorRef<Writer> writer_;
  int parsed_ = 0;
  int ready_ = 0;
};

class Writer : public sp::Actor<Writer> {
 public:
  struct Token {
    int number;
    sp::ActorRef<Parser> from;
  };
  struct Write {
    int number;
  };
  static sp::ActorOptions actor_options() { return one_message(); }
  sp::Task<void> handle_message(Token token) {
    corpus::maybe_sleep();
    (void)co_await token.from.send_wait<Parser::Ready>();
  }
  void handle_request(Write /*request*/) { corpus::maybe_sleep(); }
};

sp::Task<void> Parser::handle_message(Line line, sp::Context<Parser>& context) {
  corpus::maybe_sleep();
  ++parsed_;
  if (variant_ == Variant::fixed) {
    (void)co_await ask<Writer::Write>(writer_, line.number);
  } else {
    (void)co_await writer_.send_wait<Writer::Token>(line.number, context.self());
  }
}

template <Variant variant>
sp::Task<void> back_pressure_cycle() {
  auto writer = Writer{}.start();
  auto parser = Parser(variant, writer).start();
  for (int number = 0; number < lines; ++number) {
    (void)co_await parser.send_wait<Parser::Line>(number);
  }
  auto const parsed = co_await ask<Parser::Parsed>(parser);
  corpus::check(parsed.value() == lines, "a line is lost");
}

CORPUS_PROGRAM(22, "back-pressure in a circle", back_pressure_cycle, false);

}  // namespace
