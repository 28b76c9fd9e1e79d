// Execution, the threads: who goes on, who sleeps, and what is reported when nobody can.
#pragma once

#include <spawned/testing/detail/execution.hpp>

namespace spawned::testing::model::detail {

inline void Execution::begin(Chooser& chooser, bool trace) {
  chooser_ = &chooser;
  id_ = ++last_id_;
  tracing_ = trace;
  failed_ = false;
  trace_.clear();
  choices_.clear();
  for (unsigned i = 0; i < location_count_; ++i) locations_[i].history.clear();
  location_count_ = 0;
  total_ = View{};
  preemptions_ = 0;
  spurious_ = 0;
  steps_ = 0;
}

inline void Execution::fiber_main(void* self) {
  for (;;) static_cast<Execution*>(self)->work();
}

inline void Execution::work() {
  std::string thrown;
  bool threw = true;
  parked_[current_] = false;
  try {
    me().job(me().argument);
    threw = false;
  } catch (std::exception const& error) {
    thrown = error.what();
  } catch (...) {
    thrown = "not a std::exception";
  }
  if (threw) fail(FailureKind::exception, "an exception left the thread: " + thrown);
  finish();
}

inline unsigned Execution::spawn(Job job, void* argument, Where const& where) {
  if (thread_count_ == max_threads) {
    fail(FailureKind::thread_limit, "more than " + std::to_string(max_threads) +
                                        " threads (max_threads), at " + to_text(where));
  }
  unsigned const id = thread_count_++;
  Thread& thread = threads_[id];
  thread.current = View{};
  if (id != 0) {
    thread.current = me().current;
    tick();
    note(where, "starts T", static_cast<Value>(id));
  }
  thread.current.clock[id] = 1;
  thread.acquired = thread.current;
  thread.has_released = thread.timed = false;
  thread.yields = 0;
  thread.fresh = true;
  thread.status = Status::runnable;
  thread.rereads.fill(0);
  thread.job = job;
  thread.argument = argument;
  thread.doing = "start";
  thread.where = where;
  if (!parked_[id]) fibers_[id].start(&fiber_main, this);
  return id;
}

inline void Execution::finish() {
  note(me().where, "ends");
  me().status = Status::finished;
  parked_[current_] = true;
  something_changed();
  for (unsigned i = 0; i < thread_count_; ++i) {
    threads_[i].waits_for &= threads_[i].status == Status::joining ? ~(1U << current_) : ~0U;
    if (threads_[i].status == Status::joining && threads_[i].waits_for == 0) {
      threads_[i].status = Status::runnable;
    }
  }
  leave();  // and comes back with the next execution's job
}

inline void Execution::join(std::uint32_t threads, Where const& where) {
  step("joins", where);
  std::uint32_t left = 0;
  for (unsigned i = 0; i < thread_count_; ++i) {
    if ((threads >> i & 1U) != 0 && threads_[i].status != Status::finished) left |= 1U << i;
  }
  if (left != 0) {
    me().status = Status::joining;
    me().waits_for = left;
    leave();
    me().fresh = true;
  }
  for (unsigned i = 0; i < thread_count_; ++i) {
    if ((threads >> i & 1U) == 0) continue;
    me().current.join(threads_[i].current, location_count_);
    note(where, "has joined T", static_cast<Value>(i));
  }
  me().acquired.join(me().current, location_count_);
}

inline unsigned Execution::collect(Status status, unsigned yields,
                                   unsigned char* into) const noexcept {
  unsigned count = 0;
  for (unsigned i = 0; i < thread_count_; ++i) {
    Thread const& thread = threads_[i];
    if (thread.status != status || thread.yields > yields) continue;
    if (status == Status::sleeping && !thread.timed) continue;
    into[count++] = static_cast<unsigned char>(i);
  }
  return count;
}

// Who runs when the current one does not.
inline unsigned Execution::select() {
  std::array<unsigned char, max_threads> options{};
  // One that spins looks once more when the others cannot run. After that it waits for a change,
  // and time passes first.
  unsigned count = collect(Status::runnable, 0, options.data());
  if (count == 0) count = collect(Status::runnable, 1, options.data());
  if (count == 0) count = collect(Status::sleeping, most_yields, options.data());
  // All spin: who has looked least often. Else one that finds nothing could go on for ever while
  // another has only seen an old value so far.
  for (unsigned yields = 2; count == 0 && yields <= most_yields; ++yields) {
    count = collect(Status::runnable, yields, options.data());
  }
  if (count == 0) {
    for (unsigned i = 0; i < thread_count_; ++i) {
      if (threads_[i].status != Status::finished) fail(FailureKind::deadlock, deadlock_text());
    }
    return nobody;
  }
  std::uint32_t const picked = count == 1 ? 0 : choose(ChoiceKind::schedule, count, options.data());
  threads_[options[picked]].status = Status::runnable;
  return options[picked];
}

inline void Execution::transfer(unsigned next) {
  if (next == current_) return;
  Fiber& from = fibers_[current_];
  if (next == nobody) {
    Fiber::switch_to(from, host_);
    return;
  }
  current_ = next;
  Fiber::switch_to(from, fibers_[next]);
}

inline void Execution::fail(FailureKind kind, std::string text) {
  failed_ = true;
  kind_ = kind;
  note(me().where, "fails: ", text);
  text_ = std::move(text);
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (threads_[i].status != Status::finished) parked_[i] = false;
  }
  parked_[current_] = false;
  Fiber::switch_to(fibers_[current_], host_);
  __builtin_trap();  // nobody comes back to an execution that has failed
}

inline void Execution::step(char const* doing, Where const& where) {
  me().doing = doing;
  me().where = where;
  ++all_steps_;
  if (++steps_ > limits_.steps) {
    fail(FailureKind::step_limit,
         "more than " + std::to_string(limits_.steps) + " steps (max_steps)");
  }
}

// Before an atomic access.
inline void Execution::point(char const* doing, Where const& where) {
  step(doing, where);
  if (me().fresh) {
    me().fresh = false;
  } else if (preemptions_ != limits_.preemptions) {
    std::array<unsigned char, max_threads> options{};
    unsigned count = 0;
    options[count++] = static_cast<unsigned char>(current_);
    for (unsigned i = 0; i < thread_count_; ++i) {
      Thread const& thread = threads_[i];
      if (i == current_ || thread.status != Status::runnable || thread.yields != 0) continue;
      options[count++] = static_cast<unsigned char>(i);
    }
    std::uint32_t const picked =
        count == 1 ? 0 : choose(ChoiceKind::schedule, count, options.data());
    if (picked != 0) {
      ++preemptions_;
      transfer(options[picked]);
    }
  }
}

// What a spinning thread waits for may have happened.
inline void Execution::something_changed() noexcept {
  for (unsigned i = 0; i < thread_count_; ++i) threads_[i].yields = 0;
}

inline void Execution::yield(Where const& where) {
  step("yields", where);
  note(where, "yields");
  me().rereads.fill(0xff);  // what it read again and again it does not read once more
  if (me().yields != most_yields) ++me().yields;
  leave();  // not a preemption
  me().fresh = true;
}

inline std::uint32_t Execution::choose(ChoiceKind kind, std::uint32_t options,
                                       unsigned char const* threads) {
  std::uint32_t const picked = chooser_->pick(kind, options, threads);
  choices_.push_back({picked, options});
  return picked;
}

inline void Execution::sleep(AtomicState const& state, Value expected, bool timed,
                             Where const& where) {
  point("sleeps in futex_wait", where);
  Location& location = touch(state, where);
  Value const value = location.history.back().value;
  note(where, "futex_wait", name(location), "=", value, value == expected ? " sleeps" : " goes on");
  if (value != expected) return;
  if (timed || spurious_ < limits_.spurious) {
    if (choose(ChoiceKind::failure, 2) != 0) {
      if (!timed) ++spurious_;
      note(where, timed ? "times out" : "wakes for no reason");
      return;
    }
  }
  me().status = Status::sleeping;
  me().timed = timed;
  me().waits_for = state.location;
  me().slept_at = steps_;
  leave();
  me().fresh = true;
  note(where, "is awake");
}

inline void Execution::wake(AtomicState const& state, bool all, Where const& where) {
  point("wakes", where);
  // The word is no more than an address here, and may be gone with those who slept on it.
  if (state.execution != id_ || state.location >= location_count_) return;
  Location& location = locations_[state.location];
  std::array<unsigned char, max_threads> sleepers{};
  unsigned count = 0;
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (threads_[i].status != Status::sleeping || threads_[i].waits_for != state.location) continue;
    unsigned at = count++;
    for (; at > 0 && threads_[sleepers[at - 1]].slept_at > threads_[i].slept_at; --at) {
      sleepers[at] = sleepers[at - 1];
    }
    sleepers[at] = static_cast<unsigned char>(i);
  }
  note(where, all ? "futex_wake_all" : "futex_wake_one", name(location),
       " sleepers: ", static_cast<Value>(count));
  if (count == 0) return;
  std::uint32_t const picked = all || count == 1 ? 0 : choose(ChoiceKind::wake, count);
  for (unsigned i = 0; i < count; ++i) {
    if (all || i == picked) threads_[sleepers[i]].status = Status::runnable;
  }
  something_changed();
}

inline std::string Execution::deadlock_text() const {
  std::string text = "deadlock";
  for (unsigned i = 0; i < thread_count_; ++i) {
    Thread const& thread = threads_[i];
    if (thread.status == Status::finished) continue;
    text += "; T" + std::to_string(i) + " " + thread.doing + " at " + to_text(thread.where);
    if (thread.status == Status::sleeping) text += " on" + name(locations_[thread.waits_for]);
    for (unsigned other = 0; thread.status == Status::joining && other < thread_count_; ++other) {
      if ((thread.waits_for >> other & 1U) != 0) text += " T" + std::to_string(other);
    }
  }
  return text;
}

}  // namespace spawned::testing::model::detail
