// ReplyTo<R>: the right and the duty to answer one request, apart from its handler.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/deferral.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/error.hpp>

namespace spawned {

/// Thrown by Context::defer() where there is no such request in work: outside a request handler,
/// with another type than its reply, or twice. Names actor, message and types.
class DeferRefused : public std::logic_error {
 public:
  DeferRefused(std::string const& actor, std::string const& what);
};

/// What became of an answer.
enum class ReplyResult : std::uint8_t {
  sent,              ///< the caller gets it
  caller_gone,       ///< the caller had given up (time limit, cancelled, dropped): nobody gets it
  already_answered,  ///< somebody had answered before: nobody gets this one
};

/// Answers a request later, from anywhere, once. Made by `context.defer<R>()` in the request's
/// handler, which then returns `RequestResponse<R>::deferred()`:
///
///   sp::RequestResponse<int> handle_request(Ask, sp::Context<Server>& context) {
///     waiting_.push_back(context.defer<int>());
///     return sp::RequestResponse<int>::deferred();
///   }
///
/// A coroutine handler may answer early by it and go on. A handler that returns a value after all
/// has answered, if the ReplyTo has not done so before; a handler that fails, too.
///
/// Dropping   unanswered: the caller gets ActorError::Kind::unanswered at once; `stopped` with the
///            reason if the actor has ended or ends (its state held the ReplyTo). Dropped in the
///            handler itself: when that returns, unless it returns an answer.
/// Threads    one at a time, any thread; it may outlive its actor and its runtime.
/// Resumes    as RequestAwaitable; from outside a worker through the injection queue.
/// Cost       one more pooled block than a request, and four atomic accesses.
/// Source     gen_server's From and reply/2, with a single use that is checked.
/// Example    tests/actors/reply_to_test.cpp
template <typename R>
class [[nodiscard("dropping it answers `unanswered`")]] ReplyTo {
 public:
  ReplyTo(ReplyTo&& other) noexcept : deferral_(std::exchange(other.deferral_, nullptr)) {}
  ReplyTo& operator=(ReplyTo&& other) noexcept {
    ReplyTo old(std::move(*this));
    deferral_ = std::exchange(other.deferral_, nullptr);
    return *this;
  }
  ~ReplyTo() {
    if (deferral_ == nullptr) return;
    ActorError error(ActorError::Kind::unanswered);
    if (deferral_->forsake(error)) {
      (void)fail(std::move(error));
    } else {
      deferral_->drop();
    }
  }

  /// Answers. Whatever the result, this ReplyTo is used up.
  /// Errors  what constructing or moving R throws; the caller gets `unanswered` then.
  template <typename U = R>
    requires(!std::is_void_v<R>)
  ReplyResult reply(U&& value) {
    return settle(Result<R, ActorError>(static_cast<R>(std::forward<U>(value))));
  }
  ReplyResult reply()
    requires std::is_void_v<R>
  {
    return settle(Result<R, ActorError>());
  }
  /// Answers with an error.
  ReplyResult fail(ActorError error) { return settle(Unexpected(std::move(error))); }
  /// Hands on what another request brought.
  ReplyResult settle(Result<R, ActorError> result, bool turn_ends = false) {
    detail::Deferral* const deferral = deferral_;
    if (deferral == nullptr || !deferral->claim()) return used_up(ReplyResult::already_answered);
    auto& request = static_cast<detail::ReplyEnvelope<R>&>(deferral->request());
    try {
      request.result.emplace(std::move(result));
    } catch (...) {
      request.result.emplace(Unexpected(ActorError(ActorError::Kind::unanswered)));
      request.reply(turn_ends);
      (void)used_up(ReplyResult::sent);
      throw;
    }
    if (request.slot.complete(turn_ends)) return used_up(ReplyResult::sent);
    request.destroy();
    return used_up(ReplyResult::caller_gone);
  }

  /// It is not answered, and the caller has not given up. A hint.
  [[nodiscard]] bool is_caller_waiting() const noexcept {
    return deferral_ != nullptr && !deferral_->is_answered() &&
           !deferral_->request().slot.is_abandoned();
  }

  /// For the library.
  explicit ReplyTo(detail::Deferral& deferral) noexcept : deferral_(&deferral) {}

 private:
  ReplyResult used_up(ReplyResult result) noexcept {
    if (deferral_ != nullptr) std::exchange(deferral_, nullptr)->drop();
    return result;
  }

  detail::Deferral* deferral_;
};

template <typename A>
template <typename R>
ReplyTo<R> Context<A>::defer() {
  return ReplyTo<R>(detail::defer(*cell_, detail::type_name<R>(), &detail::type_tag<R>));
}

}  // namespace spawned
