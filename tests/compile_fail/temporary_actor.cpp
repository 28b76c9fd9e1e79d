// expect: error:.*gcc12_destroys_this_temporary_twice.*<.*Keeper>
// compiler: gnu
// An actor that is an aggregate, started where a co_await stands.
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
    std::string name;
    void handle_message(Add const&) {}
  };
  auto keeper = co_await Keeper{{}, "k"}.start_and_wait();
  (void)keeper;
}
