// HashSet: a set of hashes, which need no hashing: open addressing, 16 bytes each at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace spawned::simulation {

class HashSet {
 public:
  /// True: it is new.
  bool insert(std::uint64_t hash) {
    if (hash == 0) return !std::exchange(has_zero_, true);
    if ((size_ + 1) * 2 > slots_.size()) grow();
    if (!place(hash)) return false;
    ++size_;
    return true;
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_ + (has_zero_ ? 1 : 0); }

 private:
  bool place(std::uint64_t hash) noexcept {
    std::size_t const mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      if (slots_[i] == hash) return false;
      if (slots_[i] != 0) continue;
      slots_[i] = hash;
      return true;
    }
  }
  void grow() {
    std::vector<std::uint64_t> const old =
        std::exchange(slots_, std::vector<std::uint64_t>(slots_.empty() ? 64 : slots_.size() * 2));
    for (std::uint64_t const hash : old) {
      if (hash != 0) (void)place(hash);
    }
  }

  std::vector<std::uint64_t> slots_;  // a power of two of them; 0: free
  std::uint64_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace spawned::simulation
