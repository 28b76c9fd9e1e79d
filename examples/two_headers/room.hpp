// A room passes on what its members say. It does not know what a member is.
#pragma once

#include <vector>

#include "messages.hpp"

class Room : public sp::Actor<Room> {
 public:
  int handle_request(Join join);
  sp::Task<void> handle_message(Say say);
  [[nodiscard]] int handle_request(CountMembers request) const;

 private:
  std::vector<AnyMember> members_;
};
