// expect: error:.*gcc12_destroys_this_temporary_twice.*Config
// compiler: gnu
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Config {
  std::string name;
};

class Keeper : public sp::Actor<Keeper> {
 public:
  struct Ask {};
  explicit Keeper(Config config) : config_(std::move(config)) {}
  int handle_request(Ask /*question*/) { return 1; }

 private:
  Config config_;
};

sp::Task<void> ask(sp::Runtime& runtime) {
  (void)runtime;
  // waiver G16: the mistake this test is about
  (void)co_await sp::start<Keeper>(Config{"x"}).request<Keeper::Ask>();
}
