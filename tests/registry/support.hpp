// What the tests of names share.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/registry/registry.hpp>
#include <spawned/tasks.hpp>

namespace names {

namespace sp = spawned::tasks;
namespace registry = spawned::registry;
using registry::Registry;
using Kind = registry::RegistryError::Kind;

struct Ping {};
struct Say {
  std::string text;
};
struct Said {};
struct Crash {};

class Holder : public sp::Actor<Holder> {
 public:
  int handle_request(Ping) { return ++pings_; }
  void handle_message(Say const& say) { said_.push_back(say.text); }
  std::vector<std::string> handle_request(Said) { return said_; }
  void handle_message(Crash) { throw std::runtime_error("boom"); }

 private:
  int pings_ = 0;
  std::vector<std::string> said_;
};

/// Another type of actor.
class Other : public sp::Actor<Other> {
 public:
  int handle_request(Ping) { return -1; }
};

using Pings = sp::Protocol<int(Ping)>;
using Says = sp::Protocol<Say>;

/// Of a Result that has an error.
template <typename T, typename E>
Kind kind_of(spawned::Result<T, E> const& result) {
  return result ? throw std::logic_error("a value, not an error") : result.error().kind();
}

inline std::vector<std::string> texts(std::vector<registry::RegisteredName> const& all) {
  std::vector<std::string> names;
  for (auto const& each : all) names.push_back(each.name);
  return names;
}

}  // namespace names
