// PrefixChooser: what a list says, then what another chooser says.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

class PrefixChooser final : public Chooser {
 public:
  /// `prefix` outlives it.
  PrefixChooser(std::span<std::uint32_t const> prefix, std::unique_ptr<Chooser> rest) noexcept
      : prefix_(prefix), rest_(std::move(rest)) {}

  // The other one is asked anyway: it may count.
  std::uint32_t next(std::span<Ready const> ready, bool clock) override {
    std::uint32_t const other = rest_->next(ready, clock);
    return given(static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0), other);
  }
  std::uint32_t choose(std::uint32_t n, Choice kind) override {
    std::uint32_t const other = rest_->choose(n, kind);
    return given(n, other);
  }
  bool chance(double probability, Choice kind) override {
    bool const other = rest_->chance(probability, kind);
    return given(2, other ? 1 : 0) != 0;
  }
  [[nodiscard]] std::string name() const override { return "given, then " + rest_->name(); }

 private:
  std::uint32_t given(std::uint32_t n, std::uint32_t other) noexcept {
    if (at_ == prefix_.size()) return other;
    std::uint32_t const choice = prefix_[at_++];
    return choice < n ? choice : 0;
  }

  std::span<std::uint32_t const> prefix_;
  std::unique_ptr<Chooser> rest_;
  std::size_t at_ = 0;
};

}  // namespace spawned::simulation
