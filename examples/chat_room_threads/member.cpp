#include "member.hpp"

#include "room.hpp"

bool Member::handle_request(Join /*join*/, sp::Context<Member>& context) {
  auto members = room_.request<Enter>(name_, context.self());
  if (members) log("is member number " + std::to_string(*members));
  return members.has_value();
}

bool Member::handle_request(Speak speak) {
  auto members = room_.request<Say>(name_, speak.text);
  return members.has_value();
}

bool Member::handle_request(Leave /*leave*/) {
  auto members = room_.request<Exit>(name_);
  return members.has_value();
}

void Member::handle_message(Heard const& heard) {
  ++heard_;
  log("hears: " + heard.from + " " + heard.text);
}

void Member::teardown() { log("goes home, has heard " + std::to_string(heard_)); }
