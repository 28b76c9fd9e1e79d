// What the room and its members say to each other. Room and member know this header and, to start
// with, nothing else of one another.
#pragma once

#include <cstddef>
#include <string>

#include <spawned/threads.hpp>

namespace sp = spawned::threads;

class Member;

// To the room, which answers each with how many members there are.
struct Enter {
  std::string name;
  sp::ActorRef<Member> member;
};
struct Say {
  std::string from;
  std::string text;
};
struct Exit {
  std::string name;
};

// From the room to its members.
struct Heard {
  std::string from;
  std::string text;
};
