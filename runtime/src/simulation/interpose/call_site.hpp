// CallSite: where the real world was called, from the stack and the program's own symbols.
#pragma once

#include <cstdint>
#include <string>

#include <spawned/runtime/detail/real_world.hpp>

namespace spawned::interpose {

class CallSite final : public detail::RealWorldSite {
 public:
  /// `returns_to`: where the interposed function returns to.
  explicit CallSite(void* returns_to) noexcept : returns_to_(returns_to) {}

  [[nodiscard]] std::uint64_t key() override;
  [[nodiscard]] std::string text() override;

 private:
  void look();

  static constexpr int most = 48;
  void* returns_to_;
  void* frames_[most];  // return addresses, the innermost first
  int begin_ = 0;       // the place to name
  int end_ = 0;         // 0: not looked yet
};

}  // namespace spawned::interpose
