// ReadyList: the units of work of a driven runtime that can run, oldest first, and who they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include <spawned/runtime/detail/execution_context.hpp>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

class ReadyList {
 public:
  /// A unit is born: from here on its address means it.
  std::uint32_t born(detail::ExecutionContext& unit) {
    return numbers_.insert_or_assign(&unit, Unit{++last_, &unit}).first->second.number;
  }
  void dead(detail::Runnable const& unit) noexcept { numbers_.erase(&unit); }
  /// What was not born, a timer's last message or a blocking job, gets a number for each time it
  /// runs.
  std::uint32_t number(detail::Runnable const& unit) {
    auto const found = numbers_.find(&unit);
    return found != numbers_.end() ? found->second.number : ++last_;
  }
  /// The same for an address; 0 if nothing that lives has it.
  [[nodiscard]] std::uint32_t find(void const* address) const {
    auto const found = numbers_.find(static_cast<detail::Runnable const*>(address));
    return found != numbers_.end() ? found->second.number : 0;
  }
  /// Of this number, or null.
  [[nodiscard]] detail::ExecutionContext* context(std::uint32_t number) const {
    for (auto const& entry : numbers_) {
      if (entry.second.number == number) return entry.second.context;
    }
    return nullptr;
  }
  /// All that was born and is not dead, by number.
  [[nodiscard]] std::map<std::uint32_t, detail::ExecutionContext*> living() const {
    std::map<std::uint32_t, detail::ExecutionContext*> found;
    for (auto const& entry : numbers_) found.emplace(entry.second.number, entry.second.context);
    return found;
  }
  /// As a context, or null.
  [[nodiscard]] detail::ExecutionContext* context(detail::Runnable const& unit) const {
    auto const found = numbers_.find(&unit);
    return found != numbers_.end() ? found->second.context : nullptr;
  }

  /// The number of the unit.
  std::uint32_t add(detail::Runnable& work) {
    std::uint32_t const unit = number(work);
    add_as(work, unit);
    return unit;
  }
  /// `work` stands for the unit of this number.
  void add_as(detail::Runnable& work, std::uint32_t unit) { ready_.push_back({&work, unit}); }

  [[nodiscard]] std::span<Ready const> all() const noexcept {
    return std::span<Ready const>(ready_).subspan(begin_);
  }
  /// What was added after the last take().
  [[nodiscard]] std::span<Ready const> fresh() const noexcept {
    return std::span<Ready const>(ready_).subspan(after_take_);
  }
  /// Takes one out; the others keep their order.
  Ready take(std::size_t index) {
    auto const place = ready_.begin() + static_cast<std::ptrdiff_t>(begin_ + index);
    Ready const taken = *place;
    if (index == 0) {
      ++begin_;
      if (begin_ > 64 && begin_ * 2 > ready_.size()) {
        ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(begin_));
        begin_ = 0;
      }
    } else {
      ready_.erase(place);
    }
    after_take_ = ready_.size();
    return taken;
  }

 private:
  std::vector<Ready> ready_;
  std::size_t begin_ = 0;
  std::size_t after_take_ = 0;
  struct Unit {
    std::uint32_t number;
    detail::ExecutionContext* context;
  };
  std::unordered_map<detail::Runnable const*, Unit> numbers_;
  std::uint32_t last_ = 0;
};

}  // namespace spawned::simulation
