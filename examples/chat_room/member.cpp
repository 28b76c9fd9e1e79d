#include "member.hpp"

#include "room.hpp"

sp::Task<bool> Member::handle_request(Join /*join*/, sp::Context<Member>& context) {
  auto members = co_await room_.request<Enter>(name_, context.self());
  if (members) log("is member number " + std::to_string(*members));
  co_return members.has_value();
}

sp::Task<bool> Member::handle_request(Speak speak) {
  auto members = co_await room_.request<Say>(name_, speak.text);
  co_return members.has_value();
}

sp::Task<bool> Member::handle_request(Leave /*leave*/) {
  auto members = co_await room_.request<Exit>(name_);
  co_return members.has_value();
}

void Member::handle_message(Heard const& heard) {
  ++heard_;
  log("hears: " + heard.from + " " + heard.text);
}

void Member::teardown() { log("goes home, has heard " + std::to_string(heard_)); }
