// Protocol<Entries...> and Recipient<M>: handles that know messages but not the actor.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/detail/asking.hpp>
#include <spawned/actors/detail/protocol_table.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/actors/weak_actor_ref.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

template <typename... Entries>
class WeakProtocol;

/// A ref to some actor that takes these messages. An entry is a message type, for send(), or a
/// function type, for request(): `Protocol<Joined, Said, int(CountMembers)>` takes Joined and Said,
/// and CountMembers, which is answered with an int.
///
/// Every ActorRef whose actor has the handlers converts to it, and every Protocol that has the
/// entries. Its user needs the messages' declarations and not the actor's, so that two actors in
/// two headers can talk to each other (examples/two_headers).
///
/// Errors   an actor without a handler, or with another reply type, is a compile error that names
/// it. Threads  as ActorRef. It counts as a ref. Memory   two pointers. A conversion to fewer
/// entries, but more than one, makes a table at its first
///          use for each actor type (std::bad_alloc), which is kept.
/// Cost     as ActorRef, one indirect call and one move of the message more.
/// Example  examples/two_headers
template <typename... Entries>
class Protocol {
  using Table = typename detail::protocol_table<Entries...>::type;

 public:
  template <typename A>
  Protocol(ActorRef<A> const& ref) noexcept  // NOLINT(google-explicit-constructor)
      : cell_(&ref.cell()), table_(table_of<A>()) {
    cell_->retain();
  }
  template <typename... Others>
    requires(!std::is_same_v<Protocol<Others...>, Protocol>)
  Protocol(Protocol<Others...> const& other)  // NOLINT(google-explicit-constructor)
      : cell_(other.cell_), table_(narrowed(other)) {
    cell_->retain();
  }
  Protocol(Protocol const& other) noexcept : cell_(other.cell_), table_(other.table_) {
    if (cell_ != nullptr) cell_->retain();
  }
  Protocol(Protocol&& other) noexcept
      : cell_(std::exchange(other.cell_, nullptr)), table_(other.table_) {}
  Protocol& operator=(Protocol other) noexcept {
    std::swap(cell_, other.cell_);
    std::swap(table_, other.table_);
    return *this;
  }
  ~Protocol() {
    if (cell_ != nullptr) cell_->release();
  }

  // --- as ActorRef's; see there ---

  template <typename M, typename... Args>
  SendResult send(Args&&... args) const {
    return post<M>(std::forward<Args>(args)...);
  }
  template <typename Message>
  SendResult send(Message&& message) const {
    return post<detail::message_type<Message>>(std::forward<Message>(message));
  }

  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto request(Args&&... args) const& {
    return make_request<M>(default_ns, false, std::forward<Args>(args)...);
  }
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto request(Args&&... args) && {
    return make_request<M>(default_ns, true, std::forward<Args>(args)...);
  }
  template <typename Message>
  [[nodiscard("co_await it")]] auto request(Message&& message) const& {
    return make_request<detail::message_type<Message>>(default_ns, false,
                                                       std::forward<Message>(message));
  }
  template <typename Message>
  [[nodiscard("co_await it")]] auto request(Message&& message) && {
    return make_request<detail::message_type<Message>>(default_ns, true,
                                                       std::forward<Message>(message));
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto request_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                         Args&&... args) const& {
    return make_request<M>(detail::limit_ns(timeout), false, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto request_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                         Args&&... args) && {
    return make_request<M>(detail::limit_ns(timeout), true, std::forward<Args>(args)...);
  }
  template <typename M, typename... Args>
  [[nodiscard]] auto start_request(Args&&... args) const {
    return detail::ask(*cell_, *make_envelope<M>(std::forward<Args>(args)...));
  }
  template <typename M, typename... Args>
  auto request_blocking(Args&&... args) const {
    return request_blocking_with_timeout<M>(default_request_timeout, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  auto request_blocking_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                     Args&&... args) const {
    detail::require_no_worker("Protocol::request_blocking");
    return detail::ask_blocking(*cell_, *make_envelope<M>(std::forward<Args>(args)...),
                                detail::limit_ns(timeout));
  }

  void stop(ExitReason reason = {}) const { (void)detail::post_stop(*cell_, std::move(reason)); }
  [[nodiscard("co_await it")]] ExitAwaiter stop_and_wait(
      ExitReason reason = {}, std::chrono::nanoseconds timeout = no_timeout) const {
    return ExitAwaiter(*cell_, true, std::move(reason), detail::limit_ns(timeout));
  }
  [[nodiscard("co_await it")]] ExitAwaiter wait_exit(
      std::chrono::nanoseconds limit = no_timeout) const {
    return ExitAwaiter(*cell_, false, {}, detail::limit_ns(limit));
  }
  [[nodiscard]] std::optional<ExitReason> exit_reason() const {
    if (!cell_->has_ended()) return std::nullopt;
    return cell_->exit_reason();
  }
  [[nodiscard]] bool is_alive() const noexcept { return !cell_->has_ended(); }
  [[nodiscard]] ActorId id() const noexcept { return cell_->id(); }
  [[nodiscard]] WeakProtocol<Entries...> downgrade() const noexcept;

  /// The same actor.
  friend bool operator==(Protocol const& left, Protocol const& right) noexcept {
    return left.cell_ == right.cell_;
  }

  /// For the library: the envelope of a request that is built but not sent.
  template <typename M, typename... Args>
  [[nodiscard]] auto* make_envelope(Args&&... args) const {
    using Entry = typename detail::request_entry<M, Entries...>::type;
    (detail::reject_dangerous_temporary<Args>(), ...);
    if constexpr (!std::is_void_v<Entry>) {
      return entry<Entry>().make(detail::build_message<M>(detail::forward_moved<Args>(args)...));
    } else if constexpr (detail::is_one_of<M, Entries...>) {
      (void)sizeof(detail::protocol_takes_this_as_a_message__use_send<Protocol, M>);
    } else {
      (void)sizeof(detail::protocol_does_not_take_this_request<Protocol, M>);
    }
  }
  [[nodiscard]] detail::CellBase& cell() const noexcept { return *cell_; }
  [[nodiscard]] Table const& table() const noexcept { return *table_; }
  /// The same: takes over one reference. `table` is one of an actor like `cell`.
  Protocol(detail::CellBase& cell, Table const& table) noexcept : cell_(&cell), table_(&table) {}

 private:
  template <typename... Others>
  friend class Protocol;
  template <typename... Others>
  friend class WeakProtocol;

  static constexpr std::int64_t default_ns = default_request_timeout.count();

  template <typename A>
  static constexpr Table const* table_of() noexcept {
    (detail::EntryOf<A, Entries>::require(), ...);
    if constexpr ((detail::EntryOf<A, Entries>::exists() && ...)) {
      return &detail::table_of_actor<A, Entries...>;
    } else {
      return nullptr;
    }
  }

  template <typename... Others>
  static Table const* narrowed(Protocol<Others...> const& other) {
    (require_entry<Entries, Others...>(), ...);
    if constexpr (!(detail::is_one_of<Entries, Others...> && ...)) {
      return nullptr;
    } else if constexpr (sizeof...(Entries) == 1) {
      return other.table_;
    } else {
      using From = detail::ProtocolTable<Others...>;
      return &detail::NarrowedTable<From, Entries...>::narrowed(*other.table_);
    }
  }
  template <typename Entry, typename... Others>
  static constexpr auto require_entry() {
    if constexpr (!detail::is_one_of<Entry, Others...>) {
      (void)sizeof(detail::protocol_does_not_have_this_entry_of_the_one_it_is_converted_to<
                   Protocol<Others...>, Entry>);
    }
  }

  template <typename Entry>
  detail::ProtocolEntry<Entry> const& entry() const noexcept {
    return *table_;
  }

  template <typename M, typename... Args>
  SendResult post(Args&&... args) const {
    (detail::reject_dangerous_temporary<Args>(), ...);
    if constexpr (detail::is_one_of<M, Entries...>) {
      return entry<M>().post(*cell_,
                             detail::build_message<M>(detail::forward_moved<Args>(args)...));
    } else if constexpr (!std::is_void_v<typename detail::request_entry<M, Entries...>::type>) {
      (void)sizeof(detail::protocol_takes_this_as_a_request__use_request<Protocol, M>);
    } else {
      (void)sizeof(detail::protocol_does_not_take_this_message<Protocol, M>);
    }
    return SendResult::ok;
  }

  template <typename M, typename... Args>
  auto make_request(std::int64_t timeout_ns, bool owned, Args&&... args) const {
    auto* const envelope = make_envelope<M>(std::forward<Args>(args)...);
    if (owned) cell_->retain();
    return RequestAwaitable(*cell_, owned, *envelope, timeout_ns);
  }

  detail::CellBase* cell_;
  Table const* table_;
};

/// A handle to some actor that takes one message, `Recipient<M>`, or one request,
/// `Recipient<R(M)>`.
template <typename M>
using Recipient = Protocol<M>;

/// A Protocol that does not count as a ref; see WeakActorRef.
template <typename... Entries>
class WeakProtocol {
 public:
  WeakProtocol(Protocol<Entries...> const& ref) noexcept  // NOLINT(google-explicit-constructor)
      : weak_(ref.cell()), table_(ref.table_) {}

  /// A ref, or nullopt once the actor has ended.
  [[nodiscard]] std::optional<Protocol<Entries...>> upgrade() const noexcept {
    detail::CellBase* const cell = weak_.upgrade();
    if (cell == nullptr) return std::nullopt;
    return Protocol<Entries...>(*cell, *table_);
  }
  [[nodiscard]] ActorId id() const noexcept { return weak_.cell().id(); }

 private:
  detail::WeakCell weak_;
  typename detail::protocol_table<Entries...>::type const* table_;
};

template <typename M>
using WeakRecipient = WeakProtocol<M>;

template <typename... Entries>
WeakProtocol<Entries...> Protocol<Entries...>::downgrade() const noexcept {
  return WeakProtocol<Entries...>(*this);
}

}  // namespace spawned
