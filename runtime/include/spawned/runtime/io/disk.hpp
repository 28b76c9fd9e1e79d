// Disk, File: the files of a runtime, real or simulated.
//
// docs/design/io-seam.md says what is behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <spawned/runtime/io/awaiter.hpp>

namespace spawned::io {

/// How a file is opened.
enum class OpenMode : std::uint8_t {
  existing,  ///< `not_found` if there is none
  create,    ///< made if there is none
  make_new,  ///< `exists` if there is one
  replace,   ///< made, or emptied
};

/// An open file.
///
/// Durability  only what was there at a successful sync() is certain to survive a crash. Of later
///             writes anything may: none, some, parts, in any order.
/// Errors      `no_space`, `broken`; `closed` after close().
/// Threads     any number of operations at once.
class File {
 public:
  File() noexcept = default;
  explicit File(std::shared_ptr<detail::IoObject> object) noexcept : handle_(std::move(object)) {}

  /// Reads some bytes, one at least; 0: `offset` is at or after the end.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoRead> read_at(
      std::uint64_t offset, std::span<std::byte> into) noexcept {
    return IoAwaiter<detail::IoRead>(handle_.object(), detail::IoVerb::read,
                                     detail::IoRead(into, offset));
  }
  /// Writes some bytes, one at least; a gap before `offset` reads as zeros.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoWrite> write_at(
      std::uint64_t offset, std::span<std::byte const> from) noexcept {
    return IoAwaiter<detail::IoWrite>(handle_.object(), detail::IoVerb::write,
                                      detail::IoWrite(from, offset));
  }
  /// Writes all bytes at the end; after an error part of them may be there.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoWriteAll> append(
      std::span<std::byte const> from) noexcept {
    return IoAwaiter<detail::IoWriteAll>(handle_.object(), detail::IoVerb::write_all,
                                         detail::IoWriteAll(from));
  }
  /// What was written before survives a crash, and so does the name of a file that was new. After
  /// an error nobody knows, and a second sync() does not help.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoDo> sync() noexcept {
    return IoAwaiter<detail::IoDo>(handle_.object(), detail::IoVerb::sync, detail::IoDo());
  }
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoDo> truncate(std::uint64_t size) noexcept {
    return IoAwaiter<detail::IoDo>(handle_.object(), detail::IoVerb::truncate, detail::IoDo(size));
  }
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoNumber> size() noexcept {
    return IoAwaiter<detail::IoNumber>(handle_.object(), detail::IoVerb::size, detail::IoNumber());
  }
  void close() noexcept { handle_.close(); }

 private:
  detail::IoHandle handle_;
};

}  // namespace spawned::io

namespace spawned::detail {

struct IoNamed {
  using Value = void;
  explicit IoNamed(std::string first, std::string second = {}) noexcept
      : name(std::move(first)), other_name(std::move(second)) {}
  void ask(IoOperation& operation) const noexcept {
    operation.name = name;
    operation.other_name = other_name;
  }

  std::string name;
  std::string other_name;
};

struct IoOpen : IoNamed {
  using Value = io::File;
  IoOpen(std::string path, io::OpenMode how) noexcept : IoNamed(std::move(path)), mode(how) {}
  void ask(IoOperation& operation) const noexcept {
    IoNamed::ask(operation);
    operation.offset = static_cast<std::uint64_t>(mode);
  }
  [[nodiscard]] Value value(IoOperation& operation) const noexcept {
    return io::File(std::move(operation.object));
  }

  io::OpenMode mode;
};

struct IoList : IoNamed {
  using Value = std::vector<std::string>;
  using IoNamed::IoNamed;
  void ask(IoOperation& operation) noexcept {
    IoNamed::ask(operation);
    operation.names = &names;
  }
  [[nodiscard]] Value value(IoOperation& /*operation*/) noexcept { return std::move(names); }

  std::vector<std::string> names;
};

}  // namespace spawned::detail

namespace spawned::io {

/// A disk. Copies are the same disk.
///
/// Durability  names that were removed or renamed survive a crash once sync_names() has succeeded;
///             until then the old ones may be back. rename() is never seen half done.
/// Errors      `not_there` where the runtime has none.
class Disk {
 public:
  Disk() noexcept = default;
  explicit Disk(std::shared_ptr<detail::IoObject> object) noexcept : object_(std::move(object)) {}

  [[nodiscard]] bool is_there() const noexcept { return object_ != nullptr; }

  [[nodiscard("co_await it")]] IoAwaiter<detail::IoOpen> open(
      std::string path, OpenMode mode = OpenMode::existing) noexcept {
    return IoAwaiter<detail::IoOpen>(object_.get(), detail::IoVerb::open,
                                     detail::IoOpen(std::move(path), mode));
  }
  /// Open handles of it go on.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoNamed> remove(std::string path) noexcept {
    return IoAwaiter<detail::IoNamed>(object_.get(), detail::IoVerb::remove,
                                      detail::IoNamed(std::move(path)));
  }
  /// In place of what is called `to`, if there is something.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoNamed> rename(std::string from,
                                                                 std::string to) noexcept {
    return IoAwaiter<detail::IoNamed>(object_.get(), detail::IoVerb::rename,
                                      detail::IoNamed(std::move(from), std::move(to)));
  }
  /// The paths that begin with `prefix`, in order.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoList> list(std::string prefix = {}) noexcept {
    return IoAwaiter<detail::IoList>(object_.get(), detail::IoVerb::list,
                                     detail::IoList(std::move(prefix)));
  }
  /// The names survive a crash: what syncing a directory does.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoDo> sync_names() noexcept {
    return IoAwaiter<detail::IoDo>(object_.get(), detail::IoVerb::sync, detail::IoDo());
  }

 private:
  std::shared_ptr<detail::IoObject> object_;
};

/// That of the calling thread's runtime: in a simulation the simulated one, of the host of the
/// present simulation::HostScope. Real runtimes have none yet: what it does yields `not_there`.
/// Errors  NoRuntime.
[[nodiscard]] Disk disk();

}  // namespace spawned::io
