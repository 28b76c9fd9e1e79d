#include <spawned/actors/exit_reason.hpp>

#include <spawned/actors/error.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned {

// Orderings.
//   refs      release() subtracts (acq_rel)  ->  release() subtracts (acq_rel).
//             The last owner frees after everybody else has read.
struct ExitReason::Detail {
  Detail(std::string words, std::exception_ptr thrown)
      : text(std::move(words)), exception(std::move(thrown)) {}
  void release() noexcept {
    if (refs.fetch_sub(1, detail::memory_order_acq_rel) == 1) detail::pool_delete(this);  // refs
  }

  detail::atomic<std::uint32_t> refs{1};
  std::string text;
  std::exception_ptr exception;
};

ExitReason::ExitReason(Kind kind, std::string_view text)
    : detail_(detail::pool_new<Detail>(std::string(text), nullptr)), kind_(kind) {}

ExitReason::ExitReason(std::exception_ptr exception)
    : detail_(detail::pool_new<Detail>(detail::describe_exception(exception), exception)),
      kind_(Kind::error) {}

ExitReason::ExitReason(ExitReason const& other) noexcept
    : detail_(other.detail_), kind_(other.kind_) {
  if (detail_ != nullptr) {
    detail_->refs.fetch_add(1, detail::memory_order_relaxed);  // the other one holds one
  }
}

ExitReason::~ExitReason() {
  if (detail_ != nullptr) detail_->release();
}

std::string_view ExitReason::text() const noexcept {
  return detail_ != nullptr ? std::string_view(detail_->text) : std::string_view();
}

std::exception_ptr ExitReason::exception() const noexcept {
  return detail_ != nullptr ? detail_->exception : nullptr;
}

std::string ExitReason::to_string() const {
  std::string words = spawned::to_string(kind_);
  if (!text().empty()) words.append(": ").append(text());
  return words;
}

char const* to_string(ExitReason::Kind kind) noexcept {
  switch (kind) {
    case ExitReason::Kind::normal:
      return "normal";
    case ExitReason::Kind::shutdown:
      return "shutdown";
    case ExitReason::Kind::killed:
      return "killed";
    case ExitReason::Kind::kill:
      return "kill";
    case ExitReason::Kind::error:
      return "error";
    case ExitReason::Kind::custom:
      return "custom";
    case ExitReason::Kind::no_actor:
      return "no_actor";
    case ExitReason::Kind::no_connection:
      return "no_connection";
  }
  return "?";
}

char const* to_string(ActorError::Kind kind) noexcept {
  switch (kind) {
    case ActorError::Kind::timeout:
      return "timeout";
    case ActorError::Kind::no_such_actor:
      return "no_such_actor";
    case ActorError::Kind::stopped:
      return "stopped";
    case ActorError::Kind::handler_failed:
      return "handler_failed";
    case ActorError::Kind::init_failed:
      return "init_failed";
    case ActorError::Kind::init_no_success:
      return "init_no_success";
    case ActorError::Kind::unused:
      return "unused";
    case ActorError::Kind::mailbox_full:
      return "mailbox_full";
    case ActorError::Kind::cancelled:
      return "cancelled";
    case ActorError::Kind::deadlock:
      return "deadlock";
    case ActorError::Kind::unanswered:
      return "unanswered";
    case ActorError::Kind::no_request:
      return "no_request";
  }
  return "?";
}

std::string ActorError::what() const {
  auto const ended = [this](char const* words) {
    return std::string(words) + " (exit reason " + reason_.to_string() + ")";
  };
  switch (kind_) {
    case Kind::timeout:
      return "no reply within the time limit; it may still be at work: give it more time or look "
             "at its queue";
    case Kind::no_such_actor:
      return ended("the actor had ended before the request");
    case Kind::stopped:
      return ended("the actor ended with the request unanswered");
    case Kind::handler_failed:
      return ended("the actor's handler failed on this request");
    case Kind::init_failed:
      return ended("the actor did not start, its init failed");
    case Kind::init_no_success:
      return "the actor did not start, its init answered no_success";
    case Kind::unused:
      return "the actor's handler answered that it does not serve this request";
    case Kind::mailbox_full:
      return "the actor's bounded mailbox is full";
    case Kind::cancelled:
      return "the calling task was cancelled while it waited";
    case Kind::deadlock:
      if (!reason_.text().empty()) {
        return "waiting would close a cycle of actors that wait for each other: " +
               std::string(reason_.text()) + "; use send for one of the steps";
      }
      return "waiting for the reply would wait for itself: an actor asked itself; use send, or "
             "call the member function";
    case Kind::unanswered:
      return "the actor deferred its reply, and the ReplyTo was dropped without an answer";
    case Kind::no_request:
      return "the RequestSet holds no request to wait for; add one first";
  }
  return "?";
}

void ActorError::raise() const { throw ActorFailure(*this); }

}  // namespace spawned
