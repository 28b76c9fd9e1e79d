// Context::delegate: another actor answers the request in work.
#pragma once

#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/asking.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/actors/reply_to.hpp>
#include <spawned/actors/responses.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/slot.hpp>

namespace spawned {

namespace detail {

/// Waits for a reply and hands it on, on the thread that brings it.
template <typename R>
class Delegation final : public SlotWaiter {
 public:
  Delegation(ReplyTo<R> reply, ReplyEnvelope<R>& request) noexcept
      : SlotWaiter(&on_complete), reply_(std::move(reply)), request_(&request) {}

  /// Last touch.
  void start(CellBase& target) noexcept {
    ReplyEnvelope<R>& request = *request_;
    request.slot.start_waiting(*this);
    Pushed const how = target.push_mail(request);
    if (how == Pushed::accepted) return;
    request.result.emplace(Unexpected(refused_error(target, how)));
    (void)request.slot.complete();
  }

 private:
  static void on_complete(SlotWaiter& waiter, bool turn_ends) noexcept {
    auto& self = static_cast<Delegation&>(waiter);
    try {
      (void)self.reply_.settle(std::move(*self.request_->result), turn_ends);
    } catch (...) {
      // Moving the reply failed, and the caller has been told that there is none.
    }
    self.request_->destroy();
    pool_delete(&self);
  }

  ReplyTo<R> reply_;
  ReplyEnvelope<R>* request_;
};

template <typename M, typename A, typename... Args>
[[nodiscard]] auto* build_request(ActorRef<A> const& /*target*/, Args&&... args) {
  require_request_handler<A, M>();
  (reject_dangerous_temporary<Args>(), ...);
  return pool_new<RequestEnvelope<A, M>>(std::in_place, forward_moved<Args>(args)...);
}
template <typename M, typename... Entries, typename... Args>
[[nodiscard]] auto* build_request(Protocol<Entries...> const& target, Args&&... args) {
  return target.template make_envelope<M>(std::forward<Args>(args)...);
}

/// A request that is built and not sent.
template <typename R>
class UnsentRequest {
 public:
  explicit UnsentRequest(ReplyEnvelope<R>& request) noexcept : request_(&request) {}
  UnsentRequest(UnsentRequest const&) = delete;
  UnsentRequest& operator=(UnsentRequest const&) = delete;
  ~UnsentRequest() {
    if (request_ != nullptr) request_->destroy();
  }
  [[nodiscard]] ReplyEnvelope<R>& get() const noexcept { return *request_; }
  void sent() noexcept { request_ = nullptr; }

 private:
  ReplyEnvelope<R>* request_;
};

}  // namespace detail

template <typename A>
template <typename M, typename Target, typename... Args>
auto Context<A>::delegate(Target const& target, Args&&... args) {
  auto* const request = detail::build_request<M>(target, std::forward<Args>(args)...);
  using R = typename std::remove_pointer_t<decltype(request)>::reply_type;
  detail::UnsentRequest<R> unsent(*request);
  auto* const delegation = detail::pool_new<detail::Delegation<R>>(defer<R>(), *request);
  unsent.sent();
  delegation->start(target.cell());
  return RequestResponse<R>::deferred();
}

}  // namespace spawned
