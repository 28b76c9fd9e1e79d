#include "simulation/interpose/call_site.hpp"

#include <cstdio>
#include <initializer_list>
#include <string_view>

#include <execinfo.h>

#include "demangle.hpp"
#include "simulation/interpose/symbols.hpp"

namespace spawned::interpose {

namespace {

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  for (std::string_view const each : beginnings) {
    if (name.starts_with(each)) return true;
  }
  return false;
}

// Of the standard library or of ours: in between the place to name and what it called.
bool is_in_between(Place const& place) {
  if (begins_with_any(place.name, {"_ZSt", "_ZNSt", "_ZNKSt", "_ZNVSt", "_ZN9__gnu_cxx",
                                   "_ZN7spawned", "_ZNK7spawned", "__interceptor", "__gthread"})) {
    return true;
  }
  if (place.module.find("/libstdc++") != std::string::npos) return true;
  // Templates of theirs begin with what they return.
  std::string const readable = detail::demangled(place.name.c_str());
  std::size_t const space = readable.find(' ');
  return space != std::string::npos &&
         begins_with_any(std::string_view(readable).substr(space + 1), {"std::", "spawned::"});
}

// Further out there is nothing of the program's.
bool is_driver(Place const& place) {
  return begins_with_any(place.name, {"_ZN7spawned10simulation6Driver"});
}

std::string describe(Place const& place) {
  std::string text = place.name.empty() ? "?" : detail::demangled(place.name.c_str());
  constexpr std::size_t longest = 160;
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  if (!place.file.empty()) return text + " at " + place.file + ":" + std::to_string(place.line);
  char number[32];
  std::snprintf(number, sizeof(number), " +0x%zx", place.offset);
  return text + " (" + place.module + number + ")";
}

}  // namespace

void CallSite::look() noexcept {
  if (end_ != 0) return;
  end_ = backtrace(frames_, most);
  while (begin_ < end_ && frames_[begin_] != returns_to_) ++begin_;
  if (begin_ == end_) begin_ = 0;
}

std::uint64_t CallSite::key() noexcept {
  look();
  constexpr int innermost = 6;  // those of std, and some
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (int i = begin_; i < end_ && i < begin_ + innermost; ++i) {
    hash = (hash ^ reinterpret_cast<std::uintptr_t>(frames_[i])) * 0x100000001b3U;
  }
  return hash;
}

std::string CallSite::text() {
  look();
  constexpr int named_most = 6;
  std::string text;
  int named = 0;
  for (int i = begin_; i < end_ && named < named_most; ++i) {
    // A return address may be in the next line, even in the next function.
    Place const place = place_of(reinterpret_cast<std::uintptr_t>(frames_[i]) - 1);
    if (is_driver(place)) break;
    if (is_in_between(place)) continue;
    text += (named == 0 ? "\n  " : "\n  in a call by ") + describe(place);
    ++named;
  }
  return named == 0 ? std::string("\n  the library itself") : text;
}

}  // namespace spawned::interpose
