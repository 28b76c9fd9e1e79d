// CellBase: the small fixed part of every actor. What a ref points at, what the scheduler runs.
//
// Life.  start -> [init] -> messages -> stop or failure -> [teardown] -> ended
//   A cell without init starts idle: it costs no scheduling until its first message.
//   Ended, in this order: the state is destroyed, the mailbox closed and its unread requests
//   answered `stopped`, the exit reason published and waiters woken, the reply that was held back
//   for teardown sent, the actor's own reference dropped. Refs keep only the cell's memory.
//
// Threads.  Whoever runs the actor owns every field but head (Mailbox), refs and waiters. Ownership
//   goes through the mailbox word and the run queues (mailbox.hpp, ExecutionContext).
//
// Orderings.
//   extra     extra() CASes extra_ (acq_rel)  ->  extra_or_null() loads (acquire).
//             Who finds the block sees it constructed.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>
#include <string_view>

#include <spawned/actors/detail/cell_extra.hpp>
#include <spawned/actors/detail/handle_count.hpp>
#include <spawned/actors/detail/mailbox.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

namespace spawned {

/// Identifies an actor for the life of the process. Never used twice.
struct ActorId {
  std::uint64_t value = 0;
  friend bool operator==(ActorId, ActorId) noexcept = default;
  friend auto operator<=>(ActorId, ActorId) noexcept = default;
};

namespace detail {

class CellBase;
class MailQueue;
class RoomWait;

/// What becomes of the actor after a callback.
enum class Turn : std::uint8_t {
  next,  // go on with the next message
  away,  // the callback is suspended or the actor is idle: do not touch the cell any more
  stop,  // end, with the reason in the cell
};

/// What the owner asks of an envelope.
enum class Operation : std::uint8_t {
  handle,    // call the handler
  finish,    // send the reply that was held back for teardown
  discard,   // the actor has ended: answer, or make a dead letter of it
  drop,      // its mailbox was full: the same
  destroy,   // the receiver is done with the reply: free the block
  identify,  // of a message in work: tell() what it is
};

/// What a message is, as far as an actor that does not know its type needs it.
struct MessageInfo {
  std::string_view message;         // the name of its type
  std::string_view reply;           // the name of the reply's type, or empty: not a request
  void const* reply_tag = nullptr;  // type_tag<R>, or null: not a request
};

/// What an envelope is to a mailbox with limits.
enum class MailKind : std::uint8_t {
  library,   // stops, signals, the library's own: never counted nor refused
  ordinary,  // a user's message or request
  urgent,    // the same, ahead of the ordinary
};

/// What became of an envelope. All but accepted: it is still the caller's.
enum class Pushed : std::uint8_t {
  accepted,
  ended,    // the actor has ended
  full,     // the mailbox is full: tell the sender
  dropped,  // the same, and it is a dead letter
  no_room,  // the mailbox is full: the sender may wait for room
  revoked,  // sent through an urgent ref that is valid no more
};

/// A message on its way: a typed block that knows how to deliver itself.
struct Envelope {
  using Deliver = Turn (*)(CellBase*, Envelope&, Operation);
  explicit Envelope(Deliver function) noexcept : deliver(function) {}
  Envelope(Envelope const&) = delete;
  Envelope& operator=(Envelope const&) = delete;

  SharedCell<Envelope*> next;
  Deliver deliver;

 protected:
  ~Envelope() = default;
};

/// The typed part of a cell, as functions.
struct ActorKind : LiveKind {
  Turn (*init)(CellBase&);      // null: the actor has none
  Turn (*teardown)(CellBase&);  // null: the actor has none
  void (*destroy_state)(CellBase&) noexcept;
  void (*destroy_cell)(CellBase&) noexcept;
  std::string_view type_name;
};

class CellBase : public ExecutionContext {
 public:
  /// Why the owner must look up before it takes the next message: bits of attention_.
  struct Attention {
    static constexpr std::uint16_t lethal = 1;                 // an exit signal has come
    static constexpr std::uint16_t bounded = 2;                // its mailbox has a capacity
    static constexpr std::uint16_t urgent = 4;                 // it takes urgent messages
    static constexpr std::uint16_t skip_expired = 8;           // ActorOptions::skip_expired
    static constexpr std::uint16_t watched = 16;               // ActorOptions::handler_timeout
    static constexpr std::uint16_t discard = 64;               // the runtime ends: no further mail
    static constexpr std::uint16_t idle_timeout = 32;          // it has asked for one
    static constexpr std::uint16_t queued = bounded | urgent;  // its mail goes through a MailQueue
  };

  CellBase(Executor& where, ActorKind const& actor_kind) noexcept;

  /// Before launch(): the actor has options. Takes them over.
  void adopt(CellExtra* options) noexcept;
  /// Made if there is none yet. Any thread that holds a reference.
  [[nodiscard]] CellExtra& extra();
  [[nodiscard]] CellExtra* extra_or_null() const noexcept {
    return extra_.load(memory_order_acquire);  // extra
  }

  /// Makes the actor live. Once, after construction; the caller's reference is the first.
  /// Errors  RuntimeEnded; the cell is gone then.
  void launch();

  // Refs; see HandleCount. retain(): the caller has a ref; retain_again(): memory.
  void retain() noexcept { handles_.add_strong(); }
  void retain_again() noexcept { handles_.add_strong_again(); }
  void release() noexcept {
    if (handles_.drop_strong()) last_ref_gone();
  }
  void retain_memory() noexcept { handles_.add_memory(); }
  void release_memory() noexcept {
    if (handles_.drop_memory()) actor_kind().destroy_cell(*this);
  }
  [[nodiscard]] bool is_referenced() const noexcept { return handles_.is_referenced(); }

  /// Enqueues an envelope of the library's own, which no limit applies to. False: the actor has
  /// ended, the envelope is still the caller's.
  /// `turn_ends`: the caller suspends right after, so the actor may be handed off.
  [[nodiscard]] bool push(Envelope& envelope, bool turn_ends = false) noexcept {
    if (is_queued()) [[unlikely]] {
      return push_queued(envelope, MailKind::library, turn_ends) == Pushed::accepted;
    }
    return push_plain(envelope, turn_ends);
  }
  /// The same for a user's message or request.
  [[nodiscard]] Pushed push_mail(Envelope& envelope, bool turn_ends = false) noexcept {
    if (is_queued()) [[unlikely]]
      return push_queued(envelope, MailKind::ordinary, turn_ends);
    return push_plain(envelope, turn_ends) ? Pushed::accepted : Pushed::ended;
  }
  /// The same through a MailQueue, which the actor has.
  [[nodiscard]] Pushed push_queued(Envelope& envelope, MailKind mail_kind, bool turn_ends,
                                   std::uint64_t generation = 0) noexcept;

  /// The actor has a MailQueue. The answer never changes.
  [[nodiscard]] bool is_queued() const noexcept {
    return (attention_.load(memory_order_relaxed) & Attention::queued) != 0;  // set before launch
  }
  [[nodiscard]] bool is_urgent() const noexcept {
    return (attention_.load(memory_order_relaxed) & Attention::urgent) != 0;  // set before launch
  }
  [[nodiscard]] MailQueue& mail_queue() const noexcept { return *extra_or_null()->mail.get(); }
  /// Stands in line for room; see MailQueue::stand_in_line.
  [[nodiscard]] Pushed stand_in_line(Envelope& envelope, RoomWait& wait, bool turn_ends) noexcept;

  /// BasicMailbox::confirm_open().
  [[nodiscard]] bool confirm_open() noexcept { return mailbox_.confirm_open(); }

  [[nodiscard]] ActorKind const& actor_kind() const noexcept {
    return *static_cast<ActorKind const*>(kind);
  }
  [[nodiscard]] ActorId id() const noexcept { return id_; }
  [[nodiscard]] WaitList& waiters() noexcept { return waiters_; }
  [[nodiscard]] bool has_ended() const noexcept { return waiters_.is_closed(); }
  /// Valid once has_ended().
  [[nodiscard]] ExitReason const& exit_reason() const noexcept { return reason_; }
  /// "actor Bank#7", and its name if it has one.
  [[nodiscard]] std::string describe() const;
  /// Who started it, the nearest first; empty for a root.
  [[nodiscard]] std::string describe_ancestors() const;
  /// ActorOptions::name.
  [[nodiscard]] std::string_view name() const noexcept;

  // --- for the typed callbacks, on the actor's turn ---

  /// Keeps the coroutine of a callback and starts it. `after` is called when it has finished,
  /// at once or in a later turn, and destroys the frame.
  [[nodiscard]] Turn start_coroutine(std::coroutine_handle<> frame, Turn (*after)(CellBase&));
  [[nodiscard]] std::coroutine_handle<> coroutine() const noexcept { return coroutine_; }
  void end_coroutine() noexcept {
    coroutine_.destroy();
    coroutine_ = nullptr;
  }

  /// The actor is done with a message it goes on after: takes it out of the mailbox, and gives the
  /// actor up if there is no other (then: away). Before it, the envelope must not be freed.
  [[nodiscard]] Turn leave(Envelope& envelope) noexcept {
    if (&envelope != in_place_) return Turn::next;
    if (!ending_or_stopping_ && give_up(envelope)) return Turn::away;
    take_out(envelope);
    return Turn::next;
  }
  /// The same for a message the actor ends with.
  void take_out(Envelope& envelope) noexcept {
    if (&envelope != in_place_) return;
    in_place_ = nullptr;
    inbox_ = mailbox_.take_above(&envelope);
  }

  /// Owner, in a callback: when that has ended, the turn goes on and looks at attention_, even if
  /// the message in work is alone.
  void look_up(std::uint16_t attention) noexcept {
    attention_.fetch_or(attention, memory_order_relaxed);  // the owner reads it
    if (in_place_ != nullptr) take_out(*in_place_);
  }
  void look_no_more(std::uint16_t attention) noexcept {
    attention_.fetch_and(static_cast<std::uint16_t>(~attention),
                         memory_order_relaxed);  // the owner reads it
  }

  /// A callback answered stop. `reply`: the envelope whose reply waits for teardown, or null.
  [[nodiscard]] Turn stop_with(ExitReason reason, Envelope* reply = nullptr) noexcept {
    reason_ = std::move(reason);
    held_reply_ = reply;
    return Turn::stop;
  }
  /// A callback threw; call it in the catch block. Logs the crash report.
  [[nodiscard]] Turn fail(std::string_view during, Envelope* reply = nullptr) noexcept;
  /// Init did not succeed: end without teardown.
  [[nodiscard]] Turn refuse(ExitReason reason, ActorError::Kind answer) noexcept {
    skip_teardown_ = true;
    answer_ = answer;
    return stop_with(std::move(reason));
  }
  /// Context::stop: end when the present callback is done. In teardown the actor ends already.
  void request_stop(ExitReason reason) noexcept {
    if (ending_) return;
    ending_or_stopping_ = true;
    reason_ = std::move(reason);
  }

  /// Makes the owner look up before the next message. Any thread.
  void attend_to(std::uint16_t bit) noexcept {
    attention_.fetch_or(bit, memory_order_relaxed);  // what the bit is about is ordered elsewhere
  }

  /// The actor whose turn the calling thread runs, or nullptr.
  [[nodiscard]] static CellBase* running() noexcept {
    WorkerLocal const* const local = current_worker;
    if (local == nullptr || local->running == nullptr || local->running->run != &run_turn) {
      return nullptr;
    }
    return static_cast<CellBase*>(local->running);
  }

  /// The message whose handler is called, until the next one is; null in init and teardown.
  Envelope* current = nullptr;
  /// What that message is, or null.
  [[nodiscard]] MessageInfo const* current_info() const noexcept;
  /// The message in work is a request and its caller has not given up.
  [[nodiscard]] bool is_caller_waiting() const noexcept;

  /// Handles `envelope` right after the present callback, before any other mail.
  void continue_with(Envelope& envelope);
  /// The same for one that is handled now.
  void continuation_begins() noexcept;

  /// In teardown, or past it. For the owner.
  [[nodiscard]] bool is_ending() const noexcept { return ending_; }

  [[nodiscard]] ExitReason& reason() noexcept { return reason_; }
  /// What an unread request is answered with once the actor has ended.
  [[nodiscard]] ActorError unread_answer() const noexcept { return {answer_, reason_}; }

 protected:
  ~CellBase();

 private:
  [[nodiscard]] bool push_plain(Envelope& envelope, bool turn_ends) noexcept {
    switch (mailbox_.push(envelope)) {
      case Mailbox::Push::queued:
        return true;
      case Mailbox::Push::made_runnable:
        turn_ends ? hand_off(*this) : schedule(*this);
        return true;
      case Mailbox::Push::closed:
        break;
    }
    return false;
  }
  [[nodiscard]] Turn serve_queue(unsigned handled) noexcept;

  struct ShutdownEnvelope final : Envelope {
    ShutdownEnvelope() noexcept : Envelope(&deliver_shutdown) {}
  };
  static Turn deliver_shutdown(CellBase* cell, Envelope& envelope, Operation operation);
  static void run_turn(Runnable& runnable) noexcept;
  friend void request_actor_end(ExecutionContext& context, UnreadMail mail) noexcept;

  [[nodiscard]] Ancestor* ancestor();
  void work_through(Turn turn) noexcept;
  [[nodiscard]] bool give_up(Envelope& envelope) noexcept {
    in_place_ = nullptr;  // first: afterwards the cell may be anybody's
    if (mailbox_.go_idle(&envelope)) return true;
    in_place_ = &envelope;
    return false;
  }
  void look_up_after_callback() noexcept;
  void look_up_before(Envelope const& envelope) noexcept;
  [[nodiscard]] Turn end_turn() noexcept;
  void finish_end() noexcept;
  void last_ref_gone() noexcept;
  void discard(Envelope* unread) noexcept;

  static constexpr unsigned budget = 64;  // messages in one turn

  Mailbox mailbox_;
  // What a sender or the loop of a turn looks at, beside the mailbox word.
  atomic<std::uint16_t> attention_{0};
  atomic<bool> shutdown_sent_{false};
  ActorError::Kind answer_ = ActorError::Kind::stopped;
  bool started_ = false;
  bool ending_ = false;
  bool skip_teardown_ = false;
  bool ending_or_stopping_ = false;  // no further message
  Envelope* inbox_ = nullptr;        // taken from the mailbox, oldest first
  Envelope* in_place_ = nullptr;     // in work, and still in the mailbox word
  std::coroutine_handle<> coroutine_;
  Turn (*after_coroutine_)(CellBase&) = nullptr;
  Step const* coroutine_step_ = nullptr;  // what Activity says while the coroutine runs
  Envelope* held_reply_ = nullptr;
  WaitList waiters_;
  ExitReason reason_;
  ActorId id_;
  HandleCount handles_;
  atomic<CellExtra*> extra_{nullptr};
  Ancestor* parent_ = nullptr;  // who started it; null: a root
  ShutdownEnvelope shutdown_;
};

/// LiveKind::request_end of every actor: posts a stop with reason shutdown, and does with the
/// handler and the mail as it is told.
void request_actor_end(ExecutionContext& context, UnreadMail mail) noexcept;
/// LiveKind::describe of every actor.
std::string describe_actor(ExecutionContext const& context);
/// Step::describe of every actor.
std::string describe_actor_step(Step const& step, std::uint64_t id);

/// Sends a stop message, which keeps its place behind what its sender sent before. False: the actor
/// has ended.
bool post_stop(CellBase& cell, ExitReason reason);

/// Answers Operation::identify.
void tell(MessageInfo const& info) noexcept;

/// Logs MessageResponse::unused().
void log_unused(CellBase const& cell, std::string_view message) noexcept;

/// "NameServer::Add": the compiler's name of a type, without RTTI.
template <typename T>
constexpr std::string_view type_name() noexcept {
  // g++: "... type_name() [with T = X; std::string_view = ...]", clang: "... [T = X]".
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find("T = ") + 4);
  auto const end = name.find(';');
  return name.substr(0, end != std::string_view::npos ? end : name.size() - 1);
}

/// Its address stands for the type.
template <typename T>
inline constexpr char type_tag = 0;

}  // namespace detail
}  // namespace spawned
