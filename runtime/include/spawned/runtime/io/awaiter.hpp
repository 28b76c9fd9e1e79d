// The awaiter of every operation of a network or a disk.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/io/detail/operation.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::io {

/// An operation that begins when it is awaited.
///
/// Awaiting  yields `Result<T, IoError>`: the value, or why there is none.
/// Units     within() takes any duration; resolution 1 ms, never early. Zero: only what can be done
///           at once.
/// Cancel    yields `cancelled` once, then awaits throw Cancelled. What was carried out before it
///           was cancelled, or before its time was over, is reported as carried out.
/// Resumes   on the worker that carried the operation out, or on a thief.
/// Memory    none: the operation is in this object. Keep the buffer and the handle until it
/// returns. Traits    what `T` is, what is asked, and how `T` comes out of the operation.
template <typename Traits>
class IoAwaiter {
 public:
  using Value = typename Traits::Value;

  IoAwaiter(detail::IoObject* object, detail::IoVerb verb, Traits traits) noexcept
      : wait_(object, verb), traits_(std::move(traits)) {}
  /// Before it is awaited.
  IoAwaiter(IoAwaiter&& other) noexcept
      : wait_(other.wait_.unstarted()), traits_(std::move(other.traits_)) {}

  /// `co_await stream.read_some(buffer).within(1s)`: then it yields `timed_out`.
  template <typename Rep, typename Period>
  [[nodiscard("co_await it")]] IoAwaiter within(
      std::chrono::duration<Rep, Period> limit) && noexcept {
    wait_.limit(detail::to_ns(limit));
    return std::move(*this);
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    traits_.ask(wait_.operation);
    return wait_.suspend(waiter, *waiter.promise().context);
  }
  Result<Value, IoError> await_resume() {
    IoErrorKind error{};
    if (wait_.failed(wait_.finish(), error)) {
      return Unexpected(IoError(error));
    }
    if constexpr (std::is_void_v<Value>) {
      return Result<Value, IoError>();
    } else {
      return Result<Value, IoError>(traits_.value(wait_.operation));
    }
  }

 private:
  detail::IoWait wait_;
  [[no_unique_address]] Traits traits_;
};

}  // namespace spawned::io

namespace spawned::detail {

/// How many bytes were read.
struct IoRead {
  using Value = std::size_t;
  explicit IoRead(std::span<std::byte> buffer, std::uint64_t at = 0) noexcept
      : into(buffer), offset(at) {}
  void ask(IoOperation& operation) const noexcept {
    operation.into = into.data();
    operation.size = into.size();
    operation.offset = offset;
  }
  [[nodiscard]] Value value(IoOperation& operation) const noexcept { return operation.count; }

  std::span<std::byte> into;
  std::uint64_t offset;
};
/// How many bytes were written.
struct IoWrite {
  using Value = std::size_t;
  explicit IoWrite(std::span<std::byte const> buffer, std::uint64_t at = 0) noexcept
      : from(buffer), offset(at) {}
  void ask(IoOperation& operation) const noexcept {
    operation.from = from.data();
    operation.size = from.size();
    operation.offset = offset;
  }
  [[nodiscard]] Value value(IoOperation& operation) const noexcept { return operation.count; }

  std::span<std::byte const> from;
  std::uint64_t offset;
};
struct IoWriteAll : IoWrite {
  using Value = void;
  using IoWrite::IoWrite;
};
/// A handle.
template <typename Handle>
struct IoMake {
  using Value = Handle;
  constexpr IoMake() noexcept {}
  void ask(IoOperation& /*operation*/) const noexcept {}
  [[nodiscard]] Value value(IoOperation& operation) const noexcept {
    return Handle(std::move(operation.object));
  }
};
/// Nothing but that it was done.
struct IoDo {
  using Value = void;
  explicit constexpr IoDo(std::uint64_t at = 0) noexcept : offset(at) {}
  void ask(IoOperation& operation) const noexcept { operation.offset = offset; }

  std::uint64_t offset;
};
struct IoNumber {
  using Value = std::uint64_t;
  constexpr IoNumber() noexcept {}
  void ask(IoOperation& /*operation*/) const noexcept {}
  [[nodiscard]] Value value(IoOperation& operation) const noexcept { return operation.number; }
};

}  // namespace spawned::detail
