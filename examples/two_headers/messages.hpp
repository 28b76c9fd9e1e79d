// What a room and its members say to each other. The only thing they share.
#pragma once

#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

// To a member.
struct Heard {
  std::string from, text;
};
struct Name {};  // answered with the member's name

using AnyMember = sp::Protocol<Heard, std::string(Name)>;

// To a room.
struct Join {
  AnyMember member;
};
struct Say {
  AnyMember member;
  std::string text;
};
struct CountMembers {};  // answered with their number

using AnyRoom = sp::Protocol<Say, int(Join), int(CountMembers)>;
