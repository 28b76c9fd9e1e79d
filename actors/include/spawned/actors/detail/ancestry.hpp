// Ancestry: who started whom, for reports. An actor that starts others has one record, which they
// share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

class CellBase;

/// One actor as an ancestor: its name stays when the actor, and its cell, have gone.
///
/// Orderings.
///   refs      release() subtracts (acq_rel)  ->  release() subtracts (acq_rel).
///             The last owner frees after everybody else has read.
class Ancestor {
 public:
  /// `parent` is taken over; null: the actor is a root.
  Ancestor(std::string name, Ancestor* parent) : name_(std::move(name)), parent_(parent) {}
  Ancestor(Ancestor const&) = delete;
  Ancestor& operator=(Ancestor const&) = delete;

  [[nodiscard]] Ancestor* retain() noexcept {
    refs_.fetch_add(1, memory_order_relaxed);  // the caller holds one
    return this;
  }
  void release() noexcept;

  /// "Bank#7, Branch#3": the nearest first.
  [[nodiscard]] std::string describe() const;

 private:
  template <typename U>
  friend void pool_delete(U*) noexcept;
  ~Ancestor() = default;

  atomic<std::uint32_t> refs_{1};
  std::string name_;
  Ancestor* parent_;
};

/// Logs the crash report of an actor: what it is, in which callback it crashed, with what, how much
/// mail it left unread, who started it. Limited to `crash_reports_most` a second in the process.
void log_crash(CellBase const& cell, std::string_view during, ExitReason const& reason,
               std::size_t unread) noexcept;
inline constexpr std::uint32_t crash_reports_most = 100;

}  // namespace spawned::detail
