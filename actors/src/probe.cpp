#include <spawned/actors/testing/probe.hpp>

#include <string>
#include <utility>

#include <spawned/actors/detail/probe_inbox.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/simulation/program.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::detail {

void ProbeInbox::take_in() {
  while (auto arrival = arrivals_.try_receive()) kept_.push_back(std::move(*arrival));
}

// Keeps what it gets rather than return it: a time limit may strike when it has it already.
Task<void> ProbeInbox::receive() {
  auto arrival = co_await arrivals_.next();
  if (arrival) kept_.push_back(std::move(*arrival));
}

Task<ArrivalPtr> ProbeInbox::next(std::chrono::nanoseconds limit) {
  take_in();
  if (kept_.empty() && limit == no_timeout) {
    co_await receive();
  } else if (kept_.empty()) {
    auto const in_time = co_await timeout(limit, receive());
    if (!in_time && in_time.error() == WaitError::cancelled) throw Cancelled();
  }
  ArrivalPtr first;
  if (!kept_.empty()) {
    first = std::move(kept_.front());
    kept_.pop_front();
  }
  co_return first;
}

Task<Arrival const*> ProbeInbox::first_within(std::chrono::nanoseconds time, void const* tag) {
  co_await sleep(time);
  take_in();
  for (ArrivalPtr const& each : kept_) {
    if (tag == nullptr || each->tag == tag) co_return each.get();
  }
  co_return nullptr;
}

std::string ProbeInbox::waiting() {
  take_in();
  std::string text;
  for (ArrivalPtr const& each : kept_) {
    text += text.empty() ? "" : ", ";
    text += each->type;
  }
  return text;
}

std::string limit_text(std::chrono::nanoseconds limit) {
  auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::chrono::nanoseconds default_expectation_limit() noexcept {
  return simulation::active() ? no_timeout : std::chrono::nanoseconds(default_request_timeout);
}

void expectation_failed(std::string_view what, std::source_location where) {
  throw testing::ExpectationFailed(std::string(where.file_name()) + ":" +
                                   std::to_string(where.line()) + ": " + std::string(what));
}

void expectation_failed(Expectation const& wanted, Arrival const* instead,
                        std::string const& skipped) {
  std::string text(wanted.what);
  if (!wanted.type.empty()) text += "<" + std::string(wanted.type) + ">";
  text += ": ";
  if (instead != nullptr) {
    text += "instead came " + std::string(instead->type);
  } else {
    text += "nothing came within " + limit_text(wanted.limit);
  }
  if (!skipped.empty()) text += ", but before it " + skipped;
  expectation_failed(text, wanted.where);
}

}  // namespace spawned::detail
