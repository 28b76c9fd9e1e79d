#include <iterator>
#include <stdexcept>

#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/io/detail/operation.hpp>
#include <spawned/runtime/io/disk.hpp>
#include <spawned/runtime/io/network.hpp>

#include "simulation/world.hpp"

namespace spawned {

namespace io {

namespace {

char const* explain(IoErrorKind kind) noexcept {
  switch (kind) {
    case IoErrorKind::not_there:
      return "not_there: this runtime has no such network or disk; there are simulated ones only";
    case IoErrorKind::cancelled:
      return "cancelled: the awaiting task was cancelled";
    case IoErrorKind::timed_out:
      return "timed_out: not done in time";
    case IoErrorKind::closed:
      return "closed: this side was closed, or its host has crashed";
    case IoErrorKind::busy:
      return "busy: another task waits for the same thing already";
    case IoErrorKind::refused:
      return "refused: nobody listens at the address";
    case IoErrorKind::reset:
      return "reset: the connection is gone, and what was under way with it";
    case IoErrorKind::address_in_use:
      return "address_in_use: somebody listens there already";
    case IoErrorKind::bad_address:
      return "bad_address: no such host or port";
    case IoErrorKind::too_big:
      return "too_big: no packet holds that datagram";
    case IoErrorKind::not_found:
      return "not_found: there is no such file";
    case IoErrorKind::exists:
      return "exists: there is such a file already";
    case IoErrorKind::no_space:
      return "no_space: the disk is full";
    case IoErrorKind::broken:
      return "broken: the device failed";
  }
  return "?: unknown";
}

}  // namespace

char const* to_string(IoErrorKind kind) noexcept {
  constexpr char const* names[] = {
      "not_there",      "cancelled",   "timed_out", "closed",    "busy",   "refused",  "reset",
      "address_in_use", "bad_address", "too_big",   "not_found", "exists", "no_space", "broken"};
  auto const index = static_cast<std::size_t>(kind);
  return index < std::size(names) ? names[index] : "?";
}

std::string IoError::what() const { return explain(kind_); }

void IoError::raise() const {
  if (kind_ == cancelled) throw Cancelled();
  throw std::runtime_error(what());
}

std::string Address::to_string() const { return host_ + ":" + std::to_string(port_); }

Network network() {
  (void)detail::require_scheduler("io::network");
  return detail::simulated == nullptr ? Network() : simulation::current_network();
}

Disk disk() {
  (void)detail::require_scheduler("io::disk");
  return detail::simulated == nullptr ? Disk() : simulation::current_disk();
}

}  // namespace io

namespace detail {

std::shared_ptr<IoObject> IoObject::listen(io::Address const& /*address*/, bool /*stream*/,
                                           io::IoErrorKind& error) {
  error = io::IoErrorKind::not_there;
  return nullptr;
}

bool IoWait::suspend(std::coroutine_handle<> handle, ExecutionContext& context) noexcept {
  if (object_ == nullptr) return false;
  // A wait that nobody can complete gives the cancellation its say, also where it could be done.
  if (!context.is_cancelled()) {
    kept_ = !object_->start(operation);
    if (!kept_) return false;
  }
  if (kept_ && timeout_ns_ == 0) timeout_ns_ = 1;
  return wait_.suspend(handle, context, operation.slot, timeout_ns_);
}

IoWait::Outcome IoWait::finish() noexcept {
  WaitOutcome const outcome = wait_.finish();
  if (std::exchange(kept_, false) && outcome != WaitOutcome::completed) {
    object_->withdraw(operation);
  }
  if (operation.finished || outcome == WaitOutcome::completed) return Outcome::finished;
  return outcome == WaitOutcome::cancelled ? Outcome::cancelled : Outcome::timed_out;
}

bool IoWait::failed(Outcome outcome, io::IoErrorKind& error) {
  switch (outcome) {
    case Outcome::finished:
      error = operation.error;
      return object_ == nullptr || operation.failed;
    case Outcome::timed_out:
      error = io::IoErrorKind::timed_out;
      return true;
    case Outcome::cancelled:
      error = io::IoErrorKind::cancelled;
      report_cancelled(wait_.context());
      return true;
  }
  return true;
}

}  // namespace detail

}  // namespace spawned
