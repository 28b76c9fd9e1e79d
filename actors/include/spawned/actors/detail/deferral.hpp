// Deferral: a request whose reply may come from elsewhere than its handler, now or later.
//
// Context::defer() makes one and puts its own function in the place of the request's `deliver`, so
// that requests which nobody defers pay nothing. From then on the request's block has three owners:
//   handler    the call of the handler, which uses the message, and the mailbox, whose word may
//              still hold the block; done after CellBase::leave()
//   reply_to   the ReplyTo; done when it has answered or is gone
//   parties    caller and answerer, as with every request (Slot); done when the last of them says
//              Operation::destroy
// The last one frees request and Deferral.
//
//   bits of word_
//   0-7         owners left
//   answered    set once, by whoever answers: the ReplyTo, the handler's return, its failure, or
//               the end of the actor. Who finds it set must not touch the result.
//
// Orderings.
//   owners    drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last owner frees the blocks after the others are done with them.
#pragma once

#include <cstdint>
#include <string_view>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/runtime/detail/slot.hpp>

namespace spawned::detail {

/// The part of a request that does not depend on its types. Two owners, see Slot; a deferred reply
/// makes it three.
struct RequestBase : Envelope {
  using Envelope::Envelope;

  /// A point of the caller's runtime's clock, set only for a receiver that can hand it on.
  std::int64_t deadline_ns = no_deadline;
  Slot slot;

 protected:
  ~RequestBase() = default;
};

class Deferral {
 public:
  Deferral(RequestBase& request, CellBase& cell) noexcept;
  Deferral(Deferral const&) = delete;
  Deferral& operator=(Deferral const&) = delete;

  /// True, once: the caller stores the result and completes the slot.
  [[nodiscard]] bool claim() noexcept {
    return (word_.fetch_or(answered, memory_order_relaxed) & answered) == 0;  // first come
  }
  [[nodiscard]] bool is_answered() const noexcept {
    return (word_.load(memory_order_relaxed) & answered) != 0;  // a hint
  }
  /// One owner is done.
  void drop() noexcept;

  [[nodiscard]] RequestBase& request() const noexcept { return *request_; }
  /// The ReplyTo goes unused. True: it answers with `error`, which is made more precise if the
  /// actor has ended. False: the handler is still at work and answers.
  [[nodiscard]] bool forsake(ActorError& error) noexcept;
  [[nodiscard]] static bool is_deferred(Envelope const& request) noexcept {
    return request.deliver == &deliver_deferred;
  }

 private:
  friend class CellBase;
  friend bool handler_returns(RequestBase& request, bool has_answer) noexcept;
  friend void handler_done(RequestBase& request) noexcept;

  static constexpr std::uint32_t answered = 0x100;

  static Deferral& of(Envelope& request) noexcept;
  static Turn deliver_deferred(CellBase* cell, Envelope& envelope, Operation operation);

  RequestBase* request_;
  CellBase* cell_;  // its memory
  Envelope::Deliver deliver_;
  atomic<std::uint32_t> word_{3};
  // Used in the actor's turns only.
  bool in_handler_ = true;
  bool forsaken_ = false;    // the ReplyTo went while the handler ran
  bool by_handler_ = false;  // the handler answers
};

/// The request in work at `cell`, to be answered later with an R.
/// Errors  DeferRefused, std::bad_alloc.
[[nodiscard]] Deferral& defer(CellBase& cell, std::string_view reply, void const* reply_tag);

// For the handler's side of a deferred request: first the one, and after CellBase::leave() the
// other.
/// True: nobody has answered and the handler does, because it has an answer or nobody else will.
[[nodiscard]] bool handler_returns(RequestBase& request, bool has_answer) noexcept;
void handler_done(RequestBase& request) noexcept;

}  // namespace spawned::detail
