#include "simulation/shards.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spawned/runtime/detail/atomic.hpp>

#include "simulation/check_options.hpp"

namespace spawned::simulation {

namespace {

using detail::memory_order_relaxed;

constexpr std::uint64_t none = ~std::uint64_t{0};

[[noreturn]] void throw_errno(char const* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Shared by the processes.
struct Board {
  struct alignas(64) Shard {
    detail::atomic<std::uint64_t> running{none};  // counted from the first seed
    detail::atomic<std::uint64_t> steps{0};
  };
  detail::atomic<std::uint64_t> next{0};
  detail::atomic<std::uint64_t> first_failed{none};
  detail::atomic<bool> over{false};
  std::array<Shard, jobs_most> shards;

  void failed(std::uint64_t index) noexcept {
    std::uint64_t first = first_failed.load(memory_order_relaxed);  // the CAS checks it
    while (index < first &&
           !first_failed.compare_exchange_weak(first, index, memory_order_relaxed,
                                               memory_order_relaxed)) {  // one word
    }
  }
};

class SharedBoard {
 public:
  SharedBoard() {
    void* const memory =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_errno("simulation::explore: shared memory");
    board_ = new (memory) Board();
  }
  ~SharedBoard() { munmap(board_, sizeof(Board)); }
  SharedBoard(SharedBoard const&) = delete;
  SharedBoard& operator=(SharedBoard const&) = delete;
  Board& operator*() const noexcept { return *board_; }
  Board* operator->() const noexcept { return board_; }

 private:
  Board* board_;
};

// --- in a process of its own ---

/// Hashes on their way into a pipe. At a crash up to a batch of them is lost.
class HashWriter {
 public:
  explicit HashWriter(int pipe) noexcept : pipe_(pipe) {}
  void add(std::uint64_t hash) {
    batch_[count_++] = hash;
    if (count_ == batch_.size()) flush();
  }
  void flush() {
    auto const* data = reinterpret_cast<char const*>(batch_.data());
    std::size_t left = std::exchange(count_, 0) * sizeof(std::uint64_t);
    while (left != 0) {
      ssize_t const written = write(pipe_, data, left);
      if (written < 0 && errno != EINTR) _exit(1);  // nobody reads: the search is gone
      if (written < 0) continue;
      data += written;
      left -= static_cast<std::size_t>(written);
    }
  }

 private:
  int pipe_;
  std::array<std::uint64_t, 64> batch_{};
  std::size_t count_ = 0;
};

void run_seeds(Board& board, Board::Shard& shard, ExploreOptions const& options,
               Program const& program, int pipe) {
  HashWriter writer(pipe);
  std::uint64_t steps = 0;
  while (!board.over.load(memory_order_relaxed)) {                              // a hint
    std::uint64_t const index = board.next.fetch_add(1, memory_order_relaxed);  // one word
    if (index >= options.seeds) break;
    if (index > board.first_failed.load(memory_order_relaxed)) break;  // grows smaller only
    shard.running.store(index, memory_order_relaxed);  // read when the process has ended
    bool passed = false;
    try {
      Report const report = run(options.first_seed + index, options, program);
      passed = report.passed();
      steps += report.steps;
      shard.steps.store(steps, memory_order_relaxed);  // for display
      writer.add(report.hash);
    } catch (...) {
      // run() throws it again where explore() was called.
    }
    if (!passed) board.failed(index);
  }
  writer.flush();
  shard.running.store(none, memory_order_relaxed);  // read when the process has ended
}

[[noreturn]] void be_shard(Board& board, Board::Shard& shard, ExploreOptions const& options,
                           Program const& program, int pipe, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  // Handlers of the calling process tell of crashes that are findings here.
  for (int const signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTERM}) {
    std::signal(signal, SIG_DFL);
  }
  run_seeds(board, shard, options, program, pipe);
  std::fflush(nullptr);
  _exit(0);
}

// --- in the calling process ---

class Children {
 public:
  explicit Children(Board& board) noexcept : board_(board) {}
  Children(Children const&) = delete;
  Children& operator=(Children const&) = delete;
  ~Children() {
    for (Child const& child : children_) {
      if (child.pipe < 0) continue;
      kill(child.process, SIGKILL);
      close(child.pipe);
      while (waitpid(child.process, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  void start(ExploreOptions const& options, Program const& program) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw_errno("simulation::explore: pipe");
    Board::Shard& shard = board_.shards[children_.size()];
    children_.reserve(children_.size() + 1);
    pid_t const parent = getpid();
    pid_t const process = fork();
    if (process < 0) {
      close(ends[0]);
      close(ends[1]);
      throw_errno("simulation::explore: fork");
    }
    if (process == 0) {
      close(ends[0]);
      be_shard(board_, shard, options, program, ends[1], parent);
    }
    close(ends[1]);
    children_.push_back({process, ends[0], &shard, {}, 0});
  }

  /// Reads until all have ended.
  void collect(Tally& tally) {
    std::vector<pollfd> polled;
    for (;;) {
      polled.clear();
      for (Child const& child : children_) {
        if (child.pipe >= 0) polled.push_back({child.pipe, POLLIN, 0});
      }
      if (polled.empty()) return;
      constexpr int milliseconds = 50;
      if (poll(polled.data(), polled.size(), milliseconds) < 0 && errno != EINTR) {
        throw_errno("simulation::explore: poll");
      }
      for (pollfd const& one : polled) {
        if (one.revents != 0) read_from(one.fd, tally);
      }
      if (tally.is_over()) board_.over.store(true, memory_order_relaxed);  // a hint
    }
  }
  /// Of the crash of this run, for people, or empty.
  [[nodiscard]] std::string crash_of(std::uint64_t index) const {
    for (auto const& [crashed, how] : crashes_) {
      if (crashed == index) return how;
    }
    return {};
  }

 private:
  struct Child {
    pid_t process;
    int pipe;  // -1: it has ended
    Board::Shard* shard;
    std::array<char, 4096> buffer;
    std::size_t filled;
  };

  void read_from(int pipe, Tally& tally) {
    Child* child = nullptr;
    for (Child& one : children_) {
      if (one.pipe == pipe) child = &one;
    }
    ssize_t const got =
        read(pipe, child->buffer.data() + child->filled, child->buffer.size() - child->filled);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) return reap(*child);
    child->filled += static_cast<std::size_t>(got);
    std::size_t used = 0;
    for (; used + sizeof(std::uint64_t) <= child->filled; used += sizeof(std::uint64_t)) {
      std::uint64_t hash = 0;
      std::memcpy(&hash, child->buffer.data() + used, sizeof hash);
      tally.add(hash);
    }
    child->filled -= used;
    std::memmove(child->buffer.data(), child->buffer.data() + used, child->filled);
  }

  void reap(Child& child) {
    close(std::exchange(child.pipe, -1));
    int status = 0;
    while (waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
    }
    std::uint64_t const running = child.shard->running.load(memory_order_relaxed);  // it has ended
    if (running == none) return;
    std::string how;
    if (WIFSIGNALED(status)) {
      how = "the process was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
            strsignal(WTERMSIG(status)) + ")";
    } else {
      how = "the process exited with status " + std::to_string(WEXITSTATUS(status)) +
            " in the middle of the run";
    }
    crashes_.emplace_back(running, std::move(how));
    board_.failed(running);
  }

  Board& board_;
  std::vector<Child> children_;
  std::vector<std::pair<std::uint64_t, std::string>> crashes_;
};

}  // namespace

unsigned count_threads() {
  unsigned count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/task", error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

ShardsResult run_shards(ExploreOptions const& options, Program const& program, Tally& tally) {
  SharedBoard board;
  std::fflush(nullptr);  // what is in the buffers is written once, not once for each process
  Children children(*board);
  for (unsigned i = 0; i < options.jobs; ++i) children.start(options, program);
  children.collect(tally);
  ShardsResult result;
  for (Board::Shard const& shard : board->shards) {
    result.steps += shard.steps.load(memory_order_relaxed);  // all have ended
  }
  std::uint64_t const failed = board->first_failed.load(memory_order_relaxed);  // all have ended
  if (failed == none) return result;
  result.failed = failed;
  result.crash = children.crash_of(failed);
  return result;
}

}  // namespace spawned::simulation
