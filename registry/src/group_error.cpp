#include <spawned/registry/group_error.hpp>

namespace spawned::groups {

char const* to_string(GroupError::Kind kind) noexcept {
  switch (kind) {
    case GroupError::Kind::not_joined:
      return "not_joined";
    case GroupError::Kind::no_such_actor:
      return "no_such_actor";
    case GroupError::Kind::another_type:
      return "another_type";
    case GroupError::Kind::no_scope:
      return "no_scope";
  }
  return "?";
}

std::string GroupError::what() const {
  switch (kind_) {
    case Kind::not_joined:
      return "it is no member of the group";
    case Kind::no_such_actor:
      return "the actor has ended: join before it does, or start another";
    case Kind::another_type:
      return "the group of this name is one of " + std::string(group_type_) + ", not of " +
             std::string(asked_for_) + ": give one of them another name";
    case Kind::no_scope:
      return "there is no such scope: it was closed, or the calling thread works for no runtime "
             "(use a groups::Scope)";
  }
  return "?";
}

void GroupError::raise() const { throw GroupFailure(*this); }

}  // namespace spawned::groups
