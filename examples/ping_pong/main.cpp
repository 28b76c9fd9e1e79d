// Two actors that send each other messages: no request, no reply, only `send`.
//
// Run    build/release/examples/ping_pong
// Prints each ping and each pong, five times, and that both have ended.
#include <optional>
#include <string>
#include <utility>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Pong;

class Ping : public sp::Actor<Ping> {
 public:
  struct Start {
    sp::ActorRef<Pong> opponent;
  };
  struct Ball {};

  explicit Ping(int rounds) : rounds_(rounds) {}

  void handle_message(Start start, sp::Context<Ping>& context);
  void handle_message(Ball ball, sp::Context<Ping>& context);

 private:
  void serve(sp::Context<Ping>& context);

  int rounds_;
  std::optional<sp::ActorRef<Pong>> opponent_;
};

class Pong : public sp::Actor<Pong> {
 public:
  struct Ball {
    sp::ActorRef<Ping> from;
  };

  void handle_message(Ball const& ball) {
    sp::log::info("ping_pong", "pong");
    ball.from.send<Ping::Ball>();
  }
};

void Ping::handle_message(Start start, sp::Context<Ping>& context) {
  opponent_ = std::move(start.opponent);
  serve(context);
}

void Ping::handle_message(Ball /*ball*/, sp::Context<Ping>& context) { serve(context); }

void Ping::serve(sp::Context<Ping>& context) {
  if (rounds_-- == 0) {
    opponent_->stop();
    context.stop();
    return;
  }
  sp::log::info("ping_pong", "ping");
  opponent_->send<Pong::Ball>(context.self());
}

sp::Task<void> demo() {
  auto pong = Pong{}.start();
  auto ping = Ping(5).start();
  ping.send<Ping::Start>(pong);

  auto ping_exit = co_await ping.wait_exit();
  auto pong_exit = co_await pong.wait_exit();
  sp::log::info("ping_pong", "ping ended: " + ping_exit.value().to_string() +
                                 ", pong ended: " + pong_exit.value().to_string());
}

int main() { sp::run(demo); }
