#include <spawned/actors/detail/ancestry.hpp>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned::detail {

void Ancestor::release() noexcept {
  // A loop: a chain may be long.
  for (Ancestor* next = this; next != nullptr;) {
    if (next->refs_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // refs
    Ancestor* const parent = next->parent_;
    pool_delete(next);
    next = parent;
  }
}

std::string Ancestor::describe() const {
  std::string names = name_;
  for (Ancestor const* next = parent_; next != nullptr; next = next->parent_) {
    names.append(", ").append(next->name_);
  }
  return names;
}

void log_crash(CellBase const& cell, std::string_view during, ExitReason const& reason,
               std::size_t unread) noexcept {
  static log::RateLimit limit(crash_reports_most, std::chrono::seconds(1));
  auto const [pass, suppressed] = limit.ask();
  if (!pass) return;
  try {
    std::string const id = std::to_string(cell.id().value);
    std::string const mail = std::to_string(unread);
    std::string const why = reason.to_string();
    std::string const who = cell.describe();
    std::string const ancestors = cell.describe_ancestors();
    std::string text = who + " crashed in " + std::string(during) + " with " + why + " (" + mail +
                       " messages unread)";
    if (!ancestors.empty()) text += ", started by " + ancestors;
    if (suppressed != 0) {
      text += "; " + std::to_string(suppressed) + " crash reports before it were left out";
    }
    log::write(log::Level::error, "spawned", text,
               {{"actor", cell.actor_kind().type_name},
                {"id", id},
                {"name", cell.name()},
                {"during", during},
                {"reason", why},
                {"unread", mail},
                {"ancestors", ancestors}});
  } catch (...) {
    log::error("spawned", "an actor crashed; no memory for its report");
  }
}

}  // namespace spawned::detail
