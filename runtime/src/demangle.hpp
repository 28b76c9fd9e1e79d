// The readable form of a name of the linker's.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <cxxabi.h>

namespace spawned::detail {

/// `name` itself if it is none of C++.
inline std::string demangled(char const* name) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> const readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return readable ? readable.get() : name;
}

}  // namespace spawned::detail
