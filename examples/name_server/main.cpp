// The name server of Joe Armstrong's "Programming Erlang", section 22.1: an actor that keeps names.
//
// Run    ./tools/dev demo, or build/release/examples/name_server
// Prints three lines: a name is stored, found, and another is not found.
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

// Plain sequential business logic. No thread, no lock, no send, no receive.
class NameServer : public sp::Actor<NameServer> {
 public:
  struct Add {
    std::string key, value;
  };
  struct Find {
    std::string key;
  };

  void handle_request(Add entry) {
    names_.insert_or_assign(std::move(entry.key), std::move(entry.value));
  }

  std::optional<std::string> handle_request(Find const& wanted) const {
    auto const found = names_.find(wanted.key);
    if (found == names_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::unordered_map<std::string, std::string> names_;
};

// What the callers see of it: the reply, or that the server could not be reached.
struct Outcome {
  enum Kind { ok, found, not_found, error } kind;
  std::string value;

  [[nodiscard]] std::string to_string() const {
    switch (kind) {
      case ok:
        return "Ok";
      case found:
        return "Found { value: \"" + value + "\" }";
      case not_found:
        return "NotFound";
      case error:
        break;
    }
    return "Error";
  }
};

// [guide: request]
sp::Task<Outcome> add(sp::ActorRef<NameServer> server, std::string key, std::string value) {
  auto reply = co_await server.request<NameServer::Add>(std::move(key), std::move(value));
  co_return Outcome{reply ? Outcome::ok : Outcome::error, {}};
}

sp::Task<Outcome> find(sp::ActorRef<NameServer> server, std::string key) {
  auto reply = co_await server.request<NameServer::Find>(std::move(key));
  if (!reply) co_return Outcome{Outcome::error, {}};
  if (!*reply) co_return Outcome{Outcome::not_found, {}};
  co_return Outcome{Outcome::found, std::move(**reply)};
}
// [guide: end]

sp::Task<int> demo() {
  auto server = NameServer{}.start();

  Outcome outcome = co_await add(server, "Joe", "At Home");
  sp::log::info("name_server", "Storing value result: " + outcome.to_string());
  if (outcome.kind != Outcome::ok) co_return 1;

  outcome = co_await find(server, "Joe");
  sp::log::info("name_server", "Retrieving value result: " + outcome.to_string());
  if (outcome.kind != Outcome::found || outcome.value != "At Home") co_return 1;

  outcome = co_await find(server, "Bob");
  sp::log::info("name_server", "Retrieving value result: " + outcome.to_string());
  co_return outcome.kind == Outcome::not_found ? 0 : 1;
}

int main() { return sp::run(demo); }
