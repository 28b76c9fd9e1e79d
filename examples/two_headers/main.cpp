// Two actors that talk to each other, in two headers that do not include each other.
//
// Run    build/release/examples/two_headers
// Prints what each member hears.
#include <cstdio>

#include "member.hpp"
#include "room.hpp"

sp::Task<int> demo() {
  auto room = Room{}.start();
  auto ann = sp::start<Member>("Ann", room);  // an ActorRef is a Protocol where one is asked for
  auto bob = sp::start<Member>("Bob", room);
  (void)co_await ann.request<Enter>();
  (void)co_await bob.request<Enter>();

  ann.send<Speak>("hello");
  (void)co_await ann.request<Name>();           // she has spoken to the room,
  (void)co_await room.request<CountMembers>();  // the room has passed it on,
  (void)co_await bob.request<Name>();           // and he has heard it

  bob.send<Speak>("hello yourself");
  (void)co_await bob.request<Name>();
  auto members = co_await room.request<CountMembers>();
  (void)co_await ann.request<Name>();

  std::printf("%d members\n", members.value_or(0));
  co_return 0;
}

int main() { return sp::run(demo()); }
