#include <spawned/runtime/cancellation.hpp>

#include <functional>
#include <optional>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned {

namespace detail {

// The flag itself is a std::stop_source, which gives the conversion both ways; the wait list adds
// what it lacks, awaiting.
//
// Orderings.
//   refs      release() subtracts (acq_rel)  ->  release() subtracts (acq_rel).
//             The last owner sees what the others did before they let go.
struct TokenState {
  atomic<std::uint32_t> refs{1};
  std::stop_source source;
  WaitList waiters;
  std::optional<std::stop_callback<std::function<void()>>> parent;

  void cancel() noexcept {
    if (source.request_stop()) waiters.close();
  }
  // For the parent's callback, which may come while the last token of this state goes.
  bool try_retain() noexcept {
    std::uint32_t count = refs.load(memory_order_relaxed);  // the CAS checks it
    while (count != 0) {
      if (refs.compare_exchange_weak(count, count + 1, memory_order_relaxed,
                                     memory_order_relaxed)) {  // as a copy: release() orders
        return true;
      }
    }
    return false;
  }
  void release() noexcept {
    if (refs.fetch_sub(1, memory_order_acq_rel) == 1) pool_delete(this);  // refs
  }
};

}  // namespace detail

CancellationToken::CancellationToken() : state_(detail::pool_new<detail::TokenState>()) {}

CancellationToken::CancellationToken(std::stop_token token) : CancellationToken() {
  // The callback is destroyed with the state, and destroying it waits for a call that runs on
  // another thread. On this one, what cancel() calls may drop the last token: hence the reference.
  state_->parent.emplace(std::move(token), [state = state_] {
    if (!state->try_retain()) return;  // nobody holds the token, so nobody waits for it
    state->cancel();
    state->release();
  });
}

CancellationToken::CancellationToken(CancellationToken const& other) noexcept
    : state_(other.state_) {
  state_->refs.fetch_add(1, detail::memory_order_relaxed);  // the caller holds one already
}

CancellationToken::~CancellationToken() {
  if (state_ != nullptr) state_->release();
}

void CancellationToken::cancel() noexcept {
  detail::simulated_touches_all(false);
  state_->cancel();
}

bool CancellationToken::is_cancelled() const noexcept { return state_->source.stop_requested(); }

CancellationToken CancellationToken::child_token() const {
  return CancellationToken(state_->source.get_token());
}

std::stop_token CancellationToken::stop_token() const noexcept {
  return state_->source.get_token();
}

CancellationToken::Awaiter CancellationToken::cancelled() const noexcept {
  return Awaiter(state_->waiters);
}

}  // namespace spawned
