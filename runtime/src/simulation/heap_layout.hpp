// HeapLayout: makes the calling thread's next blocks of memory come in a given order of addresses.
//
// Two runs of one program under opposite layouts differ if it orders anything by address, as a
// std::set of pointers does. Equal runs prove little: the system may hand out addresses that do not
// differ in what matters.
#pragma once

#include <cstdint>
#include <vector>

namespace spawned::simulation {

enum class AddressOrder : std::uint8_t { ascending, descending };

/// For as long as it lives. One thread.
///
/// Memory  three megabytes; blocks above one kibibyte come as they come.
class HeapLayout {
 public:
  explicit HeapLayout(AddressOrder order);
  ~HeapLayout();
  HeapLayout(HeapLayout const&) = delete;
  HeapLayout& operator=(HeapLayout const&) = delete;

 private:
  std::vector<void*> kept_;  // between the freed ones, so that these do not grow together
};

}  // namespace spawned::simulation
