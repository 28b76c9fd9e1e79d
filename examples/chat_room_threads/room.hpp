// The room: who is in it, and that everybody else hears what one says.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "messages.hpp"

class Room : public sp::Actor<Room> {
 public:
  std::size_t handle_request(Enter const& newcomer);
  std::size_t handle_request(Say const& words);
  std::size_t handle_request(Exit const& leaver);
  void teardown();

 private:
  void tell_others(std::string const& from, std::string const& text);

  std::map<std::string, sp::ActorRef<Member>> members_;
};
