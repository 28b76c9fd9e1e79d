// 9: an order that only one sender keeps.
//
// Bug          a document is created by way of a router; then its reader is told, who uses it
//              directly.
// Interleaving the use overtakes the creation, which the router has not passed on yet.
// Fix          the reader is told when the creation is acknowledged.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Library : public sp::Actor<Library> {
 public:
  struct Create {};
  struct Use {};
  void handle_request(Create /*request*/) {
    corpus::maybe_sleep();
    exists_ = true;
  }
  bool handle_request(Use /*request*/) {
    corpus::maybe_sleep();
    return exists_;
  }

 private:
  bool exists_ = false;
};

class Router : public sp::Actor<Router> {
 public:
  struct Create {};
  explicit Router(sp::ActorRef<Library> library) : library_(std::move(library)) {}
  sp::Task<void> handle_request(Create /*request*/) {
    corpus::maybe_sleep();
    auto const created = co_await ask<Library::Create>(library_);
    created.value();
  }

 private:
  sp::ActorRef<Library> library_;
};

class Reader : public sp::Actor<Reader> {
 public:
  struct Read {};
  explicit Reader(sp::ActorRef<Library> library) : library_(std::move(library)) {}
  sp::Task<bool> handle_request(Read /*request*/) {
    corpus::maybe_sleep();
    co_await sp::yield_now();  // makes itself ready
    auto const used = co_await ask<Library::Use>(library_);
    co_return used.value();
  }

 private:
  sp::ActorRef<Library> library_;
};

template <Variant variant>
sp::Task<void> cross_sender_order() {
  auto library = Library{}.start();
  auto router = Router(library).start();
  auto reader = Reader(library).start();
  auto creation = router.start_request<Router::Create>();
  if (variant == Variant::fixed) {
    auto const created = co_await creation;
    created.value();
  }
  auto const read = co_await ask<Reader::Read>(reader);
  corpus::check(read.value(), "a document was used before it was created");
}

CORPUS_PROGRAM(9, "the order of two senders", cross_sender_order, false);

}  // namespace
