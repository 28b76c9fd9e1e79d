// The threads flavour: the same actors, each on an OS thread of its own, and calls that block.
//
//   #include <spawned/threads.hpp>
//   namespace sp = spawned::threads;
#pragma once

#include <spawned/actors/threads/actor.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/threads.hpp>

namespace spawned::threads {

// Actors. Actor, ActorRef, Context, PendingReply and the start functions are this flavour's own.
using spawned::ActorError;
using spawned::ActorFailure;
using spawned::ActorId;
using spawned::ActorOptions;
using spawned::Backend;
using spawned::DeadLetter;
using spawned::default_request_timeout;
using spawned::ExitReason;
using spawned::HandlerTimeout;
using spawned::InitResult;
using spawned::MailboxInfo;
using spawned::MessageResponse;
using spawned::no_timeout;
using spawned::Overflow;
using spawned::RequestResponse;
using spawned::SendResult;
using spawned::unbounded;
using spawned::UrgentMessagesOff;
using spawned::UrgentRef;

// The runtime. Runtime, run, spawn, sleep and JoinHandle are this flavour's own.
using spawned::BlockingInWorker;
using spawned::CancellationToken;
using spawned::Clock;
using spawned::InvalidOptions;
using spawned::JoinError;
using spawned::ManualClock;
using spawned::MissedTicks;
using spawned::moved;
using spawned::NoRuntime;
using spawned::now;
using spawned::oneshot;
using spawned::OneshotReceiver;
using spawned::OneshotSender;
using spawned::real_clock;
using spawned::Result;
using spawned::RuntimeCounters;
using spawned::RuntimeEnded;
using spawned::RuntimeOptions;
using spawned::ShutdownOptions;
using spawned::ShutdownReport;
using spawned::TimePoint;
using spawned::Unexpected;
using spawned::UnreadMail;
using spawned::WaitError;

namespace dead_letters = spawned::dead_letters;
namespace log = spawned::log;

}  // namespace spawned::threads
