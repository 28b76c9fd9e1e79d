// expect: error:.*RequestResponse<.*RequestResponse<int>
// A delegation to an actor that answers with another type than the handler says.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Count {};

class Names : public sp::Actor<Names> {
 public:
  std::string handle_request(Find) { return "name"; }
};

class Front : public sp::Actor<Front> {
 public:
  explicit Front(sp::ActorRef<Names> names) : names_(names) {}
  sp::RequestResponse<int> handle_request(Count, sp::Context<Front>& context) {
    return context.delegate<Find>(names_);
  }

 private:
  sp::ActorRef<Names> names_;
};
