// Subscriber: one of a topic's, and what is on its way to it.
//
// Messages on their way. Each is a ticket in the actor's mailbox, and tickets with a limit are also
// in the subscriber's list, oldest message first. A ticket that is handled takes the oldest
// message, whichever ticket has it, by exchange. So whoever drops the oldest for a new one has no
// mailbox to search: the first ticket gets the new message and becomes the last in the list. There
// are never more tickets than the limit, and messages stay in order though tickets do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/registry/detail/topic.hpp>

namespace spawned::groups::detail {

template <typename M>
class Subscriber;

/// What a message of a topic is besides.
template <typename M>
class Ticket : public Envelope {
 public:
  Ticket(Subscriber<M>& subscriber, Deliver function) noexcept
      : Envelope(function), subscriber_(&subscriber) {
    subscriber_->hold();
  }
  static constexpr bool is_notice = true;  // no dead letter, unread

 protected:
  ~Ticket() { subscriber_->drop(); }
  [[nodiscard]] bool begin(CellBase& /*cell*/) noexcept { return subscriber_->take_for(*this); }
  void withdrawn(Operation operation) noexcept {
    (void)subscriber_->withdraw(*this);
    if (operation == Operation::drop) {
      subscriber_->count_dropped();
      subscriber_->topic().dropped.fetch_add(1, memory_order_relaxed);  // a statistic
    }
  }

 private:
  friend class Subscriber<M>;
  Subscriber<M>* subscriber_;
  // In the subscriber's list, under its lock.
  M* message_ = nullptr;
  Ticket* previous_ = nullptr;
  Ticket* next_ = nullptr;
  bool is_listed_ = false;
};

template <typename M>
class Subscriber final : public SubscriberBase {
 public:
  using Deliver = Delivery (*)(Subscriber&, M const&);
  Subscriber(TopicCore& topic, CellBase& cell, Deliver function) noexcept
      : SubscriberBase(topic, cell, &on_destroy), deliver(function) {}

  Deliver const deliver;

  template <typename A>
  static Delivery deliver_to(Subscriber& self, M const& message) {
    if (self.is_off()) return Delivery::gone;
    if (self.topic().when_slow != WhenSlow::drop_oldest && self.is_full()) return self.refuse();
    auto& ticket = *pool_new<SendEnvelope<A, M, Ticket<M>>>(self, std::in_place, message);
    if (self.topic().limit != unlimited && !self.list(ticket, ticket.message())) {
      pool_delete(&ticket);  // with the message that was dropped
      return self.refuse();
    }
    Pushed const how = self.cell().push_mail(ticket);
    if (how == Pushed::accepted) return Delivery::sent;
    (void)self.withdraw(ticket);
    pool_delete(&ticket);
    return how == Pushed::ended ? Delivery::gone : self.refuse();
  }

  /// The ticket's turn has come: it gets the oldest message. False: nothing is to be handled.
  [[nodiscard]] bool take_for(Ticket<M>& ticket) noexcept {
    if (topic().limit == unlimited) return !is_off();
    SpinGuard const guard(lock_);
    if (!ticket.is_listed_) return false;
    Ticket<M>& oldest = *first_;
    if (&oldest != &ticket) {
      exchange(*oldest.message_, *ticket.message_);
      unlink(oldest);
      link_before(oldest, &ticket);
    }
    unlink(ticket);
    return !is_off();
  }
  /// Nobody will handle it. False: it was not listed.
  bool withdraw(Ticket<M>& ticket) noexcept {
    SpinGuard const guard(lock_);
    if (!ticket.is_listed_) return false;
    unlink(ticket);
    return true;
  }

 private:
  static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);
  template <typename U>
  friend void spawned::detail::pool_delete(U*) noexcept;
  ~Subscriber() = default;
  static void on_destroy(Membership& self) noexcept {
    pool_delete(&static_cast<Subscriber&>(static_cast<SubscriberBase&>(self)));
  }

  [[nodiscard]] bool is_full() noexcept {
    if (topic().limit == unlimited) return false;
    SpinGuard const guard(lock_);
    return listed_ >= topic().limit;
  }
  [[nodiscard]] Delivery refuse() noexcept {
    if (topic().when_slow == WhenSlow::unsubscribe) return Delivery::too_slow;
    count_dropped();
    return Delivery::dropped;
  }
  // False: there was no room. The ticket has the message that was dropped then.
  [[nodiscard]] bool list(Ticket<M>& ticket, M& message) noexcept {
    ticket.message_ = &message;
    SpinGuard const guard(lock_);
    if (listed_ < topic().limit) {
      link_before(ticket, nullptr);
      return true;
    }
    if (topic().when_slow == WhenSlow::drop_oldest) {
      Ticket<M>& oldest = *first_;
      exchange(*oldest.message_, message);
      unlink(oldest);
      link_before(oldest, nullptr);
    }
    return false;
  }
  static void exchange(M& one, M& other) noexcept {
    M kept(std::move(one));
    std::destroy_at(std::addressof(one));
    std::construct_at(std::addressof(one), std::move(other));
    std::destroy_at(std::addressof(other));
    std::construct_at(std::addressof(other), std::move(kept));
  }
  // Last, without one.
  void link_before(Ticket<M>& ticket, Ticket<M>* behind) noexcept {
    ticket.next_ = behind;
    ticket.previous_ = behind != nullptr ? behind->previous_ : last_;
    (ticket.previous_ != nullptr ? ticket.previous_->next_ : first_) = &ticket;
    (behind != nullptr ? behind->previous_ : last_) = &ticket;
    ticket.is_listed_ = true;
    ++listed_;
  }
  void unlink(Ticket<M>& ticket) noexcept {
    (ticket.previous_ != nullptr ? ticket.previous_->next_ : first_) = ticket.next_;
    (ticket.next_ != nullptr ? ticket.next_->previous_ : last_) = ticket.previous_;
    ticket.is_listed_ = false;
    --listed_;
  }

  SpinLock lock_;
  Ticket<M>* first_ = nullptr;  // has the oldest message; guarded by the lock, as is the rest
  Ticket<M>* last_ = nullptr;
  std::size_t listed_ = 0;
};

}  // namespace spawned::groups::detail
