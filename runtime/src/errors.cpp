#include <spawned/runtime/errors.hpp>

#include <source_location>
#include <typeinfo>

#include <cxxabi.h>

#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/spawn.hpp>

#include "demangle.hpp"

namespace spawned {

NoRuntime::NoRuntime(char const* operation)
    : std::logic_error(std::string(operation) +
                       ": the calling thread works for no runtime; call it inside run() or "
                       "block_on(), or use the form that names a Runtime") {}

BlockingInWorker::BlockingInWorker(char const* operation)
    : std::logic_error(std::string(operation) +
                       ": called on a worker of a runtime, which would block it; co_await instead, "
                       "or move the call into spawn_blocking") {}

RuntimeEnded::RuntimeEnded(char const* operation)
    : std::logic_error(std::string(operation) +
                       ": the runtime has been shut down; make another one") {}

std::string JoinError::what() const {
  return kind_ == Kind::cancelled ? "the task was cancelled"
                                  : "the task threw " + detail::describe_exception(exception_);
}

void JoinError::raise() const {
  if (kind_ == Kind::cancelled) throw Cancelled();
  std::rethrow_exception(exception_);
}

char const* to_string(WaitError error) noexcept {
  switch (error) {
    case WaitError::timeout:
      return "timeout";
    case WaitError::cancelled:
      return "cancelled";
    case WaitError::closed:
      return "closed";
  }
  return "?";
}

namespace detail {

void bad_result_access(char const* what) { throw std::logic_error(what); }

Scheduler& require_scheduler(char const* what) {
  Scheduler* const scheduler = current_scheduler();
  if (scheduler == nullptr) throw NoRuntime(what);
  return *scheduler;
}

void require_no_worker(char const* operation) {
  if (current_worker != nullptr && current_worker->executor != nullptr) {
    throw BlockingInWorker(operation);
  }
}

std::string describe_exception(std::exception_ptr const& exception) {
  if (!exception) return "nothing";
  try {
    std::rethrow_exception(exception);
  } catch (std::exception const& error) {
    return demangled(typeid(error).name()) + ": " + error.what();
  } catch (char const* text) {
    return std::string("\"") + text + "\"";
  } catch (int number) {
    return "int " + std::to_string(number);
  } catch (...) {
    std::type_info const* const type = abi::__cxa_current_exception_type();
    return type != nullptr ? demangled(type->name()) : "an unknown exception";
  }
}

std::string describe_task(std::source_location where) {
  return std::string("task spawned at ") + where.file_name() + ":" + std::to_string(where.line());
}

std::string describe_task_step(Step const& /*step*/, std::uint64_t identity) {
  return describe_task(__builtin_bit_cast(std::source_location, identity));
}

}  // namespace detail

}  // namespace spawned
