#include <variant>

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

struct Add {
  int amount;
};
struct Get {};
struct Name {};
struct Reset {};
struct Later {};
struct LaterVoid {};
struct Wrapped {};
struct WrappedVoid {};
struct Stop {};
struct Fragile {
  explicit Fragile(int value) : text(std::to_string(value)) {
    if (value < 0) throw value;
  }
  Fragile() = default;
  std::string text;
};

using Alike = std::variant<Add, Get, Later>;
using Mixed = std::variant<Add, Name, Reset, LaterVoid, Wrapped, WrappedVoid, Later>;
using Silent = std::variant<Reset, LaterVoid, WrappedVoid>;

class Server : public sp::Actor<Server> {
 public:
  int handle_request(Add add) { return total_ += add.amount; }
  int handle_request(Get /*request*/) const { return total_; }
  std::string handle_request(Name const& /*request*/, sp::Context<Server>& /*context*/) {
    return "server";
  }
  void handle_request(Reset /*request*/) { total_ = 0; }
  sp::Task<int> handle_request(Later /*request*/) {
    co_await sp::yield_now();
    co_return total_ + 1000;
  }
  sp::Task<void> handle_request(LaterVoid /*request*/) {
    co_await sp::yield_now();
    total_ = -1;
  }
  sp::RequestResponse<std::string> handle_request(Wrapped /*request*/) {
    return sp::RequestResponse<std::string>::reply("wrapped");
  }
  sp::RequestResponse<void> handle_request(WrappedVoid /*request*/) {
    return sp::RequestResponse<void>::reply();
  }

  int handle_request(Fragile const& request) { return static_cast<int>(request.text.size()); }
  void handle_message(Fragile const& /*message*/) {}

  void handle_message(Add add) { total_ += add.amount; }
  sp::Task<void> handle_message(Reset /*message*/) {
    co_await sp::yield_now();
    total_ = 0;
  }
  sp::MessageResponse handle_message(Stop /*message*/) { return sp::MessageResponse::stop(); }

 private:
  int total_ = 0;
};

// An actor in the style of an enum-style server: one request type, one handler.
class Whole : public sp::Actor<Whole> {
 public:
  std::string handle_request(std::variant<Add, Get> const& request) {
    return request.index() == 0 ? "whole add" : "whole get";
  }
  int handle_request(Add /*request*/) { return 1; }
};

}  // namespace

TEST_SUITE("actors/variant") {
  TEST_CASE("a variant whose handlers reply alike is answered with that type") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto added = co_await server.request<Alike>(Add(5));
      static_assert(std::is_same_v<decltype(added), sp::Result<int>>);
      CHECK(added.value() == 5);
      auto got = co_await server.request<Alike>(Get());
      CHECK(got.value() == 5);
      auto later = co_await server.request<Alike>(Later());
      CHECK(later.value() == 1005);
    };
    sp::run(body());
  }

  TEST_CASE("a variant whose handlers differ is answered with a variant of the distinct replies") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      using Reply = std::variant<int, std::string, std::monostate>;
      auto added = co_await server.request<Mixed>(Add(5));
      static_assert(std::is_same_v<decltype(added), sp::Result<Reply>>);
      CHECK(added.value() == Reply(5));
      auto name = co_await server.request<Mixed>(Name());
      CHECK(name.value() == Reply("server"));
      auto reset = co_await server.request<Mixed>(Reset());
      CHECK(reset.value() == Reply(std::monostate()));
      auto later_void = co_await server.request<Mixed>(LaterVoid());
      CHECK(later_void.value() == Reply(std::monostate()));
      auto wrapped = co_await server.request<Mixed>(Wrapped());
      CHECK(wrapped.value() == Reply("wrapped"));
      auto wrapped_void = co_await server.request<Mixed>(WrappedVoid());
      CHECK(wrapped_void.value() == Reply(std::monostate()));
      auto later = co_await server.request<Mixed>(Later());
      CHECK(later.value() == Reply(999));
    };
    sp::run(body());
  }

  TEST_CASE("a variant whose handlers all answer nothing is answered with nothing") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto reset = co_await server.request<Silent>(Reset());
      static_assert(std::is_same_v<decltype(reset), sp::Result<void>>);
      CHECK(reset.has_value());
      auto later = co_await server.request<Silent>(LaterVoid());
      CHECK(later.has_value());
      auto wrapped = co_await server.request<Silent>(WrappedVoid());
      CHECK(wrapped.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("a variant is sent like any message") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      using Message = std::variant<Add, Reset, Stop>;
      server.send<Message>(Add(3));
      auto three = co_await server.request<Get>();
      CHECK(three.value() == 3);
      server.send<Message>(Reset());
      auto none = co_await server.request<Get>();
      CHECK(none.value() == 0);
      server.send<Message>(Stop());
      auto reason = co_await server.wait_exit();
      CHECK(reason.value() == sp::ExitReason::normal());
    };
    sp::run(body());
  }

  TEST_CASE("a handler for the variant itself comes before those of its alternatives") {
    auto body = []() -> sp::Task<void> {
      auto whole = Whole().start();
      auto get = co_await whole.request<std::variant<Add, Get>>(Get());
      CHECK(get.value() == "whole get");
      auto add = co_await whole.request<Add>(1);
      CHECK(add.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a variant that holds nothing ends the actor like a handler that threw") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      std::variant<Fragile, Add> empty;
      CHECK_THROWS_AS(empty.emplace<0>(-1), int);
      CHECK(empty.valueless_by_exception());
      auto reply = co_await server.request(empty);
      CHECK(reply.error() == Kind::handler_failed);
      auto other = Server().start();
      other.send(empty);
      auto reason = co_await other.wait_exit();
      CHECK(reason.value().kind() == sp::ExitReason::Kind::error);
    };
    sp::run(body());
  }
}
