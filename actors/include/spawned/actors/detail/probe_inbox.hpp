// ProbeInbox: what a probe's actor has got and its test has not yet looked at.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/actors/reply_to.hpp>
#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/detail/activity.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned::detail {

/// A message or request, whatever its type.
struct Arrival {
  Arrival(void const* which, std::string_view called) noexcept : tag(which), type(called) {}
  Arrival(Arrival const&) = delete;
  Arrival& operator=(Arrival const&) = delete;
  virtual ~Arrival() = default;

  void const* tag;  // &type_tag<M>
  std::string_view type;
};

template <typename M>
struct MessageArrival final : Arrival {
  explicit MessageArrival(M&& arrived)
      : Arrival(&type_tag<M>, type_name<M>()), message(std::move(arrived)) {}
  M message;
};

template <typename M, typename R>
struct RequestArrival final : Arrival {
  RequestArrival(M&& arrived, ReplyTo<R> to)
      : Arrival(&type_tag<M>, type_name<M>()), message(std::move(arrived)), reply(std::move(to)) {}
  M message;
  ReplyTo<R> reply;
};

using ArrivalPtr = std::unique_ptr<Arrival>;

/// The receiving end. Threads: one at a time.
class ProbeInbox {
 public:
  explicit ProbeInbox(ChannelReceiver<ArrivalPtr> arrivals) noexcept
      : arrivals_(std::move(arrivals)) {}
  ProbeInbox(ProbeInbox const&) = delete;
  ProbeInbox& operator=(ProbeInbox const&) = delete;

  /// The oldest that has not been taken out, or null when none comes within `limit`.
  Task<ArrivalPtr> next(std::chrono::nanoseconds limit);
  /// Lets `time` pass; what comes is kept. Then the first of this type, or of any if `tag` is null.
  Task<Arrival const*> first_within(std::chrono::nanoseconds time, void const* tag);
  /// What has come and has not been taken out, for people.
  [[nodiscard]] std::string waiting();

 private:
  void take_in();
  Task<void> receive();

  ChannelReceiver<ArrivalPtr> arrivals_;
  std::deque<ArrivalPtr> kept_;
};

/// What an expectation waited for, for its failure.
struct Expectation {
  std::string_view what;  // "expect", "fish"
  std::string_view type;
  std::chrono::nanoseconds limit;
  std::source_location where;
};

/// `skipped`: what came and was not it. Errors: testing::ExpectationFailed, always.
[[noreturn]] void expectation_failed(Expectation const& wanted, Arrival const* instead,
                                     std::string const& skipped = {});
[[noreturn]] void expectation_failed(std::string_view what, std::source_location where);

/// What an expectation waits for by default: for ever in a simulation, where a deadlock is found as
/// such, else 5 s.
[[nodiscard]] std::chrono::nanoseconds default_expectation_limit() noexcept;

/// For people: "5 s", "250 ms".
[[nodiscard]] std::string limit_text(std::chrono::nanoseconds limit);

}  // namespace spawned::detail
