// What a turn of an actor is in a simulation, beside what it always is: another message than the
// oldest may be taken, and the actor may be made to crash at it.
#include <spawned/actors/detail/simulated_turn.hpp>

#include <array>
#include <string>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/simulation/faults.hpp>

namespace spawned::detail {

namespace {

using simulation::Choice;
using simulation::InjectedCrash;

// Of up to eight senders, the envelope before the oldest message of each; null: it is the first.
struct Heads {
  std::array<Envelope*, 8> before{};
  std::array<std::uint32_t, 8> senders{};
  std::uint32_t count = 0;

  void look_at(Envelope* previous, std::uint32_t sender) noexcept {
    if (count == before.size()) return;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (senders[i] == sender) return;
    }
    before[count] = previous;
    senders[count++] = sender;
  }
};

}  // namespace

// The message to be taken; it has become the oldest of the inbox, if that holds it.
Envelope* CellBase::choose_mail(Envelope* oldest) noexcept {
  if (simulated == nullptr) return oldest;
  CellExtra const* const own = extra_or_null();
  bool const in_order = own != nullptr && own->continuations != 0;  // they are no mail
  if (oldest == inbox_ && !in_order && simulated->faults().reorder > 0 &&
      oldest->next.get() != nullptr &&
      simulated->chance(simulated->faults().reorder, Choice::fault)) {
    Heads heads;
    Envelope* previous = nullptr;
    for (Envelope* each = inbox_; each != nullptr; previous = each, each = each->next.get()) {
      heads.look_at(previous, simulated->sender(each));
    }
    Envelope* const before = heads.before[simulated->choose(heads.count, Choice::fault)];
    if (before != nullptr) {
      Envelope* const chosen = before->next.get();
      before->next.set(chosen->next.get());
      chosen->next.set(inbox_);
      inbox_ = oldest = chosen;
    }
  }
  simulated->taken(*this, oldest);
  return oldest;
}

// As if its handler had thrown. Who sent it hears that the actor has ended.
Turn CellBase::crash_at(Envelope& envelope) noexcept {
  look_no_more(Attention::crash);
  if (&envelope == inbox_) {
    inbox_ = envelope.next.get();
  } else {
    in_place_ = &envelope;
    take_out(envelope);
  }
  Turn turn = Turn::stop;
  try {
    throw InjectedCrash();
  } catch (...) {
    turn = fail("a message");
  }
  (void)envelope.deliver(this, envelope, Operation::discard);
  return turn;
}

void crash_actor(ExecutionContext& context) noexcept {
  auto& cell = static_cast<CellBase&>(context);
  if (!cell.coroutine_) {
    cell.attend_to(CellBase::Attention::crash);
    return;
  }
  try {
    cell.exit(ExitReason(std::make_exception_ptr(InjectedCrash())));
  } catch (...) {
    // No memory for the signal: no crash.
  }
}

void tell_of_crash(CellBase const& cell, std::string_view during, ExitReason const& reason,
                   bool nobody_asked) noexcept {
  bool injected = false;
  try {
    if (reason.exception() != nullptr) std::rethrow_exception(reason.exception());
  } catch (InjectedCrash const&) {
    injected = true;
  } catch (...) {
    // Its own.
  }
  std::string const text =
      cell.describe() + " has crashed in " + std::string(during) + " with " + reason.to_string();
  simulated->crashed(text, nobody_asked && !injected);
}

}  // namespace spawned::detail
