// nosanitize: the thread sanitizer keeps signals back.
// run_application as a process: signals from outside, its exit codes, and a handler that blocks its
// thread beyond the deadline. The program starts itself for each case.
#include <spawned/supervision/application.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spawned/tasks.hpp>

extern char** environ;  // NOLINT

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

/// Says that it is up; "blocked" then blocks its thread for ever, "crashes" crashes.
class Member : public sp::Actor<Member> {
 public:
  struct Go {};
  explicit Member(std::string mode) : mode_(std::move(mode)) {}
  void init(sp::Context<Member>& context) { context.self().send<Go>(); }
  void handle_message(Go /*go*/) {
    if (mode_ == "crashes") throw std::runtime_error("boom");
    if (write(STDOUT_FILENO, "up\n", 3) != 3) std::abort();
    while (mode_ == "blocked") pause();
  }

 private:
  std::string mode_;
};

int serve(std::string const& mode) {
  sp::ApplicationOptions options;
  options.stop_within = mode == "blocked" ? 100ms : 10s;
  return sp::run_application(options, sp::child("member", [mode] { return Member(mode); }));
}

struct Outcome {
  int exit_code = -1;
  std::string output;
};

/// Runs this program in `mode`, with `signal` sent to it when it is up.
Outcome run(char const* program, char const* mode, int signal) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::string name(program);
  std::string argument(mode);
  char* arguments[] = {name.data(), argument.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, program, &actions, nullptr, arguments, environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);

  Outcome outcome;
  char buffer[512];
  for (bool sent = signal == 0;;) {
    ssize_t const got = read(ends[0], buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    outcome.output.append(buffer, static_cast<std::size_t>(got));
    if (!sent && outcome.output.find("up\n") != std::string::npos) {
      sent = true;
      kill(pid, signal);
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

bool expect(char const* program, char const* mode, int signal, int code, char const* says) {
  Outcome const outcome = run(program, mode, signal);
  bool const right = outcome.exit_code == code && outcome.output.find(says) != std::string::npos;
  std::printf("%s with signal %d: exit code %d, expected %d and \"%s\"%s\n", mode, signal,
              outcome.exit_code, code, says, right ? "" : ": FAILED");
  if (!right) std::printf("%s\n", outcome.output.c_str());
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) return serve(argv[1]);
  bool right = expect(argv[0], "orderly", SIGTERM, 0, "stopped by signal 15");
  right = expect(argv[0], "orderly", SIGINT, 0, "stopped by signal 2") && right;
  right = expect(argv[0], "crashes", 0, 1, "gave up") && right;
  right = expect(argv[0], "blocked", SIGTERM, 3, "its handler blocks") && right;
  return right ? 0 : 1;
}
