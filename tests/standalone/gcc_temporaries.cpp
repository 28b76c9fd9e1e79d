// nosanitize: the defect is a double free, which a sanitizer would report instead of us.
//
// Does this compiler destroy a temporary twice when a co_await stands in the same full expression
// (docs/compatibility.md)? Each case runs in a child process, because it may corrupt the heap, and
// its finding must be what the library's guard says of the type.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <spawned/runtime/moved.hpp>

namespace {

int living = 0;     // payloads constructed and not destroyed
int misplaced = 0;  // payloads destroyed at an address where none was constructed

struct Payload {
  Payload() : self(this) { ++living; }
  Payload(Payload const& other) : self(this) { check(other); }
  Payload(Payload&& other) noexcept : self(this) { check(other); }
  Payload& operator=(Payload const&) = delete;
  ~Payload() {
    if (self != this) ++misplaced;
    self = nullptr;
    --living;
  }
  void check(Payload const& other) noexcept {
    if (other.self != &other) ++misplaced;
    ++living;
  }
  Payload* self;
};

struct Eager {
  struct promise_type {
    Eager get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

// Like the library's awaitables: a class with a constructor.
class Ready {
 public:
  explicit Ready(int /*unused*/) noexcept {}
  [[nodiscard]] bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<> /*caller*/) const noexcept {}
  void await_resume() const noexcept {}
};

template <typename M>
Ready take(M&& message) {
  [[maybe_unused]] M const taken(std::forward<M>(message));
  return Ready(0);
}
template <typename M, typename... Args>
Ready take_in_place(Args&&... args) {
  [[maybe_unused]] M const built{std::forward<Args>(args)...};
  return Ready(0);
}

struct Aggregate {
  Payload payload;
  int number;
};
struct Trivial {
  char const* text;
  int number;
};
class WithConstructor {
 public:
  explicit WithConstructor(int /*value*/) {}

 private:
  Payload payload;
};

// waiver G16: the temporaries are what is examined.
Eager aggregate() { co_await take(Aggregate{Payload(), 1}); }
// waiver G16: the temporaries are what is examined.
Eager aggregate_in_parentheses() { co_await take(Aggregate(Payload(), 1)); }
Eager closure() {
  Payload payload;
  // waiver G16: the temporaries are what is examined.
  co_await take([payload] { return payload.self; });
}
// waiver G16: the temporaries are what is examined.
Eager trivial() { co_await take(Trivial{"text", 1}); }
Eager with_constructor() { co_await take(WithConstructor(1)); }
Eager pair() { co_await take(std::pair<Payload, int>(Payload(), 1)); }
Eager in_place() { co_await take_in_place<Aggregate>(Payload(), 1); }
Eager moved() {
  Aggregate named{Payload(), 1};
  co_await take(spawned::moved(named));
}
Eager moved_closure() {
  Payload payload;
  auto named = [payload] { return payload.self; };
  co_await take(spawned::moved(named));
}

/// What became of the payloads of one case, seen from outside.
bool destroyed_twice(Eager (*program)()) {
  std::fflush(stdout);
  pid_t const child = fork();
  if (child == 0) {
    living = misplaced = 0;
    (void)program();
    _exit(living == 0 && misplaced == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int disagreements = 0;

template <typename Argument>
void examine(char const* name, Eager (*program)()) {
  bool const defect = destroyed_twice(program);
  bool const guarded = spawned::detail::dangerous_temporary<Argument>;
  std::printf("%-26s %-16s %s\n", name, defect ? "destroyed twice" : "right",
              guarded ? "rejected" : "accepted");
  if (defect != guarded) ++disagreements;
}

}  // namespace

int main() {
  Payload payload;
  auto lambda = [payload] { return payload.self; };
  examine<Aggregate>("aggregate", &aggregate);
  examine<Aggregate>("aggregate in parentheses", &aggregate_in_parentheses);
  examine<decltype(lambda)>("closure", &closure);
  examine<Trivial>("trivial aggregate", &trivial);
  examine<WithConstructor>("class with constructor", &with_constructor);
  examine<std::pair<Payload, int>>("pair", &pair);
  examine<Payload>("built in place", &in_place);
  examine<spawned::Moved<Aggregate>>("moved aggregate", &moved);
  examine<spawned::Moved<decltype(lambda)>>("moved closure", &moved_closure);
  if (disagreements != 0) {
    std::printf("%d cases where dangerous_temporary (moved.hpp) is wrong about this compiler\n",
                disagreements);
  }
  return disagreements == 0 ? 0 : 1;
}
