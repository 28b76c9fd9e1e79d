// What the templates of the registry need of its tables: handles, look-ups, reservations, waits.
// The tables themselves are in name_table.hpp, which only sources include.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/registry/detail/views.hpp>
#include <spawned/registry/error.hpp>
#include <spawned/registry/key.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/runtime.hpp>

namespace spawned::registry {

/// How many may be registered under one key.
enum class Keys : std::uint8_t { unique, duplicate };

/// One line of Registry::registered().
struct RegisteredName {
  std::string name;
  std::string_view type_name;  ///< the type under which it was registered
  ActorId actor;
  friend bool operator==(RegisteredName const&, RegisteredName const&) = default;
};

struct NameRegistered;
struct NameUnregistered;

namespace detail {

struct CellWorld;
template <typename World>
class BasicNameTable;
using NameTable = BasicNameTable<CellWorld>;
using NameValue = std::shared_ptr<void const>;
using NameListener = Protocol<NameRegistered, NameUnregistered>;

/// What is registered: parts of a handle, and as what it may be looked up.
struct Registration {
  HandleParts handle;
  Views const& views;
  NameValue value = nullptr;
};
/// One of several that were found; gives its reference back unless it was taken.
class ValuedName {
 public:
  ValuedName(Found const& found, NameValue data) noexcept : value(std::move(data)), found_(found) {}
  ValuedName(ValuedName&& other) noexcept : value(std::move(other.value)), found_(other.take()) {}
  ValuedName& operator=(ValuedName&&) = delete;
  ~ValuedName() {
    if (found_.ref != nullptr) found_.ref->release();
  }
  [[nodiscard]] Found take() noexcept { return std::exchange(found_, Found{}); }

  NameValue value;

 private:
  Found found_;
};

/// A user of a table, or nothing.
class NameHandle {
 public:
  explicit NameHandle(NameTable* table) noexcept : table_(table) {}  // takes a reference over
  NameHandle(NameHandle const& other) noexcept;
  NameHandle(NameHandle&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
  NameHandle& operator=(NameHandle other) noexcept {
    std::swap(table_, other.table_);
    return *this;
  }
  ~NameHandle();
  [[nodiscard]] NameTable* get() const noexcept { return table_; }

 private:
  NameTable* table_;
};

[[nodiscard]] NameHandle make_names(Keys keys);
/// That of a runtime; of the calling thread's, or null if it has none.
[[nodiscard]] NameTable& names_of(Scheduler& scheduler);
[[nodiscard]] NameTable* own_names();
[[nodiscard]] NameHandle held(NameTable* table) noexcept;

// A null table answers `unknown_registry`.
[[nodiscard]] Found find_name(NameTable* table, Name const& name, void const* tag) noexcept;
/// The same for the type under which it was registered; else null.
[[nodiscard]] CellBase* find_name_as(NameTable* table, Name const& name, void const* tag) noexcept;
[[nodiscard]] Result<void, RegistryError> add_name(NameTable* table, Name const& name,
                                                   Registration registration);
[[nodiscard]] Result<void, RegistryError> remove_name(NameTable* table, Name const& name);
std::size_t remove_name_of(NameTable* table, Name const& name, CellBase const& cell) noexcept;
[[nodiscard]] std::vector<RegisteredName> list_names(NameTable* table);
[[nodiscard]] std::vector<ValuedName> all_named(NameTable* table, Name const& name,
                                                void const* tag);
[[nodiscard]] bool value_of_name(NameTable* table, Name const& name, CellBase const* cell,
                                 NameValue& value);
[[nodiscard]] bool exchange_name_value(NameTable* table, Name const& name, CellBase const* cell,
                                       NameValue const& seen, NameValue& next) noexcept;
[[nodiscard]] Result<void, RegistryError> listen_to_names(NameTable* table,
                                                          NameListener const& listener);
void stop_listening_to_names(NameTable* table, ActorId listener) noexcept;

/// Why nothing of type `asked_for` was found.
[[nodiscard]] RegistryError error_of(NameTable const* table, Found const& found,
                                     std::string_view asked_for) noexcept;

template <typename T>
handle_t<T> made_handle(CellBase& ref, View const& view, void const* protocol) {
  alignas(handle_t<T>) unsigned char memory[sizeof(handle_t<T>)];
  view.make(ref, protocol, memory);
  auto* const handle = std::launder(reinterpret_cast<handle_t<T>*>(memory));
  handle_t<T> result = std::move(*handle);
  std::destroy_at(handle);
  return result;
}

template <typename T>
Result<handle_t<T>, RegistryError> as_handle(NameTable const* table, Found const& found) {
  if (found.ref == nullptr) [[unlikely]]
    return Unexpected(error_of(table, found, type_name<T>()));
  if constexpr (std::is_same_v<handle_t<T>, ActorRef<T>>) {
    return ActorRef<T>(static_cast<ActorCell<T>&>(*found.ref));
  } else {
    return made_handle<T>(*found.ref, *found.view, found.protocol);
  }
}

template <typename T>
Result<handle_t<T>, RegistryError> whereis_in(NameTable* table, Name const& name) {
  if constexpr (std::is_same_v<handle_t<T>, ActorRef<T>>) {
    CellBase* const ref = find_name_as(table, name, &type_tag<T>);
    if (ref != nullptr) [[likely]]
      return ActorRef<T>(static_cast<ActorCell<T>&>(*ref));
  }
  return as_handle<T>(table, find_name(table, name, &type_tag<T>));
}

/// A name held for an actor that is about to be launched. Given back unless it was published.
class Reservation {
 public:
  /// Thrown by take(): somebody else has it.
  struct Taken {
    Found holder;
  };
  Reservation(NameTable& table, Name const& name, Views const& views, void const* tag,
              NameValue value) noexcept
      : table_(&table), name_(name), views_(&views), tag_(tag), value_(std::move(value)) {}
  Reservation(Reservation const&) = delete;
  Reservation& operator=(Reservation const&) = delete;
  ~Reservation();
  void take(CellBase& cell);
  void publish() noexcept;

 private:
  NameTable* table_;
  Name name_;
  Views const* views_;
  void const* tag_;
  NameValue value_;
  void* entry_ = nullptr;
};

/// Who waits for somebody to be registered. Lives in the waiting frame; guarded by the table.
struct NameWaiter {
  explicit NameWaiter(Name wanted) noexcept : key(wanted) {}
  NameWaiter(NameWaiter const&) = delete;
  NameWaiter& operator=(NameWaiter const&) = delete;

  Name key;
  Slot slot;
  NameWaiter* previous = nullptr;
  NameWaiter* next = nullptr;
  bool linked = false;
};
/// False: somebody is registered already.
[[nodiscard]] bool wait_for_name(NameTable& table, NameWaiter& waiter) noexcept;
/// After a wait, however it ended.
void forget_waiter(NameTable& table, NameWaiter& waiter) noexcept;
/// Blocks. False: the time is over.
[[nodiscard]] bool wait_for_name_blocking(NameTable& table, Name const& name,
                                          std::int64_t timeout_ns) noexcept;
/// On the runtime's clock, or the machine's outside of one; `no_deadline` for ever.
[[nodiscard]] std::int64_t deadline_after(std::int64_t timeout_ns) noexcept;
/// What is left until a deadline of deadline_after(), zero at least.
[[nodiscard]] std::int64_t left_until(std::int64_t deadline_ns) noexcept;

/// Suspends until somebody is registered, or the time is over.
class NameWait {
 public:
  NameWait(NameTable& table, Name const& name, std::int64_t timeout_ns) noexcept
      : table_(&table), waiter_(name), wait_(Slot::abandoned), timeout_ns_(timeout_ns) {}
  NameWait(NameWait const&) = delete;
  NameWait& operator=(NameWait const&) = delete;
  /// Also while suspended, once the context was queued and will not be resumed.
  ~NameWait() {
    if (added_) (void)finish();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    if (!wait_for_name(*table_, waiter_)) return false;
    added_ = true;
    return wait_.suspend(caller, *caller.promise().context, waiter_.slot, timeout_ns_);
  }
  /// Throws Cancelled if a cancellation was reported before.
  WaitOutcome await_resume() {
    if (!added_) return WaitOutcome::completed;
    WaitOutcome const outcome = finish();
    if (outcome == WaitOutcome::cancelled) report_cancelled(wait_.context());
    return outcome;
  }

 private:
  WaitOutcome finish() noexcept {
    WaitOutcome const outcome = wait_.finish();
    forget_waiter(*table_, waiter_);
    added_ = false;
    return outcome;
  }

  NameTable* table_;
  NameWaiter waiter_;
  SlotWait wait_;
  std::int64_t timeout_ns_;
  bool added_ = false;
};

template <typename T>
Task<Result<handle_t<T>, RegistryError>> await_name(NameHandle table, std::string text,
                                                    void const* space, std::int64_t timeout_ns) {
  using Kind = RegistryError::Kind;
  if (text.empty()) co_return Unexpected(RegistryError(Kind::empty_name));
  Name const name(text, space);
  std::int64_t const deadline = deadline_after(timeout_ns);
  for (;;) {
    auto found = whereis_in<T>(table.get(), name);
    if (found || found.error().kind() != Kind::not_registered) co_return std::move(found);
    std::int64_t const left = left_until(deadline);
    if (left == 0) co_return Unexpected(RegistryError(Kind::timeout));
    WaitOutcome const outcome = co_await NameWait(*table.get(), name, left);
    if (outcome == WaitOutcome::cancelled) co_return Unexpected(RegistryError(Kind::cancelled));
  }
}

template <typename T>
Result<handle_t<T>, RegistryError> block_for_name(NameTable* table, Name const& name,
                                                  std::int64_t timeout_ns) {
  using Kind = RegistryError::Kind;
  if (name.name.empty()) return Unexpected(RegistryError(Kind::empty_name));
  std::int64_t const deadline = deadline_after(timeout_ns);
  for (;;) {
    auto found = whereis_in<T>(table, name);
    if (found || found.error().kind() != Kind::not_registered) return found;
    std::int64_t const left = left_until(deadline);
    if (left == 0) return Unexpected(RegistryError(Kind::timeout));
    (void)wait_for_name_blocking(*table, name, left);
  }
}

}  // namespace detail

}  // namespace spawned::registry
