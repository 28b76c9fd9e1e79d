#include <spawned/supervision/describe.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
namespace supervision = spawned::supervision;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildSpec;
using spawned::ChildState;
using spawned::ChildType;
using spawned::Supervisor;
using spawned::TreeNode;

namespace {

struct Fail {};
struct Note {};

class Leaf : public sp::Actor<Leaf> {
 public:
  void handle_request(Fail /*fail*/) { throw std::runtime_error("boom"); }
  void handle_message(Note /*note*/) {}
};

/// Its mailbox counts, and it reads nothing while its gate is shut.
class Counted : public sp::Actor<Counted> {
 public:
  explicit Counted(test::Gate gate) : gate_(std::move(gate)) {}
  static sp::ActorOptions actor_options() {
    sp::ActorOptions options;
    options.mailbox_capacity = 100;
    return options;
  }
  sp::Task<void> handle_message(Note /*note*/) { co_await gate_.opened(); }

 private:
  test::Gate gate_;
};

/// A supervisor with it starts for a long time.
class SlowToStart : public sp::Actor<SlowToStart> {
 public:
  sp::Task<void> init() { co_await sp::sleep(1h); }
  void handle_message(Note /*note*/) {}
};

ChildSpec leaf(std::string id) {
  return child(std::move(id), [] { return Leaf{}; });
}

/// A user's actor with children.
class Manager : public sp::Actor<Manager> {
 public:
  struct WhichChildren {};
  std::vector<spawned::ChildInfo> handle_request(WhichChildren /*which*/) {
    std::vector<spawned::ChildInfo> all(1);
    all[0].id = "mine";
    all[0].actor = "Thing";
    return all;
  }
};

template <typename A>
sp::Task<sp::ActorRef<A>> get(sp::ActorRef<Supervisor> root, std::string id) {
  auto info = co_await root.request<Supervisor::GetChild>(id);
  co_return info.value().value().ref.template as<A>().value();
}

sp::Task<sp::ActorRef<Supervisor>> up(std::vector<ChildSpec> specs) {
  auto started = co_await Supervisor({}, std::move(specs)).start_and_wait();
  co_return started.value();
}

}  // namespace

TEST_SUITE("supervision/describe") {
  TEST_CASE("the tree is shown with ids, types, states, restarts and unread mail, nested") {
    auto body = []() -> sp::Task<void> {
      test::Gate gate;
      std::vector<ChildSpec> specs;
      specs.push_back(leaf("a"));
      specs.push_back(child("sub", [gate] {
        std::vector<ChildSpec> inner;
        inner.push_back(leaf("b"));
        inner.push_back(child("counted", [gate] { return Counted(gate); }));
        return Supervisor({}, std::move(inner));
      }));
      specs.push_back(child("none", []() -> std::optional<Leaf> { return std::nullopt; }));
      auto root = co_await up(std::move(specs));
      auto sub = co_await get<Supervisor>(root, "sub");
      auto a = co_await get<Leaf>(root, "a");
      auto b = co_await get<Leaf>(sub, "b");
      auto counted = co_await get<Counted>(sub, "counted");
      (void)co_await b.request<Fail>();
      for (int i = 0; i < 4; ++i) counted.send<Note>();
      co_await sp::sleep(1ms);  // virtual: the first is in work then

      TreeNode const tree = co_await supervision::describe(root);
      CHECK(tree.id == "spawned::Supervisor");
      CHECK(tree.actor_id == root.id());
      CHECK(supervision::count(tree) == 6);
      REQUIRE(tree.children.size() == 3);
      CHECK(tree.children[0].actor_id == a.id());
      CHECK(tree.children[1].type == ChildType::supervisor);
      CHECK(tree.children[2].state == ChildState::undefined);
      REQUIRE(tree.children[1].children.size() == 2);
      CHECK(tree.children[1].children[0].restarts == 1);
      CHECK(tree.children[1].children[1].unread == 3);
      CHECK(!tree.children[0].unread);
      auto const number = [](sp::ActorId id) { return "#" + std::to_string(id.value); };
      std::string const leaf_name(tree.children[0].actor);
      std::string const counted_name(tree.children[1].children[1].actor);
      CHECK(supervision::to_text(tree) ==
            "spawned::Supervisor" + number(root.id()) + ": running\n  a: " + leaf_name +
                number(a.id()) + ", running\n  sub: spawned::Supervisor" + number(sub.id()) +
                ", running\n    b: " + leaf_name + number(b.id()) +
                ", running, 1 restart\n    counted: " + counted_name + number(counted.id()) +
                ", running, 3 unread\n  none: " + leaf_name + ", not running\n");
      gate.open();
      (void)co_await root.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a supervisor that does not answer in time is shown as busy, and the others whole") {
    auto body = []() -> sp::Task<void> {
      std::vector<ChildSpec> specs;
      for (std::string const id : {"x", "y"}) {
        specs.push_back(child(id, [] { return Supervisor({}, {}); }));
      }
      auto root = co_await up(std::move(specs));
      auto x = co_await get<Supervisor>(root, "x");
      auto y = co_await get<Supervisor>(root, "y");
      auto slow = child("slow", [] { return SlowToStart{}; });
      auto starting = x.start_request<Supervisor::StartChild>(slow);
      auto fast = leaf("fast");
      (void)co_await y.request<Supervisor::StartChild>(fast);

      auto const begin = sp::now();
      TreeNode const tree = co_await supervision::describe(root, 300ms);
      CHECK(sp::now() - begin >= 300ms);
      CHECK(sp::now() - begin < 1s);
      CHECK(tree.children[0].busy);
      CHECK(tree.children[0].children.empty());
      CHECK(!tree.children[1].busy);
      CHECK(tree.children[1].children.size() == 1);
      CHECK(supervision::to_text(tree).find(", busy\n") != std::string::npos);
      x.kill();
      (void)co_await root.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE(
      "a root that has ended is shown as not running; every class with WhichChildren is one") {
    auto body = []() -> sp::Task<void> {
      auto manager = Manager{}.start();
      TreeNode tree = co_await supervision::describe(manager);
      REQUIRE(tree.children.size() == 1);
      CHECK(tree.children[0].id == "mine");
      (void)co_await manager.stop_and_wait();
      tree = co_await supervision::describe(manager);
      CHECK(tree.state == ChildState::undefined);
      CHECK(tree.children.empty());
    };
    sp::run(body(), test::virtual_time());
  }
}
