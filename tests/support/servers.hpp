// Actors to supervise: they tell when they start and why they end, and crash when they are told to.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace test {

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

struct Log {
  Events events;
};
using LogPtr = std::shared_ptr<Log>;

struct Crash {};
struct End {
  sp::ExitReason reason;
};
struct Ping {};
struct Note {
  std::string text;
};
struct Fail {};

/// otp.md's srv: tells when it starts and why it ends.
class Server : public sp::Actor<Server> {
 public:
  Server(std::string id, LogPtr log) : id_(std::move(id)), log_(std::move(log)) {}
  void init() { log_->events.add("start " + id_); }
  void teardown(sp::ExitReason const& reason) {
    log_->events.add("term " + id_ + " " + reason.to_string());
  }
  void handle_message(Crash) { throw std::runtime_error("boom"); }
  void handle_message(End const& end, sp::Context<Server>& context) { context.stop(end.reason); }
  void handle_message(Note const& note) { notes_.push_back(note.text); }
  std::vector<std::string> handle_request(Ping) { return notes_; }
  void handle_request(Fail) { throw std::runtime_error("boom"); }

 private:
  std::string id_;
  LogPtr log_;
  std::vector<std::string> notes_;
};

inline spawned::ChildSpec server(std::string id, LogPtr const& log) {
  return spawned::child(id, [id, log] { return Server(id, log); }).shutdown(1s);
}

/// Takes its time to end.
class Slow : public sp::Actor<Slow> {
 public:
  explicit Slow(std::chrono::milliseconds time) : time_(time) {}
  sp::Task<void> teardown() { co_await sp::sleep(time_); }
  void handle_message(Ping) {}

 private:
  std::chrono::milliseconds time_;
};

/// One server per letter.
inline std::vector<spawned::ChildSpec> servers(LogPtr const& log, std::string const& ids) {
  std::vector<spawned::ChildSpec> specs;
  for (char const id : ids) specs.push_back(server(std::string(1, id), log));
  return specs;
}

using Sup = sp::ActorRef<spawned::Supervisor>;

inline spawned::SupervisorOptions with(spawned::RestartStrategy strategy, int intensity = 1,
                                       std::chrono::nanoseconds period = 5s) {
  spawned::SupervisorOptions options;
  options.strategy = strategy;
  options.intensity = intensity;
  options.period = period;
  return options;
}
inline sp::Task<Sup> up(spawned::SupervisorOptions options, std::vector<spawned::ChildSpec> specs) {
  auto started = co_await spawned::Supervisor(options, std::move(specs)).start_and_wait();
  co_return started.value();
}

inline sp::Task<sp::ActorRef<Server>> get(Sup sup, std::string id) {
  auto info = co_await sup.request<spawned::Supervisor::GetChild>(id);
  co_return info.value().value().ref.as<Server>().value();
}
inline sp::Task<spawned::ChildCounts> counts(Sup sup) {
  auto result = co_await sup.request<spawned::Supervisor::CountChildren>();
  co_return result.value();
}
/// Crashes it and waits until its supervisor has dealt with that.
inline sp::Task<void> crash(Sup sup, std::string id) {
  auto ref = co_await get(sup, id);
  (void)co_await ref.request<Fail>();
  (void)co_await counts(sup);
}

/// "a running", ...
inline sp::Task<std::string> stat(Sup sup) {
  auto all = co_await sup.request<spawned::Supervisor::WhichChildren>();
  std::string text;
  for (auto const& info : all.value()) {
    char const* const state = info.state == spawned::ChildState::running      ? "+"
                              : info.state == spawned::ChildState::restarting ? "~"
                                                                              : "-";
    text += info.id + state;
  }
  co_return text;
}

/// Waits until so much has happened.
inline sp::Task<void> seen(LogPtr log, std::size_t events) {
  while (log->events.all().size() < events) co_await sp::sleep(1ms);
}

using Texts = std::vector<std::string>;
inline std::string const boom = "error: std::runtime_error: boom";

}  // namespace test
