#include "simulation/threads.hpp"

#include <utility>

#include "scheduler/scheduler.hpp"

namespace spawned::simulation {

/// Work on its way to a thread: in the ready list it stands for the work.
class Threads::Turn final : public detail::Runnable {
 public:
  explicit Turn(Threads& threads) noexcept : Runnable(nullptr, &run_turn), threads_(threads) {}
  detail::Runnable* work = nullptr;
  BatonThread* thread = nullptr;  // null: any

 private:
  static void run_turn(Runnable& runnable) noexcept {
    auto& self = static_cast<Turn&>(runnable);
    Threads& threads = self.threads_;
    BatonThread& on = self.thread != nullptr ? *self.thread : threads.idle_thread();
    detail::Runnable& work = *std::exchange(self.work, nullptr);
    bool const inside = self.thread != nullptr || work.home != nullptr;
    if (self.thread == nullptr) threads.turns_.emplace_back(&self);
    on.give(work, inside);
  }
  Threads& threads_;
};

class Threads::Dedicated final : public detail::Executor {
 public:
  explicit Dedicated(Threads& threads)
      : Executor(threads.scheduler_,
                 static_cast<detail::Executor&>(threads.scheduler_).detects_cycles(), true),
        thread_(threads.scheduler_, threads.simulated_),
        turn_(threads),
        ready_(threads.ready_) {
    turn_.thread = &thread_;
  }
  void post(detail::Runnable& work) noexcept override {
    turn_.work = &work;
    ready_.add_as(turn_, ready_.number(work));
  }
  [[nodiscard]] bool is_idle() const { return thread_.is_idle(); }

 private:
  BatonThread thread_;
  Turn turn_;
  ReadyList& ready_;
};

Threads::Threads(detail::Scheduler& scheduler, detail::Simulated& simulated,
                 ReadyList& ready) noexcept
    : scheduler_(scheduler), simulated_(simulated), ready_(ready) {}

Threads::~Threads() {
  // Who is in the middle of something never comes back; what he holds is given up.
  for (auto& thread : pool_) {
    if (!thread->is_idle()) (void)thread.release();
  }
  for (auto& executor : dedicated_) {
    if (!executor->is_idle()) (void)executor.release();
  }
}

BatonThread& Threads::idle_thread() {
  for (auto const& thread : pool_) {
    if (thread->is_idle()) return *thread;
  }
  pool_.push_back(std::make_unique<BatonThread>(scheduler_, simulated_));
  return *pool_.back();
}

void Threads::submit(detail::Runnable& work) {
  if (turns_.empty()) turns_.push_back(std::make_unique<Turn>(*this));
  Turn* const turn = turns_.back().release();
  turns_.pop_back();
  turn->work = &work;
  ready_.add_as(*turn, ready_.number(work));
}

detail::Executor& Threads::dedicated() {
  dedicated_.push_back(std::make_unique<Dedicated>(*this));
  return *dedicated_.back();
}

void Threads::block(detail::atomic<std::uint32_t>& word) {
  BatonThread& self = *BatonThread::current();
  blocked_[&word] = &self;
  self.wait();
}

void Threads::wake(detail::atomic<std::uint32_t>& word) {
  auto const found = blocked_.find(&word);
  if (found == blocked_.end()) return;
  BatonThread& thread = *found->second;
  blocked_.erase(found);
  ready_.add_as(thread, ready_.number(*thread.work()));
}

bool Threads::any_blocked() const { return !blocked_.empty(); }

}  // namespace spawned::simulation
