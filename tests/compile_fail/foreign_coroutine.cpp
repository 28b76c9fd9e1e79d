// expect: error: no matching (member )?function for call to .*await_suspend
// An await in a coroutine type that the library does not know.
#include <coroutine>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Foreign {
  struct promise_type {
    Foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

struct Find {};
class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

Foreign demo(sp::ActorRef<NameServer> server) {
  auto reply = co_await server.request<Find>();
  (void)reply;
}
