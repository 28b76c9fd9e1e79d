// The chat room in the threads flavour: but for the include, the namespace and what waits, the text
// of examples/chat_room.
//
// Run    build/release/examples/chat_room_threads
// Prints what happens in the room and what each member hears of it. The lines of one actor come in
//        order, those of different actors in any.
#include "member.hpp"
#include "room.hpp"

int demo() {
  auto room = Room{}.start();
  auto alice = Member("Alice", room).start();
  auto bob = Member("Bob", room).start();
  auto carol = Member("Carol", room).start();

  (void)alice.request<Member::Join>();
  (void)bob.request<Member::Join>();
  (void)carol.request<Member::Join>();
  (void)alice.request<Member::Speak>("Hello everyone!");
  (void)bob.request<Member::Speak>("Hey Alice!");
  (void)carol.request<Member::Leave>();
  (void)alice.request<Member::Speak>("Where is Carol?");

  (void)room.stop_and_wait();
  (void)alice.wait_exit();
  (void)bob.wait_exit();
  (void)carol.wait_exit();

  auto late = Member("Dave", room).start();
  auto joined = late.request<Member::Join>();
  sp::log::info("chat_room", joined.value() ? "Dave is in" : "Dave finds the room closed");
  return joined.value() ? 1 : 0;
}

int main() { return sp::run(demo); }
