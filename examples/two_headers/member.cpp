#include "member.hpp"

#include <cstdio>
#include <utility>

Member::Member(std::string name, AnyRoom room) : name_(std::move(name)), room_(std::move(room)) {}

sp::Task<int> Member::handle_request(Enter /*request*/, sp::Context<Member>& context) {
  auto size = co_await room_.request<Join>(context.self());
  co_return size.value_or(0);
}

void Member::handle_message(Speak speak, sp::Context<Member>& context) {
  room_.send<Say>(context.self(), std::move(speak.text));
}

std::string Member::handle_request(Name /*request*/) const { return name_; }

void Member::handle_message(Heard heard) {
  std::printf("%s hears %s: %s\n", name_.c_str(), heard.from.c_str(), heard.text.c_str());
}
