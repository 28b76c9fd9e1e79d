// ChildSpec: one child of a supervisor: how it is made, when it is restarted, how it is stopped.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/supervised.hpp>
#include <spawned/actors/threads/actor.hpp>
#include <spawned/supervision/detail/child_arguments.hpp>

namespace spawned {

/// When a child that has ended is restarted.
enum class Restart : std::uint8_t {
  permanent,  ///< always
  transient,  ///< after an abnormal end: any reason but normal and shutdown
  temporary,  ///< never; its spec goes with it
};

enum class ChildType : std::uint8_t { worker, supervisor };

/// How a child is stopped.
class Shutdown {
 public:
  /// Told to stop with reason shutdown; killed if it has not ended in time.
  template <typename Rep, typename Period>
  Shutdown(std::chrono::duration<Rep, Period> limit)  // NOLINT(google-explicit-constructor)
      : ns_(limit.count() < 0
                ? invalid_ns
                : std::chrono::duration_cast<std::chrono::nanoseconds>(limit).count()) {}
  /// Killed at once: no teardown.
  static Shutdown brutal_kill() noexcept { return Shutdown(kill_ns); }
  /// Told to stop, and waited for.
  static Shutdown infinity() noexcept { return Shutdown(detail::no_deadline); }

  [[nodiscard]] bool is_brutal() const noexcept { return ns_ == kill_ns; }
  /// False: a negative duration was given.
  [[nodiscard]] bool is_valid() const noexcept { return ns_ != invalid_ns; }
  /// detail::no_deadline: infinity.
  [[nodiscard]] std::int64_t limit_ns() const noexcept { return ns_; }

 private:
  static constexpr std::int64_t kill_ns = -2;
  static constexpr std::int64_t invalid_ns = -3;
  explicit Shutdown(std::int64_t ns) noexcept : ns_(ns) {}
  std::int64_t ns_;
};

/// A pause before each restart that follows another one too soon. The first restart after a good
/// time is immediate; the n-th in a row waits `first` * `factor`^(n-2), at most `most`, less up to
/// `jitter` of it at random (deterministic in a simulation).
struct Backoff {
  std::chrono::nanoseconds first{0};  ///< zero: no pauses, as in OTP
  std::chrono::nanoseconds most = std::chrono::seconds(30);
  double factor = 2;
  double jitter = 0.2;
  /// A child that has been up for so long has made good: the next pause is the first again.
  std::chrono::nanoseconds reset_after = std::chrono::seconds(10);
};

/// What a factory may ask: why it is called. `count` is 0 at the start.
struct RestartInfo {
  std::string_view id;
  ExitReason reason;
  std::uint32_t count = 0;
};

struct ChildInfo;

namespace detail {

/// Asks an actor that has children for them: of each class whose member `WhichChildren` is a
/// request for that.
using AskChildren = PendingReply<std::vector<ChildInfo>> (*)(CellBase& cell);

/// Null: actors of this class have none.
template <typename A>
[[nodiscard]] constexpr AskChildren ask_children_of() noexcept {
  if constexpr (requires { typename A::WhichChildren; }) {
    return [](CellBase& cell) {
      cell.retain();
      ActorRef<A> const ref(static_cast<ActorCell<A>&>(cell));
      return ref.template start_request<typename A::WhichChildren>();
    };
  } else {
    return nullptr;
  }
}

/// Makes the incarnations of a child.
class ChildFactory {
 public:
  ChildFactory() = default;
  ChildFactory(ChildFactory const&) = delete;
  ChildFactory& operator=(ChildFactory const&) = delete;
  virtual ~ChildFactory() = default;
  /// A live cell, with a reference for the caller, or null: the factory gave nothing. Errors: what
  /// the factory throws; std::bad_alloc, std::system_error, RuntimeEnded. `arguments`: those of a
  /// template's child, or null.
  virtual CellBase* start(Scheduler& scheduler, Supervised& record, RestartInfo const& why,
                          ChildArguments const* arguments) = 0;
  /// A new state for a vacant slot. False: the factory gave nothing. Errors: what it throws.
  virtual bool rebuild(CellBase& cell, RestartInfo const& why, ChildArguments const* arguments) = 0;
  /// type_tag of the actor.
  [[nodiscard]] virtual void const* type() const noexcept = 0;
  [[nodiscard]] virtual std::string_view type_name() const noexcept = 0;
  [[nodiscard]] virtual AskChildren ask_children() const noexcept { return nullptr; }
};

template <typename T>
struct made_actor {
  using type = T;
  static constexpr bool optional = false;
};
template <typename T>
struct made_actor<std::optional<T>> {
  using type = T;
  static constexpr bool optional = true;
};

// Never defined: see handlers.hpp.
template <typename Factory>
struct child_factory_must_be_callable_without_arguments_or_with_RestartInfo;

template <typename F, typename... Args>
class TypedFactory final : public ChildFactory {
  static constexpr bool informed = std::is_invocable_v<F&, Args const&..., RestartInfo const&>;
  static auto call(F& function, RestartInfo const& why, ChildArguments const* arguments) {
    return apply_arguments<Args...>(arguments, [&](Args const&... extra) {
      if constexpr (informed) {
        return function(extra..., why);
      } else {
        return function(extra...);
      }
    });
  }
  using Made = made_actor<decltype(call(std::declval<F&>(), std::declval<RestartInfo const&>(),
                                        std::declval<ChildArguments const*>()))>;

 public:
  using actor = typename Made::type;

  explicit TypedFactory(F function) : function_(std::move(function)) {}

  CellBase* start(Scheduler& scheduler, Supervised& record, RestartInfo const& why,
                  ChildArguments const* arguments) override {
    return build(why, arguments, [&](auto make) -> CellBase* {
      auto const before = [&record](CellBase& cell) noexcept { cell.supervise(record); };
      StateFrom<decltype(make)> const from{make};
      return keep(threads::detail::start_in_flavour<actor>(before, scheduler, "start_child", from));
    });
  }
  bool rebuild(CellBase& cell, RestartInfo const& why, ChildArguments const* arguments) override {
    return build(why, arguments, [&](auto make) -> CellBase* {
             static_cast<ActorCell<actor>&>(cell).build(make);
             return &cell;
           }) != nullptr;
  }
  void const* type() const noexcept override { return &type_tag<actor>; }
  std::string_view type_name() const noexcept override { return detail::type_name<actor>(); }
  AskChildren ask_children() const noexcept override { return ask_children_of<actor>(); }

 private:
  static CellBase* keep(ActorRef<actor> ref) noexcept {
    ref.cell().retain();
    return &ref.cell();
  }
  template <typename Use>
  CellBase* build(RestartInfo const& why, ChildArguments const* arguments, Use&& use) {
    if constexpr (Made::optional) {
      auto made = call(function_, why, arguments);
      if (!made) return nullptr;
      return use([&made]() -> actor&& { return std::move(*made); });
    } else {
      return use([this, &why, arguments]() -> actor { return call(function_, why, arguments); });
    }
  }

  F function_;
};

}  // namespace detail

/// One child. Made by child(), refined by its members:
/// `child("cache", [] { return Cache{}; }).restart(Restart::transient).shutdown(2s)`.
class ChildSpec {
 public:
  /// For the library: see child().
  ChildSpec(std::string id, std::shared_ptr<detail::ChildFactory> factory)
      : id_(std::move(id)), factory_(std::move(factory)) {}

  /// permanent unless told otherwise.
  ChildSpec& restart(Restart when) & { return restart_ = when, *this; }
  ChildSpec&& restart(Restart when) && { return std::move(restart(when)); }
  /// 5 s for workers and infinity for supervisors unless told otherwise.
  ChildSpec& shutdown(Shutdown how) & { return shutdown_ = how, *this; }
  ChildSpec&& shutdown(Shutdown how) && { return std::move(shutdown(how)); }
  /// worker unless told otherwise, or the actor has children: a member type WhichChildren.
  ChildSpec& type(ChildType what) & { return type_ = what, *this; }
  ChildSpec&& type(ChildType what) && { return std::move(type(what)); }
  /// Its end by itself counts for SupervisorOptions::auto_shutdown.
  ChildSpec& significant(bool is = true) & { return significant_ = is, *this; }
  ChildSpec&& significant(bool is = true) && { return std::move(significant(is)); }
  ChildSpec& backoff(Backoff pauses) & { return backoff_ = pauses, *this; }
  ChildSpec&& backoff(Backoff pauses) && { return std::move(backoff(pauses)); }

  [[nodiscard]] std::string const& id() const noexcept { return id_; }
  [[nodiscard]] Restart restart() const noexcept { return restart_; }
  [[nodiscard]] ChildType type() const noexcept { return type_; }
  [[nodiscard]] bool is_significant() const noexcept { return significant_; }
  [[nodiscard]] Backoff const& backoff() const noexcept { return backoff_; }
  [[nodiscard]] Shutdown shutdown() const noexcept {
    if (shutdown_) return *shutdown_;
    return type_ == ChildType::supervisor ? Shutdown::infinity()
                                          : Shutdown(std::chrono::seconds(5));
  }
  [[nodiscard]] detail::ChildFactory& factory() const noexcept { return *factory_; }

 private:
  std::string id_;
  std::shared_ptr<detail::ChildFactory> factory_;
  std::optional<Shutdown> shutdown_;
  Backoff backoff_;
  Restart restart_ = Restart::permanent;
  ChildType type_ = ChildType::worker;
  bool significant_ = false;
};

class Supervisor;
class DynamicSupervisor;

namespace detail {

template <typename A>
inline constexpr bool is_supervisor =
    std::is_same_v<A, Supervisor> || std::is_same_v<A, DynamicSupervisor> ||
    requires { typename A::WhichChildren; };

}  // namespace detail

/// A child whose actor is what `factory()` returns; if that is an optional without a value, there
/// is no actor this time, as after an init with no_success: OTP's `ignore`. It is called at the
/// start and at each restart, on the supervisor's turn; it may take a `RestartInfo const&`.
template <typename Factory>
[[nodiscard]] ChildSpec child(std::string id, Factory factory) {
  if constexpr (!std::is_invocable_v<Factory&> &&
                !std::is_invocable_v<Factory&, RestartInfo const&>) {
    (void)sizeof(
        detail::child_factory_must_be_callable_without_arguments_or_with_RestartInfo<Factory>);
  } else {
    using Typed = detail::TypedFactory<Factory>;
    ChildSpec spec(std::move(id), std::make_shared<Typed>(std::move(factory)));
    if constexpr (detail::is_supervisor<typename Typed::actor>) spec.type(ChildType::supervisor);
    return spec;
  }
}
/// The same without an id: for a DynamicSupervisor.
template <typename Factory>
  requires(!std::is_convertible_v<Factory, std::string>)
[[nodiscard]] ChildSpec child(Factory factory) {
  return child(std::string(), std::move(factory));
}

}  // namespace spawned
