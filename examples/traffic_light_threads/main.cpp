// The traffic light in the threads flavour: but for the include, the namespace and what waits, the
// text of examples/traffic_light.
//
// Run    build/release/examples/traffic_light_threads
// Prints each light as it comes on, and what the people at the crossing do.
#include <chrono>
#include <string>

#include <spawned/threads.hpp>

namespace sp = spawned::threads;
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
  struct Over {};

  TrafficLight() : StateMachine(Light::green) {}

  void enter(Light light, Light) {
    sp::log::info("light", to_string(light));
    if (light == Light::yellow) set_state_timeout<Over>(20ms);
    if (light == Light::red) set_state_timeout<Over>(60ms);
  }

  void handle_message(Over, Light light) {
    next_state(light == Light::yellow ? Light::red : Light::green);
  }

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

int demo() {
  auto light = TrafficLight{}.start();

  auto green = light.request<TrafficLight::WaitFor>(Light::green);
  for (char const* const who : {"Joe", "Ann"}) {
    sp::log::info("crossing", std::string(who) + " presses the button");
    auto safe = light.request<TrafficLight::Press>(who);
    if (!safe) return 1;
    green = light.request<TrafficLight::WaitFor>(Light::green);
    sp::log::info("crossing", "Cars drive");
  }
  return green ? 0 : 1;
}

int main() { return sp::run(demo); }
