// TopicCore: the subscribers of one topic. Subscriber: one of them, and what is on its way to it.
//
// A roster as that of a group (roster.hpp). A subscriber is added to its actor's end hooks and then
// to the roster under `change`; its end, the end of its Subscription and a publisher that finds it
// too slow compete for taking it out. Handles keep a topic open; subscribers keep it in memory.
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
#include <spawned/registry/detail/roster.hpp>

namespace spawned::groups::detail {

/// What became of a message for one subscriber.
enum class Delivery : std::uint8_t {
  sent,
  dropped,   // this one, or an older one for it
  too_slow,  // nothing was sent; the subscriber is to go
  gone,      // it has ended, or does not subscribe any more
};

/// SlowSubscriber.
enum class WhenSlow : std::uint8_t {
  drop_newest,  ///< the new message is dropped
  drop_oldest,  ///< the oldest of those of `in_flight`; a mailbox without room drops the new one
  unsubscribe,  ///< the subscription ends; what waits for it is not handled
};

class SubscriberBase;

class TopicCore {
 public:
  using Destroy = void (*)(TopicCore&) noexcept;
  TopicCore(std::size_t in_flight, WhenSlow when_slow, Destroy destroy);

  void hold_handle() noexcept { counts_.add_handle(); }
  void drop_handle() noexcept;
  void hold() noexcept { counts_.add_memory(); }
  void drop() noexcept {
    if (counts_.drop_memory()) destroy_(*this);
  }

  /// Under `change`, which the caller holds. False: it has ended. Errors: std::bad_alloc.
  [[nodiscard]] bool add(SubscriberBase& subscriber);
  /// False: it was none any more.
  bool remove(SubscriberBase& subscriber) noexcept;
  [[nodiscard]] RosterView view() noexcept {
    SpinGuard const guard(look_);
    return roster_.view();
  }
  [[nodiscard]] std::size_t size() noexcept {
    SpinGuard const guard(change);
    return roster_.size();
  }

  /// One message was published; the statistics.
  void count(std::size_t dropped_now, std::size_t removed_now, std::size_t sent_now) noexcept {
    published.fetch_add(1, memory_order_relaxed);                                // a statistic
    if (sent_now != 0) sent.fetch_add(sent_now, memory_order_relaxed);           // a statistic
    if (dropped_now != 0) dropped.fetch_add(dropped_now, memory_order_relaxed);  // a statistic
    if (removed_now != 0) removed.fetch_add(removed_now, memory_order_relaxed);  // a statistic
  }

  SpinLock change;
  std::size_t const limit;
  WhenSlow const when_slow;
  // Statistics.
  atomic<std::uint64_t> published{0};
  atomic<std::uint64_t> sent{0};
  atomic<std::uint64_t> dropped{0};
  atomic<std::uint64_t> removed{0};  // too slow

 protected:
  ~TopicCore() = default;

 private:
  friend class SubscriberBase;
  void close() noexcept;

  SpinLock look_;
  Roster roster_{look_};
  TwoCounts counts_;
  Destroy destroy_;
};

class SubscriberBase : public Membership {
 public:
  SubscriberBase(TopicCore& topic, CellBase& cell, Destroy destroy) noexcept
      : Membership(cell, nullptr, &on_end, destroy), topic_(&topic) {
    topic.hold();
  }
  [[nodiscard]] TopicCore& topic() const noexcept { return *topic_; }
  /// Nothing of it is handled any more. On the receiver's turn that holds at once.
  void turn_off() noexcept { off_.store(true, memory_order_relaxed); }  // a moment's truth
  [[nodiscard]] bool is_off() const noexcept {
    return off_.load(memory_order_relaxed);  // see turn_off()
  }
  void count_dropped() noexcept { dropped_.fetch_add(1, memory_order_relaxed); }  // a statistic
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(memory_order_relaxed);  // a statistic
  }

 protected:
  ~SubscriberBase() { topic_->drop(); }

 private:
  static void on_end(EndHook& hook, CellBase& cell) noexcept;

  TopicCore* topic_;
  atomic<std::uint64_t> dropped_{0};
  atomic<bool> off_{false};
};

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

/// The last message, of a topic that retains it.
template <typename M>
class TopicOf final : public TopicCore {
 public:
  TopicOf(std::size_t in_flight, WhenSlow slow, bool retain)
      : TopicCore(in_flight, slow, &on_destroy), retains(retain) {}

  bool const retains;

  /// The subscribers at the moment at which the message becomes the last one.
  [[nodiscard]] RosterView view_for(M const& message) {
    if (!retains) return view();
    M* kept = pool_new<M>(message);
    RosterView now = [&] {
      SpinGuard const guard(change);
      std::swap(kept, last_);
      return view();
    }();
    if (kept != nullptr) pool_delete(kept);
    return now;
  }
  /// Under `change`.
  [[nodiscard]] M const* last() const noexcept { return last_; }

 private:
  template <typename U>
  friend void spawned::detail::pool_delete(U*) noexcept;
  ~TopicOf() {
    if (last_ != nullptr) pool_delete(last_);
  }
  static void on_destroy(TopicCore& self) noexcept { pool_delete(&static_cast<TopicOf&>(self)); }

  M* last_ = nullptr;  // guarded by `change`
};

}  // namespace spawned::groups::detail
