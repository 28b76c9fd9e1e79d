// expect: error:.*actor_has_no_handle_message_for_this_message<Worker, Said>
// A subscriber that does not handle what the topic is of.
#include <spawned/registry/topics.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Said {};

class Worker : public sp::Actor<Worker> {};

void subscribe(sp::Topic<Said> const& topic, sp::ActorRef<Worker> const& worker) {
  (void)topic.subscribe(worker);
}
