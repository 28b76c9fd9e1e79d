// A member talks in a room. It does not know what a room is.
#pragma once

#include <string>

#include "messages.hpp"

struct Enter {};  // answered when it has joined
struct Speak {
  std::string text;
};

class Member : public sp::Actor<Member> {
 public:
  Member(std::string name, AnyRoom room);

  sp::Task<int> handle_request(Enter request, sp::Context<Member>& context);
  void handle_message(Speak speak, sp::Context<Member>& context);
  [[nodiscard]] std::string handle_request(Name request) const;
  void handle_message(Heard heard);

 private:
  std::string name_;
  AnyRoom room_;
};
