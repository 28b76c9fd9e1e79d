// Keys: what an actor is registered under.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::registry {

namespace detail {

using namespace spawned::detail;

constexpr std::uint64_t four_bytes(char const* from) noexcept {
  std::uint32_t word = 0;
  if (std::is_constant_evaluated()) {
    for (unsigned i = 0; i < 4; ++i) {
      word |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
    }
  } else {
    std::memcpy(&word, from, 4);
  }
  return word;
}

/// Up to 8 bytes as a number: two halves, which may overlap.
constexpr std::uint64_t bytes_of(char const* from, std::size_t count) noexcept {
  if (count >= 4) return four_bytes(from) | four_bytes(from + count - 4) << 32;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word = word << 8 | static_cast<unsigned char>(from[i]);
  }
  return word;
}

constexpr std::uint64_t stirred(std::uint64_t word) noexcept {  // the finish of splitmix64
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
  return word ^ (word >> 31);
}

/// The same in every run and process: what a registry lists does not depend on chance. Never 0.
constexpr std::uint64_t hash_of(std::string_view name) noexcept {
  std::uint64_t hash = name.size() * 0x9e3779b97f4a7c15ULL;
  char const* at = name.data();
  std::size_t left = name.size();
  for (; left > 8; at += 8, left -= 8) hash = stirred(hash ^ bytes_of(at, 8));
  return stirred(hash ^ bytes_of(at, left)) | 1;
}

/// Without a call for short names.
constexpr bool are_equal(std::string_view left, std::string_view right) noexcept {
  std::size_t const size = left.size();
  if (size != right.size()) return false;
  if (size <= 8) return bytes_of(left.data(), size) == bytes_of(right.data(), size);
  return left == right;
}

}  // namespace detail

template <typename T>
class Key;

/// What the functions take as a name: a text of any kind, or a Key. Refers to the text.
class Name {
 public:
  template <typename Text>
    requires std::is_convertible_v<Text const&, std::string_view>
  constexpr Name(Text const& text) noexcept  // NOLINT(google-explicit-constructor)
      : Name(std::string_view(text), nullptr) {}
  template <typename T>
  constexpr Name(Key<T> const& key) noexcept;  // NOLINT(google-explicit-constructor)

  /// For the library: of the plain names (null), or of the typed keys of one type.
  constexpr Name(std::string_view text, void const* type) noexcept
      : name(text), hash(detail::hash_of(text)), space(type) {}

  friend constexpr bool operator==(Name const& left, Name const& right) noexcept {
    return left.hash == right.hash && left.space == right.space &&
           detail::are_equal(left.name, right.name);
  }

  std::string_view name;
  std::uint64_t hash;
  void const* space;
};

/// A name with the type of what is registered under it: an actor's class or a Protocol. A constant,
/// to be shared by who registers and who looks up:
///
///     inline constexpr sp::registry::Key<Bank> bank{"bank"};
///
/// Typed keys are names of their own: `Key<Bank>{"x"}`, `Key<Shop>{"x"}` and "x" are three, so a
/// look-up by key cannot find anything of another type. The text is not copied: use a literal.
template <typename T>
class Key {
 public:
  using type = T;
  constexpr explicit Key(std::string_view name) noexcept
      : name_(name, &spawned::detail::type_tag<T>) {}
  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_.name; }

 private:
  friend class Name;
  Name name_;
};

template <typename T>
constexpr Name::Name(Key<T> const& key) noexcept : Name(key.name_) {}

}  // namespace spawned::registry
