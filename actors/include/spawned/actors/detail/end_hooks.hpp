// EndHooks: what the library does when an actor ends, before anybody hears of it: its names and
// memberships go. A list in the actor's side block.
//
// A hook belongs to whoever takes it out of the list: remove(), or the end of the actor, which
// calls it. Whoever loses finds it gone; the hook's block must outlive both.
//
// End.    run_all() comes after the mailbox was closed. As with Dependants, a list that is used for
//         the first time may be younger than that, so its first user asks confirm_open().
#pragma once

#include <cstdint>

#include <spawned/actors/detail/ring.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class CellBase;

/// A node of its actor's list, whose lock guards the links.
struct EndHook : RingLinks {
  /// On the thread on which the actor ends, outside every lock.
  using Run = void (*)(EndHook&, CellBase&) noexcept;
  explicit EndHook(Run function) noexcept : run(function) {}
  EndHook(EndHook const&) = delete;
  EndHook& operator=(EndHook const&) = delete;

  Run run;

 protected:
  ~EndHook() = default;
};

class EndHooks {
 public:
  EndHooks() noexcept { ring_init(hooks_); }

  /// The last added runs first. False: the actor has ended. The caller keeps its cell.
  [[nodiscard]] bool add(CellBase& cell, EndHook& hook) noexcept;
  /// True: it was in the list and is the caller's now; it does not run.
  [[nodiscard]] bool remove(EndHook& hook) noexcept;
  /// The end. Its mailbox is closed.
  void run_all(CellBase& cell) noexcept;

 private:
  enum class Phase : std::uint8_t { unused, open, closed };

  SpinLock lock_;
  Phase phase_ = Phase::unused;
  RingLinks hooks_;  // the youngest first
};

/// Adds a hook to any actor, with a side block if it has none. False: it has ended.
/// Errors  std::bad_alloc.
[[nodiscard]] bool add_end_hook(CellBase& cell, EndHook& hook);
[[nodiscard]] bool remove_end_hook(CellBase& cell, EndHook& hook) noexcept;

}  // namespace spawned::detail
