// PoolTable: who works in a pool, shared by its router and everybody who sends to it.
//
// A lock guards it: to choose is a few instructions, and a sender holds it for no longer than it
// takes to copy one pointer. The workers' slots outlive their restarts, so the table changes only
// with the size of the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned {

template <typename A>
class PoolRouter;

/// Whom a pool gives the next message.
enum class Routing : std::uint8_t {
  round_robin,   ///< each in turn
  least_loaded,  ///< who has the fewest requests unanswered, and the least unread mail if it counts
};

namespace detail {

/// Which of `size` workers a key belongs to. From `size` to `size + 1` one key in size + 1 moves,
/// to the new worker. Source: Lamping and Veach, "A fast, minimal memory, consistent hash", 2014.
[[nodiscard]] std::size_t consistent_index(std::uint64_t hash, std::size_t size) noexcept;
/// Spreads a hash that may be the value itself.
[[nodiscard]] std::uint64_t mixed_hash(std::uint64_t hash) noexcept;

template <typename Key>
[[nodiscard]] std::uint64_t key_hash(Key const& key) {
  return mixed_hash(std::hash<Key>()(key));
}

/// One of a pool.
template <typename A>
struct PoolWorker {
  explicit PoolWorker(ActorRef<A> actor) noexcept : ref(std::move(actor)) {}

  [[nodiscard]] std::size_t weight() const noexcept {
    std::size_t const unread = ref.cell().is_queued() ? mailbox_info(ref.cell()).size : 0;
    return outstanding.load(memory_order_relaxed) + unread;  // a hint
  }

  ActorRef<A> ref;
  atomic<std::uint32_t> outstanding{0};  // requests sent through the pool and not answered
};

/// Counts one request for as long as it lives.
template <typename A>
class PoolShare {
 public:
  explicit PoolShare(std::shared_ptr<PoolWorker<A>> worker) noexcept : worker_(std::move(worker)) {
    if (worker_) worker_->outstanding.fetch_add(1, memory_order_relaxed);  // a hint
  }
  PoolShare(PoolShare const&) = delete;
  PoolShare& operator=(PoolShare const&) = delete;
  ~PoolShare() {
    if (worker_) worker_->outstanding.fetch_sub(1, memory_order_relaxed);  // a hint
  }
  [[nodiscard]] PoolWorker<A>* get() const noexcept { return worker_.get(); }

 private:
  std::shared_ptr<PoolWorker<A>> worker_;
};

template <typename A>
class PoolTable {
 public:
  using WorkerPtr = std::shared_ptr<PoolWorker<A>>;

  explicit PoolTable(Routing routing) noexcept : routing_(routing) {}

  // --- any thread; null or nothing: the pool has no workers ---

  [[nodiscard]] WorkerPtr pick() noexcept {
    SpinGuard const guard(lock_);
    if (workers_.empty()) return nullptr;
    std::size_t const first = next_++ % workers_.size();
    return routing_ == Routing::round_robin ? workers_[first] : least_loaded(first);
  }
  [[nodiscard]] WorkerPtr pick(std::uint64_t hash) noexcept {
    SpinGuard const guard(lock_);
    if (workers_.empty()) return nullptr;
    return workers_[consistent_index(hash, workers_.size())];
  }
  [[nodiscard]] std::size_t size() noexcept {
    SpinGuard const guard(lock_);
    return workers_.size();
  }
  [[nodiscard]] std::vector<ActorRef<A>> refs() {
    std::vector<WorkerPtr> const now = workers();
    std::vector<ActorRef<A>> refs;
    refs.reserve(now.size());
    for (WorkerPtr const& worker : now) refs.push_back(worker->ref);
    return refs;
  }
  [[nodiscard]] std::optional<ActorRef<PoolRouter<A>>> router() noexcept {
    SpinGuard const guard(lock_);
    return router_;
  }

  // --- the router ---

  /// False: another one serves the pool.
  [[nodiscard]] bool attach(ActorRef<PoolRouter<A>> router) noexcept {
    SpinGuard const guard(lock_);
    if (router_) return false;
    router_.emplace(std::move(router));
    return true;
  }
  /// No more workers, no router.
  void detach() noexcept {
    std::vector<WorkerPtr> gone;
    std::optional<ActorRef<PoolRouter<A>>> router;
    SpinGuard const guard(lock_);  // released first
    gone.swap(workers_);
    router.swap(router_);
  }
  void add(ActorRef<A> ref) {
    auto worker = std::make_shared<PoolWorker<A>>(std::move(ref));
    std::vector<WorkerPtr> all = workers();
    all.push_back(std::move(worker));
    SpinGuard const guard(lock_);
    workers_.swap(all);
  }
  /// The last one gets nothing more.
  [[nodiscard]] WorkerPtr remove_last() noexcept {
    SpinGuard const guard(lock_);
    WorkerPtr last = std::move(workers_.back());
    workers_.pop_back();
    return last;
  }

 private:
  [[nodiscard]] std::vector<WorkerPtr> workers() {
    for (std::size_t room = size();; room *= 2) {  // no memory is taken under the lock
      std::vector<WorkerPtr> copy;
      copy.reserve(room + 1);
      SpinGuard const guard(lock_);
      if (workers_.size() > room) continue;
      copy.assign(workers_.begin(), workers_.end());
      return copy;
    }
  }
  // Under the lock. Of those that are alike the first from `first` on.
  [[nodiscard]] WorkerPtr const& least_loaded(std::size_t first) const noexcept {
    std::size_t best = first;
    std::size_t least = workers_[first]->weight();
    for (std::size_t i = 1; i < workers_.size() && least != 0; ++i) {
      std::size_t const at = (first + i) % workers_.size();
      std::size_t const weight = workers_[at]->weight();
      if (weight >= least) continue;
      least = weight;
      best = at;
    }
    return workers_[best];
  }

  Routing const routing_;
  SpinLock lock_;
  std::size_t next_ = 0;
  std::vector<WorkerPtr> workers_;  // in the order of their numbers
  std::optional<ActorRef<PoolRouter<A>>> router_;
};

}  // namespace detail
}  // namespace spawned
