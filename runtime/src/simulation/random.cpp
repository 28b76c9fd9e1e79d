#include <spawned/runtime/random.hpp>

#include <random>
#include <stdexcept>

#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/simulation/program.hpp>

#include "simulation/checks.hpp"
#include "simulation/splitmix.hpp"

namespace spawned {

namespace {

using simulation::Choice;
using simulation::Splitmix;

std::uint64_t from_the_machine() noexcept {
  static thread_local Splitmix generator([] {
    std::random_device device;  // waiver G23: outside of simulations only
    return (std::uint64_t{device()} << 32) | device();
  }());
  return generator.bits();
}

// What a choice of 0 stands for: another number at each call, equal in equal runs. So a program
// that draws until it likes what it gets comes to an end even where every choice is the boring one.
std::uint64_t boring_bits(detail::Simulated& run) noexcept {
  return Splitmix(run.checks().next_number()).bits();
}

}  // namespace

std::uint64_t random_bits() noexcept {
  detail::Simulated* const run = detail::simulated;
  if (run == nullptr) return from_the_machine();
  std::uint64_t const boring = boring_bits(*run);
  std::uint32_t const chosen = run->choose(~std::uint32_t{0}, Choice::random);
  return chosen == 0 ? boring : Splitmix(boring ^ chosen).bits();
}

std::uint64_t random_below(std::uint64_t n) {
  if (n == 0) throw std::invalid_argument("spawned::random_below(0): there is no such number");
  detail::Simulated* const run = detail::simulated;
  if (run != nullptr && n <= ~std::uint32_t{0}) {
    std::uint64_t const boring = boring_bits(*run);
    return (boring + run->choose(static_cast<std::uint32_t>(n), Choice::random)) % n;
  }
  // What lies above the last whole multiple of n would favour small numbers.
  std::uint64_t const limit = ~std::uint64_t{0} - ~std::uint64_t{0} % n;
  std::uint64_t bits = random_bits();
  while (bits >= limit) bits = random_bits();
  return bits % n;
}

bool random_chance(double probability) noexcept {
  detail::Simulated* const run = detail::simulated;
  if (run != nullptr) return run->chance(probability, Choice::random);
  return static_cast<double>(from_the_machine() >> 11) * 0x1.0p-53 < probability;
}

std::uint32_t simulation::choose(std::uint32_t n) {
  if (n == 0) throw std::invalid_argument("simulation::choose(0): there is nothing to choose");
  detail::Simulated* const run = detail::simulated;
  return run != nullptr ? run->choose(n, Choice::program)
                        : static_cast<std::uint32_t>(random_below(n));
}

}  // namespace spawned
