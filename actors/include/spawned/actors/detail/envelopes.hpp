// The typed messages: how each finds its handler and where its reply goes.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <spawned/actors/dead_letters.hpp>
#include <spawned/actors/detail/actor_cell.hpp>
#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/deferral.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned::detail {

/// The part of a request that the caller knows: slot and result.
template <typename R>
struct ReplyEnvelope : RequestBase {
  using RequestBase::RequestBase;
  using reply_type = R;

  std::optional<Result<R, ActorError>> result;

  /// Actor's side, last touch. `turn_ends`: this is the last thing of a turn.
  void reply(bool turn_ends) noexcept {
    if (!slot.complete(turn_ends)) destroy();
  }
  void reply_error(ActorError error) noexcept {
    result.emplace(Unexpected(std::move(error)));
    reply(true);
  }
  /// The receiver's last touch, or that of whoever finds the other gone.
  void destroy() noexcept { (void)deliver(nullptr, *this, Operation::destroy); }

 protected:
  ~ReplyEnvelope() = default;
};

/// A message in raw storage: it ends when its handler does, before the reply leaves.
template <typename M>
class MessageStorage {
 public:
  template <typename... Args>
  explicit MessageStorage(std::in_place_t /*tag*/, Args&&... args) {
    construct_message(std::addressof(message_), std::forward<Args>(args)...);
  }
  MessageStorage(MessageStorage const&) = delete;
  MessageStorage& operator=(MessageStorage const&) = delete;
  ~MessageStorage() { end(); }

  [[nodiscard]] M& get() noexcept { return message_; }
  void end() noexcept {
    if (alive_) std::destroy_at(std::addressof(message_));
    alive_ = false;
  }

 private:
  union {
    M message_;
  };
  bool alive_ = true;
};

/// The handler's answer ends its actor.
template <typename Answer>
[[nodiscard]] bool answer_stops(Answer const& answer) noexcept {
  if constexpr (is_request_response<Answer>) {
    return answer.stops();
  } else if constexpr (std::is_same_v<Answer, MessageResponse>) {
    return answer.kind() == MessageResponse::Kind::stop;
  } else {
    return false;
  }
}

/// The shared frame of requests and messages: plain or coroutine handler, exceptions, cancellation.
template <typename A, typename Env>
struct HandlerFrame {
  template <typename Call, typename Consume>
  static Turn run(ActorCell<A>& cell, Env& envelope, Call&& call, Consume&& consume) {
    using H = std::invoke_result_t<Call>;
    cell.current = &envelope;
    current_worker->activity.begin(step);
    if constexpr (is_state_machine<A>) A::machine_hooks::begin(cell);
    if constexpr (std::is_base_of_v<RequestBase, Env>) {
      if (envelope.deadline_ns != no_deadline) [[unlikely]]
        cell.carry_deadline();
    }
    try {
      if constexpr (is_task<std::remove_cvref_t<H>>) {
        auto task = call();
        return cell.start_handler(task.release(), &after<typename H::value_type>,
                                  Env::message_name());
      } else if constexpr (std::is_void_v<H>) {
        call();
        hand_on_no_more(cell, envelope);
        if (keeps(cell, envelope, NoValue())) return Turn::next;
        return consume();
      } else {
        H&& answer = call();
        hand_on_no_more(cell, envelope);
        if (keeps(cell, envelope, answer)) return Turn::next;
        return consume(std::forward<H>(answer));
      }
    } catch (...) {
      hand_on_no_more(cell, envelope);
      return envelope.failed(cell);
    }
  }

 private:
  static constexpr Step step{&describe_actor_step, type_name<A>(), Env::message_name()};

  // Before the message is consumed: the next one may be none that has a deadline.
  static void hand_on_no_more(ActorCell<A>& cell, Env const& envelope) noexcept {
    if constexpr (std::is_base_of_v<RequestBase, Env>) {
      if (envelope.deadline_ns != no_deadline) [[unlikely]]
        cell.drop_deadline();
    }
  }

  // A state machine's transition. True: the message was postponed and is the machine's now.
  template <typename Answer>
  static bool keeps(ActorCell<A>& cell, Env& envelope, Answer const& answer) {
    if constexpr (is_state_machine<A>) {
      return A::machine_hooks::finish(cell, envelope, answer_stops(answer));
    } else {
      return false;
    }
  }

  template <typename X>
  static Turn after(CellBase& base) {
    auto& cell = static_cast<ActorCell<A>&>(base);
    auto& envelope = static_cast<Env&>(*cell.current);
    cell.drop_deadline();
    auto handle = std::coroutine_handle<TaskPromise<X>>::from_address(cell.coroutine().address());
    Turn turn = Turn::next;
    try {
      if constexpr (std::is_void_v<X>) {
        handle.promise().take();
        cell.end_coroutine();
        if (keeps(cell, envelope, NoValue())) return Turn::next;
        turn = envelope.consume(cell);
      } else {
        X answer = handle.promise().take();
        cell.end_coroutine();
        if (keeps(cell, envelope, answer)) return Turn::next;
        turn = envelope.consume(cell, std::move(answer));
      }
    } catch (...) {
      if (cell.coroutine()) cell.end_coroutine();
      turn = envelope.failed(cell);
    }
    return turn;
  }
};

template <typename A, typename M>
class RequestEnvelope final : public ReplyEnvelope<reply_t<A, M>> {
  using R = reply_t<A, M>;
  using Base = ReplyEnvelope<R>;

 public:
  static constexpr std::string_view message_name() noexcept { return type_name<M>(); }

  template <typename... Args>
  explicit RequestEnvelope(std::in_place_t tag, Args&&... args)
      : Base(&deliver_request), message_(tag, std::forward<Args>(args)...) {}

  // --- what the handler answered, on the actor's turn ---
  Turn consume(CellBase& cell) { return consume(cell, NoValue()); }
  template <typename Answer>
  Turn consume(CellBase& cell, Answer&& answer) {
    if (this->deliver != &deliver_request) [[unlikely]] {
      return consume_deferred(cell, std::forward<Answer>(answer));
    }
    store_answer(std::forward<Answer>(answer));
    if constexpr (is_request_response<std::remove_cvref_t<Answer>>) {
      if (answer.stops()) {
        message_.end();
        cell.take_out(*this);
        return cell.stop_with(std::move(answer.reason()), this);
      }
    }
    return send_reply(cell);
  }
  /// The handler threw; in the catch block.
  Turn failed(CellBase& cell) noexcept {
    if (ExitReason why;
        cell.has_attention(CellBase::Attention::watched) && cell.handler_timed_out(why)) {
      this->result.emplace(
          Unexpected(ActorError(ActorError::Kind::handler_failed, std::move(why))));
      return send_reply(cell);
    }
    cell.take_out(*this);
    bool const answers = this->deliver == &deliver_request || handler_returns(*this, true);
    if (!answers) handler_done(*this);
    return cell.fail(message_name(), answers ? this : nullptr);
  }

 private:
  template <typename Value>
  void store(Value&& value) {
    if constexpr (std::is_void_v<R>) {
      this->result.emplace();
    } else if constexpr (std::is_same_v<std::remove_cvref_t<Value>, NoValue>) {
      this->result.emplace(std::monostate());  // a void handler among others
    } else {
      this->result.emplace(std::forward<Value>(value));
    }
  }
  template <typename Answer>
  void store_answer(Answer&& answer) {
    using Plain = std::remove_cvref_t<Answer>;
    if constexpr (is_request_response<Plain>) {
      switch (answer.kind()) {
        case Plain::Kind::unused:
          store_error(ActorError::Kind::unused);
          break;
        case Plain::Kind::deferred:  // and nobody has promised to answer
          store_error(ActorError::Kind::unanswered);
          break;
        case Plain::Kind::stop_without_reply:
          store_error({ActorError::Kind::stopped, answer.reason()});
          break;
        case Plain::Kind::reply:
        case Plain::Kind::stop:
          store(std::move(answer.value()));
          break;
      }
    } else {
      store(std::forward<Answer>(answer));
    }
  }
  void store_error(ActorError error) { this->result.emplace(Unexpected(std::move(error))); }

  // The handler has made a ReplyTo: whoever comes first answers.
  template <typename Answer>
  [[gnu::noinline]] Turn consume_deferred(CellBase& cell, Answer&& answer) {
    bool has_answer = true;
    if constexpr (is_request_response<std::remove_cvref_t<Answer>>) {
      has_answer = !answer.is_deferred();
    }
    bool const answers = handler_returns(*this, has_answer);
    if (answers) store_answer(std::forward<Answer>(answer));
    message_.end();
    if constexpr (is_request_response<std::remove_cvref_t<Answer>>) {
      if (answer.stops()) {
        cell.take_out(*this);
        if (!answers) handler_done(*this);
        return cell.stop_with(std::move(answer.reason()), answers ? this : nullptr);
      }
    }
    Turn const turn = cell.leave(*this);
    if (answers) this->reply(true);
    handler_done(*this);
    return turn;
  }

  Turn send_reply(CellBase& cell) noexcept {
    message_.end();
    Turn const turn = cell.leave(*this);
    this->reply(true);
    return turn;
  }

  static constexpr MessageInfo info{type_name<M>(), type_name<R>(), &type_tag<R>};

  // A plain handler for one alternative, or the whole message.
  template <typename Message>
  static Turn call(ActorCell<A>& cell, RequestEnvelope& self, Message& message) {
    return HandlerFrame<A, RequestEnvelope>::run(
        cell, self,
        [&]() -> decltype(auto) { return call_request(cell.actor(), message, cell.context()); },
        [&](auto&&... answer) -> Turn {
          return self.consume(cell, std::forward<decltype(answer)>(answer)...);
        });
  }

  static Turn visit_message(ActorCell<A>& cell, RequestEnvelope& self) {
    try {
      return std::visit([&](auto& message) { return call(cell, self, message); },
                        self.message_.get());
    } catch (...) {  // the variant holds nothing
      return self.failed(cell);
    }
  }

  static Turn deliver_request(CellBase* base, Envelope& envelope, Operation operation) {
    auto& self = static_cast<RequestEnvelope&>(envelope);
    if (operation == Operation::handle) [[likely]] {
      auto& cell = static_cast<ActorCell<A>&>(*base);
      if constexpr (is_state_machine<A>) A::machine_hooks::taken(cell);
      if (cell.has_attention(CellBase::Attention::skip_expired) && self.slot.is_abandoned()) {
        return self.skip(cell);
      }
      if constexpr (direct_request<A, M>) {
        return call(cell, self, self.message_.get());
      } else {
        return visit_message(cell, self);
      }
    }
    if (operation == Operation::destroy) {
      pool_delete(&self);
    } else if (operation == Operation::identify) {
      tell(info);
    } else {
      self.settle(*base, operation);
    }
    return Turn::next;
  }

  // Nobody waits for the reply any more, and the actor wants no such requests.
  [[gnu::noinline]] Turn skip(CellBase& cell) noexcept {
    cell.count_expired();
    return send_reply(cell);
  }

  // The actor has ended, or ends with this request, or has no room for it.
  [[gnu::noinline]] void settle(CellBase& cell, Operation operation) {
    message_.end();
    if (operation == Operation::discard) {
      this->reply_error(cell.unread_answer());
      return;
    }
    if (operation == Operation::drop) {
      this->result.emplace(Unexpected(ActorError(ActorError::Kind::mailbox_full)));
      this->reply(false);
      return;
    }
    if (!this->result) {
      this->result.emplace(Unexpected(ActorError(cell.reason().kind() == ExitReason::Kind::error
                                                     ? ActorError::Kind::handler_failed
                                                     : ActorError::Kind::stopped,
                                                 cell.reason())));
    }
    this->reply(false);
  }

  MessageStorage<M> message_;

  template <typename U>
  friend void pool_delete(U*) noexcept;
};

/// `Block`: what the envelope is besides. An Envelope alone is freed when it is handled; any other
/// decides in handled(), may refuse in begin(cell), and hears in withdrawn(operation) that nobody
/// will handle it.
template <typename A, typename M, typename Block = Envelope>
class SendEnvelope final : public Block {
 public:
  static constexpr std::string_view message_name() noexcept { return type_name<M>(); }

  template <typename... Args>
    requires std::is_same_v<Block, Envelope>
  explicit SendEnvelope(std::in_place_t tag, Args&&... args)
      : Envelope(&deliver_message), message_(tag, std::forward<Args>(args)...) {}
  struct Continuation {};
  template <typename... Args>
    requires std::is_same_v<Block, Envelope>
  explicit SendEnvelope(Continuation /*tag*/, Args&&... args)
      : Envelope(&deliver_continuation), message_(std::in_place, std::forward<Args>(args)...) {}
  template <typename Owner, typename... Args>
    requires(!std::is_same_v<Block, Envelope>)
  explicit SendEnvelope(Owner& owner, std::in_place_t tag, Args&&... args)
      : Block(owner, &deliver_message), message_(tag, std::forward<Args>(args)...) {}

  /// For a block that exchanges messages before they are handled.
  [[nodiscard]] M& message() noexcept { return message_.get(); }

  Turn consume(CellBase& cell) noexcept {
    message_.end();
    Turn const turn = cell.leave(*this);
    dispose();
    return turn;
  }
  template <typename Answer>
  Turn consume(CellBase& cell, Answer&& answer) {
    if constexpr (std::is_same_v<std::remove_cvref_t<Answer>, MessageResponse>) {
      if (answer.kind() == MessageResponse::Kind::stop) {
        cell.take_out(*this);
        dispose();
        return cell.stop_with(std::move(answer.reason()));
      }
      if (answer.kind() == MessageResponse::Kind::unused) log_unused(cell, message_name());
    } else {
      (void)sizeof(handle_message_must_return_void_or_MessageResponse<A, M, Answer>);
    }
    return consume(cell);
  }
  /// The handler threw; in the catch block.
  Turn failed(CellBase& cell) noexcept {
    if (ExitReason why;
        cell.has_attention(CellBase::Attention::watched) && cell.handler_timed_out(why)) {
      return consume(cell);
    }
    cell.take_out(*this);
    dispose();
    return cell.fail(message_name());
  }

 private:
  void dispose() noexcept {
    if constexpr (std::is_same_v<Block, Envelope> || requires { Block::is_notice; }) {
      pool_delete(this);
    } else {
      message_.end();
      this->handled();  // perhaps the block's last moment
    }
  }

  template <typename Message>
  static Turn call(ActorCell<A>& cell, SendEnvelope& self, Message& message) {
    return HandlerFrame<A, SendEnvelope>::run(
        cell, self,
        [&]() -> decltype(auto) { return call_message(cell.actor(), message, cell.context()); },
        [&](auto&&... answer) -> Turn {
          return self.consume(cell, std::forward<decltype(answer)>(answer)...);
        });
  }

  static Turn visit_message(ActorCell<A>& cell, SendEnvelope& self) {
    try {
      return std::visit([&](auto& message) { return call(cell, self, message); },
                        self.message_.get());
    } catch (...) {  // the variant holds nothing
      return self.failed(cell);
    }
  }

  static Turn deliver_message(CellBase* base, Envelope& envelope, Operation operation) {
    auto& self = static_cast<SendEnvelope&>(envelope);
    if (operation == Operation::handle) {
      auto& cell = static_cast<ActorCell<A>&>(*base);
      if constexpr (is_state_machine<A>) A::machine_hooks::taken(cell);
      if constexpr (requires { self.begin(cell); }) {
        if (!self.begin(cell)) return self.consume(cell);
      }
      if constexpr (direct_message<A, M>) {
        return call(cell, self, self.message_.get());
      } else {
        return visit_message(cell, self);
      }
    }
    if (operation == Operation::discard || operation == Operation::drop) self.bury(base, operation);
    if (operation == Operation::destroy) pool_delete(&self);
    if (operation == Operation::identify) tell(info);
    return Turn::next;
  }

  // Without a cell the message was taken back.
  [[gnu::noinline]] void bury(CellBase* cell, Operation operation) noexcept {
    if constexpr (requires { this->withdrawn(operation); }) this->withdrawn(operation);
    if constexpr (requires { Block::is_notice; }) {
      dispose();
      return;
    }
    if (cell != nullptr) {
      report_dead_letter(
          *cell, dead_letter_name<M>(),
          operation == Operation::drop ? DeadLetter::Cause::overflow : DeadLetter::Cause::unread,
          nullptr);
    }
    dispose();
  }

  // Context::continue_with: ahead of the mail.
  static Turn deliver_continuation(CellBase* base, Envelope& envelope, Operation operation) {
    if (operation == Operation::handle) base->continuation_begins();
    return deliver_message(base, envelope, operation);
  }

  static constexpr MessageInfo info{type_name<M>(), {}, nullptr};

  MessageStorage<M> message_;

  template <typename U>
  friend void pool_delete(U*) noexcept;
};

/// The library's own request: answered when the actor has come to it, and so when init is done.
class PingEnvelope final : public ReplyEnvelope<void> {
 public:
  PingEnvelope() noexcept : ReplyEnvelope(&deliver_ping) {}

  [[nodiscard]] static bool is_ping(Envelope const& envelope) noexcept {
    return envelope.deliver == &deliver_ping;
  }

 private:
  static Turn deliver_ping(CellBase* cell, Envelope& envelope, Operation operation);
};

}  // namespace spawned::detail
