// IoOperation: one operation on a network or a disk, in the frame of the task that awaits it; and
// IoObject, what carries operations out: real, simulated.
//
// The seam is one of completion. start() tries at once and says whether that was it; if not, the
// object keeps the operation, and whoever can carry it out later (the worker that polls the
// system, the simulation) does so, fills in the result and completes the slot. The waiting task is
// resumed with the result: nothing is tried twice, nothing is allocated.
//
// Time limit and cancellation. The task may be resumed by a timer or a canceller while the object
// still has the operation. withdraw() takes it back; afterwards the object does not use it any
// more. An operation that was carried out in that moment is `finished` and counts: bytes that were
// read are never lost to a time limit.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/io/errors.hpp>

namespace spawned::io {
class Address;
}

namespace spawned::detail {

class IoObject;

enum class IoVerb : std::uint8_t {
  read,       // some bytes of a stream, a datagram, a file at `offset`
  write,      // some bytes, a datagram to `address`, a file at `offset`
  write_all,  // all bytes, of a file at its end
  accept,
  connect,  // to `address`
  open,     // the file `name`; `offset` is the mode
  sync,     // a file, or the names of a disk
  truncate,
  size,
  remove,  // the file `name`
  rename,  // `name` to `other_name`
  list,    // the names that begin with `name`
};

struct IoOperation {
  explicit IoOperation(IoVerb what) noexcept : verb(what) {}
  IoOperation(IoOperation const&) = delete;
  IoOperation& operator=(IoOperation const&) = delete;

  Slot slot;
  IoVerb const verb;

  // What is asked; the object's to read.
  std::byte* into = nullptr;
  std::byte const* from = nullptr;
  std::size_t size = 0;
  std::uint64_t offset = 0;
  io::Address const* address = nullptr;
  std::string_view name;
  std::string_view other_name;

  // What comes of it; set before it is finished.
  std::size_t count = 0;
  std::uint64_t number = 0;
  std::shared_ptr<IoObject> object;  // accepted, connected, opened
  io::Address* sender = nullptr;     // where to write who sent a datagram
  std::vector<std::string>* names = nullptr;
  io::IoErrorKind error = io::IoErrorKind::not_there;
  bool failed = false;

  // The object's own. `finished` is settled by start() or, once withdraw() has returned, for good.
  bool finished = false;
  IoOperation* previous = nullptr;
  IoOperation* next = nullptr;

  ~IoOperation() = default;
};

/// What carries operations out: a socket, a file, a network, a disk. Handles share it, operations
/// only point to it: whoever awaits one keeps the handle.
class IoObject {
 public:
  IoObject() = default;
  IoObject(IoObject const&) = delete;
  IoObject& operator=(IoObject const&) = delete;
  virtual ~IoObject() = default;

  /// True: it is finished. False: it will be, and its slot completed then. Never blocks.
  [[nodiscard]] virtual bool start(IoOperation& operation) noexcept = 0;
  /// After a wait that something else has ended. The object forgets the operation.
  virtual void withdraw(IoOperation& operation) noexcept = 0;
  /// Ends what waits here with `closed`. Idempotent.
  virtual void close() noexcept = 0;
  /// Of a stream: no more bytes will be written.
  virtual void shutdown_write() noexcept {}
  [[nodiscard]] virtual io::Address const* local_address() const noexcept { return nullptr; }
  [[nodiscard]] virtual io::Address const* peer_address() const noexcept { return nullptr; }
  /// Of a network: a listener (`stream`) or a datagram socket at this address.
  [[nodiscard]] virtual std::shared_ptr<IoObject> listen(io::Address const& address, bool stream,
                                                         io::IoErrorKind& error);
};

/// Owns an object and closes it.
class IoHandle {
 public:
  IoHandle() noexcept = default;
  explicit IoHandle(std::shared_ptr<IoObject> object) noexcept : object_(std::move(object)) {}
  IoHandle(IoHandle&& other) noexcept = default;
  IoHandle& operator=(IoHandle&& other) noexcept {
    IoHandle old(std::move(*this));
    object_ = std::move(other.object_);
    return *this;
  }
  ~IoHandle() { close(); }

  void close() noexcept {
    if (object_ != nullptr) object_->close();
  }
  [[nodiscard]] IoObject* object() const noexcept { return object_.get(); }

 private:
  std::shared_ptr<IoObject> object_;
};

/// Awaiter core of an operation. `object` null: nothing is there.
class IoWait {
 public:
  enum class Outcome : std::uint8_t { finished, timed_out, cancelled };

  IoWait(IoObject* object, IoVerb verb) noexcept
      : operation(verb), object_(object), wait_(Slot::abandoned) {}
  /// A new one that asks for the same.
  [[nodiscard]] IoWait unstarted() const noexcept {
    return IoWait(object_, operation.verb, timeout_ns_);
  }
  IoWait(IoWait const&) = delete;
  IoWait& operator=(IoWait const&) = delete;
  /// Also while it is suspended, once nobody can resume it.
  ~IoWait() { (void)finish(); }

  void limit(std::int64_t timeout_ns) noexcept { timeout_ns_ = timeout_ns < 0 ? 0 : timeout_ns; }
  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context) noexcept;
  /// First call of await_resume().
  Outcome finish() noexcept;
  /// After finish(): the error, if there is one. Throws Cancelled the second time.
  [[nodiscard]] bool failed(Outcome outcome, io::IoErrorKind& error);

  IoOperation operation;

 private:
  IoWait(IoObject* object, IoVerb verb, std::int64_t timeout_ns) noexcept
      : operation(verb), object_(object), wait_(Slot::abandoned), timeout_ns_(timeout_ns) {}

  IoObject* object_;
  SlotWait wait_;
  std::int64_t timeout_ns_ = no_deadline;
  bool kept_ = false;  // the object has the operation
};

}  // namespace spawned::detail
