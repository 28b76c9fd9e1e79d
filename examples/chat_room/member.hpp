// A member: speaks in the room when told to, and hears what the others say.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "messages.hpp"

class Room;

class Member : public sp::Actor<Member> {
 public:
  struct Join {};
  struct Speak {
    std::string text;
  };
  struct Leave {};

  Member(std::string name, sp::ActorRef<Room> room)
      : name_(std::move(name)), room_(std::move(room)) {}

  // Each replies when the room has passed it on, and says whether the room was there.
  sp::Task<bool> handle_request(Join join, sp::Context<Member>& context);
  sp::Task<bool> handle_request(Speak speak);
  sp::Task<bool> handle_request(Leave leave);
  void handle_message(Heard const& heard);
  void teardown();

 private:
  void log(std::string const& text) const { sp::log::info("chat_room", "[" + name_ + "] " + text); }

  std::string name_;
  sp::ActorRef<Room> room_;
  std::size_t heard_ = 0;
};
