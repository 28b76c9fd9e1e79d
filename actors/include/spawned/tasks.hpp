// The tasks flavour: actors and tasks on the M:N runtime.
//
//   #include <spawned/tasks.hpp>
//   namespace sp = spawned::tasks;
#pragma once

#include <spawned/actors/actor.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
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
using spawned::Context;
using spawned::DeadLetter;
using spawned::default_request_timeout;
using spawned::ExitReason;
using spawned::HandlerTimeout;
using spawned::InitResult;
using spawned::MailboxInfo;
using spawned::MessageResponse;
using spawned::no_timeout;
using spawned::Overflow;
using spawned::PendingReply;
using spawned::RequestResponse;
using spawned::SendResult;
using spawned::start;
using spawned::start_and_wait;
using spawned::start_on;
using spawned::start_with;
using spawned::start_with_on;
using spawned::unbounded;
using spawned::UrgentMessagesOff;
using spawned::UrgentRef;

// Tasks and the runtime.
using spawned::BlockingInWorker;
using spawned::CancellationToken;
using spawned::Cancelled;
using spawned::Clock;
using spawned::interval;
using spawned::Interval;
using spawned::InvalidOptions;
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
using spawned::real_clock;
using spawned::Result;
using spawned::run;
using spawned::Runtime;
using spawned::RuntimeCounters;
using spawned::RuntimeEnded;
using spawned::RuntimeOptions;
using spawned::ShutdownOptions;
using spawned::ShutdownReport;
using spawned::sleep;
using spawned::sleep_until;
using spawned::spawn;
using spawned::spawn_blocking;
using spawned::Task;
using spawned::timeout;
using spawned::TimePoint;
using spawned::Unexpected;
using spawned::UnreadMail;
using spawned::WaitError;
using spawned::WorkerCounters;
using spawned::yield_now;

namespace dead_letters = spawned::dead_letters;
namespace log = spawned::log;

}  // namespace spawned::tasks
