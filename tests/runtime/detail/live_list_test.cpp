#include "scheduler/live_list.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "scheduler/scheduler.hpp"
#include "support/runtime.hpp"

using spawned::detail::ExecutionContext;
using spawned::detail::LiveKind;
using spawned::detail::LiveList;

namespace {

struct Living final : ExecutionContext {
  Living(spawned::Runtime const& runtime, std::string called, LiveKind const& table = kind_table)
      : ExecutionContext(spawned::detail::workers_of(runtime.scheduler(), "test"), table, nullptr),
        name(std::move(called)) {}
  static void on_end(ExecutionContext& context, spawned::UnreadMail /*mail*/) noexcept {
    static_cast<Living&>(context).asked.fetch_add(1);
  }
  static std::string on_describe(ExecutionContext const& context) {
    return static_cast<Living const&>(context).name;
  }
  static constexpr LiveKind kind_table{&on_end, &on_describe, false};
  static constexpr LiveKind in_order{&on_end, &on_describe, true};
  std::string name;
  std::atomic<int> asked{0};
};

}  // namespace

TEST_SUITE("runtime/detail/live_list") {
  TEST_CASE("the list counts and names what was added and not removed, in any order") {
    spawned::Runtime const home(test::with_workers(1));
    LiveList list(2);
    Living first(home, "first");
    Living second(home, "second");
    Living third(home, "third");
    CHECK(list.count() == 0);
    CHECK(list.add(first, 0) == LiveList::Added::open);
    CHECK(list.add(second, 0) == LiveList::Added::open);
    CHECK(list.add(third, 1) == LiveList::Added::open);
    CHECK(list.count() == 3);
    CHECK(list.describe(10) == std::vector<std::string>{"second", "first", "third"});
    CHECK(list.describe(2).size() == 2);
    CHECK(list.describe(0).empty());
    list.remove(first);
    CHECK(list.describe(10) == std::vector<std::string>{"second", "third"});
    CHECK(list.add(first, 1) == LiveList::Added::open);
    list.remove(third);
    list.remove(second);
    list.remove(first);
    CHECK(list.count() == 0);
  }

  TEST_CASE("close asks everything that lives to end, and later additions are refused") {
    spawned::Runtime const home(test::with_workers(1));
    LiveList list(2);
    Living first(home, "first");
    Living second(home, "second");
    Living late(home, "late");
    CHECK(list.add(first, 0) == LiveList::Added::open);
    CHECK(list.add(second, 1) == LiveList::Added::open);
    list.close();
    CHECK(first.asked.load() == 1);
    CHECK(second.asked.load() == 1);
    CHECK(list.add(late, 0) ==
          LiveList::Added::closing);  // listed all the same: its end is waited for
    CHECK(list.count() == 3);
    list.remove(first);
    list.remove(second);
    list.remove(late);
    CHECK(list.count() == 0);
  }

  TEST_CASE("roots are asked to end one after the other, the newest first, and once") {
    spawned::Runtime const home(test::with_workers(1));
    LiveList list(1);
    Living oldest(home, "oldest", Living::in_order);
    Living middle(home, "middle", Living::in_order);
    Living newest(home, "newest", Living::in_order);
    Living child(home, "child", Living::in_order);
    Living task(home, "task");
    for (Living* root : {&oldest, &middle, &newest}) {
      CHECK(list.add(*root, list.root_shard()) == LiveList::Added::open);
    }
    CHECK(list.add(child, 0) == LiveList::Added::open);
    CHECK(list.add(task, 0) == LiveList::Added::open);
    auto const asked = [&] {
      return std::vector<int>{oldest.asked, middle.asked, newest.asked, child.asked, task.asked};
    };
    list.begin_end(spawned::UnreadMail::cancel);
    CHECK(asked() == std::vector<int>{0, 0, 1, 0, 1});
    list.remove(middle);  // ends by itself: the newest is not asked again
    CHECK(asked() == std::vector<int>{0, 0, 1, 0, 1});
    list.remove(newest);
    CHECK(asked() == std::vector<int>{1, 0, 1, 0, 1});
    list.remove(oldest);
    CHECK_FALSE(list.roots_left());
    list.remove(task);
    list.close();
    CHECK(asked() == std::vector<int>{1, 0, 1, 1, 1});
    list.remove(child);
    CHECK(list.seal());
  }

  TEST_CASE("everything added while the list closes is asked by the list or told to its adder") {
    spawned::Runtime const home(test::with_workers(1));
    for (int round = 0; round < 300; ++round) {
      LiveList list(2);
      std::vector<std::unique_ptr<Living>> all;
      for (int i = 0; i < 20; ++i) all.push_back(std::make_unique<Living>(home, "x"));
      std::vector<bool> refused(20);
      std::atomic<bool> started{false};
      std::thread adder([&] {
        for (std::size_t i = 0; i < all.size(); ++i) {
          refused[i] =
              list.add(*all[i], static_cast<std::uint32_t>(i % 2)) == LiveList::Added::closing;
          started = true;
        }
      });
      test::wait_until([&] { return started.load(); });
      list.close();
      adder.join();
      int forgotten = 0;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!refused[i] && all[i]->asked.load() == 0) ++forgotten;
        list.remove(*all[i]);
      }
      if (forgotten != 0) CHECK(forgotten == 0);
    }
  }

  TEST_CASE("a list is sealed when nothing lives, and takes nobody afterwards") {
    spawned::Runtime const home(test::with_workers(1));
    LiveList list(2);
    Living first(home, "first");
    Living late(home, "late");
    CHECK(list.add(first, 0) == LiveList::Added::open);
    CHECK_FALSE(list.seal());
    list.remove(first);
    CHECK(list.seal());
    CHECK(list.add(late, 1) == LiveList::Added::sealed);
    CHECK(list.count() == 0);
  }

  TEST_CASE("who waits for the end of the living is woken by the last removal") {
    spawned::Runtime const home(test::with_workers(1));
    for (int round = 0; round < 200; ++round) {
      LiveList list(1);
      Living first(home, "first");
      Living second(home, "second");
      (void)list.add(first, 0);
      (void)list.add(second, 0);
      list.close();
      std::thread remover([&] {
        list.remove(first);
        list.remove(second);
      });
      for (;;) {
        std::uint32_t const seen = list.changes();
        if (list.count() == 0) break;
        list.wait_change(seen, spawned::detail::wait_forever);
      }
      remover.join();
    }
  }
}
