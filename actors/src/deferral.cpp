#include <spawned/actors/detail/deferral.hpp>

#include <string>

#include <spawned/actors/reply_to.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned {

DeferRefused::DeferRefused(std::string const& actor, std::string const& what)
    : std::logic_error(actor + ": " + what) {}

namespace detail {

namespace {

constinit thread_local MessageInfo const* told = nullptr;

}  // namespace

void tell(MessageInfo const& info) noexcept { told = &info; }

MessageInfo const* info_of(Envelope& envelope) noexcept {
  told = nullptr;
  (void)envelope.deliver(nullptr, envelope, Operation::identify);
  return told;
}

MessageInfo const* info_of(Dependant& timer) noexcept {
  told = nullptr;
  timer.operations->identify(timer);
  return told;
}

MessageInfo const* CellBase::current_info() const noexcept {
  return current == nullptr ? nullptr : info_of(*current);
}

bool CellBase::is_caller_waiting() const noexcept {
  MessageInfo const* const info = current_info();
  if (info == nullptr || info->reply_tag == nullptr) return false;
  if (Deferral::is_deferred(*current) && Deferral::of(*current).is_answered()) return false;
  return !static_cast<RequestBase&>(*current).slot.is_abandoned();
}

// The Deferral hangs in the request's `next`: nobody looks at that of a message in work.
Deferral::Deferral(RequestBase& request, CellBase& cell) noexcept
    : request_(&request), cell_(&cell), deliver_(request.deliver) {
  simulated_touches_all(true);  // whoever holds the ReplyTo may answer, at any step
  cell.retain_memory();
  request.next.set(reinterpret_cast<Envelope*>(this));
  request.deliver = &deliver_deferred;
}

Deferral& Deferral::of(Envelope& request) noexcept {
  return *reinterpret_cast<Deferral*>(request.next.get());
}

void Deferral::drop() noexcept {
  if ((word_.fetch_sub(1, memory_order_acq_rel) & ~answered) != 1) return;  // owners
  request_->deliver = deliver_;
  (void)deliver_(nullptr, *request_, Operation::destroy);
  cell_->release_memory();
  pool_delete(this);
}

bool Deferral::forsake(ActorError& error) noexcept {
  bool const in_turn = CellBase::running() == cell_;
  if (in_turn && in_handler_) {
    forsaken_ = true;
    return false;
  }
  if (in_turn && cell_->is_ending()) {
    error = {ActorError::Kind::stopped, cell_->reason()};
  } else if (cell_->has_ended()) {
    error = {ActorError::Kind::stopped, cell_->exit_reason()};
  }
  return true;
}

// What the actor still has to do with a request of which it may not be the answerer any more.
Turn Deferral::deliver_deferred(CellBase* cell, Envelope& envelope, Operation operation) {
  Deferral& self = of(envelope);
  switch (operation) {
    case Operation::destroy:  // the parties are done
      self.drop();
      break;
    case Operation::finish:   // the actor ended with this request, or
    case Operation::discard:  // was ended while it was in work
      if (self.by_handler_ || handler_returns(*self.request_, true)) {
        (void)self.deliver_(cell, envelope, operation);
      }
      handler_done(static_cast<RequestBase&>(envelope));
      break;
    case Operation::drop:  // only unread mail is dropped
      break;
    case Operation::handle:
    case Operation::identify:
      return self.deliver_(cell, envelope, operation);
  }
  return Turn::next;
}

bool handler_returns(RequestBase& request, bool has_answer) noexcept {
  Deferral& deferral = Deferral::of(request);
  deferral.in_handler_ = false;
  deferral.by_handler_ = (has_answer || deferral.forsaken_) && deferral.claim();
  return deferral.by_handler_;
}

void handler_done(RequestBase& request) noexcept { Deferral::of(request).drop(); }

Deferral& defer(CellBase& cell, std::string_view reply, void const* reply_tag) {
  auto const refuse = [&](std::string const& what) {
    throw DeferRefused(cell.describe(), "defer<" + std::string(reply) + ">() " + what);
  };
  MessageInfo const* const info = cell.current_info();
  if (info == nullptr) refuse("outside a request handler: no message is in work");
  std::string const message(info->message);
  if (info->reply_tag == nullptr) {
    refuse("in the handler of " + message + ", which is a message and no request");
  }
  if (info->reply_tag != reply_tag) {
    refuse("in the handler of " + message + ", whose reply is " + std::string(info->reply));
  }
  auto& request = static_cast<RequestBase&>(*cell.current);
  if (Deferral::is_deferred(request)) refuse("a second time for the same " + message);
  Deferral& deferral = *pool_new<Deferral>(request, cell);
  cell.exempt_from_cycles();
  return deferral;
}

}  // namespace detail
}  // namespace spawned
