// See README.md.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace {

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;
using Response = sp::RequestResponse<std::uint64_t>;
using std::chrono::microseconds;

std::atomic<std::uint64_t> messages_alive{0};

std::uint64_t right_answer(std::uint64_t value) { return value * 3 + 1; }

/// A message that counts itself.
class Question {
 public:
  enum class How : std::uint8_t { early, value, keep, task, thread, drop, fail, end, count };
  Question(std::uint64_t value, How how) noexcept : value_(value), how_(how) {
    messages_alive.fetch_add(1);
  }
  Question(Question&& other) noexcept : Question(other.value_, other.how_) {}
  Question& operator=(Question&&) = delete;
  ~Question() { messages_alive.fetch_sub(1); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] How how() const noexcept { return how_; }

 private:
  std::uint64_t value_;
  How how_;
};

struct AnswerOldest {};

/// A promise to answer `value`'s question.
struct Owed {
  Owed(sp::ReplyTo<std::uint64_t> to, std::uint64_t question)
      : reply(std::move(to)), value(question) {}
  sp::ReplyTo<std::uint64_t> reply;
  std::uint64_t value;
};

/// What threads answer for the actors.
class Desk {
 public:
  void put(Owed owed) {
    std::scoped_lock const lock(mutex_);
    owed_.push_back(std::move(owed));
  }
  bool answer_one() {
    std::optional<Owed> owed;
    {
      std::scoped_lock const lock(mutex_);
      if (owed_.empty()) return false;
      owed.emplace(std::move(owed_.front()));
      owed_.pop_front();
    }
    (void)owed->reply.is_caller_waiting();
    (void)owed->reply.reply(right_answer(owed->value));
    stress::check(owed->reply.reply(0) == sp::ReplyResult::already_answered, "a second answer");
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<Owed> owed_;
};

struct NotToday {};

sp::Task<void> answer_from_task(Owed owed) {
  co_await sp::yield_now();
  (void)owed.reply.reply(right_answer(owed.value));
}

class Server : public sp::Actor<Server> {
 public:
  explicit Server(Desk& desk) : desk_(&desk) {}

  sp::Task<Response> handle_request(Question question, sp::Context<Server>& context) {
    Owed owed(context.defer<std::uint64_t>(), question.value());
    switch (question.how()) {
      case Question::How::early:
        (void)owed.reply.reply(right_answer(question.value()));
        co_await sp::yield_now();
        break;
      case Question::How::value:  // against a thread that answers the same
        desk_->put(std::move(owed));
        co_return Response::reply(right_answer(question.value()));
      case Question::How::keep:
        kept_.push_back(std::move(owed));
        context.self().send<AnswerOldest>();
        break;
      case Question::How::task:
        (void)sp::spawn(answer_from_task(std::move(owed)));
        break;
      case Question::How::thread:
        desk_->put(std::move(owed));
        break;
      case Question::How::fail:
        desk_->put(std::move(owed));
        throw NotToday();
      case Question::How::end:
        desk_->put(std::move(owed));
        co_return Response::stop_without_reply(sp::ExitReason::custom("end"));
      case Question::How::drop:
      case Question::How::count:
        break;
    }
    co_return Response::deferred();
  }
  void handle_message(AnswerOldest /*message*/) {
    if (kept_.empty()) return;
    (void)kept_.front().reply.reply(right_answer(kept_.front().value));
    kept_.pop_front();
  }

 private:
  Desk* desk_;
  std::deque<Owed> kept_;
};

/// The same with a plain handler, whose message stays in the mailbox word, and by delegation.
class Front : public sp::Actor<Front> {
 public:
  Front(Desk& desk, sp::ActorRef<Server> server) : desk_(&desk), server_(std::move(server)) {}
  Response handle_request(Question question, sp::Context<Front>& context) {
    if (question.value() % 2 == 0) {
      return context.delegate<Question>(server_, question.value(), question.how());
    }
    Owed owed(context.defer<std::uint64_t>(), question.value());
    if (question.how() == Question::How::early) {
      (void)owed.reply.reply(right_answer(question.value()));
    } else if (question.how() != Question::How::drop) {
      desk_->put(std::move(owed));
    }
    if (question.how() == Question::How::value) {
      return Response::reply(right_answer(question.value()));
    }
    return Response::deferred();
  }

 private:
  Desk* desk_;
  sp::ActorRef<Server> server_;
};

void enter(sp::Result<std::uint64_t> const& answer, std::uint64_t value) {
  if (answer) {
    stress::check_equal(*answer, right_answer(value), "the answer to a question");
    return;
  }
  switch (answer.error().kind()) {
    case Kind::timeout:
    case Kind::unanswered:
    case Kind::stopped:
    case Kind::no_such_actor:
    case Kind::handler_failed:
      break;
    default:
      stress::fail("an outcome nobody can have caused: " + answer.error().what());
  }
}

class Servers {
 public:
  Servers(sp::Runtime& home, Desk& desk) : home_(&home), desk_(&desk) {}
  [[nodiscard]] sp::ActorRef<Server> server() {
    std::scoped_lock const lock(mutex_);
    if (!server_ || !server_->is_alive()) {
      server_ = sp::start_on<Server>(*home_, *desk_);
      front_ = sp::start_on<Front>(*home_, *desk_, *server_);
    }
    return *server_;
  }
  [[nodiscard]] sp::ActorRef<Front> front() {
    (void)server();
    std::scoped_lock const lock(mutex_);
    return *front_;
  }

 private:
  sp::Runtime* home_;
  Desk* desk_;
  std::mutex mutex_;
  std::optional<sp::ActorRef<Server>> server_;
  std::optional<sp::ActorRef<Front>> front_;
};

Question::How random_how(stress::Random& random) {
  auto const how =
      static_cast<Question::How>(random.below(static_cast<std::uint64_t>(Question::How::count)));
  bool const ends = how == Question::How::fail || how == Question::How::end;
  return ends && !random.one_in(20) ? Question::How::early : how;
}

template <typename Ref>
sp::Task<void> ask(Ref server, stress::Random& random) {
  std::uint64_t const value = random.below(1'000'000);
  auto const how = random_how(random);
  switch (random.below(4)) {
    case 0: {
      auto pending = server.template start_request<Question>(value, how);
      if (random.one_in(2)) co_await sp::yield_now();
      break;  // dropped
    }
    case 1: {
      auto answer = co_await server.template request_with_timeout<Question>(
          microseconds(random.below(2000)), value, how);
      enter(answer, value);
      break;
    }
    default: {
      auto answer = co_await server.template request_with_timeout<Question>(
          std::chrono::seconds(30), value, how);
      enter(answer, value);
    }
  }
}

sp::Task<void> client(stress::Run& run, Servers& servers, stress::Random random, double share) {
  while (run.time_left(share)) {
    if (random.one_in(2)) {
      co_await ask(servers.server(), random);
    } else {
      co_await ask(servers.front(), random);
    }
    run.beat();
  }
}

void deferred(stress::Run& run, double share) {
  std::printf("  phase \"deferred\"\n");
  Desk desk;
  {
    sp::RuntimeOptions two;
    two.workers = 2;
    sp::Runtime home(two);
    run.on_hang([&] { return stress::describe(home); });
    Servers servers(home, desk);
    std::atomic<bool> done{false};
    std::thread thread([&] {
      while (!done.load()) {
        if (!desk.answer_one()) std::this_thread::yield();
      }
      while (desk.answer_one()) {
      }
    });
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t i = 0; i != 8; ++i) {
      tasks.push_back(home.spawn(client(run, servers, run.random(i), share)));
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a client failed");
    done.store(true);
    thread.join();
    run.on_hang({});
  }
  while (desk.answer_one()) {
  }
  stress::check_equal(messages_alive.load(), 0, "messages that were never destroyed");
}

// --- sets ---

struct Number {
  std::uint64_t value;
  bool slow;
};

class Echo : public sp::Actor<Echo> {
 public:
  sp::Task<std::uint64_t> handle_request(Number number) {
    if (number.slow) co_await sp::sleep(std::chrono::milliseconds(1));
    co_return number.value;
  }
};

sp::Task<void> owner(stress::Run& run, std::vector<sp::ActorRef<Echo>> echoes,
                     stress::Random random, double share) {
  while (run.time_left(share)) {
    sp::RequestSet<std::uint64_t, std::uint64_t> set;
    std::uint64_t const count = 1 + random.below(8);
    for (std::uint64_t i = 0; i != count; ++i) {
      set.add(i, echoes[random.below(echoes.size())].start_request<Number>(i, random.one_in(4)));
    }
    std::uint64_t seen = 0;
    for (std::uint64_t left = random.below(count + 2); left != 0; --left) {
      auto const limit =
          random.one_in(2) ? microseconds(random.below(1500)) : microseconds(30'000'000);
      auto next = co_await set.next_within(limit);
      if (!next) {
        bool const empty = next.error() == Kind::no_request;
        stress::check(empty ? set.is_empty() : next.error() == Kind::timeout, "an error of a set");
        continue;
      }
      stress::check_equal(next->reply.value(), next->label, "the reply to a label");
      stress::check((seen >> next->label & 1) == 0, "a reply came twice");
      seen |= std::uint64_t{1} << next->label;
    }
    if (random.one_in(8)) {
      auto first = co_await sp::request_first<Number>(echoes, 9U, false);
      stress::check_equal(first.value(), 9, "the first reply of all");
    }
    run.beat();
  }
}

void sets(stress::Run& run, double share) {
  std::printf("  phase \"sets\"\n");
  sp::RuntimeOptions two;
  two.workers = 2;
  sp::Runtime home(two);
  sp::Runtime abroad(two);
  run.on_hang([&] { return stress::describe(home) + "\n" + stress::describe(abroad); });
  std::vector<sp::ActorRef<Echo>> echoes;
  for (int i = 0; i != 3; ++i) {
    echoes.push_back(sp::start_on<Echo>(home));
    echoes.push_back(sp::start_on<Echo>(abroad));
  }
  std::vector<sp::JoinHandle<void>> tasks;
  for (std::uint64_t i = 0; i != 6; ++i) {
    tasks.push_back(
        (i % 2 == 0 ? home : abroad).spawn(owner(run, echoes, run.random(100 + i), share)));
  }
  for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "an owner failed");
  run.on_hang({});
}

/// Crash reports are what the workload asks for.
class Silence final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& /*record*/) noexcept override {}
};

}  // namespace

int main() {
  Silence silence;
  sp::log::set_sink(&silence);
  stress::Run run("replies");
  deferred(run, 0.6);
  sets(run, 1.0);
  sp::log::set_sink(nullptr);
  return 0;
}
