// What the tests of groups and topics share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/registry/groups.hpp>
#include <spawned/tasks.hpp>

namespace test {

namespace groups = spawned::groups;

struct Tick {
  std::uint64_t value;
};
struct Sum {};
struct Crash {};
struct Alive {};

/// A member. Adds up what it is sent.
class Worker : public spawned::Actor<Worker> {
 public:
  void handle_message(Tick tick) { sum_ += tick.value; }
  void handle_message(Crash) { throw std::runtime_error("boom"); }
  std::uint64_t handle_request(Sum) { return sum_; }
  bool handle_request(Alive) { return true; }

 private:
  std::uint64_t sum_ = 0;
};

struct Heard {};

/// Keeps what it is told of groups: "joined workers 2".
class Watcher : public spawned::Actor<Watcher> {
 public:
  void handle_message(groups::GroupEvent const& event) {
    heard_.push_back((event.change == groups::GroupEvent::Change::joined ? "joined " : "left ") +
                     event.group.name() + " " + std::to_string(event.group.size()));
    for (spawned::ActorId const id : event.group.ids()) ids_.push_back(id);
  }
  std::vector<std::string> handle_request(Heard) { return std::exchange(heard_, {}); }
  struct Ids {};
  std::vector<spawned::ActorId> handle_request(Ids) { return std::exchange(ids_, {}); }

 private:
  std::vector<std::string> heard_;
  std::vector<spawned::ActorId> ids_;
};

/// Of a Result that has an error.
template <typename T>
groups::GroupError::Kind group_error(spawned::Result<T, groups::GroupError> const& result) {
  return result ? throw std::logic_error("a value, not an error") : result.error().kind();
}

}  // namespace test
