// Compiled as C++23: Result converts from and to std::expected where the library has it.
#include <cstdio>

#include <spawned/runtime/result.hpp>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>

enum class Trouble { none, some };

int main() {
  using Number = std::expected<int, Trouble>;
  using Nothing = std::expected<void, Trouble>;
  spawned::Result<int, Trouble> const value{Number(7)};
  spawned::Result<int, Trouble> error{Number(std::unexpected(Trouble::some))};
  bool good = *value == 7 && error.error() == Trouble::some;
  good = good && static_cast<Number>(std::move(error)).error() == Trouble::some;

  spawned::Result<void, Trouble> nothing{Nothing()};
  spawned::Result<void, Trouble> failed{Nothing(std::unexpected(Trouble::some))};
  good = good && nothing.has_value() && failed.error() == Trouble::some;
  good = good && static_cast<Nothing>(std::move(nothing)).has_value();
  good = good && !static_cast<Nothing>(std::move(failed)).has_value();
  std::puts(good ? "passed" : "FAILED: a conversion lost something");
  return good ? 0 : 1;
}
#else
int main() { std::puts("this library has no std::expected: nothing to convert"); }
#endif
