#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"
#include "support/actors.hpp"

using namespace names;

namespace {

/// Registers itself in init, and looks itself up there.
class Registers : public sp::Actor<Registers> {
 public:
  sp::InitResult init(sp::Context<Registers>& context) {
    auto registered = registry::register_name("self", context.self());
    found_ = registered && registry::whereis<Registers>("self").has_value();
    return sp::InitResult::success();
  }
  bool handle_request(Ping) { return found_; }

 private:
  bool found_ = false;
};

sp::Task<void> end_of(sp::ActorRef<Holder> holder) {
  auto ended = co_await holder.stop_and_wait();
  CHECK(ended.has_value());
}

}  // namespace

TEST_SUITE("registry/names") {
  TEST_CASE("a registered actor is found by its name, and by no other") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("holder", holder).has_value());
      auto found = registry::whereis<Holder>("holder");
      CHECK(found.value() == holder);
      CHECK(kind_of(registry::whereis<Holder>("holder2")) == Kind::not_registered);
      auto reply = co_await found->request<Ping>();
      CHECK(reply.value() == 1);
    };
    sp::run(body());
  }
  TEST_CASE("REG-01: what cannot be registered or taken back is told apart") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      auto other = Holder().start();
      CHECK(registry::register_name("taken", holder).has_value());
      auto taken = registry::register_name("taken", other);
      CHECK(kind_of(taken) == Kind::name_taken);
      CHECK(taken.error().holder() == holder.id());
      CHECK(registry::register_name("second", holder).has_value());  // any number of names
      co_await end_of(other);
      CHECK(kind_of(registry::register_name("dead", other)) == Kind::no_such_actor);
      CHECK(kind_of(registry::whereis<Holder>("dead")) == Kind::not_registered);
      CHECK(kind_of(registry::register_name("", holder)) == Kind::empty_name);
      CHECK(kind_of(registry::unregister("")) == Kind::empty_name);
      CHECK(kind_of(registry::unregister("nobody")) == Kind::not_registered);
    };
    sp::run(body());
  }
  TEST_CASE("REG-03, SIG-04: messages by ref and by name keep the order of their sender") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("holder", holder).has_value());
      std::vector<std::string> sent;
      for (int i = 0; i < 300; ++i) {
        sent.push_back(std::to_string(i));
        if (i % 2 == 0) {
          holder.send<Say>(sent.back());
        } else {
          auto found = registry::whereis<Holder>("holder");
          found.value().send<Say>(sent.back());
        }
      }
      auto said = co_await holder.request<Said>();
      CHECK(said.value() == sent);
    };
    sp::run(body());
  }
  TEST_CASE("REG-04: a name that is taken back names nobody, and its actor lives") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("name", holder).has_value());
      CHECK(registry::unregister("name").has_value());
      CHECK(kind_of(registry::whereis<Holder>("name")) == Kind::not_registered);
      CHECK(kind_of(registry::unregister("name")) == Kind::not_registered);
      auto reply = co_await holder.request<Ping>();
      CHECK(reply.has_value());
    };
    sp::run(body());
  }
  TEST_CASE("REG-05: all names of an actor go with it") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      auto other = Holder().start();
      for (int i = 0; i < 100; ++i) {
        CHECK(registry::register_name("name" + std::to_string(i), holder).has_value());
      }
      CHECK(registry::register_name("other", other).has_value());
      CHECK(registry::registered().size() == 101);
      holder.kill();
      auto ended = co_await holder.wait_exit();
      CHECK(ended.has_value());
      CHECK(texts(registry::registered()) == test::Strings{"other"});
    };
    sp::run(body());
  }
  TEST_CASE("REG-06: the name of an actor that was stopped is free") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      auto next = Holder().start();
      CHECK(registry::register_name("name", holder).has_value());
      co_await end_of(holder);
      CHECK(registry::register_name("name", next).has_value());
      auto found = registry::whereis<Holder>("name");
      CHECK(found.value() == next);
    };
    sp::run(body());
  }
  TEST_CASE("SIG-08, GS-10: who looks up a name that nobody has is told so, at once") {
    auto body = []() -> sp::Task<void> {
      auto found = registry::whereis<Holder>("nobody");
      CHECK(kind_of(found) == Kind::not_registered);
      CHECK(found.error().what().find("not_registered") == 0);
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("a look-up as another type is an error that names both types and the holder") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("name", holder).has_value());
      auto found = registry::whereis<Other>("name");
      CHECK(kind_of(found) == Kind::wrong_type);
      CHECK(found.error().registered_as() == "names::Holder");
      CHECK(found.error().asked_for() == "names::Other");
      CHECK(found.error().holder() == holder.id());
      CHECK_THROWS_AS((void)found.value(), registry::RegistryFailure);
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("an actor is found as its class and as each Protocol it was registered for") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      auto registered = registry::register_name<Pings, Says>("name", holder);
      CHECK(registered.has_value());
      auto pings = registry::whereis<Pings>("name");
      auto reply = co_await pings.value().request<Ping>();
      CHECK(reply.value() == 1);
      auto says = registry::whereis<Says>("name");
      says.value().send<Say>("hello");
      auto said = co_await holder.request<Said>();
      CHECK(said.value() == test::Strings{"hello"});
      CHECK(registry::whereis<Holder>("name").has_value());
      auto both = registry::whereis<sp::Protocol<Say, int(Ping)>>("name");
      CHECK(kind_of(both) == Kind::wrong_type);
    };
    sp::run(body());
  }
  TEST_CASE("what is registered by a Protocol is found by exactly that") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      Pings const pings = holder;
      CHECK(registry::register_name("name", pings).has_value());
      auto found = registry::whereis<Pings>("name");
      auto reply = co_await found.value().request<Ping>();
      CHECK(reply.value() == 1);
      CHECK(kind_of(registry::whereis<Holder>("name")) == Kind::wrong_type);
    };
    sp::run(body());
  }
  TEST_CASE("a typed key needs no type at the look-up, and is a name of its own") {
    static constexpr registry::Key<Holder> key("name");
    static constexpr registry::Key<Pings> by_protocol("name");
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      auto other = Other().start();
      CHECK(registry::register_name(key, holder).has_value());
      CHECK(registry::register_name(by_protocol, other).has_value());
      CHECK(registry::register_name("name", other).has_value());
      auto found = registry::whereis(key);
      static_assert(std::is_same_v<decltype(found)::value_type, spawned::ActorRef<Holder>>);
      CHECK(found.value() == holder);
      auto pings = registry::whereis(by_protocol);
      auto reply = co_await pings.value().request<Ping>();
      CHECK(reply.value() == -1);
      CHECK(registry::registered().size() == 3);
      CHECK(registry::unregister(key).has_value());
      CHECK(kind_of(registry::whereis(key)) == Kind::not_registered);
      CHECK(registry::whereis<Other>("name").has_value());
    };
    sp::run(body());
  }
  TEST_CASE("an actor may take a name in init, and find itself there") {
    auto body = []() -> sp::Task<void> {
      auto self = Registers().start();
      auto found = co_await self.request<Ping>();
      CHECK(found.value());
    };
    sp::run(body());
  }
  TEST_CASE("each runtime has names of its own, and so has each Registry object") {
    sp::Runtime one(test::virtual_time());
    sp::Runtime two(test::virtual_time());
    auto in_one = Registry::of(one);
    auto in_two = Registry::of(two);
    Registry object;
    auto holder = Holder().start_on(one);
    CHECK(in_one.register_name("name", holder).has_value());
    CHECK(kind_of(in_two.whereis<Holder>("name")) == Kind::not_registered);
    CHECK(kind_of(object.whereis<Holder>("name")) == Kind::not_registered);
    CHECK(object.register_name("name", holder).has_value());
    Registry const copy = object;
    CHECK(copy.whereis<Holder>("name").value() == holder);
    auto body = []() -> sp::Task<void> {
      CHECK(registry::whereis<Holder>("name").has_value());
      co_return;
    };
    one.block_on(body());
  }
  TEST_CASE("EREG-08: without a runtime, or in a registry that was moved from, it is unknown") {
    sp::Runtime runtime(test::virtual_time());
    auto holder = Holder().start_on(runtime);
    CHECK(kind_of(registry::whereis<Holder>("name")) == Kind::unknown_registry);
    CHECK(kind_of(registry::register_name("name", holder)) == Kind::unknown_registry);
    CHECK(kind_of(registry::unregister("name")) == Kind::unknown_registry);
    CHECK(registry::registered().empty());
    Registry object;
    Registry const moved = std::move(object);
    CHECK(kind_of(object.whereis<Holder>("name")) == Kind::unknown_registry);  // NOLINT
    CHECK(kind_of(moved.whereis<Holder>("name")) == Kind::not_registered);
  }
  TEST_CASE("a registry may outlive its runtime, empty, and a runtime its registries") {
    std::optional<Registry> kept;
    {
      sp::Runtime runtime(test::virtual_time());
      auto holder = Holder().start_on(runtime);
      {
        Registry short_lived;
        CHECK(short_lived.register_name("name", holder).has_value());
      }
      kept = Registry::of(runtime);
      CHECK(kept->register_name("name", holder).has_value());
    }
    CHECK(kept->registered().empty());
    CHECK(kind_of(kept->whereis<Holder>("name")) == Kind::not_registered);
  }
  TEST_CASE("a name is no ref: its actor ends when the last ref goes, if that is how it is to be") {
    auto body = []() -> sp::Task<void> {
      sp::ActorOptions options;
      options.stop_when_unreferenced = true;
      auto holder = Holder().start(options);
      CHECK(registry::register_name("name", holder).has_value());
      auto const weak = holder.downgrade();
      auto ended = holder.wait_exit();
      {
        auto const gone = std::move(holder);
      }
      auto reason = co_await ended;
      CHECK(reason.has_value());
      CHECK(kind_of(registry::whereis<Holder>("name")) == Kind::not_registered);
    };
    sp::run(body());
  }
  TEST_CASE("registered() is sorted by name, whatever the order of registration") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      std::vector<std::string> wanted;
      for (int i = 0; i < 200; ++i) wanted.push_back("name" + std::to_string(1000 + i));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto const& name = wanted[i * 77 % wanted.size()];
        CHECK(registry::register_name(name, holder).has_value());
      }
      CHECK(texts(registry::registered()) == wanted);
      for (std::size_t i = 0; i < wanted.size(); i += 2) {
        CHECK(registry::unregister(wanted[i]).has_value());
      }
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        CHECK(registry::whereis<Holder>(wanted[i]).has_value() == (i % 2 != 0));
      }
      CHECK(registry::registered().size() == wanted.size() / 2);
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("equal names hash alike wherever they are: in constants, in strings, of any length") {
    static constexpr registry::Name constant("a name of more than eight characters");
    std::string const text("a name of more than eight characters");
    CHECK(constant.hash == registry::Name(text).hash);
    std::string growing;
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 40; ++i) {
      growing.push_back('x');
      seen.push_back(registry::Name(growing).hash);
    }
    for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i] != seen[i - 1]);
    static constexpr registry::Name three("abc");
    static constexpr registry::Name five("abcde");
    CHECK(three.hash == registry::Name(std::string("abc")).hash);
    CHECK(five.hash == registry::Name(std::string("abcde")).hash);
  }
}
