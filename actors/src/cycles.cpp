#include <spawned/actors/detail/cycles.hpp>

#include <cstdint>
#include <string>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/wait_target.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

namespace {

// Of the process, because cycles may go through several runtimes.
constinit SpinLock walk_lock;
constinit atomic<std::uint32_t> walkers{0};

std::string name_of(CellBase const& cell) {
  return std::string(cell.actor_kind().type_name) + "#" + std::to_string(cell.id().value);
}

// "teller.cpp:12"; of a blocking call nothing is known.
std::string place_of(std::source_location where) {
  if (where.line() == 0) return "a blocking call";
  std::string_view file = where.file_name();
  file.remove_prefix(file.rfind('/') + 1);  // none: npos + 1 is 0
  return std::string(file) + ":" + std::to_string(where.line());
}

void tell_wait(ExecutionContext& waiter, void const* target, Envelope& request,
               std::source_location where) noexcept {
  if (simulated == nullptr) return;
  MessageInfo const* const info = info_of(request);
  simulated->waits(waiter, target, info == nullptr ? "an answer" : info->message, where);
}

bool is_checked_actor(ExecutionContext const& waiter) noexcept {
  return (waiter.await_checks & ~ExecutionContext::tells_waits) != 0;
}

void const* identity_of(CellBase& cell) noexcept { return static_cast<Runnable*>(&cell); }

}  // namespace

class WaitEdge::Walk {
 public:
  Walk() noexcept {
    walkers.fetch_add(1, memory_order_seq_cst);  // walkers
    walk_lock.lock();
  }
  Walk(Walk const&) = delete;
  Walk& operator=(Walk const&) = delete;
  ~Walk() {
    walk_lock.unlock();
    walkers.fetch_sub(1, memory_order_seq_cst);  // walkers
  }
};

WaitEdge* WaitEdge::enter(CellBase& waiter, CellBase& target, SlotWait& wait,
                          std::source_location where) noexcept {
  return publish(waiter, target, {.wait = &wait}, where);
}

WaitEdge* WaitEdge::enter(CellBase& waiter, CellBase& target, ThreadWait& wait) noexcept {
  return publish(waiter, target, {.blocked = &wait}, {});
}

WaitEdge* WaitEdge::enter(CellBase& waiter, WaitTarget const& target, Signs signs,
                          std::source_location where) noexcept {
  CellBase* const cell = target.cell_or_null();
  return cell == nullptr ? nullptr : publish(waiter, *cell, signs, where);
}

WaitEdge* WaitEdge::publish(CellBase& waiter, CellBase& target, Signs signs,
                            std::source_location where) noexcept {
  if (!waiter.detects_cycles()) return nullptr;
  WaitEdge* edge = nullptr;
  try {
    edge = pool_new<WaitEdge>(waiter, target, signs, where);
  } catch (...) {
    return nullptr;
  }
  if (signs.wait != nullptr) signs.wait->report_completion();
  target.retain_memory();                                                           // for walkers
  waiter.waits_for_.store(edge, memory_order_seq_cst);                              // edge
  if (target.waits_for_.load(memory_order_seq_cst) != nullptr) edge->find_cycle();  // edge
  return edge;
}

void WaitEdge::leave(WaitEdge*& edge) noexcept {
  WaitEdge* const old = std::exchange(edge, nullptr);
  if (!old->closes_cycle_) {
    old->waiter_->waits_for_.store(nullptr, memory_order_seq_cst);  // walkers
    if (walkers.load(memory_order_seq_cst) != 0) {                  // walkers
      SpinGuard const until_they_have_gone(walk_lock);
    }
  }
  old->target_->release_memory();
  pool_delete(old);
}

void WaitEdge::find_cycle() noexcept {
  Walk const walk;
  if (!is_on_cycle() || !holds_still()) return;
  name_cycle();
  closes_cycle_ = true;
  waiter_->waits_for_.store(nullptr, memory_order_seq_cst);  // edge
}

// First pass. Others may go round in a cycle that does not lead here, until one of them breaks it:
// Brent's algorithm notices.
//
// An exempt actor on the way breaks the chain: who waits for it may be answered while it waits. It
// has deferred that request before it published its edge, so who sees the edge sees that. Only of a
// wait for oneself nothing can come.
bool WaitEdge::is_on_cycle() const noexcept {
  if (target_ == waiter_) return true;
  if (waiter_->cycle_exempt_.load(memory_order_relaxed)) return false;  // its own turn
  CellBase const* cell = target_;
  CellBase const* milestone = nullptr;
  std::uint64_t steps = 0;
  std::uint64_t lap = 2;
  while (cell != waiter_) {
    if (cell == milestone) return false;
    if (++steps == lap) {
      milestone = cell;
      steps = 0;
      lap *= 2;
    }
    WaitEdge const* const edge = cell->waits_for_.load(memory_order_seq_cst);  // edge
    if (edge == nullptr) return false;
    if (cell->cycle_exempt_.load(memory_order_relaxed))
      return false;  // older than what was just loaded
    cell = edge->target_;
  }
  return true;
}

bool WaitEdge::holds_still() const noexcept {
  CellBase const* cell = target_;
  while (cell != waiter_) {
    WaitEdge const* const edge = cell->waits_for_.load(memory_order_seq_cst);  // edge
    if (edge == nullptr || edge->is_settled()) return false;
    cell = edge->target_;
  }
  return !waiter_->is_doomed() && !is_settled();
}

void WaitEdge::name_cycle() noexcept {
  try {
    std::string names = name_of(*waiter_);
    std::string places = place_of(where_);
    CellBase const* cell = target_;
    for (int shown = 0; cell != waiter_ && shown < 20; ++shown) {
      names += " -> " + name_of(*cell);
      WaitEdge const* const edge = cell->waits_for_.load(memory_order_seq_cst);  // edge
      if (edge == nullptr) break;  // it gives up in this very moment
      places += ", " + place_of(edge->where_);
      cell = edge->target_;
    }
    if (cell != waiter_) names += " -> ...";
    names_ = ExitReason::error(names + " -> " + name_of(*waiter_) + ", at " + places);
  } catch (...) {
    names_ = ExitReason::Kind::error;  // no memory for the names
  }
}

// --- what awaits do where await_checks is not 0 ---

WaitEdge* check_request(ExecutionContext& waiter, CellBase& target, Envelope& request,
                        SlotWait& wait, std::int64_t& timeout_ns,
                        std::source_location where) noexcept {
  WaitEdge* edge = nullptr;
  if (is_checked_actor(waiter)) {
    auto& cell = static_cast<CellBase&>(waiter);
    timeout_ns = cell.limit_by_deadline(timeout_ns);
    edge = WaitEdge::enter(cell, target, wait, where);
    if (edge != nullptr && edge->closes_cycle()) return edge;
  }
  tell_wait(waiter, identity_of(target), request, where);
  return edge;
}

WaitEdge* check_pending(ExecutionContext& waiter, WaitTarget const& target, Envelope& request,
                        WaitEdge::Signs signs, std::int64_t& timeout_ns,
                        std::source_location where) noexcept {
  WaitEdge* edge = nullptr;
  if (is_checked_actor(waiter)) {
    auto& cell = static_cast<CellBase&>(waiter);
    timeout_ns = cell.limit_by_deadline(timeout_ns);
    edge = WaitEdge::enter(cell, target, signs, where);
    if (edge != nullptr && edge->closes_cycle()) return edge;
  }
  tell_wait(waiter, target.address(), request, where);
  return edge;
}

WaitEdge* check_exit(ExecutionContext& waiter, CellBase& target, SlotWait& wait,
                     std::source_location where) noexcept {
  WaitEdge* edge = nullptr;
  if (is_checked_actor(waiter)) {
    edge = WaitEdge::enter(static_cast<CellBase&>(waiter), target, wait, where);
    if (edge != nullptr && edge->closes_cycle()) return edge;
  }
  if (simulated != nullptr) simulated->waits(waiter, identity_of(target), {}, where);
  return edge;
}

void tell_blocking(CellBase& waiter, void const* target, Envelope& request) noexcept {
  tell_wait(waiter, target, request, {});
}

}  // namespace spawned::detail
