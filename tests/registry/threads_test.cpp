#include <spawned/threads.hpp>

#include <chrono>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/registry/registry.hpp>

namespace sp = spawned::threads;
using Kind = sp::registry::RegistryError::Kind;
using namespace std::chrono_literals;

namespace {

struct Ping {};
struct WatchName {
  std::string name;
};
struct Downs {};

class Server : public sp::Actor<Server> {
 public:
  explicit Server(bool fails = false) : fails_(fails) {}
  sp::InitResult init() {
    return fails_ ? sp::InitResult::error(sp::ExitReason::error("no")) : sp::InitResult::success();
  }
  int handle_request(Ping) { return ++pings_; }
  void handle_request(WatchName const& watch, sp::Context<Server>& context) {
    (void)sp::registry::monitor(context, watch.name);
  }
  void handle_message(sp::Down const& /*down*/) { ++downs_; }
  int handle_request(Downs) { return downs_; }

 private:
  bool fails_;
  int pings_ = 0;
  int downs_ = 0;
};

constexpr sp::registry::Key<Server> key("server");

}  // namespace

TEST_SUITE("registry/threads") {
  TEST_CASE("the threads flavour: register, look up, start, wait, all blocking") {
    sp::run([] {
      auto server = Server().start();
      CHECK(sp::registry::register_name("name", server).has_value());
      CHECK(sp::registry::register_name(key, server).has_value());
      auto found = sp::registry::whereis<Server>("name");
      CHECK(found.value().request<Ping>().value() == 1);
      CHECK(sp::registry::whereis(key).value().request<Ping>().value() == 2);
      auto waited = sp::registry::wait_until_registered<Server>("name", 1s);
      CHECK(waited.value() == server);
      auto never = sp::registry::wait_until_registered<Server>("never", 1ms);
      CHECK(never.error() == Kind::timeout);

      auto first = sp::registry::start_registered<Server>("started");
      CHECK(first.value().started_now);
      auto second = sp::registry::start_registered<Server>("started");
      CHECK_FALSE(second.value().started_now);
      CHECK(second.value().ref == first.value().ref);
      auto failed = sp::registry::start_registered<Server>("failed", true);
      CHECK(failed.error().start_error() != nullptr);
      CHECK(sp::registry::whereis<Server>("failed").error() == Kind::not_registered);

      CHECK(server.request<WatchName>("started").has_value());
      CHECK(server.request<WatchName>("nobody").has_value());
      (void)first.value().ref.stop_and_wait();
      CHECK(sp::registry::whereis<Server>("started").error() == Kind::not_registered);
      CHECK(server.request<Downs>().value() == 2);
      CHECK(sp::registry::registered().size() == 2);
      CHECK(sp::registry::unregister("name").has_value());
    });
  }
}
