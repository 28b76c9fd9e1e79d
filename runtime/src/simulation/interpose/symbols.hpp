// Names and lines for addresses of the running program, read from the files it was loaded from.
//
// dladdr() knows only what is exported, and little of a test program is.
#pragma once

#include <cstdint>
#include <string>

namespace spawned::interpose {

/// What is known about an address; what is not known is empty or 0.
struct Place {
  std::string name;  ///< as the linker knows it
  std::string file;  ///< of the source
  unsigned line = 0;
  std::string module;         ///< the program or shared library
  std::uintptr_t offset = 0;  ///< within it, as addr2line wants it
};

/// Allocates, reads files, takes a lock. Not for signal handlers.
[[nodiscard]] Place place_of(std::uintptr_t address);

}  // namespace spawned::interpose
