// A traffic light at a pedestrians' crossing, as a state machine: green for cars until somebody
// presses the button, then yellow, then red, then green again.
//
// Run    build/release/examples/traffic_light
// Prints each light as it comes on, and what the people at the crossing do.
#include <chrono>
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

enum class Light { green, yellow, red };

char const* to_string(Light light) {
  switch (light) {
    case Light::green:
      return "green";
    case Light::yellow:
      return "yellow";
    case Light::red:
      return "red";
  }
  return "?";
}

class TrafficLight : public sp::StateMachine<TrafficLight, Light> {
 public:
  struct Press {
    std::string who;
  };
  struct WaitFor {
    Light light;
  };
  struct Over {};  // the time of a light

  TrafficLight() : StateMachine(Light::green) {}

  void enter(Light light, Light /*previous*/) {
    sp::log::info("light", to_string(light));
    if (light == Light::yellow) set_state_timeout<Over>(20ms);
    if (light == Light::red) set_state_timeout<Over>(60ms);
  }

  void handle_message(Over /*timeout*/, Light light) {
    next_state(light == Light::yellow ? Light::red : Light::green);
  }

  // Answered when it is safe to walk: until then the request is postponed, and comes again with
  // each new light.
  sp::RequestResponse<void> handle_request(Press const& press, Light light) {
    if (light == Light::green) next_state(Light::yellow);
    if (light != Light::red) return postpone<void>();
    sp::log::info("light", press.who + " may walk");
    return sp::RequestResponse<void>::reply();
  }

  sp::RequestResponse<void> handle_request(WaitFor const& wait, Light light) {
    if (light != wait.light) return postpone<void>();
    return sp::RequestResponse<void>::reply();
  }
};

sp::Task<int> demo() {
  auto light = TrafficLight{}.start();

  auto green = co_await light.request<TrafficLight::WaitFor>(Light::green);
  for (char const* const who : {"Joe", "Ann"}) {
    sp::log::info("crossing", std::string(who) + " presses the button");
    auto safe = co_await light.request<TrafficLight::Press>(who);
    if (!safe) co_return 1;
    green = co_await light.request<TrafficLight::WaitFor>(Light::green);
    sp::log::info("crossing", "Cars drive");
  }
  co_return green ? 0 : 1;
}

int main() { return sp::run(demo); }
