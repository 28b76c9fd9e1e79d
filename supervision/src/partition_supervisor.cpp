#include <spawned/supervision/partition_supervisor.hpp>

#include <string>
#include <utility>

#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/runtime.hpp>

namespace spawned::detail {

std::size_t partition_count(PartitionOptions const& options) {
  if (!options.partitions) return worker_count_of(require_scheduler("partition_supervisor"));
  if (*options.partitions == 0) {
    throw InvalidOptions("PartitionOptions", "partitions", "1 and more", "0");
  }
  return *options.partitions;
}

// FNV-1a.
std::uint64_t text_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char const c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash ^ (hash >> 32);
}

Task<Result<std::vector<ChildRef>, ActorError>> find_partitions(ActorRef<Supervisor> supervisor) {
  auto all = co_await supervisor.request<Supervisor::WhichChildren>();
  if (!all) co_return Unexpected(std::move(all.error()));
  std::vector<ChildRef> refs;
  for (ChildInfo& info : *all) {
    if (!info.ref) co_return Unexpected(ActorError(ActorError::Kind::no_such_actor));
    refs.push_back(std::move(info.ref));
  }
  if (refs.empty()) co_return Unexpected(ActorError(ActorError::Kind::no_such_actor));
  co_return std::move(refs);
}

}  // namespace spawned::detail
