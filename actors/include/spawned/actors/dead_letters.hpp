// Dead letters: messages that nobody will handle. Counted for the whole process, sampled to the
// log, and told to whoever subscribes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

template <typename A>
class ActorRef;

/// What is known of a message that nobody will handle. Requests are no dead letters: their callers
/// get an error.
struct DeadLetter {
  enum class Cause : std::uint8_t {
    ended,     ///< sent to an actor that had ended
    unread,    ///< unread when its actor ended
    overflow,  ///< dropped by the policy of a bounded mailbox
    revoked,   ///< sent through an urgent ref that its actor had revoked
  };

  ActorId receiver;
  std::string_view receiver_type;
  std::string receiver_name;  ///< ActorOptions::name
  std::string_view message_type;
  /// 0: no actor, or not known: a message carries no sender, so only a refused one has it.
  ActorId sender;
  Cause cause;
};

[[nodiscard]] char const* to_string(DeadLetter::Cause cause) noexcept;

namespace detail {

/// Somebody to tell of dead letters, in a block from the pool.
struct DeadLetterSubscriber {
  using Tell = void (*)(DeadLetterSubscriber&, DeadLetter const&) noexcept;
  using Destroy = void (*)(DeadLetterSubscriber&) noexcept;
  DeadLetterSubscriber(Tell tell_function, Destroy destroy_function) noexcept
      : tell(tell_function), destroy(destroy_function) {}
  DeadLetterSubscriber(DeadLetterSubscriber const&) = delete;
  DeadLetterSubscriber& operator=(DeadLetterSubscriber const&) = delete;

  Tell tell;
  Destroy destroy;
  DeadLetterSubscriber* previous = nullptr;
  DeadLetterSubscriber* next = nullptr;

 protected:
  ~DeadLetterSubscriber() = default;
};

void add_subscriber(DeadLetterSubscriber& subscriber);
/// Returns when no thread is in its callback any more.
void remove_subscriber(DeadLetterSubscriber& subscriber) noexcept;

template <typename Function>
class DeadLetterFunction final : public DeadLetterSubscriber {
 public:
  explicit DeadLetterFunction(Function function)
      : DeadLetterSubscriber(&on_letter, &on_destroy), function_(std::move(function)) {}

 private:
  static void on_letter(DeadLetterSubscriber& self, DeadLetter const& letter) noexcept {
    static_cast<DeadLetterFunction&>(self).function_(letter);
  }
  static void on_destroy(DeadLetterSubscriber& self) noexcept {
    pool_delete(&static_cast<DeadLetterFunction&>(self));
  }
  Function function_;

  template <typename U>
  friend void pool_delete(U*) noexcept;
};

/// `sender`: null if it is not known.
void report_dead_letter(CellBase& receiver, std::string_view message_type, DeadLetter::Cause cause,
                        CellBase const* sender) noexcept;

/// What a message is called as a dead letter. Empty: it is none, so that a dead letter about dead
/// letters cannot follow.
template <typename M>
constexpr std::string_view dead_letter_name() noexcept {
  if constexpr (std::is_same_v<M, DeadLetter>) {
    return {};
  } else {
    return type_name<M>();
  }
}

// Never defined: its name is the error message.
template <typename Function>
struct a_dead_letter_callback_must_be_noexcept;

}  // namespace detail

namespace dead_letters {

/// How many there were since the process began.
struct Counts {
  std::uint64_t ended;
  std::uint64_t unread;
  std::uint64_t overflow;
  std::uint64_t revoked;
  [[nodiscard]] std::uint64_t total() const noexcept { return ended + unread + overflow + revoked; }
};
[[nodiscard]] Counts counts() noexcept;

/// Ends the subscription when it goes: afterwards the callback is not called any more, and no
/// thread is in it.
class [[nodiscard("the subscription ends with it")]] Subscription {
 public:
  explicit Subscription(detail::DeadLetterSubscriber& subscriber) noexcept
      : subscriber_(&subscriber) {}
  Subscription(Subscription&& other) noexcept
      : subscriber_(std::exchange(other.subscriber_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    Subscription const old(std::move(*this));
    subscriber_ = std::exchange(other.subscriber_, nullptr);
    return *this;
  }
  ~Subscription() {
    if (subscriber_ == nullptr) return;
    detail::remove_subscriber(*subscriber_);
    subscriber_->destroy(*subscriber_);
  }

 private:
  detail::DeadLetterSubscriber* subscriber_;
};

/// Calls `callback(DeadLetter const&)` for every dead letter of the process from now on.
///
/// Threads  whichever made the dead letter, several at once. The callback must not throw, block,
///          subscribe or unsubscribe; dead letters that it causes are counted and told to nobody.
/// Cost     without a subscriber a dead letter costs a counter and, a few times a second, a line.
/// Example  tests/actors/dead_letters_test.cpp
template <typename Function>
  requires std::is_invocable_v<std::remove_cvref_t<Function>&, DeadLetter const&>
Subscription subscribe(Function&& callback) {
  using Callback = std::remove_cvref_t<Function>;
  if constexpr (std::is_nothrow_invocable_v<Callback&, DeadLetter const&>) {
    auto* const block =
        detail::pool_new<detail::DeadLetterFunction<Callback>>(std::forward<Function>(callback));
    detail::add_subscriber(*block);
    return Subscription(*block);
  } else {
    (void)sizeof(detail::a_dead_letter_callback_must_be_noexcept<Callback>);
  }
}

/// Sends every dead letter to an actor that has `handle_message(DeadLetter)`. What of these is
/// dropped or unread is no dead letter itself.
template <typename A>
Subscription subscribe(ActorRef<A> const& ref) {
  return subscribe([ref](DeadLetter const& letter) noexcept {
    try {
      (void)ref.template send<DeadLetter>(letter);
    } catch (...) {
      // No memory for it; it stays counted.
    }
  });
}

}  // namespace dead_letters
}  // namespace spawned
