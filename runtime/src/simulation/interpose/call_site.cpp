#include "simulation/interpose/call_site.hpp"

#include <cstdio>
#include <functional>
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

// The parts of a coroutine have names like "f(f(int)::_Z1fi.Frame*) [clone .actor]" (g++) and
// "f(int) [clone .resume]" (clang).
std::string without_coroutine_parts(std::string name) {
  std::size_t const clone = name.find(" [clone .");
  if (clone == std::string::npos) return name;
  name.resize(clone);
  std::size_t const mangled = name.find("::_Z");
  for (std::size_t at = name.find('('); at < mangled; at = name.find('(', at + 1)) {
    if (mangled == std::string::npos) break;
    if (at != 0 && name.compare(at + 1, at, name, 0, at) == 0)
      return name.substr(at + 1, mangled - at - 1);
  }
  return name;
}

std::string describe(Place const& place) {
  std::string text =
      place.name.empty() ? "?" : without_coroutine_parts(detail::demangled(place.name.c_str()));
  constexpr std::size_t longest = 160;
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  if (!place.file.empty()) return text + " at " + place.file + ":" + std::to_string(place.line);
  char number[32];
  std::snprintf(number, sizeof(number), " +0x%zx", place.offset);
  return text + " (" + place.module + number + ")";
}

// A return address may be in the next line, even in the next function.
Place place_of_call(void* returns_to) {
  return place_of(reinterpret_cast<std::uintptr_t>(returns_to) - 1);
}

}  // namespace

void CallSite::look() {
  if (end_ != 0) return;
  end_ = backtrace(frames_, most);
  while (begin_ < end_ && frames_[begin_] != returns_to_) ++begin_;
  if (begin_ == end_) begin_ = 0;  // the stack was not walked that far
  while (begin_ < end_ && is_in_between(place_of_call(frames_[begin_]))) ++begin_;
}

std::uint64_t CallSite::key() {
  look();
  void* const frame = begin_ < end_ ? frames_[begin_] : returns_to_;
  Place const place = place_of_call(frame);
  // An unrolled loop is several places of the program, but one of its source.
  if (!place.file.empty()) return std::hash<std::string>()(describe(place));
  return reinterpret_cast<std::uintptr_t>(frame);
}

std::string CallSite::text() {
  look();
  constexpr int named_most = 6;
  std::string text;
  int named = 0;
  for (int i = begin_; i < end_ && named < named_most; ++i) {
    Place const place = place_of_call(frames_[i]);
    if (is_driver(place)) break;
    if (is_in_between(place)) continue;
    text += (named == 0 ? "\n  " : "\n  in a call by ") + describe(place);
    ++named;
  }
  return named == 0 ? std::string("\n  the library itself") : text;
}

}  // namespace spawned::interpose
