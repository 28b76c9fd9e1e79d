// The functions of the system that no seed decides, in front of the real ones.
//
// A program that links this object calls these: its own symbols come before those of shared
// libraries, for itself and for the libraries it uses. On a thread that is not watched, each is
// the real function. The sanitizers do the same from further behind: their function, if there is
// one, is what is forwarded to.
//
// Not for programs linked with -static: there is nothing to forward to.
#undef _FORTIFY_SOURCE  // it defines some of these

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/real_world.hpp>

#include "simulation/interpose/call_site.hpp"

namespace {

using spawned::detail::Exempt;
using spawned::detail::real_world_watch;
using spawned::detail::RealWorldCall;
using spawned::detail::RealWorldWatch;
using Answer = RealWorldWatch::Answer;

// Asked of a watched thread. `returns_to`: of the function that asks.
[[gnu::noinline]] Answer ask_watch(RealWorldCall const& call, void* returns_to) noexcept {
  RealWorldWatch& watch = *real_world_watch;
  Exempt const exempt;
  spawned::interpose::CallSite site(returns_to);
  return watch.met(call, site);
}

inline Answer ask(RealWorldCall const& call, void* returns_to) noexcept {
  return real_world_watch == nullptr ? Answer::real : ask_watch(call, returns_to);
}

// The next function of this name, behind ours.
template <typename Function>
Function* find_real(char const* name, Function* of_sanitizer,
                    spawned::detail::atomic<void*>& found) noexcept {
  if (of_sanitizer != nullptr) return of_sanitizer;
  void* real = found.load(spawned::detail::memory_order_relaxed);  // all store the same
  if (real == nullptr) {
    Exempt const exempt;
    real = dlsym(RTLD_NEXT, name);
    if (real == nullptr) std::abort();                         // linked with -static
    found.store(real, spawned::detail::memory_order_relaxed);  // all store the same
  }
  return reinterpret_cast<Function*>(real);
}

timespec as_timespec(std::int64_t ns) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  return {.tv_sec = ns / second, .tv_nsec = ns % second};
}

void fill_randomly(void* bytes, std::size_t count) noexcept {
  auto* at = static_cast<unsigned char*>(bytes);
  while (count != 0) {
    std::uint32_t const number = real_world_watch->random();
    std::size_t const part = count < sizeof(number) ? count : sizeof(number);
    std::memcpy(at, &number, part);
    at += part;
    count -= part;
  }
}

int refuse() noexcept {
  errno = EPERM;
  return -1;
}

constexpr char const* use_now =
    "spawned::now(), or Options::real_world = RealWorld::virtualise, which makes real clocks show "
    "virtual time";
constexpr char const* use_sleep = "co_await spawned::sleep(), which takes virtual time";
constexpr char const* use_random =
    "a generator seeded from the program's own input, or Options::real_world = "
    "RealWorld::virtualise, which draws these numbers from the seed of the run";
constexpr char const* use_spawn =
    "spawned::spawn() for what computes, spawned::spawn_blocking() for what blocks";
constexpr char const* use_channel = "a message, a channel or a oneshot, which a task can await";
constexpr char const* use_actor =
    "an actor that stands for the other side; or a test on a real runtime";

}  // namespace

// `answer` becomes what the watch says about this call.
#define SPAWNED_ASK(what, instead, can_be_virtual)                                      \
  static constexpr RealWorldCall spawned_call{__func__, what, instead, can_be_virtual}; \
  Answer const answer = ask(spawned_call, __builtin_return_address(0))
// The real function of this name.
#define SPAWNED_REAL(name) find_real(#name, &__interceptor_##name, spawned_real_##name)
#define SPAWNED_FORWARDED(name)                                          \
  extern "C" [[gnu::weak]] decltype(::name) __interceptor_##name;        \
  namespace {                                                            \
  constinit spawned::detail::atomic<void*> spawned_real_##name{nullptr}; \
  }

// --- clocks ---

SPAWNED_FORWARDED(clock_gettime)
SPAWNED_FORWARDED(gettimeofday)
SPAWNED_FORWARDED(time)
SPAWNED_FORWARDED(timespec_get)
SPAWNED_FORWARDED(clock)

extern "C" {

int clock_gettime(clockid_t id, timespec* moment) noexcept {
  SPAWNED_ASK("reads the real clock", use_now, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(clock_gettime)(id, moment);
  bool const utc = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI;
  *moment = as_timespec(utc ? real_world_watch->utc_ns() : real_world_watch->now_ns());
  return 0;
}

int gettimeofday(timeval* __restrict moment, void* __restrict zone) noexcept {
  SPAWNED_ASK("reads the real clock", use_now, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(gettimeofday)(moment, zone);
  timespec const now = as_timespec(real_world_watch->utc_ns());
  *moment = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1'000};
  return 0;
}

time_t time(time_t* moment) noexcept {
  SPAWNED_ASK("reads the real clock", use_now, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(time)(moment);
  time_t const now = as_timespec(real_world_watch->utc_ns()).tv_sec;
  if (moment != nullptr) *moment = now;
  return now;
}

int timespec_get(timespec* moment, int base) noexcept {
  SPAWNED_ASK("reads the real clock", use_now, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(timespec_get)(moment, base);
  *moment = as_timespec(real_world_watch->utc_ns());
  return base;
}

clock_t clock() noexcept {
  SPAWNED_ASK("reads the processor's time", use_now, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(clock)();
  return real_world_watch->now_ns() / 1'000;  // CLOCKS_PER_SEC is a million
}

}  // extern "C"

// --- waiting ---

SPAWNED_FORWARDED(nanosleep)
SPAWNED_FORWARDED(clock_nanosleep)
SPAWNED_FORWARDED(usleep)
SPAWNED_FORWARDED(sleep)
SPAWNED_FORWARDED(sched_yield)
SPAWNED_FORWARDED(pthread_cond_wait)
SPAWNED_FORWARDED(pthread_cond_timedwait)
SPAWNED_FORWARDED(pthread_cond_clockwait)

extern "C" {

int nanosleep(timespec const* duration, timespec* rest) {
  SPAWNED_ASK("makes the thread sleep", use_sleep, false);
  return answer == Answer::real ? SPAWNED_REAL(nanosleep)(duration, rest) : 0;
}

int clock_nanosleep(clockid_t id, int flags, timespec const* moment, timespec* rest) {
  SPAWNED_ASK("makes the thread sleep", use_sleep, false);
  return answer == Answer::real ? SPAWNED_REAL(clock_nanosleep)(id, flags, moment, rest) : 0;
}

int usleep(useconds_t duration) {
  SPAWNED_ASK("makes the thread sleep", use_sleep, false);
  return answer == Answer::real ? SPAWNED_REAL(usleep)(duration) : 0;
}

unsigned sleep(unsigned seconds) {
  SPAWNED_ASK("makes the thread sleep", use_sleep, false);
  return answer == Answer::real ? SPAWNED_REAL(sleep)(seconds) : 0;
}

int sched_yield() noexcept {
  SPAWNED_ASK("lets other threads run", "co_await spawned::yield_now()", true);
  return answer == Answer::real ? SPAWNED_REAL(sched_yield)() : 0;
}

// Waits even if it is not allowed to: only another thread can end it, and there may be one.
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static constexpr RealWorldCall call{__func__, "blocks the thread, maybe for ever", use_channel,
                                      false, true};
  (void)ask(call, __builtin_return_address(0));
  return SPAWNED_REAL(pthread_cond_wait)(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           timespec const* deadline) {
  SPAWNED_ASK("blocks the thread", use_channel, false);
  return answer == Answer::real ? SPAWNED_REAL(pthread_cond_timedwait)(condition, mutex, deadline)
                                : ETIMEDOUT;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t id,
                           timespec const* deadline) {
  SPAWNED_ASK("blocks the thread", use_channel, false);
  return answer == Answer::real
             ? SPAWNED_REAL(pthread_cond_clockwait)(condition, mutex, id, deadline)
             : ETIMEDOUT;
}

}  // extern "C"

// --- threads ---

SPAWNED_FORWARDED(pthread_create)

extern "C" int pthread_create(pthread_t* thread, pthread_attr_t const* attributes,
                              void* (*body)(void*), void* argument) noexcept {
  SPAWNED_ASK("starts a real thread", use_spawn, false);
  return answer == Answer::real ? SPAWNED_REAL(pthread_create)(thread, attributes, body, argument)
                                : EAGAIN;
}

// --- random numbers ---

SPAWNED_FORWARDED(getrandom)
SPAWNED_FORWARDED(getentropy)
SPAWNED_FORWARDED(rand)
SPAWNED_FORWARDED(random)

extern "C" {

ssize_t getrandom(void* bytes, size_t count, unsigned flags) {
  SPAWNED_ASK("takes a number from a random device", use_random, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(getrandom)(bytes, count, flags);
  fill_randomly(bytes, count);
  return static_cast<ssize_t>(count);
}

int getentropy(void* bytes, size_t count) {
  SPAWNED_ASK("takes a number from a random device", use_random, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(getentropy)(bytes, count);
  fill_randomly(bytes, count);
  return 0;
}

int rand() noexcept {
  SPAWNED_ASK("takes a number that depends on all who took one before", use_random, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(rand)();
  return static_cast<int>(real_world_watch->random() >> 1);
}

long random() noexcept {
  SPAWNED_ASK("takes a number that depends on all who took one before", use_random, true);
  if (answer != Answer::from_simulation) return SPAWNED_REAL(random)();
  return static_cast<long>(real_world_watch->random() >> 1);
}

// std::random_device::operator(), as libstdc++.so has it. It may use an instruction of the
// processor, which leaves nothing else to stand before. Weak, so that a static libstdc++ wins.
[[gnu::weak]] unsigned _ZNSt13random_device9_M_getvalEv(void* device);
unsigned _ZNSt13random_device9_M_getvalEv(void* device) {
  static constexpr RealWorldCall call{"std::random_device::operator",
                                      "takes a number from a random device", use_random, true};
  if (ask(call, __builtin_return_address(0)) == Answer::from_simulation) {
    return real_world_watch->random();
  }
  constinit static spawned::detail::atomic<void*> found{nullptr};
  return find_real<unsigned(void*)>("_ZNSt13random_device9_M_getvalEv", nullptr, found)(device);
}

}  // extern "C"

// --- sockets ---

SPAWNED_FORWARDED(socket)
SPAWNED_FORWARDED(socketpair)
SPAWNED_FORWARDED(connect)
SPAWNED_FORWARDED(accept)
SPAWNED_FORWARDED(accept4)
SPAWNED_FORWARDED(send)
SPAWNED_FORWARDED(recv)
SPAWNED_FORWARDED(getaddrinfo)
SPAWNED_FORWARDED(poll)
SPAWNED_FORWARDED(select)
SPAWNED_FORWARDED(epoll_wait)

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  SPAWNED_ASK("opens a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(socket)(domain, type, protocol) : refuse();
}

int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
  SPAWNED_ASK("opens real sockets", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(socketpair)(domain, type, protocol, pair) : refuse();
}

int connect(int socket, sockaddr const* address, socklen_t size) {
  SPAWNED_ASK("connects a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(connect)(socket, address, size) : refuse();
}

int accept(int socket, sockaddr* __restrict address, socklen_t* __restrict size) {
  SPAWNED_ASK("waits for a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(accept)(socket, address, size) : refuse();
}

int accept4(int socket, sockaddr* __restrict address, socklen_t* __restrict size, int flags) {
  SPAWNED_ASK("waits for a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(accept4)(socket, address, size, flags) : refuse();
}

ssize_t send(int socket, void const* bytes, size_t count, int flags) {
  SPAWNED_ASK("writes to a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(send)(socket, bytes, count, flags) : refuse();
}

ssize_t recv(int socket, void* bytes, size_t count, int flags) {
  SPAWNED_ASK("reads from a real socket", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(recv)(socket, bytes, count, flags) : refuse();
}

int getaddrinfo(char const* __restrict node, char const* __restrict service,
                addrinfo const* __restrict hints, addrinfo** __restrict found) {
  SPAWNED_ASK("asks the real network for an address", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(getaddrinfo)(node, service, hints, found) : EAI_FAIL;
}

int poll(pollfd* files, nfds_t count, int limit_ms) {
  SPAWNED_ASK("waits for real files", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(poll)(files, count, limit_ms) : refuse();
}

int select(int count, fd_set* __restrict readable, fd_set* __restrict writable,
           fd_set* __restrict exceptional, timeval* __restrict limit) {
  SPAWNED_ASK("waits for real files", use_actor, false);
  return answer == Answer::real
             ? SPAWNED_REAL(select)(count, readable, writable, exceptional, limit)
             : refuse();
}

int epoll_wait(int poller, epoll_event* events, int most, int limit_ms) {
  SPAWNED_ASK("waits for real files", use_actor, false);
  return answer == Answer::real ? SPAWNED_REAL(epoll_wait)(poller, events, most, limit_ms)
                                : refuse();
}

}  // extern "C"
