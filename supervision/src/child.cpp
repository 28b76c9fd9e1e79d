#include "child.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/random.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::detail {

void hold_child(Child& child) noexcept { child.hold(); }
void drop_child(Child& child) noexcept { child.drop(); }

Child::Child(CellBase& supervisor, PostChildEvent post, std::shared_ptr<ChildSpec const> spec,
             ArgumentsPtr arguments)
    : Supervised(table),
      supervisor_(&supervisor),
      post_(post),
      spec_(std::move(spec)),
      arguments_(std::move(arguments)) {
  ancestor = supervisor.ancestor();
  supervisor.retain_memory();
}

Child::~Child() {
  forget_slot();
  ancestor->release();
  supervisor_->release_memory();
}

void Child::drop() noexcept {
  if (refs_.fetch_sub(1, memory_order_acq_rel) == 1) pool_delete(this);  // refs
}

Child::State Child::state() noexcept {
  SpinGuard const guard(lock_);
  return state_;
}

ExitReason Child::reason() noexcept {
  SpinGuard const guard(lock_);
  return reason_;
}

ChildRef Child::ref() const noexcept {
  return cell_ != nullptr ? ChildRef(*cell_, spec_->factory().type()) : ChildRef();
}

ChildInfo Child::info() const {
  return ChildInfo{spec_->id(),   status,
                   spec_->type(), spec_->restart(),
                   restarts,      spec_->factory().type_name(),
                   ref(),         spec_->factory().ask_children()};
}

std::string Child::label() const {
  if (!spec_->id().empty()) return spec_->id();
  return cell_ != nullptr ? cell_->describe() : std::string(spec_->factory().type_name());
}

// --- the actor's side ---

// Under the lock. True: nobody waits for it.
bool Child::change(State state) noexcept {
  state_ = state;
  if (waiter_ == nullptr) return true;
  (void)waiter_->close();
  return false;
}

void Child::on_up(Supervised& self) noexcept {
  auto& child = static_cast<Child&>(self);
  SpinGuard const guard(child.lock_);
  if (child.spec_->restart() != Restart::temporary && !child.orphaned_) child.last_ = false;
  (void)child.change(State::up);
}

void Child::on_ending(Supervised& self, ExitReason const& reason, bool in_init) noexcept {
  auto& child = static_cast<Child&>(self);
  bool tell = false;
  {
    SpinGuard const guard(child.lock_);
    child.reason_ = reason;
    child.in_init_ = in_init;
    tell = child.change(State::ending) && !child.orphaned_ && !child.expected_;
  }
  if (tell) child.post_(*child.supervisor_, child);  // the slot keeps the child
}

bool Child::on_down(Supervised& self) noexcept {
  auto& child = static_cast<Child&>(self);
  SpinGuard const guard(child.lock_);
  if (child.last_) return false;
  (void)child.change(State::vacant);
  return true;
}

void Child::on_gone(Supervised& self) noexcept {
  auto& child = static_cast<Child&>(self);
  {
    SpinGuard const guard(child.lock_);
    (void)child.change(State::gone);
  }
  child.drop();  // the slot's
}

// --- the supervisor's side ---

void Child::begin(Scheduler& scheduler, ExitReason why, Started& outcome, bool& settled) noexcept {
  bool const again = state() == State::vacant;
  RestartInfo const info{spec_->id(), std::move(why), again ? restarts + 1 : 0};
  settled = true;
  {
    SpinGuard const guard(lock_);
    state_ = State::starting;
    expected_ = false;
    if (!again) last_ = true;
  }
  try {
    bool made = false;
    if (again) {
      made = spec_->factory().rebuild(*cell_, info, arguments_.get());
    } else {
      forget_slot();
      {
        SpinGuard const guard(lock_);
        state_ = State::starting;
      }
      hold();  // the slot's
      cell_ = spec_->factory().start(scheduler, *this, info, arguments_.get());
      made = cell_ != nullptr;
    }
    if (!made) {
      outcome.kind = Started::Kind::ignored;
    } else {
      bool const has_init = cell_->actor_kind().init != nullptr;
      if (!has_init) {
        SpinGuard const guard(lock_);
        if (state_ == State::starting) state_ = State::up;
        if (spec_->restart() != Restart::temporary && state_ == State::up) last_ = false;
      }
      if (again) cell_->restart();
      settled = !has_init;
      return;
    }
  } catch (...) {
    outcome.kind = Started::Kind::failed;
    outcome.reason = ExitReason(std::current_exception());
  }
  if (!again) refs_.fetch_sub(1, memory_order_relaxed);  // there is no slot; the caller holds one
  SpinGuard const guard(lock_);
  state_ = again ? State::vacant : State::none;
}

Started Child::settle_start() {
  Started outcome;
  {
    SpinGuard const guard(lock_);
    if (state_ == State::up) return {};
    if (in_init_) {
      outcome = {Started::Kind::failed, reason_};
      if (reason_.kind() == ExitReason::Kind::normal) outcome.kind = Started::Kind::ignored;
    }
  }
  // It came up and has ended since, which nobody was told while the start was waited for.
  if (outcome.kind == Started::Kind::up) post_(*supervisor_, *this);
  return outcome;
}

bool Child::begin_stop(bool for_good) {
  State was;
  {
    SpinGuard const guard(lock_);
    was = state_;
    expected_ = true;
    if (for_good) last_ = true;
  }
  if (was == State::none) return false;
  if (was == State::vacant) {
    if (for_good) conclude();
    return for_good;
  }
  if (was == State::ending || was == State::gone) return true;
  if (spec_->shutdown().is_brutal()) {
    kill();
  } else if (cell_->traps_exits() || cell_->actor_kind().teardown != nullptr) {
    (void)post_stop(*cell_, ExitReason::shutdown());
  } else {
    cell_->exit_for_good(ExitReason::shutdown());
  }
  return true;
}

void Child::kill() { cell_->exit(ExitReason::Kind::kill); }

void Child::conclude() noexcept {
  if (!std::exchange(concluded_, true)) cell_->conclude();
}

void Child::forget_slot() noexcept {
  {
    SpinGuard const guard(lock_);
    state_ = State::none;
  }
  concluded_ = false;
  if (CellBase* const cell = std::exchange(cell_, nullptr)) cell->release();
}

void Child::orphan() noexcept {
  State was;
  {
    SpinGuard const guard(lock_);
    was = state_;
    orphaned_ = last_ = true;
  }
  if (was == State::vacant) {
    conclude();
  } else if (was == State::starting || was == State::up) {
    // As from a parent to which it is linked.
    if (cell_->traps_exits()) {
      (void)post_stop(*cell_, ExitReason::Kind::killed);
    } else {
      cell_->exit_for_good(ExitReason::Kind::killed);
    }
  }
}

void Child::disown() noexcept {
  dropped = true;  // its events may outlive the set, in a mailbox that survives a restart
  orphan();
  drop();
}

// The supervisor waits, in a handler, for a change of one child.
class ChildWait {
 public:
  explicit ChildWait(Child& child, std::int64_t timeout_ns) noexcept
      : child_(&child), timeout_ns_(timeout_ns), wait_(list_) {
    SpinGuard const guard(child.lock_);
    child.waiter_ = &list_;
  }
  ChildWait(ChildWait const&) = delete;
  ChildWait& operator=(ChildWait const&) = delete;
  ~ChildWait() {
    SpinGuard const guard(child_->lock_);
    child_->waiter_ = nullptr;
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    return wait_.suspend(waiter, *waiter.promise().context, timeout_ns_);
  }
  /// False: the time is over.
  bool await_resume() {
    WaitOutcome const outcome = wait_.finish();
    if (outcome == WaitOutcome::cancelled) throw Cancelled();
    return outcome == WaitOutcome::completed;
  }

 private:
  Child* child_;
  std::int64_t timeout_ns_;
  WaitList list_;
  ListWait wait_;
};

namespace {

std::int64_t now_ns() { return now().time_since_epoch().count(); }

constexpr std::int64_t warn_again_ns = 10'000'000'000;

bool has_no_slot(Child::State state) noexcept {
  return state == Child::State::gone || state == Child::State::none;
}
// Its end is over: nobody runs in it any more.
bool is_settled(Child::State state) noexcept {
  return has_no_slot(state) || state == Child::State::vacant;
}

// False: the time is over.
template <typename Until>
Task<bool> wait_until(Child* child, Until until, std::int64_t deadline_ns) {
  for (;;) {
    std::int64_t left = no_deadline;
    if (deadline_ns != no_deadline) left = std::max<std::int64_t>(deadline_ns - now_ns(), 0);
    ChildWait wait(*child, left);  // first: what changes from here on wakes it
    if (until(child->state())) co_return true;
    bool const changed = co_await wait;
    if (!changed) co_return until(child->state());
  }
}

}  // namespace

Task<Started> start(Child* child, ExitReason why) {
  Started outcome;
  bool settled = false;
  child->begin(require_scheduler("Supervisor"), std::move(why), outcome, settled);
  if (!settled) {
    auto const until = [](Child::State state) {
      return state != Child::State::starting && state != Child::State::ending;
    };
    (void)co_await wait_until(child, until, no_deadline);
    outcome = child->settle_start();
  } else if (outcome.kind == Started::Kind::up && child->state() != Child::State::up) {
    outcome = child->settle_start();
  }
  if (outcome.kind == Started::Kind::up) {
    child->status = ChildState::running;
    child->up_since_ns = now_ns();
    if (child->has_ended()) child->tell();  // perhaps while this waited, which told nobody else
  } else if (child->state() == Child::State::gone) {
    child->forget_slot();
  }
  co_return outcome;
}

Task<void> settle_end(Child* child) { (void)co_await wait_until(child, &is_settled, no_deadline); }

Task<void> stop(Child* child, bool for_good) {
  if (child->begin_stop(for_good)) {
    std::int64_t const limit = child->spec().shutdown().limit_ns();
    co_await finish_stop(child, for_good, limit >= 0 ? now_ns() + limit : no_deadline);
  }
  child->status = ChildState::undefined;
}

Task<void> finish_stop(Child* child, bool for_good, std::int64_t deadline_ns) {
  bool ended = co_await wait_until(child, &is_settled, deadline_ns);
  if (!ended) {
    log::warn("spawned", child->cell()->describe() + ", child " + child->label() +
                             " of a supervisor, has not stopped in time and is killed");
    child->kill();
  }
  while (!ended) {
    ended = co_await wait_until(child, &is_settled, now_ns() + warn_again_ns);
    if (!ended) {
      log::warn("spawned", child->cell()->describe_work() +
                               " does not end although it was killed: its handler blocks; its "
                               "supervisor waits");
    }
  }
  if (for_good && child->state() == Child::State::vacant) {
    child->conclude();
    (void)co_await wait_until(child, &has_no_slot, no_deadline);
  }
  if (child->state() == Child::State::gone) child->forget_slot();
  child->status = ChildState::undefined;
}

std::int64_t next_pause(Child& child) noexcept {
  Backoff const& backoff = child.spec().backoff();
  if (backoff.first.count() <= 0) return 0;
  if (now_ns() - child.up_since_ns >= backoff.reset_after.count()) child.in_a_row = 0;
  if (child.in_a_row++ == 0) return 0;
  double pause = static_cast<double>(backoff.first.count());
  double const most = static_cast<double>(backoff.most.count());
  for (std::uint32_t n = 2; n < child.in_a_row && pause < most; ++n) pause *= backoff.factor;
  pause = std::min(pause, most);
  double const part = static_cast<double>(random_below(1024)) / 1024;
  return static_cast<std::int64_t>(pause * (1 - backoff.jitter * part));
}

}  // namespace spawned::detail
