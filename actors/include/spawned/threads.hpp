// The threads flavour: the same actors, each on an OS thread of its own, and calls that block.
//
//   #include <spawned/threads.hpp>
//   namespace sp = spawned::threads;
#pragma once

#include <spawned/actors/continue_with.hpp>
#include <spawned/actors/delegate.hpp>
#include <spawned/actors/exit_timers.hpp>
#include <spawned/actors/links.hpp>
#include <spawned/actors/listeners.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/actors/reply_to.hpp>
#include <spawned/actors/suspend.hpp>
#include <spawned/actors/threads/actor.hpp>
#include <spawned/actors/threads/listeners.hpp>
#include <spawned/actors/threads/state_machine.hpp>
#include <spawned/actors/timers.hpp>
#include <spawned/actors/weak_actor_ref.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/random.hpp>
#include <spawned/runtime/threads.hpp>

namespace spawned::threads {

// Actors. Actor, ActorRef, Context, PendingReply and the start functions are this flavour's own.
using spawned::ActorError;
using spawned::ActorFailure;
using spawned::ActorId;
using spawned::ActorOptions;
using spawned::Backend;
using spawned::CancelResult;
using spawned::DeadLetter;
using spawned::default_request_timeout;
using spawned::DeferRefused;
using spawned::Down;
using spawned::Exit;
using spawned::exit_after;
using spawned::ExitReason;
using spawned::Flush;
using spawned::HandlerTimeout;
using spawned::InitResult;
using spawned::kill_after;
using spawned::ListenerHandle;
using spawned::ListenerState;
using spawned::MailboxInfo;
using spawned::MessageResponse;
using spawned::Monitored;
using spawned::MonitorId;
using spawned::MonitorRef;
using spawned::no_timeout;
using spawned::Overflow;
using spawned::Protocol;
using spawned::Recipient;
using spawned::ReplyResult;
using spawned::ReplyTo;
using spawned::RequestResponse;
using spawned::resume;
using spawned::send_after;
using spawned::send_interval;
using spawned::send_message_on_blocking;
using spawned::SendResult;
using spawned::spawn_listener_blocking;
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

// The runtime. Runtime, run, spawn, sleep, JoinHandle, Signals and ctrl_c are this flavour's own.
using spawned::BlockingInWorker;
using spawned::CancellationToken;
using spawned::channel;
using spawned::Channel;
using spawned::ChannelReceiver;
using spawned::ChannelSender;
using spawned::Clock;
using spawned::InvalidOptions;
using spawned::InvalidSignal;
using spawned::JoinError;
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
using spawned::RuntimeCounters;
using spawned::RuntimeEnded;
using spawned::RuntimeOptions;
using spawned::ShutdownOptions;
using spawned::ShutdownReport;
using spawned::TimePoint;
using spawned::TrySend;
using spawned::unbounded_channel;
using spawned::Unexpected;
using spawned::UnreadMail;
using spawned::WaitError;

namespace dead_letters = spawned::dead_letters;
namespace log = spawned::log;

}  // namespace spawned::threads
