// LiveList: every task and actor of a scheduler that has not ended, so that the end of the runtime
// can end and name them. Sharded by worker: adding and removing take an uncontended lock. The last
// shard holds the roots, the actors that no other actor started, in the order of their start.
//
// The end.
//   open      begin_end()   roots are asked to end one after the other, the newest first: the next
//             when the one before has been removed. Tasks are cancelled, if the mode says so.
//   ending    close()       everything is asked to end at once, newcomers too.
//   closing   seal()        nothing lives, and nothing can be added any more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class LiveList {
 public:
  explicit LiveList(std::uint32_t shards) : shards_(shards + 1), lists_(new Shard[shards + 1]) {}

  [[nodiscard]] std::uint32_t root_shard() const noexcept { return shards_ - 1; }

  enum class Added : std::uint8_t {
    open,     // listed
    closing,  // listed, but the caller must ask the context to end
    sealed,   // not listed: nothing can run any more
  };
  [[nodiscard]] Added add(ExecutionContext& context, std::uint32_t shard) noexcept {
    Shard& list = lists_[shard];
    context.live_shard = shard;
    SpinGuard const guard(list.lock);
    if (sealed_) return Added::sealed;
    context.live_previous = nullptr;
    context.live_next = list.first;
    if (list.first != nullptr) list.first->live_previous = &context;
    list.first = &context;
    ++list.count;
    return closing_.load(memory_order_relaxed) ? Added::closing : Added::open;  // closing
  }

  void remove(ExecutionContext& context) noexcept {
    Shard& list = lists_[context.live_shard];
    bool last = false;
    {
      SpinGuard const guard(list.lock);
      (context.live_previous == nullptr ? list.first : context.live_previous->live_next) =
          context.live_next;
      if (context.live_next != nullptr) context.live_next->live_previous = context.live_previous;
      last = --list.count == 0;
      if (list.asked == &context) list.asked = nullptr;
      if (list.in_order) ask_first(list);
    }
    // ending_ is set before the closing thread takes the shard locks to count. Either it counts
    // after this removal, or this thread took the lock after it and sees ending_ here. Only the
    // last of a shard can be the last of all.
    if (last && ending_.load(memory_order_relaxed)) {  // ending
      changes_.fetch_add(1, memory_order_release);     // changed
      futex_wake_all(changes_);
    }
  }

  /// Asks the roots to end, one after the other; what is not in_order at once if `mail` says
  /// cancel.
  void begin_end(UnreadMail mail) noexcept {
    ending_.store(true, memory_order_relaxed);  // ending: the shard locks order it
    for (std::uint32_t shard = 0; shard < root_shard(); ++shard) {
      if (mail == UnreadMail::cancel) ask_all(lists_[shard], mail, false);
    }
    Shard& roots = lists_[root_shard()];
    SpinGuard const guard(roots.lock);
    mail_ = mail;
    roots.in_order = true;
    ask_first(roots);
  }

  /// From here on add() says closing; asks everything listed to end.
  void close() noexcept {
    ending_.store(true, memory_order_relaxed);   // ending: the shard locks order it
    closing_.store(true, memory_order_relaxed);  // closing: the shard locks order it
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
      ask_all(lists_[shard], UnreadMail::cancel, true);
    }
  }

  /// If nothing lives: add() refuses from here on. One moment for all shards, as count().
  [[nodiscard]] bool seal() noexcept {
    std::uint64_t const total = lock_and_count();
    if (total == 0) sealed_ = true;
    unlock();
    return total == 0;
  }

  /// Of one moment: shard by shard, a parent could be missed that has just ended in a shard not yet
  /// counted, and its child that was born in one already counted.
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t const total = lock_and_count();
    unlock();
    return total;
  }

  /// Names of up to `most` that live.
  [[nodiscard]] std::vector<std::string> describe(std::size_t most) const {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < shards_; ++i) {
      std::uint32_t const shard = (root_shard() + i) % shards_;  // roots first
      SpinGuard const guard(lists_[shard].lock);
      for (auto* context = lists_[shard].first; context != nullptr && names.size() < most;
           context = context->live_next) {
        names.push_back(context->kind->describe(*context));
      }
    }
    return names;
  }

  [[nodiscard]] bool roots_left() const noexcept {
    SpinGuard const guard(lists_[root_shard()].lock);
    return lists_[root_shard()].first != nullptr;
  }

  // Waiting for the end: read changes(), then count(), then wait_change() for another value.
  [[nodiscard]] std::uint32_t changes() const noexcept {
    return changes_.load(memory_order_acquire);  // changed
  }
  void wait_change(std::uint32_t seen, std::int64_t timeout_ns) noexcept {
    futex_wait(changes_, seen, timeout_ns);
  }

 private:
  // Orderings.
  //   changed   remove() adds (release)  ->  changes() loads (acquire).
  //             The closing thread that sees the change also sees the shorter list.
  struct alignas(64) Shard {
    mutable SpinLock lock;
    ExecutionContext* first = nullptr;
    std::uint64_t count = 0;
    bool in_order = false;              // of the roots: they are being asked to end
    ExecutionContext* asked = nullptr;  // the root that was asked last, and lives
  };
  // Not a second time: that would cut its teardown short.
  void ask_first(Shard& roots) noexcept {
    if (roots.first == nullptr || roots.first == roots.asked) return;
    roots.asked = roots.first;
    roots.first->kind->request_end(*roots.first, mail_);
  }
  static void ask_all(Shard& list, UnreadMail mail, bool in_order_too) noexcept {
    SpinGuard const guard(list.lock);
    for (auto* context = list.first; context != nullptr; context = context->live_next) {
      if (in_order_too || !context->kind->in_order) context->kind->request_end(*context, mail);
    }
  }
  std::uint64_t lock_and_count() const noexcept {
    std::uint64_t total = 0;
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
      lists_[shard].lock.lock();
      total += lists_[shard].count;
    }
    return total;
  }
  void unlock() const noexcept {
    for (std::uint32_t shard = 0; shard < shards_; ++shard) lists_[shard].lock.unlock();
  }

  std::uint32_t shards_;
  std::unique_ptr<Shard[]> lists_;
  bool sealed_ = false;                   // written under all locks, read under one
  UnreadMail mail_ = UnreadMail::cancel;  // guarded by the lock of the roots
  atomic<bool> ending_{false};
  atomic<bool> closing_{false};
  atomic<std::uint32_t> changes_{0};
};

}  // namespace spawned::detail
