// partition_supervisor, Partitions: like children, one of which is responsible for a key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/supervisor.hpp>

namespace spawned {

/// What the partitions have in common.
struct PartitionOptions {
  /// At least 1. Unless told otherwise: one for each worker of the calling thread's runtime.
  std::optional<std::size_t> partitions = std::nullopt;
  /// Elixir's defaults: one_for_one, three restarts in five seconds.
  SupervisorOptions supervisor = [] {
    SupervisorOptions options;
    options.intensity = 3;
    return options;
  }();
};

namespace detail {

/// Errors: InvalidOptions; NoRuntime for the default.
[[nodiscard]] std::size_t partition_count(PartitionOptions const& options);

/// Equal in every run.
[[nodiscard]] std::uint64_t text_hash(std::string_view text) noexcept;

/// -1 and 1 are alike, as in Elixir. Text is hashed, other keys are by std::hash.
template <typename Key>
[[nodiscard]] std::uint64_t partition_hash(Key const& key) {
  if constexpr (std::is_integral_v<Key>) {
    if constexpr (std::is_signed_v<Key>) {
      auto const number = static_cast<std::uint64_t>(key);
      return key < 0 ? std::uint64_t{0} - number : number;
    } else {
      return key;
    }
  } else if constexpr (std::is_convertible_v<Key const&, std::string_view>) {
    return text_hash(key);
  } else {
    return std::hash<Key>{}(key);
  }
}

/// The partitions of a supervisor in their order, or why not. Errors: what a request can have;
/// `no_such_actor` for one without an actor.
[[nodiscard]] Task<Result<std::vector<ChildRef>, ActorError>> find_partitions(
    ActorRef<Supervisor> supervisor);

}  // namespace detail

/// A supervisor with as many children as there are partitions: actors or supervisors, whatever
/// `factory(partition)` returns; it may be asked again for a restart. Their ids are "0", "1", and
/// so on. Start it, or make it a child: `child("caches", [] { return partition_supervisor({},
/// [](std::size_t n) { return Cache(n); }); })`.
///
/// Errors   InvalidOptions for no partitions; NoRuntime if their number is left open outside every
///          runtime.
/// Source   Elixir's PartitionSupervisor.
template <typename Factory>
[[nodiscard]] Supervisor partition_supervisor(PartitionOptions options, Factory factory) {
  std::size_t const count = detail::partition_count(options);
  std::vector<ChildSpec> specs;
  specs.reserve(count);
  for (std::size_t n = 0; n < count; ++n) {
    specs.push_back(child(std::to_string(n), [n, factory]() mutable { return factory(n); }));
  }
  return Supervisor(options.supervisor, std::move(specs));
}

/// Refs to the partitions. A value: a look-up asks nobody, and stays right as long as the
/// supervisor lives, because a restarted child keeps its ref.
template <typename A>
class Partitions {
 public:
  /// Of a partition_supervisor() whose children are A. Errors: what a request can have;
  /// `no_such_actor` if the children are something else.
  [[nodiscard("co_await it")]] static Task<Result<Partitions, ActorError>> of(
      ActorRef<Supervisor> supervisor) {
    auto found = co_await detail::find_partitions(std::move(supervisor));
    if (!found) co_return Unexpected(std::move(found.error()));
    Partitions partitions;
    for (ChildRef const& ref : *found) {
      auto typed = ref.as<A>();
      if (!typed) co_return Unexpected(ActorError(ActorError::Kind::no_such_actor));
      partitions.refs_.push_back(std::move(*typed));
    }
    co_return std::move(partitions);
  }

  [[nodiscard]] std::size_t size() const noexcept { return refs_.size(); }
  /// `index` below size().
  [[nodiscard]] ActorRef<A> const& operator[](std::size_t index) const noexcept {
    return refs_[index];
  }
  /// The one for `key`: an integer by its remainder, everything else by its hash.
  template <typename Key>
  [[nodiscard]] ActorRef<A> const& at(Key const& key) const {
    return refs_[static_cast<std::size_t>(detail::partition_hash(key) % refs_.size())];
  }

 private:
  std::vector<ActorRef<A>> refs_;
};

}  // namespace spawned
