// SPAWNED_LOG gives the levels before the program says anything; what is wrong in it is reported,
// and the rest holds. A process of its own: the variable is read once.
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include <spawned/runtime/log.hpp>

namespace {

using spawned::log::Level;

class Lines final : public spawned::log::Sink {
 public:
  void write(spawned::log::Record const& record) noexcept override {
    std::scoped_lock const lock(mutex_);
    lines.emplace_back(record.text);
  }
  std::vector<std::string> lines;

 private:
  std::mutex mutex_;
};

}  // namespace

int main() {
  setenv("SPAWNED_LOG", "warn,bank=debug,nonsense,shop=loud", 1);
  Lines sink;
  spawned::log::set_sink(&sink);
  bool const right = spawned::log::enabled(Level::debug, "bank") &&
                     !spawned::log::enabled(Level::info, "shop") &&
                     spawned::log::enabled(Level::warn, "shop");
  if (!right) std::printf("FAILED: the levels are not those of SPAWNED_LOG\n");
  bool const reported = sink.lines.size() == 2 &&
                        sink.lines[0].find("\"nonsense\"") != std::string::npos &&
                        sink.lines[1].find("\"shop=loud\"") != std::string::npos;
  if (!reported) std::printf("FAILED: what is wrong in SPAWNED_LOG is not reported\n");
  spawned::log::set_sink(nullptr);
  return right && reported ? 0 : 1;
}
