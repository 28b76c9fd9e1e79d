#include <spawned/registry/error.hpp>

namespace spawned::registry {

namespace {

std::string as_actor(ActorId id) { return "actor #" + std::to_string(id.value); }

}  // namespace

char const* to_string(RegistryError::Kind kind) noexcept {
  switch (kind) {
    case RegistryError::Kind::name_taken:
      return "name_taken";
    case RegistryError::Kind::empty_name:
      return "empty_name";
    case RegistryError::Kind::no_such_actor:
      return "no_such_actor";
    case RegistryError::Kind::wrong_type:
      return "wrong_type";
    case RegistryError::Kind::not_registered:
      return "not_registered";
    case RegistryError::Kind::unknown_registry:
      return "unknown_registry";
    case RegistryError::Kind::timeout:
      return "timeout";
    case RegistryError::Kind::cancelled:
      return "cancelled";
  }
  return "?";
}

std::string RegistryError::what() const {
  std::string const text = std::string(to_string(kind_)) + ": ";
  switch (kind_) {
    case Kind::name_taken:
      return text + "the name is held by " + as_actor(holder_) +
             "; unregister it first, or use start_registered() to get the holder";
    case Kind::empty_name:
      return text + "a name has at least one character";
    case Kind::no_such_actor:
      return text + "the actor has ended; register it while it lives";
    case Kind::wrong_type:
      return text + as_actor(holder_) + " is registered as " + std::string(registered_as_) +
             ", and was looked up as " + std::string(asked_for_) +
             "; name the type it is registered as, or register it for both";
    case Kind::not_registered:
      return text + "nobody holds the name; wait_until_registered() waits for it";
    case Kind::unknown_registry:
      return text +
             "the calling thread works for no runtime; use Registry::of(runtime), or a Registry of "
             "your own that was not moved from";
    case Kind::timeout:
      return text + "nobody was registered under the name in time";
    case Kind::cancelled:
      return text + "the waiting task was cancelled";
  }
  return text;
}

void RegistryError::raise() const { throw RegistryFailure(*this); }

}  // namespace spawned::registry
