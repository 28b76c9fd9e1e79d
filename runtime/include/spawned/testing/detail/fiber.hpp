// Stacks to switch between on one OS thread, known to the address and thread sanitizers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <sys/mman.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SPAWNED_MODEL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPAWNED_MODEL_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SPAWNED_MODEL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SPAWNED_MODEL_TSAN 1
#endif
#endif

extern "C" {
#if defined(SPAWNED_MODEL_ASAN)
void __sanitizer_start_switch_fiber(void** fake_stack, void const* bottom, std::size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack, void const** bottom, std::size_t* size);
void __asan_unpoison_memory_region(void const volatile* address, std::size_t size);
void __lsan_disable();
void __lsan_enable();
#endif
#if defined(SPAWNED_MODEL_TSAN)
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
#endif
}

namespace spawned::testing::model::detail {

#if defined(__x86_64__)
/// Pushes the registers that a call must keep, leaves the stack in `*save` and goes on with `load`.
[[gnu::naked, gnu::noinline]] inline void switch_stack(void** /*save*/, void* /*load*/) {
  asm volatile(
      "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}
#endif

/// Memory of abandoned executions is never freed: nothing may unwind them, since the code under
/// test is noexcept. The leak sanitizer is told not to count what they allocate.
class IgnoreLeaks {
 public:
#if defined(SPAWNED_MODEL_ASAN)
  IgnoreLeaks() noexcept { __lsan_disable(); }
  ~IgnoreLeaks() { __lsan_enable(); }
#else
  IgnoreLeaks() noexcept {}
  ~IgnoreLeaks() {}
#endif
  IgnoreLeaks(IgnoreLeaks const&) = delete;
  IgnoreLeaks& operator=(IgnoreLeaks const&) = delete;
};

class Fiber {
 public:
  using Entry = void (*)(void*);  // never returns

  Fiber() noexcept = default;  // the OS thread's own stack
  Fiber(Fiber const&) = delete;
  Fiber& operator=(Fiber const&) = delete;
  ~Fiber() {
    if (memory_ == nullptr) return;
#if defined(SPAWNED_MODEL_TSAN)
    if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
#endif
    ::munmap(memory_, guard + stack_size);
  }

  [[nodiscard]] bool has_stack() const noexcept { return memory_ != nullptr; }

  /// The next switch to it calls entry(argument), whatever it was doing before.
  void start(Entry entry, void* argument) {
    if (memory_ == nullptr) allocate();
    entry_ = entry;
    argument_ = argument;
#if defined(SPAWNED_MODEL_ASAN)
    __asan_unpoison_memory_region(bottom_, size_);
    fake_stack_ = nullptr;
#endif
#if defined(SPAWNED_MODEL_TSAN)
    if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
    tsan_ = __tsan_create_fiber(0);
#endif
    prepare();
  }

  /// From the running one to another; returns when somebody switches back.
  static void switch_to(Fiber& from, Fiber& to) {
    left_ = &from;
    arrived_ = &to;
#if defined(SPAWNED_MODEL_ASAN)
    __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
#endif
#if defined(SPAWNED_MODEL_TSAN)
    if (from.tsan_ == nullptr) from.tsan_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.tsan_, 0);
#endif
    jump(from, to);
    arrive(from);
  }

 private:
  static constexpr std::size_t guard = 4'096;
#if defined(SPAWNED_MODEL_ASAN) || defined(SPAWNED_MODEL_TSAN)
  static constexpr std::size_t stack_size = std::size_t{1} << 19;
#else
  static constexpr std::size_t stack_size = std::size_t{1} << 17;
#endif

  void allocate() {
    void* const memory = ::mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(memory);
    (void)::mprotect(memory_, guard, PROT_NONE);
    bottom_ = memory_ + guard;
    size_ = stack_size;
  }

  static void arrive([[maybe_unused]] Fiber& self) {
#if defined(SPAWNED_MODEL_ASAN)
    __sanitizer_finish_switch_fiber(self.fake_stack_, &left_->bottom_, &left_->size_);
#endif
  }

  static void first() {
    Fiber& self = *arrived_;
    arrive(self);
    self.entry_(self.argument_);
    __builtin_trap();
  }

#if defined(__x86_64__)
  void prepare() noexcept {
    auto** const top = reinterpret_cast<void**>(memory_ + guard + stack_size);
    top[-1] = nullptr;                          // the return address of first()
    top[-2] = reinterpret_cast<void*>(&first);  // what switch_stack() returns to
    for (int i = 3; i <= 8; ++i) top[-i] = nullptr;
    stack_ = top - 8;
  }
  static void jump(Fiber& from, Fiber& to) { switch_stack(&from.stack_, to.stack_); }
  void* stack_ = nullptr;
#else
  void prepare() noexcept {
    (void)::getcontext(&context_);
    context_.uc_stack.ss_sp = memory_ + guard;
    context_.uc_stack.ss_size = stack_size;
    context_.uc_link = nullptr;
    ::makecontext(&context_, &first, 0);
  }
  static void jump(Fiber& from, Fiber& to) { (void)::swapcontext(&from.context_, &to.context_); }
  ucontext_t context_{};
#endif

  static inline constinit thread_local Fiber* left_ = nullptr;
  static inline constinit thread_local Fiber* arrived_ = nullptr;
  char* memory_ = nullptr;
  void const* bottom_ = nullptr;
  std::size_t size_ = 0;
  [[maybe_unused]] void* fake_stack_ = nullptr;
  [[maybe_unused]] void* tsan_ = nullptr;
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace spawned::testing::model::detail
