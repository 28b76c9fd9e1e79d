// The real world, as a simulation sees it: clocks, threads, sockets and random devices that no seed
// decides. Who links spawned::simulation_interpose has calls of them reported here.
//
// A thread is watched while it runs code of a simulated program, and only then. What the library
// does for itself meanwhile, such as asking the system for memory, is exempt.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace spawned::detail {

/// A function that reaches the real world.
struct RealWorldCall {
  char const* function;  ///< "clock_gettime"
  char const* what;      ///< what it is: "reads the real clock"
  char const* instead;   ///< what to call instead
  /// False: there is no virtual answer, as for a thread that blocks.
  bool can_be_virtual;
  /// True: it may never return, so that the report might never be seen.
  bool may_hang = false;
};

/// Where it was called. Asked only if somebody wants to know: it costs a walk of the stack.
class RealWorldSite {
 public:
  RealWorldSite(RealWorldSite const&) = delete;
  RealWorldSite& operator=(RealWorldSite const&) = delete;

  /// Different for different places.
  [[nodiscard]] virtual std::uint64_t key() = 0;
  /// For people: the function, file and line, and who called it.
  [[nodiscard]] virtual std::string text() = 0;

 protected:
  RealWorldSite() = default;
  ~RealWorldSite() = default;
};

class RealWorldWatch {
 public:
  RealWorldWatch(RealWorldWatch const&) = delete;
  RealWorldWatch& operator=(RealWorldWatch const&) = delete;

  enum class Answer : std::uint8_t {
    real,             ///< the real function is called
    from_simulation,  ///< the answer comes from the simulation
    refused,  ///< nothing happens; it fails as the system may fail, or has waited long enough
  };

  /// A watched thread calls the function.
  virtual Answer met(RealWorldCall const& call, RealWorldSite& site) noexcept = 0;
  /// Virtual time: since the start, and since 1970-01-01 UTC.
  [[nodiscard]] virtual std::int64_t now_ns() const noexcept = 0;
  [[nodiscard]] virtual std::int64_t utc_ns() const noexcept = 0;
  /// From the choices of the run.
  virtual std::uint32_t random() noexcept = 0;

 protected:
  RealWorldWatch() = default;
  ~RealWorldWatch() = default;
};

/// Who watches the calling thread, or nullptr.
extern constinit thread_local RealWorldWatch* real_world_watch;

/// The calling thread is watched by `watch` as long as this lives.
class Watched {
 public:
  explicit Watched(RealWorldWatch* watch) noexcept
      : before_(std::exchange(real_world_watch, watch)) {}
  ~Watched() { real_world_watch = before_; }
  Watched(Watched const&) = delete;
  Watched& operator=(Watched const&) = delete;

 private:
  RealWorldWatch* before_;
};

/// The calling thread is not watched as long as this lives: for what the library itself does.
class Exempt : public Watched {
 public:
  Exempt() noexcept : Watched(nullptr) {}
};

}  // namespace spawned::detail
