// The line number table of DWARF 4 and 5: from an address to file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace spawned::interpose {

struct SourceLine {
  std::string file;  ///< empty: not known
  unsigned line = 0;
};

/// The contents of the sections of that name, as the DWARF standard (version 5, section 6.2) has
/// them.
struct LineSections {
  std::span<std::byte const> debug_line;
  std::span<std::byte const> debug_line_str;
  std::span<std::byte const> debug_str;
};

/// Where `address` comes from, in the function that begins at `function`. A call that was inlined
/// from a header of the system or of ours counts as where the function itself is.
[[nodiscard]] SourceLine line_of(LineSections const& sections, std::uintptr_t function,
                                 std::uintptr_t address);

}  // namespace spawned::interpose
