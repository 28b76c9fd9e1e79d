// Awaiting takes no stack: a million awaits in a row, and awaits within awaits 10,000 deep.
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

constexpr std::uint64_t many = 1'000'000;
constexpr std::uint64_t deep = 10'000;

sp::Task<std::uint64_t> one() { co_return 1; }

sp::Task<std::uint64_t> in_a_row() {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < many; ++i) sum += co_await one();
  co_return sum;
}

sp::Task<std::uint64_t> nested(std::uint64_t depth, bool suspend) {
  if (depth == 0) {
    if (suspend) co_await sp::yield_now();
    co_return 0;
  }
  std::uint64_t const below = co_await nested(depth - 1, suspend);
  co_return below + 1;
}

sp::Task<void> throws_below(std::uint64_t depth) {
  if (depth == 0) throw std::runtime_error("from below");
  co_await throws_below(depth - 1);
}

sp::Task<std::uint64_t> joined(std::uint64_t depth) {
  if (depth == 0) co_return 0;
  auto child = sp::spawn(joined(depth - 1));
  auto below = co_await child;
  co_return below.value() + 1;
}

int check(char const* name, std::uint64_t seen, std::uint64_t wanted) {
  std::printf("%s: %llu\n", name, static_cast<unsigned long long>(seen));
  if (seen == wanted) return 0;
  std::printf("FAILED: %llu wanted\n", static_cast<unsigned long long>(wanted));
  return 1;
}

}  // namespace

int main() {
  int failures = 0;
  failures += check("awaits in a row", sp::run(in_a_row()), many);
  failures += check("awaits within awaits", sp::run(nested(deep, false)), deep);
  failures += check("the same, suspended at the bottom", sp::run(nested(deep, true)), deep);
  failures += check("tasks that join tasks", sp::run(joined(deep)), deep);
  try {
    sp::run(throws_below(deep));
    failures += check("an exception from below", 0, 1);
  } catch (std::runtime_error const&) {
    failures += check("an exception from below", 1, 1);
  }
  return failures == 0 ? 0 : 1;
}
