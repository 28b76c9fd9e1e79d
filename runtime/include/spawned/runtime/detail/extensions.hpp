// Extensions: objects that modules above keep for each runtime, which knows nothing of them. They
// are destroyed with it, after everything that lived on it has ended.
//
// A list that only grows, of a handful of members.
//
// Orderings.
//   known     add() CASes first_ (release)  ->  find() loads, add() CASes first_ (acquire).
//             Who finds an extension sees it constructed.
#pragma once

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

class Scheduler;

struct Extension {
  using Destroy = void (*)(Extension&) noexcept;
  /// The address of `kind` says what it is.
  Extension(char const& kind, Destroy function) noexcept : tag(&kind), destroy(function) {}
  Extension(Extension const&) = delete;
  Extension& operator=(Extension const&) = delete;

  char const* tag;
  Destroy destroy;
  Extension* next = nullptr;

 protected:
  ~Extension() = default;
};

class Extensions {
 public:
  Extensions() noexcept = default;
  Extensions(Extensions const&) = delete;
  Extensions& operator=(Extensions const&) = delete;
  ~Extensions();

  [[nodiscard]] Extension* find(char const& kind) const noexcept {
    return find_in(first_.load(memory_order_acquire), kind);  // known
  }
  /// The one of its kind that is there: `made`, or one that somebody else was faster with.
  [[nodiscard]] Extension& add(Extension& made) noexcept;

 private:
  static Extension* find_in(Extension* each, char const& kind) noexcept {
    while (each != nullptr && each->tag != &kind) each = each->next;
    return each;
  }
  atomic<Extension*> first_{nullptr};
};

[[nodiscard]] Extensions& extensions_of(Scheduler& scheduler) noexcept;

/// The `T` of a runtime, made at its first use. T is an Extension of kind T::kind_tag.
/// Errors  std::bad_alloc; what T's constructor throws.
template <typename T>
[[nodiscard]] T& extension(Scheduler& scheduler) {
  Extensions& all = extensions_of(scheduler);
  Extension* found = all.find(T::kind_tag);
  if (found == nullptr) [[unlikely]] {
    T& made = *pool_new<T>();
    found = &all.add(made);
    if (found != &made) pool_delete(&made);
  }
  return static_cast<T&>(*found);
}

}  // namespace spawned::detail
