// expect: error:.*gcc12_destroys_this_temporary_twice.*<.*<lambda
// compiler: gnu
// A closure with a capture that has a destructor.
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
  std::string text = "long enough to be on the heap, where a second free is seen";
  auto result = co_await sp::spawn_blocking([text] { return text.size(); });
  (void)result;
}
