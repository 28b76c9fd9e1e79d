// A runtime destroyed by one of its own workers aborts with a message instead of waiting for
// itself.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

sp::Task<void> destroy(std::unique_ptr<sp::Runtime>& runtime) {
  runtime.reset();
  co_return;
}

// The child: never comes back.
void misuse() {
  alarm(20);  // a hang ends as SIGALRM
  auto runtime = std::make_unique<sp::Runtime>();
  runtime->block_on(destroy(runtime));
  _exit(0);
}

std::string read_all(int end) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(end, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

int main() {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  pid_t const child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    misuse();
  }
  close(ends[1]);
  std::string const message = read_all(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1;
  std::printf("the child said: %s", message.c_str());
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
    std::printf("FAILED: the child did not abort (status %d)\n", status);
    return 1;
  }
  if (message.find("destroyed by one of its own workers") == std::string::npos) {
    std::printf("FAILED: the message does not say why\n");
    return 1;
  }
  return 0;
}
