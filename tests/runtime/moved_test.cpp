#include <spawned/runtime/moved.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>

using spawned::moved;
using spawned::run;
using spawned::Task;

namespace {

struct Aggregate {
  std::string text;
};
struct Trivial {
  int number;
};
struct WithConstructor {
  explicit WithConstructor(std::string t) : text(std::move(t)) {}
  std::string text;
};

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
constexpr bool affected = true;
#else
constexpr bool affected = false;
#endif

template <typename Argument>
constexpr bool rejected = spawned::detail::dangerous_temporary<Argument>;

}  // namespace

TEST_SUITE("runtime/moved") {
  TEST_CASE("moved hands a named value over and converts to it once") {
    auto text = std::string("some text that is longer than a small string");
    std::string const target = moved(text);
    CHECK(target == "some text that is longer than a small string");
    auto unique = std::make_unique<int>(4);
    std::unique_ptr<int> const taken = moved(unique).take();
    CHECK(*taken == 4);
    CHECK(unique == nullptr);  // NOLINT(bugprone-use-after-move)
  }

  TEST_CASE("the type a caller means is seen through moved") {
    static_assert(
        std::is_same_v<spawned::detail::message_type<spawned::Moved<Aggregate>>, Aggregate>);
    static_assert(std::is_same_v<spawned::detail::message_type<Aggregate const&>, Aggregate>);
    static_assert(spawned::detail::is_moved<spawned::Moved<int>>);
    static_assert(!spawned::detail::is_moved<int>);
  }

  TEST_CASE("only temporaries that the affected compilers destroy twice are rejected") {
    static_assert(rejected<Aggregate> == affected);
    static_assert(rejected<Aggregate&&> == affected);
    static_assert(!rejected<Aggregate&>);
    static_assert(!rejected<Aggregate const&>);
    static_assert(!rejected<Trivial>);
    static_assert(!rejected<WithConstructor>);
    static_assert(!rejected<std::string>);
    static_assert(!rejected<std::unique_ptr<int>>);
    static_assert(!rejected<spawned::Moved<Aggregate>>);
    auto capturing = [text = std::string()] { return text; };
    auto trivial = [] { return 1; };
    static_assert(rejected<decltype(capturing)> == affected);
    static_assert(!rejected<decltype(capturing)&>);
    static_assert(!rejected<decltype(trivial)>);
    static_assert(!rejected<std::function<int()>>);
    static_assert(!rejected<std::vector<decltype(capturing)>>);
    static_assert(!rejected<std::unique_ptr<decltype(capturing)>>);
    CHECK(capturing().empty());
    CHECK(trivial() == 1);
  }

  TEST_CASE("a named class inside a function with a lambda's type as argument is no closure") {
    auto const make = [](auto argument) {
      struct Local {
        explicit Local(decltype(argument) a) : held(std::move(a)) {}
        decltype(argument) held;
      };
      return Local(std::move(argument));
    };
    auto local = make([text = std::string("x")] { return text; });
    static_assert(!rejected<decltype(local)>);
    CHECK(local.held() == "x");
  }

  TEST_CASE("a callable with captures goes to spawn_blocking through moved") {
    auto body = []() -> Task<std::string> {
      auto job = [text = std::make_unique<std::string>("carried")] { return *text; };
      auto handle = spawned::spawn_blocking(moved(job));
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body()) == "carried");
  }
}
