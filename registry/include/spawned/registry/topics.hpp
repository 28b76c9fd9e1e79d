// Topics: messages for whoever has subscribed.
//
//   sp::Topic<PriceChanged> const prices;
//   subscription_ = prices.subscribe(context.self()).value();   // in an actor, a member
//   prices.publish("ACME", 42);
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/detail/protocol_table.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/options.hpp>
#include <spawned/registry/detail/subscriber.hpp>

namespace spawned {

/// What becomes of messages for a subscriber that has TopicOptions::in_flight unhandled ones, or
/// whose bounded mailbox has no room.
using SlowSubscriber = groups::detail::WhenSlow;

struct TopicOptions {
  /// Messages of the topic that may wait in the mailbox of one subscriber, at least 1.
  std::size_t in_flight = unbounded;
  SlowSubscriber slow = SlowSubscriber::drop_newest;
  /// Who subscribes is sent the last message first, if there is one.
  bool retain_last = false;
};

/// What came of a publish.
struct Published {
  std::size_t subscribers = 0;  ///< there were so many
  std::size_t dropped = 0;      ///< for so many something was dropped, this message or an older one
  std::size_t removed = 0;      ///< so many were too slow and are no subscribers any more
};

/// Since the topic was made.
struct TopicCounters {
  std::uint64_t published;
  std::uint64_t sent;  ///< to all subscribers together
  std::uint64_t dropped;
  std::uint64_t removed;
};

/// An actor's being subscribed. It ends with this, or with the actor: keep it in a member.
///
/// After it has ended the actor handles nothing of the topic any more, if it ended on the actor's
/// own turn; ended elsewhere, a handler that has begun goes on.
class [[nodiscard("the subscription ends with it")]] Subscription {
 public:
  /// For the library: takes over one reference.
  explicit Subscription(groups::detail::SubscriberBase& subscriber) noexcept
      : subscriber_(&subscriber) {}
  Subscription(Subscription&& other) noexcept
      : subscriber_(std::exchange(other.subscriber_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    Subscription const old(std::move(*this));
    subscriber_ = std::exchange(other.subscriber_, nullptr);
    return *this;
  }
  ~Subscription() { end(); }

  /// False: it had ended before.
  bool unsubscribe() noexcept { return end(); }
  /// How many messages for it were dropped.
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return subscriber_ != nullptr ? subscriber_->dropped() : 0;
  }

 private:
  bool end() noexcept {
    if (subscriber_ == nullptr) return false;
    subscriber_->turn_off();
    bool const was_in = subscriber_->topic().remove(*subscriber_);
    std::exchange(subscriber_, nullptr)->drop();
    return was_in;
  }

  groups::detail::SubscriberBase* subscriber_;
};

namespace groups::detail {

// Never defined: its name is the error message.
template <typename Message>
struct a_message_of_a_topic_must_be_copyable_and_movable_without_exceptions;

}  // namespace groups::detail

/// A stream of messages `M` that actors subscribe to. Copies share the topic; the last one ends it.
/// No name leads to it: pass it on, or keep it where its publisher is.
///
/// Subscribers  are no refs. One that ends is gone by itself; a supervised one that is restarted in
///              place stays subscribed if its Subscription was kept elsewhere. Who subscribes twice
///              gets everything twice.
/// Slow ones    are never waited for. TopicOptions::in_flight and a bounded mailbox limit what
///              waits for them. What is dropped is counted, and is no dead letter.
/// Errors       InvalidOptions: `in_flight` of zero. `M` must be copyable, and movable without
///              exceptions.
/// Ordering     each subscriber handles what one publisher publishes in that order, though not with
///              its other mail: what waits in `in_flight` may be handled in the place of an older
///              message.
/// Threads      any, all functions. Publishing does not hold up who subscribes, nor the reverse.
/// Cost         publish is a send for each subscriber, with a copy of the message.
/// Example      docs/guide/groups-and-topics.md
template <typename M>
class Topic {
  using Core = groups::detail::TopicOf<M>;

 public:
  explicit Topic(TopicOptions const& options = {})
      : core_(
            groups::detail::pool_new<Core>(options.in_flight, options.slow, options.retain_last)) {
    if constexpr (!std::is_copy_constructible_v<M> || !std::is_nothrow_move_constructible_v<M>) {
      (void)sizeof(
          groups::detail::a_message_of_a_topic_must_be_copyable_and_movable_without_exceptions<M>);
    }
  }
  Topic(Topic const& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->hold_handle();
  }
  Topic(Topic&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Topic& operator=(Topic other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~Topic() {
    if (core_ != nullptr) core_->drop_handle();
  }

  /// From now on the actor gets what is published, until it or the Subscription ends.
  /// Errors  no_such_actor; std::bad_alloc.
  template <typename A>
  [[nodiscard]] Result<Subscription, ActorError> subscribe(ActorRef<A> const& ref) const {
    using namespace groups::detail;
    require_message_handler<A, M>();
    if constexpr (handles_message<A, M>) {
      auto& made =
          *pool_new<Subscriber<M>>(*core_, ref.cell(), &Subscriber<M>::template deliver_to<A>);
      Subscription subscription(made);
      SpinGuard const guard(core_->change);
      if (M const* const last = core_->last()) (void)made.deliver(made, *last);
      if (core_->add(made)) return subscription;
    }
    return Unexpected(ActorError(ActorError::Kind::no_such_actor));
  }

  /// Builds `M(args...)` once and sends each subscriber a copy. Never waits. Errors: what copying
  /// throws; some have got it then.
  template <typename... Args>
  Published publish(Args&&... args) const {
    using namespace groups::detail;
    (reject_dangerous_temporary<Args>(), ...);
    M const message = build_message<M>(forward_moved<Args>(args)...);
    Published result;
    std::size_t sent = 0;
    core_->view_for(message).for_each([&](RosterEntry const& entry) {
      auto& each = static_cast<Subscriber<M>&>(*entry.membership);
      ++result.subscribers;
      Delivery const how = each.deliver(each, message);
      sent += how == Delivery::sent ? 1 : 0;
      result.dropped += how == Delivery::dropped ? 1 : 0;
      if (how != Delivery::too_slow) return;
      each.turn_off();
      result.removed += core_->remove(each) ? 1 : 0;
    });
    core_->count(result.dropped, result.removed, sent);
    return result;
  }

  [[nodiscard]] std::size_t subscribers() const noexcept { return core_->size(); }
  [[nodiscard]] TopicCounters counters() const noexcept {
    using groups::detail::memory_order_relaxed;
    return {core_->published.load(memory_order_relaxed), core_->sent.load(memory_order_relaxed),
            core_->dropped.load(memory_order_relaxed),   // statistics
            core_->removed.load(memory_order_relaxed)};  // the same
  }

  /// The same topic.
  friend bool operator==(Topic const& left, Topic const& right) noexcept {
    return left.core_ == right.core_;
  }

 private:
  Core* core_;
};

namespace tasks {
using spawned::SlowSubscriber;
using spawned::Subscription;
using spawned::Topic;
using spawned::TopicCounters;
using spawned::TopicOptions;
}  // namespace tasks
namespace threads {
using spawned::SlowSubscriber;
using spawned::Subscription;
using spawned::Topic;
using spawned::TopicCounters;
using spawned::TopicOptions;
}  // namespace threads

}  // namespace spawned
