// Probe<Entries...>: an actor that a test looks into. It takes messages and requests, and the test
// says what it expects of them.
//
//   testing::Probe<Joined, Said, int(CountMembers)> member;
//   room.send<Join>(member);                        // wherever a Protocol or Recipient is wanted
//   auto const said = co_await member.expect<Said>();
//   auto asked = co_await member.expect_request<CountMembers>();
//   asked.reply(7);
#pragma once

#include <chrono>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/probe_inbox.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/actors/reply_to.hpp>
#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::testing {

/// What a test expects has not happened; the message says where it is expected and what came
/// instead.
class ExpectationFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A request that a probe has got. Dropping it answers `unanswered`.
template <typename M, typename R>
class Asked {
 public:
  Asked(M&& message, ReplyTo<R> reply) : message_(std::move(message)), reply_(std::move(reply)) {}

  [[nodiscard]] M const& operator*() const noexcept { return message_; }
  [[nodiscard]] M const* operator->() const noexcept { return &message_; }

  /// Answers, once. See ReplyTo.
  template <typename... Args>
  ReplyResult reply(Args&&... args) {
    return reply_.reply(std::forward<Args>(args)...);
  }
  ReplyResult fail(ActorError error) { return reply_.fail(std::move(error)); }
  /// To answer it later, or hand it on.
  [[nodiscard]] ReplyTo<R> take_reply_to() && { return std::move(reply_); }

 private:
  M message_;
  ReplyTo<R> reply_;
};

/// The actor behind a Probe.
template <typename... Entries>
class ProbeActor : public Actor<ProbeActor<Entries...>> {
  template <typename M>
  using Entry = typename detail::request_entry<M, Entries...>::type;
  template <typename F>
  struct Reply;
  template <typename R, typename P>
  struct Reply<R(P)> {
    using type = R;
  };

 public:
  template <typename M>
  using reply_type = typename Reply<Entry<M>>::type;

  explicit ProbeActor(ChannelSender<detail::ArrivalPtr> inbox) noexcept
      : inbox_(std::move(inbox)) {}

  template <typename M>
    requires detail::is_one_of<M, Entries...>
  void handle_message(M message) {
    (void)inbox_.try_send(std::make_unique<detail::MessageArrival<M>>(std::move(message)));
  }

  template <typename M>
    requires(!std::is_void_v<Entry<M>>)
  RequestResponse<reply_type<M>> handle_request(M message, Context<ProbeActor>& context) {
    using R = reply_type<M>;
    (void)inbox_.try_send(std::make_unique<detail::RequestArrival<M, R>>(
        std::move(message), context.template defer<R>()));
    return RequestResponse<R>::deferred();
  }

 private:
  ChannelSender<detail::ArrivalPtr> inbox_;
};

/// Entries are those of a Protocol: message types, and `R(M)` for requests. Messages are looked at
/// in the order they came.
///
/// Awaiting  each function below is awaited in a task, on a real or a simulated runtime. Without a
///           limit it waits 5 s, in a simulation for ever.
/// Errors    ExpectationFailed; Cancelled; the constructors as Actor::start and start_on.
/// Threads   the test's, one at a time.
/// Memory    what nobody looks at is dropped with the probe, requests get `unanswered`.
/// Example   tests/actors/probe_test.cpp, docs/guide/testing.md
template <typename... Entries>
class Probe {
 public:
  using actor_type = ProbeActor<Entries...>;

  /// Starts the probe on the calling thread's runtime. `name` is for stories and reports.
  explicit Probe(std::string name = {})
      : Probe(unbounded_channel<detail::ArrivalPtr>(), [&name](auto sender) {
          return start_with<actor_type>(options(std::move(name)), std::move(sender));
        }) {}
  explicit Probe(Runtime& runtime, std::string name = {})
      : Probe(unbounded_channel<detail::ArrivalPtr>(), [&runtime, &name](auto sender) {
          return start_with_on<actor_type>(runtime, options(std::move(name)), std::move(sender));
        }) {}
  Probe(Probe const&) = delete;
  Probe& operator=(Probe const&) = delete;
  /// Stops the actor.
  ~Probe() { ref_.stop(); }

  [[nodiscard]] ActorRef<actor_type> const& ref() const noexcept { return ref_; }
  template <typename... Some>
  operator Protocol<Some...>() const {  // NOLINT(google-explicit-constructor)
    return Protocol<Some...>(ref_);
  }

  /// The next thing to come is an M, within the limit.
  template <typename M>
  Task<M> expect(std::chrono::nanoseconds within = detail::default_expectation_limit(),
                 std::source_location where = std::source_location::current()) {
    detail::Expectation const wanted{"expect", detail::type_name<M>(), within, where};
    detail::ArrivalPtr arrival = co_await inbox_->next(within);
    if (!is<M>(arrival.get())) detail::expectation_failed(wanted, arrival.get());
    co_return std::move(static_cast<detail::MessageArrival<M>&>(*arrival).message);
  }

  /// The next thing to come is a request M, within the limit. Its asker waits for the answer.
  template <typename M>
  Task<Asked<M, typename actor_type::template reply_type<M>>> expect_request(
      std::chrono::nanoseconds within = detail::default_expectation_limit(),
      std::source_location where = std::source_location::current()) {
    using R = typename actor_type::template reply_type<M>;
    detail::Expectation const wanted{"expect_request", detail::type_name<M>(), within, where};
    detail::ArrivalPtr arrival = co_await inbox_->next(within);
    if (!is<M>(arrival.get())) detail::expectation_failed(wanted, arrival.get());
    auto& request = static_cast<detail::RequestArrival<M, R>&>(*arrival);
    co_return Asked<M, R>(std::move(request.message), std::move(request.reply));
  }

  /// Takes messages out until one is an M for which `predicate` is true. What comes before is
  /// dropped. `within` is for all of it.
  template <typename M, typename Predicate>
  Task<M> fish(Predicate predicate,
               std::chrono::nanoseconds within = detail::default_expectation_limit(),
               std::source_location where = std::source_location::current()) {
    detail::Expectation const wanted{"fish", detail::type_name<M>(), within, where};
    TimePoint const begin = now();
    std::string dropped;
    for (;;) {
      auto const passed = now() - begin;
      bool const endless = within == no_timeout;
      auto const left = endless ? within : within - (passed < within ? passed : within);
      detail::ArrivalPtr arrival = co_await inbox_->next(left);
      if (arrival == nullptr) detail::expectation_failed(wanted, nullptr, dropped);
      if (is<M>(arrival.get())) {
        auto& found = static_cast<detail::MessageArrival<M>&>(*arrival).message;
        if (predicate(std::as_const(found))) co_return std::move(found);
      }
      dropped += (dropped.empty() ? "" : ", ") + std::string(arrival->type);
    }
  }

  /// Lets `time` pass, in which no M comes, and none is waiting. Other things stay to be looked at.
  template <typename M>
  Task<void> expect_no(std::chrono::nanoseconds time,
                       std::source_location where = std::source_location::current()) {
    detail::Expectation const wanted{"expect_no", detail::type_name<M>(), time, where};
    auto const* const found = co_await inbox_->first_within(time, &detail::type_tag<M>);
    if (found != nullptr) detail::expectation_failed(wanted, found);
  }
  /// The same for whatever may come.
  Task<void> expect_nothing(std::chrono::nanoseconds time,
                            std::source_location where = std::source_location::current()) {
    detail::Expectation const wanted{"expect_nothing", "", time, where};
    auto const* const found = co_await inbox_->first_within(time, nullptr);
    if (found != nullptr) detail::expectation_failed(wanted, found);
  }

  /// What has come and nobody has looked at, for people: "Said, Left". Any time.
  [[nodiscard]] std::string waiting() { return inbox_->waiting(); }

 private:
  template <typename Start>
  Probe(Channel<detail::ArrivalPtr> channel, Start start)
      : inbox_(std::make_unique<detail::ProbeInbox>(std::move(channel.receiver))),
        ref_(start(std::move(channel.sender))) {}

  static ActorOptions options(std::string name) {
    ActorOptions result;
    result.name = std::move(name);
    return result;
  }
  template <typename M>
  static bool is(detail::Arrival const* arrival) noexcept {
    return arrival != nullptr && arrival->tag == &detail::type_tag<M>;
  }

  std::unique_ptr<detail::ProbeInbox> inbox_;
  ActorRef<actor_type> ref_;
};

/// Runs `task`, which takes at least `min` and at most `max` on the runtime's clock.
/// Errors  ExpectationFailed; what leaves the task. Cancel  as timeout().
template <typename T>
Task<T> within(std::chrono::nanoseconds min, std::chrono::nanoseconds max, Task<T> task,
               std::source_location where = std::source_location::current()) {
  TimePoint const begin = now();
  Result<T, WaitError> result = co_await timeout(max, std::move(task));
  if (!result && result.error() == WaitError::cancelled) throw Cancelled();
  if (!result) {
    detail::expectation_failed("within: it takes more than " + detail::limit_text(max), where);
  }
  if (now() - begin < min) {
    detail::expectation_failed("within: it takes only " + detail::limit_text(now() - begin) +
                                   ", less than " + detail::limit_text(min),
                               where);
  }
  if constexpr (!std::is_void_v<T>) co_return std::move(*result);
}

}  // namespace spawned::testing
