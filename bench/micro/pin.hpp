// Binds threads to processors: wake-ups across cores differ by a factor of five with the placement,
// so both sides of such a comparison are placed alike.
#pragma once

#include <pthread.h>
#include <sched.h>

namespace bench {

/// Binds the calling thread to the n-th processor it may use (modulo their number) while it lives.
class PinScope {
 public:
  explicit PinScope(int number) {
    pthread_getaffinity_np(pthread_self(), sizeof(before_), &before_);
    int const wanted = number % CPU_COUNT(&before_);
    for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(static_cast<unsigned>(cpu), &before_) || seen++ != wanted) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(static_cast<unsigned>(cpu), &one);
      pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
      return;
    }
  }
  ~PinScope() { pthread_setaffinity_np(pthread_self(), sizeof(before_), &before_); }
  PinScope(PinScope const&) = delete;
  PinScope& operator=(PinScope const&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace bench
