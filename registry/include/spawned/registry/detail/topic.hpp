// TopicCore: the subscribers of one topic.
//
// A roster as that of a group (roster.hpp). A subscriber is added to its actor's end hooks and then
// to the roster under `change`; its end, the end of its Subscription and a publisher that finds it
// too slow compete for taking it out. Handles keep a topic open; subscribers keep it in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <spawned/registry/detail/roster.hpp>
#include <spawned/runtime/detail/pool.hpp>

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
