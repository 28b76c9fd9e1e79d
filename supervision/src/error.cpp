#include <spawned/supervision/error.hpp>

#include <stdexcept>

namespace spawned {

char const* to_string(SupervisorError::Kind kind) noexcept {
  switch (kind) {
    case SupervisorError::Kind::already_started:
      return "already_started";
    case SupervisorError::Kind::already_present:
      return "already_present";
    case SupervisorError::Kind::not_found:
      return "not_found";
    case SupervisorError::Kind::running:
      return "running";
    case SupervisorError::Kind::restarting:
      return "restarting";
    case SupervisorError::Kind::start_failed:
      return "start_failed";
    case SupervisorError::Kind::max_children:
      return "max_children";
    case SupervisorError::Kind::invalid_spec:
      return "invalid_spec";
    case SupervisorError::Kind::shutting_down:
      return "shutting_down";
  }
  return "unknown";
}

std::string SupervisorError::what() const {
  std::string const child = "child " + (id_.empty() ? std::string("without id") : id_);
  switch (kind_) {
    case Kind::already_started:
      return child + " is started already: use it, or terminate and delete it first";
    case Kind::already_present:
      return child + " is specified already: restart it, or delete it first";
    case Kind::not_found:
      return "the supervisor has no " + child;
    case Kind::running:
      return child + " runs: terminate it first";
    case Kind::restarting:
      return child + " is about to be restarted: wait, or terminate it first";
    case Kind::start_failed:
      return child + " did not start: " + reason_.to_string();
    case Kind::max_children:
      return child + " was not started: the supervisor has as many children as it may have";
    case Kind::invalid_spec:
      return child + " has an invalid spec: " + reason_.to_string();
    case Kind::shutting_down:
      return child + " was not started: its supervisor ends";
  }
  return child + ": unknown error";
}

void SupervisorError::raise() const { throw std::runtime_error(what()); }

}  // namespace spawned
