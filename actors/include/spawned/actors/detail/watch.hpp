// Watch: a link or a monitor between two actors. The protocol is Tie's; what is told is here.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/tie.hpp>
#include <spawned/actors/exit_reason.hpp>

namespace spawned::detail {

/// What a message about the end of another is made of.
struct EndNotice {
  ActorId from;
  ExitReason reason;
  std::uint64_t monitor = 0;  // 0: an exit signal
};

class Watch : public Tie<Watch, CellBase> {
 public:
  /// The kind's `post` is for monitors; null otherwise. With one reference for the maker, but for a
  /// plain link.
  Watch(Kind kind, CellBase& first, CellBase& second, PostNotice post) noexcept;

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

  /// All links and monitors of an actor that ends, or whose incarnation ends: whoever is linked
  /// gets the signal, then whoever watches gets the message, and what it watched forgets it.
  static void fire_all(CellBase& cell, ExitReason const& reason) noexcept;
  /// The same for an actor that never was: nobody hears of it. Closes its list.
  static void forget_all(CellBase& cell) noexcept;

  /// Tie's part: nobody has a reference any more.
  static void free(Watch& watch) noexcept;

 private:
  PostNotice post_;
  std::uint64_t id_;
};

}  // namespace spawned::detail
