// 24: a broadcast to a member that is about to end.
//
// Bug          the room sends the text to each member and counts the messages that come back.
// Interleaving a member leaves before it has read the text: the count is never complete.
// Fix          requests: one that nobody will answer says so.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Room;

class Member : public sp::Actor<Member> {
 public:
  struct Text {
    sp::ActorRef<Room> from;
  };
  struct Read {};
  void handle_message(Text const& text);
  void handle_request(Read /*request*/) { corpus::maybe_sleep(); }
};

class Room : public sp::Actor<Room> {
 public:
  struct Publish {};
  struct Seen {};
  Room(Variant variant, std::vector<sp::ActorRef<Member>> members)
      : variant_(variant), members_(std::move(members)) {}

  // Answers when every member that is there has read it.
  sp::Task<sp::RequestResponse<void>> handle_request(Publish /*request*/,
                                                     sp::Context<Room>& context) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed) {
      (void)co_await sp::request_all_with_timeout<Member::Read>(members_, sp::no_timeout);
      co_return sp::RequestResponse<void>::reply();
    }
    published_ = context.defer<void>();
    missing_ = members_.size();
    for (auto const& member : members_) member.send<Member::Text>(context.self());
    co_return sp::RequestResponse<void>::deferred();
  }
  void handle_message(Seen /*message*/) {
    corpus::maybe_sleep();
    if (--missing_ == 0) (void)published_->reply();
  }

 private:
  Variant variant_;
  std::vector<sp::ActorRef<Member>> members_;
  std::optional<sp::ReplyTo<void>> published_;
  std::size_t missing_ = 0;
};

void Member::handle_message(Text const& text) {
  corpus::maybe_sleep();
  text.from.send<Room::Seen>();
}

sp::Task<void> leave(sp::ActorRef<Member> member) {
  co_await sp::yield_now();
  corpus::maybe_sleep();
  member.stop();
}

template <Variant variant>
sp::Task<void> broadcast_to_dying() {
  auto stays = Member{}.start();
  auto leaves = Member{}.start();
  std::vector<sp::ActorRef<Member>> members{stays, leaves};
  auto room = Room(variant, std::move(members)).start();
  auto leaving = sp::spawn(leave(leaves));
  auto const published = co_await ask<Room::Publish>(room);
  corpus::check(published.has_value(), "the room did not answer");
  (void)co_await leaving;
}

CORPUS_PROGRAM(24, "a broadcast to a dying member", broadcast_to_dying, false);

}  // namespace
