// What a simulation does about calls of the real world: see Options::real_world.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/real_world.hpp>
#include <spawned/runtime/simulation.hpp>

namespace spawned::simulation {

/// Of one run. One thread at a time.
class RealWorldPolicy final : public detail::RealWorldWatch {
 public:
  /// `choose` draws 0 to n - 1 from the choices of the run.
  RealWorldPolicy(RealWorld policy, Clock const& clock,
                  std::function<std::uint32_t(std::uint32_t n)> choose)
      : policy_(policy), clock_(clock), choose_(std::move(choose)) {}

  /// For Watched; null if nothing is to be caught.
  [[nodiscard]] detail::RealWorldWatch* watch() noexcept {
    return policy_ == RealWorld::ignore ? nullptr : this;
  }
  /// Something was met that ends the run.
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// The first of it, for people.
  [[nodiscard]] std::string const& problem() const noexcept { return problem_; }

  Answer met(detail::RealWorldCall const& call, detail::RealWorldSite& site) noexcept override;
  [[nodiscard]] std::int64_t now_ns() const noexcept override { return clock_.now().count(); }
  [[nodiscard]] std::int64_t utc_ns() const noexcept override { return clock_.utc_now().count(); }
  std::uint32_t random() noexcept override;

 private:
  RealWorld policy_;
  Clock const& clock_;
  std::function<std::uint32_t(std::uint32_t n)> choose_;
  bool failed_ = false;
  std::string problem_;
};

}  // namespace spawned::simulation
