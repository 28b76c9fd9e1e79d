// The envelopes of Exit and Down.
#pragma once

#include <utility>

#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/watch.hpp>
#include <spawned/actors/signals.hpp>

namespace spawned::detail {

/// What a message about an end is besides: its watch may take it back.
class NoticeBlock : public Envelope {
 public:
  NoticeBlock(Watch* watch, Deliver function) noexcept : Envelope(function), watch_(watch) {
    if (watch_ != nullptr) watch_->hold();
  }
  static constexpr bool is_notice = true;  // no dead letter, unread

 protected:
  ~NoticeBlock() {
    if (watch_ != nullptr) watch_->drop();
  }
  [[nodiscard]] bool begin(CellBase& /*cell*/) const noexcept {
    return watch_ == nullptr || !watch_->is_flushed();
  }

 private:
  Watch* watch_;
};

template <typename A, typename M, typename Notice>
void post_notice(CellBase& receiver, Notice&& notice, Watch* watch) {
  auto& envelope = *pool_new<SendEnvelope<A, M, NoticeBlock>>(watch, std::in_place,
                                                              std::forward<Notice>(notice));
  if (!receiver.push(envelope)) pool_delete(&envelope);
}

// Out of memory here would lose a signal: the program ends.
template <typename A, typename M>
void post_down(CellBase& receiver, EndNotice&& notice, Watch* watch) noexcept {
  Down down{MonitorId{notice.monitor}, notice.from, std::move(notice.reason)};
  post_notice<A, M>(receiver, std::move(down), watch);
}
template <typename A>
void post_exit(CellBase& receiver, EndNotice&& notice, Watch* watch) noexcept {
  Exit exit{notice.from, std::move(notice.reason)};
  post_notice<A, Exit>(receiver, std::move(exit), watch);
}

template <typename A>
constexpr PostNotice exit_notice() noexcept {
  if constexpr (handles_message<A, Exit>) {
    return &post_exit<A>;
  } else {
    return nullptr;
  }
}

}  // namespace spawned::detail
