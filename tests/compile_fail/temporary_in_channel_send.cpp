// expect: error:.*gcc12_destroys_this_temporary_twice.*<Add>
// compiler: gnu
// An aggregate with a destructor as the value of a send.
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Add {
  std::string key, value;
};

sp::Task<void> demo(sp::ChannelSender<Add> sender) {
  auto result = co_await sender.send(Add{"Joe", "At Home, where a second free is seen"});
  (void)result;
}
