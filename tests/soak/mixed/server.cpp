#include "server.hpp"

namespace soak {

using std::chrono::microseconds;
using std::chrono::milliseconds;

void enter(Books& books, sp::ReplyResult result) noexcept {
  stress::check(result != sp::ReplyResult::already_answered, "a request was answered twice");
  ++(result == sp::ReplyResult::sent ? books.deferred_sent : books.deferred_gone);
}

Ask::How random_way(stress::Random& random) {
  using enum Ask::How;
  if (random.one_in(2)) return at_once;
  if (random.one_in(100)) return random.one_in(2) ? fail : stop;
  constexpr Ask::How ways[] = {yield, sleep, keep, spawn, drop, relay, delegate, unused};
  return ways[random.below(std::size(ways))];
}

sp::ActorOptions options_of_place(std::size_t place, stress::Random& random) {
  sp::ActorOptions options;
  if (place >= 1 && place <= 5) {
    options.mailbox_capacity = 1 + random.below(64);
    options.overflow = static_cast<sp::Overflow>(place - 1);
  }
  if (place == 6 || place == 7) options.backend = sp::Backend::Thread;
  if (place == 8 || place == 9) options.backend = sp::Backend::Blocking;
  if (place == 7 || place == 9) {
    options.mailbox_capacity = 1 + random.below(256);
    options.overflow = place == 7 ? sp::Overflow::wait : sp::Overflow::drop_oldest;
  }
  if (place == 10) {
    options.urgent_messages = true;
    options.urgent_burst = static_cast<unsigned>(1 + random.below(4));
    options.mailbox_capacity = 1 + random.below(64);
    options.overflow = static_cast<sp::Overflow>(random.below(5));
  }
  if (place == 11) {
    options.handler_timeout = milliseconds(1);
    options.on_handler_timeout =
        random.one_in(4) ? sp::HandlerTimeout::kill : sp::HandlerTimeout::cancel;
  }
  options.skip_expired = place == 11 || place == 8;
  return options;
}

namespace {

sp::Task<void> answer_later(World& world, std::uint64_t answer, sp::ReplyTo<std::uint64_t> reply,
                            microseconds delay) {
  co_await sp::sleep(delay);
  enter(world.books, reply.reply(answer));
}

}  // namespace

sp::Task<sp::InitResult> Server::init() {
  if (random_.one_in(4)) co_await sp::yield_now();
  if (random_.one_in(40)) throw std::runtime_error("init");
  co_return random_.one_in(40) ? sp::InitResult::no_success() : sp::InitResult::success();
}

sp::Task<void> Server::teardown() {
  if (random_.one_in(2)) co_return;
  co_await sp::sleep(microseconds(50));
  if (random_.one_in(20)) throw std::runtime_error("teardown");
}

void Server::answer_a_kept_one() {
  if (kept_.empty()) return;
  Kept kept = std::move(kept_.front());
  kept_.pop_front();
  if (random_.one_in(8)) {
    ++world_->books.deferred_dropped;
  } else {
    enter(world_->books, kept.reply.reply(kept.answer));
  }
}

sp::Task<sp::MessageResponse> Server::handle_message(Note const& note,
                                                     sp::Context<Server>& context) {
  note.witness.begin();
  if (random_.one_in(2)) answer_a_kept_one();
  if (random_.one_in(16)) co_await sp::yield_now();
  if (random_.one_in(500)) co_await sp::sleep(microseconds(random_.below(1000)));
  if (random_.one_in(8)) {
    auto const peer = world_->pick(random_);
    Sending sending(world_->books);
    sending.enter(peer.send<Note>(world_->books));
  }
  if (urgent_ && random_.one_in(200)) context.revoke_urgent();
  if (random_.one_in(4000)) throw std::runtime_error("note");
  if (random_.one_in(4000)) co_return sp::MessageResponse::stop();
  co_return sp::MessageResponse::no_reply();
}

void Server::handle_message(Timed const& timed) {
  timed.witness.begin();
  answer_a_kept_one();
  if (random_.one_in(2000)) throw std::runtime_error("timed");
}

void Server::handle_message(Tick const& tick) const { tick.witness.begin(); }

sp::Task<std::optional<sp::UrgentRef<Server>>> Server::handle_request(
    GiveUrgent /*request*/, sp::Context<Server>& context) {
  if (!urgent_) co_return std::nullopt;
  co_return context.urgent_ref();
}

sp::Task<std::uint64_t> Server::relay(std::uint64_t question) {
  auto const peer = world_->pick(random_);
  auto const limit = microseconds(random_.below(5000));
  Asking asking(world_->books);
  auto answer =
      co_await peer.request_with_timeout<Ask>(limit, world_->books, question, Ask::How::at_once);
  asking.enter(answer, question);
  co_return question + 1;
}

sp::Task<sp::RequestResponse<std::uint64_t>> Server::handle_request(Ask ask,
                                                                    sp::Context<Server>& context) {
  using Response = sp::RequestResponse<std::uint64_t>;
  ask.witness.begin();
  std::uint64_t const answer = ask.question + 1;
  switch (ask.how) {
    case Ask::How::yield:
      co_await sp::yield_now();
      break;
    case Ask::How::sleep:
      co_await sp::sleep(microseconds(random_.below(2500)));
      break;
    case Ask::How::fail:
      throw std::runtime_error("ask");
    case Ask::How::keep:
      kept_.emplace_back(answer, context.defer<std::uint64_t>());
      if (kept_.size() > 16) answer_a_kept_one();
      co_return Response::deferred();
    case Ask::How::spawn: {
      auto task = sp::spawn(answer_later(*world_, answer, context.defer<std::uint64_t>(),
                                         microseconds(random_.below(3000))));
      co_return Response::deferred();
    }
    case Ask::How::drop: {
      auto reply = context.defer<std::uint64_t>();
      ++world_->books.deferred_dropped;
      co_return Response::deferred();
    }
    case Ask::How::relay:
      co_await relay(ask.question);
      break;
    case Ask::How::delegate: {
      auto const peer = world_->pick(random_);
      co_return context.delegate<Ask>(peer, world_->books, ask.question, Ask::How::at_once);
    }
    case Ask::How::unused:
      co_return Response::unused();
    case Ask::How::stop:
      co_return Response::stop(answer);
    default:
      break;
  }
  co_return Response::reply(answer);
}

}  // namespace soak
