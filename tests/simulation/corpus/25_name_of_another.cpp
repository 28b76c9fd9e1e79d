// 25: a service that takes the name of its successor away.
//
// Bug          a service that ends takes its name off the list, whoever has the name by then.
// Interleaving its successor has registered under the name before.
// Fix          it says who it is, and only its own entry goes.
#include <map>
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Service;

class Names : public sp::Actor<Names> {
 public:
  struct Register {
    std::string name;
    sp::ActorRef<Service> who;
  };
  struct Unregister {
    std::string name;
    sp::ActorRef<Service> who;
  };
  struct Find {
    std::string name;
  };
  explicit Names(Variant variant) : variant_(variant) {}
  void handle_message(Register const& message) {
    corpus::maybe_sleep();
    names_.insert_or_assign(message.name, message.who);
  }
  void handle_message(Unregister const& message) {
    corpus::maybe_sleep();
    auto const place = names_.find(message.name);
    if (place == names_.end()) return;
    if (variant_ == Variant::fixed && place->second != message.who) return;
    names_.erase(place);
  }
  std::optional<sp::ActorRef<Service>> handle_request(Find const& find) {
    corpus::maybe_sleep();
    auto const place = names_.find(find.name);
    if (place == names_.end()) return std::nullopt;
    return place->second;
  }

 private:
  Variant variant_;
  std::map<std::string, sp::ActorRef<Service>> names_;
};

class Service : public sp::Actor<Service> {
 public:
  struct Ping {};
  explicit Service(sp::ActorRef<Names> names) : names_(std::move(names)) {}
  void init(sp::Context<Service>& context) {
    corpus::maybe_sleep();
    names_.send<Names::Register>("printer", context.self());
  }
  void handle_request(Ping /*request*/) {}
  void teardown(sp::Context<Service>& context) {
    corpus::maybe_sleep();
    names_.send<Names::Unregister>("printer", context.self());
  }

 private:
  sp::ActorRef<Names> names_;
};

template <Variant variant>
sp::Task<void> name_of_another() {
  auto names = Names(variant).start();
  auto old = Service(names).start();
  (void)co_await ask<Service::Ping>(old);
  old.stop();
  auto successor = Service(names).start();
  (void)co_await ask<Service::Ping>(successor);
  (void)co_await old.wait_exit();
  auto const found = co_await ask<Names::Find>(names, "printer");
  corpus::check(found.value().has_value(), "the name is gone, and its owner lives");
  corpus::check(*found.value() == successor, "the name is that of another");
}

CORPUS_PROGRAM(25, "the name of another", name_of_another, false);

}  // namespace
