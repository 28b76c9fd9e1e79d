#include "room.hpp"

#include <utility>

int Room::handle_request(Join join) {
  members_.push_back(std::move(join.member));
  return static_cast<int>(members_.size());
}

sp::Task<void> Room::handle_message(Say say) {
  auto name = co_await say.member.request<Name>();  // the room asks its member back
  if (!name) co_return;
  for (AnyMember const& member : members_) {
    if (member != say.member) member.send<Heard>(*name, say.text);
  }
}

int Room::handle_request(CountMembers /*request*/) const {
  return static_cast<int>(members_.size());
}
