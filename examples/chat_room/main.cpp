// A chat room and its members, each an actor. Who joins, speaks or leaves asks the room; what is
// said reaches the others as messages.
//
// Run    build/release/examples/chat_room
// Prints what happens in the room and what each member hears of it. The lines of one actor come in
//        order, those of different actors in any.
#include "member.hpp"
#include "room.hpp"

sp::Task<int> demo() {
  auto room = Room{}.start();
  auto alice = Member("Alice", room).start();
  auto bob = Member("Bob", room).start();
  auto carol = Member("Carol", room).start();

  (void)co_await alice.request<Member::Join>();
  (void)co_await bob.request<Member::Join>();
  (void)co_await carol.request<Member::Join>();
  (void)co_await alice.request<Member::Speak>("Hello everyone!");
  (void)co_await bob.request<Member::Speak>("Hey Alice!");
  (void)co_await carol.request<Member::Leave>();
  (void)co_await alice.request<Member::Speak>("Where is Carol?");

  (void)co_await room.stop_and_wait();
  (void)co_await alice.wait_exit();
  (void)co_await bob.wait_exit();
  (void)co_await carol.wait_exit();

  auto late = Member("Dave", room).start();
  auto joined = co_await late.request<Member::Join>();
  sp::log::info("chat_room", joined.value() ? "Dave is in" : "Dave finds the room closed");
  co_return joined.value() ? 1 : 0;
}

int main() { return sp::run(demo); }
