// The tasks flavour: actors and tasks on the M:N runtime.
//
//   #include <spawned/tasks.hpp>
//   namespace sp = spawned::tasks;
#pragma once

#include <spawned/actors/actor.hpp>
#include <spawned/actors/continue_with.hpp>
#include <spawned/actors/delegate.hpp>
#include <spawned/actors/exit_timers.hpp>
#include <spawned/actors/listeners.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/actors/reply_to.hpp>
#include <spawned/actors/request_set.hpp>
#include <spawned/actors/state_machine.hpp>
#include <spawned/actors/suspend.hpp>
#include <spawned/actors/timers.hpp>
#include <spawned/actors/weak_actor_ref.hpp>
#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/random.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/signal.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::tasks {

// Actors.
using spawned::Actor;
using spawned::ActorError;
using spawned::ActorFailure;
using spawned::ActorId;
using spawned::ActorOptions;
using spawned::ActorRef;
using spawned::Backend;
using spawned::CancelResult;
using spawned::Context;
using spawned::DeadLetter;
using spawned::default_request_timeout;
using spawned::DeferRefused;
using spawned::exit_after;
using spawned::ExitReason;
using spawned::HandlerTimeout;
using spawned::InitResult;
using spawned::kill_after;
using spawned::ListenerHandle;
using spawned::ListenerState;
using spawned::MailboxInfo;
using spawned::MessageResponse;
using spawned::no_timeout;
using spawned::Overflow;
using spawned::PendingReply;
using spawned::Protocol;
using spawned::Recipient;
using spawned::ReplyResult;
using spawned::ReplyTo;
using spawned::request_all;
using spawned::request_all_with_timeout;
using spawned::request_first;
using spawned::request_first_with_timeout;
using spawned::RequestResponse;
using spawned::RequestSet;
using spawned::resume;
using spawned::send_after;
using spawned::send_interval;
using spawned::send_message_on;
using spawned::send_message_on_blocking;
using spawned::SendResult;
using spawned::spawn_listener;
using spawned::spawn_listener_blocking;
using spawned::start;
using spawned::start_and_wait;
using spawned::start_on;
using spawned::start_with;
using spawned::start_with_on;
using spawned::StateMachine;
using spawned::suspend;
using spawned::TimerHandle;
using spawned::TimerState;
using spawned::TransitionRefused;
using spawned::unbounded;
using spawned::UrgentMessagesOff;
using spawned::UrgentRef;
using spawned::WeakActorRef;
using spawned::WeakProtocol;
using spawned::WeakRecipient;

// Tasks and the runtime.
using spawned::AsyncSequence;
using spawned::BlockingInWorker;
using spawned::CancellationToken;
using spawned::Cancelled;
using spawned::channel;
using spawned::Channel;
using spawned::ChannelReceiver;
using spawned::ChannelSender;
using spawned::Clock;
using spawned::ctrl_c;
using spawned::ctrl_c_blocking;
using spawned::CtrlC;
using spawned::interval;
using spawned::Interval;
using spawned::InvalidOptions;
using spawned::InvalidSignal;
using spawned::JoinError;
using spawned::JoinHandle;
using spawned::ManualClock;
using spawned::MissedTicks;
using spawned::moved;
using spawned::NoRuntime;
using spawned::now;
using spawned::oneshot;
using spawned::OneshotReceiver;
using spawned::OneshotSender;
using spawned::random_below;
using spawned::random_bits;
using spawned::random_chance;
using spawned::RandomBits;
using spawned::real_clock;
using spawned::Result;
using spawned::run;
using spawned::Runtime;
using spawned::RuntimeCounters;
using spawned::RuntimeEnded;
using spawned::RuntimeOptions;
using spawned::sequence_value_t;
using spawned::ShutdownOptions;
using spawned::ShutdownReport;
using spawned::Signals;
using spawned::sleep;
using spawned::sleep_until;
using spawned::spawn;
using spawned::spawn_blocking;
using spawned::Task;
using spawned::timeout;
using spawned::TimePoint;
using spawned::TrySend;
using spawned::unbounded_channel;
using spawned::Unexpected;
using spawned::UnreadMail;
using spawned::WaitError;
using spawned::WorkerCounters;
using spawned::yield_now;

namespace dead_letters = spawned::dead_letters;
namespace log = spawned::log;

}  // namespace spawned::tasks
