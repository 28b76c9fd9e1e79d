// expect: error:.*gcc12_destroys_this_temporary_twice.*<Job>
// compiler: gnu
// An aggregate temporary in a send into a channel, which is awaited.
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Job {
  std::string name, text;
};

sp::Task<void> demo(sp::ChannelSender<Job> sender) {
  auto sent = co_await sender.send(Job{"a", "b"});
  if (!sent) co_return;
}
