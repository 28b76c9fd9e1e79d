// expect: error:.*gcc12_destroys_this_temporary_twice.*<Add>
// compiler: gnu
// An aggregate temporary as the argument an actor is built from.
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Add {
  std::string key, value;
};

class NameServer : public sp::Actor<NameServer> {
 public:
  void handle_request(Add const&) {}
  void handle_message(Add const&) {}
};

sp::Task<void> demo(sp::ActorRef<NameServer> server) {
  struct Keeper : sp::Actor<Keeper> {
    explicit Keeper(Add) {}
    void handle_message(Add const&) {}
  };
  auto keeper = co_await sp::start_and_wait<Keeper>(sp::no_timeout, Add{"Joe", "At Home"});
  (void)keeper;
}
