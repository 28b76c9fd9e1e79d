// Several requests at once: RequestSet, request_all, request_first.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <spawned/actors/detail/request_set.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/task.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

/// Requests under way, whose replies are taken in the order in which they come. Each has a label.
///
///   sp::RequestSet<int> set;
///   set.add("left", left.start_request<Count>());
///   set.add("right", right.start_request<Count>());
///   while (auto next = co_await set.next()) use(next->label, next->reply);
///
/// Dropping   gives up the replies that have not come.
/// Threads    one owner at a time; it is neither copied nor moved.
/// Memory     one pooled block per request.
/// Source     OTP's request id collections, gen_server:receive_response/3.
/// Example    tests/actors/request_set_test.cpp
template <typename R, typename Label = std::string>
class RequestSet {
  struct Entry final : detail::RequestSetCore::Entry {
    Entry(Label&& name, detail::ReplyEnvelope<R>* asked, void const* asked_actor)
        : detail::RequestSetCore::Entry(asked, asked_actor), label(std::move(name)) {}
    [[nodiscard]] Result<R, ActorError> take_reply() {
      if (request == nullptr) return Unexpected(ActorError::Kind::no_such_actor);
      return std::move(*static_cast<detail::ReplyEnvelope<R>*>(request)->result);
    }
    Label label;
  };

 public:
  /// One that is over.
  struct Reply {
    Reply(Label&& name, Result<R, ActorError>&& result)
        : label(std::move(name)), reply(std::move(result)) {}
    Label label;
    Result<R, ActorError> reply;
  };

  RequestSet() noexcept = default;
  RequestSet(RequestSet const&) = delete;
  RequestSet& operator=(RequestSet const&) = delete;
  ~RequestSet() {
    bool abandoned = false;
    while (auto* const base = core_.give_up_one(abandoned)) {
      drop(static_cast<Entry&>(*base), abandoned);
    }
  }

  /// Errors  std::bad_alloc; the request is given up then.
  void add(Label label, PendingReply<R> pending) {
    void const* const target = pending.target();
    auto* const entry = detail::pool_new<Entry>(
        std::move(label), static_cast<detail::ReplyEnvelope<R>*>(nullptr), target);
    entry->request = std::move(pending).release();
    ++size_;
    core_.add(*entry);
  }
  /// How many have not been taken.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_empty() const noexcept { return size_ == 0; }

  class Awaiter {
   public:
    Awaiter(RequestSet& set, std::int64_t timeout_ns) noexcept
        : set_(&set), timeout_ns_(timeout_ns), wait_(detail::Slot::abandoned) {}
    Awaiter(Awaiter const&) = delete;
    Awaiter& operator=(Awaiter const&) = delete;

    [[nodiscard]] bool await_ready() noexcept {
      entry_ = set_->core_.take_ready();
      return entry_ != nullptr || set_->is_empty();
    }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
      detail::ExecutionContext& context = *caller.promise().context;
      entry_ = set_->core_.take_waiting_for(&context);
      own_ = entry_ != nullptr;
      if (own_ || !set_->core_.announce(slot_)) return false;
      announced_ = true;
      return wait_.suspend(caller, context, slot_, timeout_ns_);
    }
    Result<Reply, ActorError> await_resume() {
      auto outcome = detail::WaitOutcome::completed;
      if (announced_) {
        outcome = wait_.finish();
        set_->core_.retract();
      }
      if (outcome == detail::WaitOutcome::cancelled) {
        return Unexpected(detail::gave_up_error(outcome, wait_.context()));
      }
      if (entry_ == nullptr) entry_ = set_->core_.take_ready();
      if (entry_ == nullptr) {
        return Unexpected(set_->is_empty() ? ActorError::Kind::no_request
                                           : ActorError::Kind::timeout);
      }
      return set_->take(static_cast<Entry&>(*entry_), own_);
    }

   private:
    RequestSet* set_;
    std::int64_t timeout_ns_;
    detail::RequestSetCore::Entry* entry_ = nullptr;
    detail::Slot slot_;
    detail::SlotWait wait_;
    bool announced_ = false;
    bool own_ = false;
  };

  /// The next reply, as `Result<Reply>`. What became of the request is in its `reply`.
  /// Errors  `no_request`  the set is empty; at once.
  ///         `cancelled`   the calling task was cancelled; the set stays as it is.
  [[nodiscard("co_await it")]] Awaiter next() noexcept { return {*this, detail::no_deadline}; }
  /// The same, and `timeout` when none has come within `limit`; the set stays as it is.
  template <typename Rep, typename Period>
  [[nodiscard("co_await it")]] Awaiter next_within(
      std::chrono::duration<Rep, Period> limit) noexcept {
    return {*this, detail::limit_ns(limit)};
  }

 private:
  Reply take(Entry& entry, bool own) {
    // An actor that waits for itself gives its own request up; the actor owns the block.
    Reply taken(std::move(entry.label),
                own ? Result<R, ActorError>(Unexpected(ActorError(ActorError::Kind::deadlock)))
                    : entry.take_reply());
    drop(entry, own);
    return taken;
  }
  void drop(Entry& entry, bool abandoned) noexcept {
    if (!abandoned && entry.request != nullptr) {
      static_cast<detail::ReplyEnvelope<R>*>(entry.request)->destroy();
    }
    --size_;
    detail::pool_delete(&entry);
  }

  detail::RequestSetCore core_;
  std::size_t size_ = 0;  // the owner's

  template <typename U>
  friend void detail::pool_delete(U*) noexcept;
};

namespace detail {

/// A moment by which several waits in a row must be over.
class Deadline {
 public:
  explicit Deadline(std::int64_t limit_ns)
      : end_(limit_ns == no_deadline ? TimePoint() : now() + std::chrono::nanoseconds(limit_ns)),
        none_(limit_ns == no_deadline) {}
  [[nodiscard]] std::chrono::nanoseconds left() const { return none_ ? no_timeout : end_ - now(); }

 private:
  TimePoint end_;
  bool none_;
};

template <typename M, typename Ref, typename... Args>
auto start_one(Ref const& ref, std::tuple<Args...> const& args) {
  return std::apply([&](auto const&... each) { return ref.template start_request<M>(each...); },
                    args);
}

template <typename Ref, typename M, typename... Args>
using reply_of_ref = typename decltype(start_one<M>(
    std::declval<Ref const&>(), std::declval<std::tuple<Args...> const&>()))::reply_type;

template <typename M, typename R, typename Ref, typename Args>
Task<std::vector<Result<R, ActorError>>> all_of(std::vector<Ref> refs, std::int64_t limit_ns,
                                                Args args) {
  Deadline const deadline(limit_ns);
  std::vector<PendingReply<R>> pending;
  pending.reserve(refs.size());
  for (Ref const& ref : refs) pending.push_back(start_one<M>(ref, args));
  std::vector<Result<R, ActorError>> replies;
  replies.reserve(refs.size());
  bool cancelled = false;
  for (PendingReply<R>& one : pending) {
    if (cancelled && !one.is_ready()) {
      replies.push_back(Unexpected(ActorError::Kind::cancelled));
      continue;
    }
    auto reply = co_await one.wait_for(deadline.left());
    cancelled = cancelled || (!reply && reply.error() == ActorError::Kind::cancelled);
    replies.push_back(std::move(reply));
  }
  co_return replies;
}

template <typename M, typename R, typename Ref, typename Args>
Task<Result<R, ActorError>> first_of(std::vector<Ref> refs, std::int64_t limit_ns, Args args) {
  Deadline const deadline(limit_ns);
  RequestSet<R, std::size_t> set;
  for (Ref const& ref : refs) set.add(set.size(), start_one<M>(ref, args));
  ActorError last = ActorError::Kind::no_request;
  for (;;) {
    auto next = co_await set.next_within(deadline.left());
    if (!next) {
      if (next.error() == ActorError::Kind::no_request) break;
      co_return Unexpected(std::move(next.error()));
    }
    if (next->reply) co_return std::move(next->reply);
    last = std::move(next->reply.error());
  }
  co_return Unexpected(std::move(last));
}

/// As what an argument waits until the request is sent.
template <typename Arg>
using kept_value = typename unwrap_moved<std::decay_t<Arg>>::type;

template <typename Refs>
using ref_in = std::remove_cvref_t<decltype(*std::begin(std::declval<Refs const&>()))>;

}  // namespace detail

/// Asks each actor of `refs` (a range of ActorRefs or Protocols) the same `M(args...)`, at the same
/// time, when awaited. Yields a vector with a `Result` for each, in the order of the range. One
/// time limit holds for all; who has not answered then is a `timeout`. See RequestAwaitable for the
/// errors.
///
/// Source  gen_server:multi_call/4.
template <typename M, typename Refs, typename Rep, typename Period, typename... Args>
[[nodiscard("co_await it")]] auto request_all_with_timeout(
    Refs const& refs, std::chrono::duration<Rep, Period> timeout, Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  using Ref = detail::ref_in<Refs>;
  using Values = std::tuple<detail::kept_value<Args>...>;
  using R = detail::reply_of_ref<Ref, M, detail::kept_value<Args>...>;
  return detail::all_of<M, R, Ref, Values>(std::vector<Ref>(std::begin(refs), std::end(refs)),
                                           detail::limit_ns(timeout),
                                           Values(detail::forward_moved<Args>(args)...));
}
template <typename M, typename Refs, typename... Args>
[[nodiscard("co_await it")]] auto request_all(Refs const& refs, Args&&... args) {
  return request_all_with_timeout<M>(refs, default_request_timeout, std::forward<Args>(args)...);
}

/// The same, but yields the first reply that is no error, as `Result`, and gives the others up. If
/// all fail, the last error; `timeout` if none has come in time; `no_request` for an empty range.
template <typename M, typename Refs, typename Rep, typename Period, typename... Args>
[[nodiscard("co_await it")]] auto request_first_with_timeout(
    Refs const& refs, std::chrono::duration<Rep, Period> timeout, Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  using Ref = detail::ref_in<Refs>;
  using Values = std::tuple<detail::kept_value<Args>...>;
  using R = detail::reply_of_ref<Ref, M, detail::kept_value<Args>...>;
  return detail::first_of<M, R, Ref, Values>(std::vector<Ref>(std::begin(refs), std::end(refs)),
                                             detail::limit_ns(timeout),
                                             Values(detail::forward_moved<Args>(args)...));
}
template <typename M, typename Refs, typename... Args>
[[nodiscard("co_await it")]] auto request_first(Refs const& refs, Args&&... args) {
  return request_first_with_timeout<M>(refs, default_request_timeout, std::forward<Args>(args)...);
}

}  // namespace spawned
