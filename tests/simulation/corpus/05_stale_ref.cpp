// 5: a ref that has outlived its actor.
//
// Bug          a client looks the server up once, and takes every error for the end.
// Interleaving the server is restarted after the look-up and before the last call.
// Fix          "it does not exist" means: look it up again.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Server : public sp::Actor<Server> {
 public:
  struct Call {};
  int handle_request(Call /*request*/) {
    corpus::maybe_sleep();
    return 1;
  }
};

class Directory : public sp::Actor<Directory> {
 public:
  struct Find {};
  struct Restart {};
  sp::ActorRef<Server> handle_request(Find /*request*/) {
    corpus::maybe_sleep();
    return server_;
  }
  sp::Task<void> handle_request(Restart /*request*/) {
    corpus::maybe_sleep();
    auto old = server_;
    server_ = Server{}.start();
    (void)co_await old.stop_and_wait();
  }

 private:
  sp::ActorRef<Server> server_ = Server{}.start();
};

sp::Task<void> upgrade(sp::ActorRef<Directory> directory) {
  co_await corpus::work(4);
  (void)co_await ask<Directory::Restart>(directory);
}

template <Variant variant>
sp::Task<void> stale_ref() {
  auto directory = sp::start<Directory>();
  auto upgraded = sp::spawn(upgrade(directory));
  auto found = co_await ask<Directory::Find>(directory);
  auto server = std::move(found).value();
  for (int served = 0; served < 2;) {
    auto const answer = co_await ask<Server::Call>(server);
    if (answer) {
      ++served;
    } else if (variant == Variant::fixed) {
      auto again = co_await ask<Directory::Find>(directory);
      server = std::move(again).value();
    } else {
      corpus::fail("a call went to a server that was restarted");
    }
  }
  (void)co_await upgraded;
}

CORPUS_PROGRAM(5, "a stale ref after a restart", stale_ref, false);

}  // namespace
