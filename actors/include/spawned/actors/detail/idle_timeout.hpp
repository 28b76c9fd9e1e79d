// IdleTimeout: the message an actor wants if no other comes. Everything here is the owner's.
//
// A callback leaves a wish; the actor's turn arms it when the callback has ended, and cancels it
// before any other message is handled. One that is in the mailbox by then cannot be taken out: it
// is stale, and not handled when its turn comes.
#pragma once

#include <cstdint>

namespace spawned::detail {

class CellBase;
class IdleTimer;
struct Envelope;

class IdleTimeout {
 public:
  /// In a callback: replaces an earlier wish. Takes over both references.
  void wish(CellBase& cell, IdleTimer& timer, std::int64_t delay_ns) noexcept;
  void forget_wish() noexcept;

  /// A callback has ended.
  void after_callback() noexcept;
  /// Before a message is handled.
  void before_callback(CellBase& cell, Envelope const& envelope) noexcept;
  /// The turn of a timeout has come. False: it is stale.
  [[nodiscard]] bool take(CellBase& cell, IdleTimer& timer) noexcept;
  /// The actor has ended.
  void end() noexcept;
  /// Its incarnation has: what has been sent already stays known as stale.
  void end_incarnation() noexcept;

 private:
  void look_no_more(CellBase& cell) noexcept;
  void disarm() noexcept;
  [[nodiscard]] bool is_stale(Envelope const& envelope) const noexcept;

  IdleTimer* wished_ = nullptr;
  std::int64_t delay_ns_ = 0;
  IdleTimer* armed_ = nullptr;
  IdleTimer* stale_ = nullptr;  // a list
};

}  // namespace spawned::detail
