#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/inevitability.hpp>
#include <spawned/runtime/simulation/replay.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

class Vault : public sp::Actor<Vault> {
 public:
  struct Balance {};
  struct Set {
    int value;
  };
  int handle_request(Balance /*request*/) const { return balance_; }
  void handle_request(Set set) { balance_ = set.value; }

 private:
  int balance_ = 100;
};

class Teller : public sp::Actor<Teller> {
 public:
  struct Withdraw {
    int amount;
  };
  explicit Teller(sp::ActorRef<Vault> vault) : vault_(std::move(vault)) {}
  sp::Task<void> handle_request(Withdraw withdraw) {
    auto const balance = co_await vault_.request<Vault::Balance>();
    auto const set = co_await vault_.request<Vault::Set>(balance.value() - withdraw.amount);
    (void)set.value();
  }

 private:
  sp::ActorRef<Vault> vault_;
};

// The example of docs/design/simulation.md.
sp::Task<void> withdraw_twice() {
  auto vault = Vault{}.start();
  auto one = Teller(vault).start();
  auto other = Teller(vault).start();
  auto first = one.start_request<Teller::Withdraw>(10);
  auto second = other.start_request<Teller::Withdraw>(10);
  (void)co_await first;
  (void)co_await second;
  auto const left = co_await vault.request<Vault::Balance>();
  if (left.value() != 80) throw std::runtime_error("left: " + std::to_string(left.value()));
}

sim::Findings lost_update() {
  sim::ExploreOptions options;
  options.name = "withdraw twice";
  options.clock = sim::ClockMode::idle;
  return sim::explore(options, withdraw_twice);
}

// Sends to who ends before he reads it, and sleeps.
class Listener : public sp::Actor<Listener> {
 public:
  struct Word {
    int value;
  };
  void handle_message(Word /*word*/, sp::Context<Listener>& context) { context.stop(); }
};

sp::Task<void> talk_to_a_deaf_one() {
  auto listener = Listener{}.start();
  listener.send<Listener::Word>(1);
  listener.send<Listener::Word>(2);
  co_await sp::sleep(1500ms);
}

sim::Report traced(sim::Program const& program) {
  sim::Options options;
  options.trace = true;
  options.clock = sim::ClockMode::idle;
  return sim::replay({}, options, program);
}

// --- just enough of JSON to see that it is some ---

class Json {
 public:
  explicit Json(std::string_view text) : text_(text) {}
  bool whole() {
    value();
    space();
    return good_ && at_ == text_.size();
  }

 private:
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void need(char c) { good_ = take(c) && good_; }
  void string() {
    need('"');
    while (good_ && at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) good_ = false;
      if (text_[at_] == '\\') {
        ++at_;
        if (at_ == text_.size() ||
            std::string_view("\"\\/bfnrtu").find(text_[at_]) == std::string_view::npos) {
          good_ = false;
        }
      }
      ++at_;
    }
    need('"');
  }
  void list(char end, bool named) {
    if (take(end)) return;
    do {
      if (named) {
        space();
        string();
        need(':');
      }
      value();
    } while (good_ && take(','));
    need(end);
  }
  void value() {
    if (!good_) return;
    if (take('{')) return list('}', true);
    if (take('[')) return list(']', false);
    space();
    if (at_ < text_.size() && text_[at_] == '"') return string();
    auto const rest = text_.substr(at_);
    for (std::string_view const word : {"true", "false", "null"}) {
      if (!rest.starts_with(word)) continue;
      at_ += word.size();
      return;
    }
    std::size_t const digits = std::min(rest.find_first_not_of("0123456789.-+eE"), rest.size());
    good_ = digits != 0;
    at_ += digits;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

std::size_t count(std::string const& text, std::string const& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

std::string joined(std::vector<std::string> const& lines) {
  std::string text;
  for (auto const& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_SUITE("actors/simulation_report") {
  TEST_CASE("the story says of each step who takes which message from whom, by the step's number") {
    std::string const story = joined(lost_update().shrunk.story());
    CAPTURE(story);
    CHECK(story.find("program   begins; starts Vault#1, Teller#2, Teller#3") != std::string::npos);
    CHECK(count(story, "takes Teller::Withdraw") == 2);
    CHECK(count(story, "from program (1)") == 2);
    CHECK(count(story, "takes Vault::Balance") == 3);
    CHECK(count(story, "goes on with Teller::Withdraw") == 4);
    CHECK(story.find("woken by Vault#1 (") != std::string::npos);
    CHECK(story.find("anonymous") == std::string::npos);
    CHECK(story.find("sends") == std::string::npos);  // each was taken
    CHECK(story.find("nothing to do") == std::string::npos);
  }

  TEST_CASE("a star marks the steps that were not the boring choice, as many as there are") {
    sim::Options options;
    options.trace = true;
    options.clock = sim::ClockMode::idle;
    for (std::uint64_t seed = 1; seed < 30; ++seed) {
      auto const report = sim::run(seed, options, withdraw_twice);
      auto const boring = static_cast<std::size_t>(
          std::count(report.choices.begin(), report.choices.end(), std::uint32_t{0}));
      CHECK(count(joined(report.story()), "* ") == report.choices.size() - boring);
    }
  }

  TEST_CASE("a message that nobody takes is told of, and so is time") {
    std::string const story = joined(traced(talk_to_a_deaf_one).story());
    CAPTURE(story);
    CHECK(count(story, "takes its last message") == 1);
    CHECK(count(story, "sends to Listener#1 what nobody takes") == 1);
    CHECK(story.find("1.5 s  time        moves to 1.5 s") != std::string::npos);
    CHECK(story.find("its time has come (") != std::string::npos);
  }

  TEST_CASE("what can run again says who let it") {
    std::string const story =
        joined(traced([]() -> sp::Task<void> { co_await sp::yield_now(); }).story());
    CHECK(story.find("had yielded (1)") != std::string::npos);
  }

  TEST_CASE("without Options::trace there is no story, diagram or timeline, and they say so") {
    auto const report = sim::run(1, withdraw_twice);
    CHECK(report.story().empty());
    CHECK(report.mermaid().starts_with("sequenceDiagram\n"));
    CHECK(Json(report.chrome_trace()).whole());
  }

  TEST_CASE("the Mermaid diagram has an arrow for each message and wake-up") {
    std::string const diagram = lost_update().shrunk.mermaid();
    CAPTURE(diagram);
    CHECK(diagram.starts_with("sequenceDiagram\n  participant u1 as program\n"));
    CHECK(diagram.find(" as Vault#35;1\n") != std::string::npos);
    CHECK(count(diagram, " Vault::Balance\n") == 3);
    CHECK(count(diagram, "->>") >= 7 + 6);
    CHECK(diagram.find("failed: left: 90\n") != std::string::npos);
  }

  TEST_CASE("a diagram crosses out the arrow of a message that nobody takes") {
    CHECK(count(traced(talk_to_a_deaf_one).mermaid(), "-xu") == 1);
  }

  TEST_CASE("the timeline is JSON: a slice for each step, an arrow for each cause") {
    auto const report = lost_update().shrunk;
    std::string const timeline = report.chrome_trace();
    CHECK(Json(timeline).whole());
    CHECK(count(timeline, "\"ph\":\"X\"") == report.steps);
    CHECK(count(timeline, "\"ph\":\"s\"") == count(timeline, "\"ph\":\"f\""));
    CHECK(count(timeline, "\"ph\":\"s\"") > 10);
    CHECK(timeline.find("\"args\":{\"name\":\"Vault#1\"}") != std::string::npos);
  }

  TEST_CASE("names and remarks of any characters leave the timeline JSON, and the diagram whole") {
    sim::Report report;
    report.name = "a \"name\"\\ with\nall\x01 of \xff";
    report.units = {"nobody", "x;y\"#<z>\\"};
    sim::Event event;
    event.step = 1;
    event.unit = 1;
    event.text = "Do";
    report.events.push_back(event);
    event.kind = sim::Event::Kind::remark;
    event.text = "line\nline; \"quoted\"\t";
    report.events.push_back(event);
    CHECK(Json(report.chrome_trace()).whole());
    CHECK(report.mermaid() ==
          "sequenceDiagram\n  participant u1 as x#59;y\"#35;#lt;z#gt;\\\n"
          "  Note over u1: 1 goes on\n  Note over u1: line<br/>line#59; \"quoted\"\t\n");
  }

  TEST_CASE("write_report writes text, diagram, timeline and trace") {
    char name[] = "/tmp/spawned-report-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    auto const findings = lost_update();
    auto const paths = sim::write_report(findings, std::string(name) + "/sub");
    std::map<std::string, std::string> files;
    for (auto const& path : paths) {
      std::ifstream file(path);
      files[std::filesystem::path(path).filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    std::filesystem::remove_all(name);
    CHECK(files.size() == 4);
    CHECK(files["withdraw_twice.txt"] == findings.to_string() + "\n");
    CHECK(files["withdraw_twice.mmd"] == findings.shrunk.mermaid());
    CHECK(files["withdraw_twice.json"] == findings.shrunk.chrome_trace());
    CHECK(files["withdraw_twice.trace"] == findings.shrunk.trace() + "\n");
    CHECK_THROWS_AS(sim::write_report(findings, "/dev/null/x"), std::system_error);
  }

  TEST_CASE("the curve of a lost update rises to certainty at a step of the story") {
    auto const findings = lost_update();
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    auto const curve = sim::inevitability(findings.shrunk, options, withdraw_twice, 200);
    REQUIRE(curve.turn != 0);
    CHECK(curve.points[curve.turn].probability == 1);
    CHECK(curve.step.find(" takes ") != std::string::npos);
  }
}
