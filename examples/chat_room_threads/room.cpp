#include "room.hpp"

#include "member.hpp"

std::size_t Room::handle_request(Enter const& newcomer) {
  members_.insert_or_assign(newcomer.name, newcomer.member);
  sp::log::info("chat_room", "[room] " + newcomer.name + " joins");
  tell_others(newcomer.name, "joins");
  return members_.size();
}

std::size_t Room::handle_request(Say const& words) {
  sp::log::info("chat_room", "[room] " + words.from + " says: " + words.text);
  tell_others(words.from, "says: " + words.text);
  return members_.size();
}

std::size_t Room::handle_request(Exit const& leaver) {
  sp::log::info("chat_room", "[room] " + leaver.name + " leaves");
  tell_others(leaver.name, "leaves");
  auto const member = members_.find(leaver.name);
  if (member != members_.end()) {
    member->second.stop();  // which it handles after all that the room has sent it before
    members_.erase(member);
  }
  return members_.size();
}

void Room::teardown() {
  for (auto const& [name, member] : members_) member.stop();
  sp::log::info("chat_room", "[room] closed");
}

// Members ask the room; the room only ever sends. So no two of them can wait for each other.
void Room::tell_others(std::string const& from, std::string const& text) {
  for (auto const& [name, member] : members_) {
    if (name != from) member.send<Heard>(from, text);
  }
}
