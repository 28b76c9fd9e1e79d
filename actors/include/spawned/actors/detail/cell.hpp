// CellBase: the small fixed part of every actor. What a ref points at, what the scheduler runs.
//
// Life.  start -> [init] -> messages -> stop or failure -> [teardown] -> ended
//   A cell without init starts idle: it costs no scheduling until its first message.
//   Ended, in this order: the state is destroyed, the mailbox closed and its unread requests
//   answered `stopped`, the exit reason published and waiters woken, the reply that was held back
//   for teardown sent, the actor's own reference dropped. Refs keep only the cell's memory.
//   An exit signal (docs/design/exit.md) ends the actor at the next point between two messages, or
//   at its next suspension, without teardown and without reading further mail.
//
// Threads.  Whoever runs the actor owns every field but head (Mailbox), refs and waiters. Ownership
//   goes through the mailbox word and the run queues (mailbox.hpp, ExecutionContext).
//
// Orderings.
//   extra     extra() CASes extra_ (acq_rel)  ->  extra_or_null() loads (acquire).
//             Who finds the block sees it constructed.
//   exit      exit() ORs Attention::lethal (release)  ->  accept_exit() loads (acquire).
//             The owner sees the reason of the signal.
//   parked    park() CASes attention_ (release)  ->  unpark(), take_up() clear bits of attention_
//             (acquire). Who queues a parked actor passes on all the owner did to it.
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
#include <spawned/runtime/cancellation.hpp>
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
struct Supervised;
class WaitEdge;

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

struct EndNotice;
class Watch;
/// Makes the message `notice` for `receiver` and sends it, through the mailbox like any other but
/// whatever its limits. `watch`, if there is one, can still take it back.
using PostNotice = void (*)(CellBase& receiver, EndNotice&& notice, Watch* watch);

/// The typed part of a cell, as functions.
struct ActorKind : LiveKind {
  Turn (*init)(CellBase&);      // null: the actor has none
  Turn (*teardown)(CellBase&);  // null: the actor has none
  void (*destroy_state)(CellBase&) noexcept;
  void (*destroy_cell)(CellBase&) noexcept;
  std::string_view type_name;
  PostNotice post_exit;  // null: it has no handler for Exit and cannot trap exits
};

class CellBase : public ExecutionContext {
 public:
  /// Why the owner must look up before it takes the next message: bits of attention_.
  struct Attention {
    static constexpr std::uint16_t lethal = 1;         // an exit signal has come
    static constexpr std::uint16_t bounded = 2;        // its mailbox has a capacity
    static constexpr std::uint16_t urgent = 4;         // it takes urgent messages
    static constexpr std::uint16_t skip_expired = 8;   // ActorOptions::skip_expired
    static constexpr std::uint16_t watched = 16;       // ActorOptions::handler_timeout
    static constexpr std::uint16_t discard = 64;       // the runtime ends: no further mail
    static constexpr std::uint16_t idle_timeout = 32;  // it has asked for one
    static constexpr std::uint16_t call_scoped =
        128;  // something in extra() ends with the callback
    static constexpr std::uint16_t off_workers = 256;           // its handlers may block
    static constexpr std::uint16_t suspended = 512;             // suspend.cpp
    static constexpr std::uint16_t parked = 1024;               // the same
    static constexpr std::uint16_t runtime_ends = 2048;         // no suspension any more
    static constexpr std::uint16_t stepwise = 4096;             // Executor::stepwise()
    static constexpr std::uint16_t crash = 8192;                // simulation::Faults::crash
    static constexpr std::uint16_t asked = 16384;               // simulated, and asked to end
    static constexpr std::uint16_t queued = bounded | urgent;   // its mail goes through a MailQueue
    static constexpr std::uint16_t routed = queued | stepwise;  // a push is more than a push
    static constexpr std::uint16_t unsuspendable = lethal | discard | runtime_ends;
  };

  CellBase(Executor& where, ActorKind const& actor_kind) noexcept;

  /// Before launch(): the actor has options. Takes them over.
  void adopt(CellExtra* options) noexcept;
  /// Made if there is none yet. Any thread that holds a reference.
  [[nodiscard]] CellExtra& extra();
  [[nodiscard]] CellExtra* extra_or_null() const noexcept {
    return extra_.load(memory_order_acquire);  // extra
  }

  /// Owner. A lethal signal that is not seen here is seen at its mail.
  [[nodiscard]] bool has_attention(std::uint16_t bits) const noexcept {
    return (attention_.load(memory_order_relaxed) & bits) != 0;  // see above
  }

  /// Makes the actor live. Once, after construction; the caller's reference is the first.
  /// Errors  RuntimeEnded; call abandon() then.
  void launch();
  /// Instead: it never lived, and takes the caller's reference with it.
  void abandon() noexcept;

  // --- supervision: detail/supervised.hpp ---
  /// Before launch(): its slot is the supervisor's. `record` stays until it is told `gone`.
  void supervise(Supervised& record) noexcept;
  /// In phase `vacant`, when a new state is there. The supervisor.
  void restart() noexcept;
  /// Instead: the slot ends. The supervisor.
  void conclude() noexcept;
  /// A reference to its record as an ancestor. On its own turn. Errors: std::bad_alloc.
  [[nodiscard]] Ancestor* ancestor();

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
    if (is_routed()) [[unlikely]] {
      return push_routed(envelope, MailKind::library, turn_ends) == Pushed::accepted;
    }
    return push_plain(envelope, turn_ends);
  }
  /// The same for a user's message or request.
  [[nodiscard]] Pushed push_mail(Envelope& envelope, bool turn_ends = false) noexcept {
    if (is_routed()) [[unlikely]]
      return push_routed(envelope, MailKind::ordinary, turn_ends);
    return push_plain(envelope, turn_ends) ? Pushed::accepted : Pushed::ended;
  }
  /// The same through a MailQueue, which the actor has.
  [[nodiscard]] Pushed push_queued(Envelope& envelope, MailKind mail_kind, bool turn_ends,
                                   std::uint64_t generation = 0) noexcept;

  /// The actor has a MailQueue. The answer never changes.
  [[nodiscard]] bool is_queued() const noexcept {
    return (attention_.load(memory_order_relaxed) & Attention::queued) != 0;  // set before launch
  }
  [[nodiscard]] bool is_routed() const noexcept {
    return (attention_.load(memory_order_relaxed) & Attention::routed) != 0;  // set before launch
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
  /// The same with what it is at: " in Bank::Add, suspended". A moment's truth. Any thread, while
  /// the actor lives.
  [[nodiscard]] std::string describe_work() const;
  /// Who started it, the nearest first; empty for a root.
  [[nodiscard]] std::string describe_ancestors() const;
  /// ActorOptions::name.
  [[nodiscard]] std::string_view name() const noexcept;

  // --- for the typed callbacks, on the actor's turn ---

  /// Keeps the coroutine of a callback and starts it. `after` is called when it has finished,
  /// at once or in a later turn, and destroys the frame.
  [[nodiscard]] Turn start_coroutine(std::coroutine_handle<> frame, Turn (*after)(CellBase&));
  /// The same for a handler of `message`, which handler_timeout may watch.
  [[nodiscard]] Turn start_handler(std::coroutine_handle<> frame, Turn (*after)(CellBase&),
                                   std::string_view message) {
    if (has_attention(Attention::watched)) [[unlikely]]
      watch_handler(message);
    return start_coroutine(frame, after);
  }
  [[nodiscard]] std::coroutine_handle<> coroutine() const noexcept { return coroutine_; }
  void end_coroutine() noexcept {
    if (has_attention(Attention::watched)) [[unlikely]]
      unwatch_handler();
    coroutine_step_.store(nullptr, memory_order_relaxed);  // for reports
    coroutine_.destroy();
    coroutine_ = nullptr;
  }
  /// In the catch block of a handler: it was ended by HandlerTimeout::cancel and the actor goes on.
  /// Fills in what the caller is told.
  [[nodiscard]] bool handler_timed_out(ExitReason& reason) noexcept;

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
  /// An exit signal from the actor whose turn it is, or from nobody: OTP's exit/2. Any thread that
  /// holds a reference. Errors: std::bad_alloc; no signal was sent then.
  void exit(ExitReason reason);
  /// What it comes to if it is lethal.
  void exit_for_good(ExitReason reason);
  /// What it was. The owner. Errors: std::bad_alloc.
  bool trap_exits(bool on) {
    return extra().traps_exits.exchange(on, memory_order_relaxed);  // see traps_exits()
  }
  [[nodiscard]] bool traps_exits() const noexcept {
    CellExtra const* const own = extra_or_null();
    return own != nullptr && own->traps_exits.load(memory_order_relaxed);  // a moment's truth
  }
  /// A lethal signal has come; the actor will read no further mail.
  [[nodiscard]] bool is_exiting() const noexcept {
    return (attention_.load(memory_order_acquire) & Attention::lethal) != 0;  // exit
  }
  /// spawned::suspend() and resume(); see suspend.cpp.
  bool suspend();
  bool take_up() noexcept;
  /// Of an envelope that only marks the place of a suspension in the mail.
  [[nodiscard]] static bool is_suspension(Envelope const& envelope) noexcept;

  /// What Context::cancellation_token() gives. On the actor's turn.
  [[nodiscard]] CancellationToken handler_token();

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

  /// The handler of this request hands its deadline on to what it asks itself.
  void carry_deadline() noexcept { await_checks |= carries_deadline; }
  void drop_deadline() noexcept { await_checks &= static_cast<std::uint8_t>(~carries_deadline); }
  /// Of the request in work, a point of its runtime's clock, or no_deadline.
  [[nodiscard]] std::int64_t deadline_ns() const noexcept;
  /// `timeout_ns`, or what is left of the deadline if that is less.
  [[nodiscard]] std::int64_t limit_by_deadline(std::int64_t timeout_ns) const noexcept;

  void count_expired() noexcept;

  /// The actor may answer a request after its handler is done: that others wait for it proves
  /// nothing about it any more. For good.
  void exempt_from_cycles() noexcept {
    cycle_exempt_.store(true, memory_order_relaxed);  // ordered by its next edge: cycles.hpp
  }

  /// Its runtime looks for cycles: its waits have edges. Any thread; unlike await_checks it never
  /// changes.
  [[nodiscard]] bool detects_cycles() const noexcept { return detects_cycles_; }

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
  /// Those that have not been handled when an incarnation ends.
  void drop_continuations() noexcept;
  /// Owner. Puts the list from `first` to `last` into the unread mail, behind `place` envelopes.
  void insert_mail(Envelope& first, Envelope& last, std::uint32_t place) noexcept;

  /// Simulated, and nobody but itself wanted it to end. Valid once has_ended().
  [[nodiscard]] bool ended_unasked() const noexcept {
    return !has_attention(Attention::asked | Attention::lethal);
  }

  /// It handles no further message. For the owner.
  [[nodiscard]] bool is_stopping() const noexcept { return ending_or_stopping_; }
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
  [[nodiscard]] Pushed push_routed(Envelope& envelope, MailKind mail_kind, bool turn_ends) noexcept;
  [[nodiscard]] Turn serve_queue(unsigned handled) noexcept;

  struct ShutdownEnvelope final : Envelope {
    ShutdownEnvelope() noexcept : Envelope(&deliver_shutdown) {}
  };
  struct ExitEnvelope;
  struct SuspendEnvelope;
  static Turn deliver_shutdown(CellBase* cell, Envelope& envelope, Operation operation);
  static void run_turn(Runnable& runnable) noexcept;
  friend void request_actor_end(ExecutionContext& context, UnreadMail mail) noexcept;
  // simulated_turn.cpp
  friend void crash_actor(ExecutionContext& context) noexcept;
  [[nodiscard]] Envelope* choose_mail(Envelope* oldest) noexcept;
  [[nodiscard]] Turn crash_at(Envelope& envelope) noexcept;

  void work_through(Turn turn, unsigned handled) noexcept;
  [[nodiscard]] Turn attend() noexcept;
  [[nodiscard]] bool park() noexcept;
  void unpark() noexcept;
  [[nodiscard]] Turn abort_callback() noexcept;
  void accept_exit() noexcept;
  void cancel_token_soon() noexcept;
  void end_call_scope() noexcept;
  void watch_handler(std::string_view message) noexcept;
  void unwatch_handler() noexcept;
  friend class HandlerWatch;
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
  void end_actor() noexcept;
  void end_of_incarnation() noexcept;
  void finish_slot() noexcept;
  [[nodiscard]] bool shut_exit_door() noexcept;
  void tell_up() noexcept;
  [[nodiscard]] Ancestor* parent() const noexcept;
  void last_ref_gone() noexcept;
  void discard(Envelope* unread) noexcept;

  static constexpr unsigned budget = 64;  // messages in one turn

  Mailbox mailbox_;
  // What a sender or the loop of a turn looks at, beside the mailbox word.
  atomic<std::uint16_t> attention_{0};
  atomic<bool> shutdown_sent_{false};
  atomic<bool> cycle_exempt_{false};
  bool const detects_cycles_;
  ActorError::Kind answer_ = ActorError::Kind::stopped;
  bool started_ = false;
  bool ending_ = false;
  bool skip_teardown_ = false;
  bool ending_or_stopping_ = false;  // no further message
  bool exited_ = false;              // by a signal: the reply held back is not sent
  bool supervised_ = false;          // set before launch()
  bool up_ = false;                  // its supervisor knows that this incarnation's init is done
  bool concluded_ = false;           // the slot is to end without another incarnation
  friend class WaitEdge;
  Envelope* inbox_ = nullptr;     // taken from the mailbox, oldest first
  Envelope* in_place_ = nullptr;  // in work, and still in the mailbox word
  std::coroutine_handle<> coroutine_;
  Turn (*after_coroutine_)(CellBase&) = nullptr;
  // What Activity says while the coroutine runs; null without one. A Step never changes, so who
  // reports on the actor may read it at any time.
  atomic<Step const*> coroutine_step_{nullptr};
  atomic<WaitEdge*> waits_for_{nullptr};  // detail/cycles.hpp
  Envelope* held_reply_ = nullptr;
  WaitList waiters_;
  ExitReason reason_;
  ActorId id_;
  HandleCount handles_;
  atomic<CellExtra*> extra_{nullptr};
  union {
    Ancestor* parent_ = nullptr;  // who started it; null: a root
    Supervised* record_;          // instead, if supervised_
  };
  ShutdownEnvelope shutdown_;
};

/// LiveKind::request_end of every actor: posts a stop with reason shutdown, and does with the
/// handler and the mail as it is told.
void request_actor_end(ExecutionContext& context, UnreadMail mail) noexcept;
/// LiveKind::crash of every actor, on the thread that drives a simulation.
void crash_actor(ExecutionContext& context) noexcept;
/// LiveKind::describe of every actor.
std::string describe_actor(ExecutionContext const& context);
/// LiveKind::describe_timers of every actor.
std::string describe_actor_timers(ExecutionContext const& context);
/// Step::describe of every actor.
std::string describe_actor_step(Step const& step, std::uint64_t id);

/// Distinct from every other actor's and monitor's id. `where`: equal simulations have equal ones.
[[nodiscard]] std::uint64_t next_identity(CellBase const& where) noexcept;

/// Sends a stop message, which keeps its place behind what its sender sent before. False: the actor
/// has ended.
bool post_stop(CellBase& cell, ExitReason reason);

/// Answers Operation::identify.
void tell(MessageInfo const& info) noexcept;
/// Asks for it. Null: the library's own.
[[nodiscard]] MessageInfo const* info_of(Envelope& envelope) noexcept;
/// The same for what a timer sends; it has Operations::identify.
[[nodiscard]] MessageInfo const* info_of(Dependant& timer) noexcept;

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
