#include <spawned/registry/topics.hpp>

#include <string>

#include <spawned/runtime/runtime.hpp>

namespace spawned::groups::detail {

TopicCore::TopicCore(std::size_t in_flight, WhenSlow slow, Destroy destroy)
    : limit(in_flight), when_slow(slow), destroy_(destroy) {
  if (in_flight == 0) throw InvalidOptions("TopicOptions", "in_flight", "at least 1", "0");
}

void TopicCore::drop_handle() noexcept {
  if (!counts_.drop_handle()) return;
  close();
  drop();
}

void TopicCore::close() noexcept {
  SpinGuard const guard(change);
  roster_.view().for_each([this](RosterEntry const& entry) {
    Membership& each = *entry.membership;
    (void)roster_.remove(each);
    if (remove_end_hook(*entry.cell, each)) each.drop();
  });
}

bool TopicCore::add(SubscriberBase& subscriber) {
  roster_.reserve(1);
  if (!add_end_hook(subscriber.cell(), subscriber)) return false;
  subscriber.hold();  // that of the hook; the caller has one
  Membership* const one = &subscriber;
  roster_.add(&one, 1);
  return true;
}

bool TopicCore::remove(SubscriberBase& subscriber) noexcept {
  bool was_in = false;
  {
    SpinGuard const guard(change);
    was_in = roster_.remove(subscriber);
  }
  if (remove_end_hook(subscriber.cell(), subscriber)) subscriber.drop();
  return was_in;
}

void SubscriberBase::on_end(EndHook& hook, CellBase& /*cell*/) noexcept {
  auto& self = static_cast<SubscriberBase&>(hook);
  {
    SpinGuard const guard(self.topic_->change);
    (void)self.topic_->roster_.remove(self);
  }
  self.drop();
}

}  // namespace spawned::groups::detail
