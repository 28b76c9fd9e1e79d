// Mailbox: an actor's queue, one word wide. Where a message is enqueued is push().
//
//   head_       means                                                     set by
//   idle        nobody runs the actor and nothing waits                   go_idle()
//   nullptr     the actor is queued or running, no new mail               take_all(), take_above()
//   envelope    the actor is queued or running; newest mail first         push()
//   closed      the actor has ended                                       close()
//
// A sender makes one CAS. The one that replaces `idle` has made the actor runnable and must queue
// it; nobody else may. So the actor is in at most one run queue, and mail never waits unseen: the
// owner gives the actor up only by a CAS to idle, which fails if mail has come.
// A message that is alone stays in the word while it is handled, and one CAS both takes it out and
// gives the actor up. Its block must not be freed before: the same address pushed again would look
// like the same message. More messages are taken all at once and turned round: oldest first. One
// sender's messages keep their order because its pushes are ordered.
//
// Orderings.
//   mail      push() CASes head_ (release)  ->  peek() loads, take_all() exchanges head_ (acquire).
//             The owner sees the message the sender wrote.
//   owner     go_idle() CASes head_ (release)  ->  push() CASes head_ (acquire).
//             The sender that makes the actor runnable passes on all the last owner did to it.
//   end       close() exchanges head_ (release)  ->  push() loads head_ (acquire).
//             The sender that comes too late sees the exit reason. confirm_open() CASes the word
//             without changing it (acq_rel): what comes before that in the order of the word's
//             values is seen by close(), which exchanges it (acq_rel).
#pragma once

#include <cstdint>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

struct Envelope;

/// Node must have a member `SharedCell<Node*> next`.
template <typename Node>
class BasicMailbox {
 public:
  enum class Start : bool { idle, running };
  explicit BasicMailbox(Start start) noexcept : head_(start == Start::idle ? idle() : nullptr) {}

  enum class Push : unsigned char { queued, made_runnable, closed };

  /// Any thread. `made_runnable`: the caller must queue the actor.
  [[nodiscard]] Push push(Node& node) noexcept {
    Node* head = head_.load(memory_order_relaxed);  // the CAS checks it
    do {
      if (head == closed()) {
        (void)head_.load(memory_order_acquire);  // end: the sender reads the exit reason
        return Push::closed;
      }
      node.next.set(head == idle() ? nullptr : head);
    } while (!head_.compare_exchange_weak(head, &node, memory_order_acq_rel,
                                          memory_order_relaxed));  // mail, owner
    return head == idle() ? Push::made_runnable : Push::queued;
  }

  /// Owner. The newest mail, still in the word, or nullptr. Alone if its `next` is null.
  [[nodiscard]] Node* peek() const noexcept {
    return head_.load(memory_order_acquire);  // mail
  }

  /// Owner. All new mail, oldest first, or nullptr.
  [[nodiscard]] Node* take_all() noexcept { return take_above(nullptr); }

  /// Owner, who has handled `bottom` in place: the mail that came since, oldest first, or nullptr.
  [[nodiscard]] Node* take_above(Node* bottom) noexcept {
    return reversed(head_.exchange(nullptr, memory_order_acquire), bottom);  // mail
  }

  /// Owner, who has handled `bottom` in place, or nothing (nullptr). True: the actor is given up,
  /// do not touch it any more. False: mail has come.
  [[nodiscard]] bool go_idle(Node* bottom) noexcept {
    return head_.compare_exchange_strong(bottom, idle(), memory_order_release,
                                         memory_order_relaxed);  // owner
  }

  /// Owner, once. Returns the mail that will not be read, oldest first.
  [[nodiscard]] Node* close() noexcept {
    return reversed(head_.exchange(closed(), memory_order_acq_rel), nullptr);  // mail, end
  }

  /// Any thread. True: not closed, and whoever closes it sees what the caller did before.
  [[nodiscard]] bool confirm_open() noexcept {
    Node* head = head_.load(memory_order_relaxed);  // the CAS checks it
    while (!head_.compare_exchange_weak(head, head, memory_order_acq_rel,
                                        memory_order_relaxed)) {  // mail, end
    }
    return head != closed();
  }

  [[nodiscard]] bool is_closed() const noexcept {
    return head_.load(memory_order_acquire) == closed();  // mail
  }

 private:
  static Node* idle() noexcept { return reinterpret_cast<Node*>(std::uintptr_t{1}); }
  static Node* closed() noexcept { return reinterpret_cast<Node*>(std::uintptr_t{2}); }

  // The list from `newest` down to, and without, `bottom`, turned round.
  static Node* reversed(Node* newest, Node const* bottom) noexcept {
    Node* oldest = nullptr;
    while (newest != bottom) {
      Node* const next = newest->next.get();
      newest->next.set(oldest);
      oldest = newest;
      newest = next;
    }
    return oldest;
  }

  atomic<Node*> head_;
};

using Mailbox = BasicMailbox<Envelope>;

}  // namespace spawned::detail
