#include <spawned/actors/detail/request_set.hpp>

#include <utility>

namespace spawned::detail {

void RequestSetCore::List::append(Entry& entry) noexcept {
  entry.previous = last;
  entry.next = nullptr;
  (last == nullptr ? first : last->next) = &entry;
  last = &entry;
}

void RequestSetCore::List::remove(Entry& entry) noexcept {
  (entry.previous == nullptr ? first : entry.previous->next) = entry.next;
  (entry.next == nullptr ? last : entry.next->previous) = entry.previous;
}

void RequestSetCore::add(Entry& entry) noexcept {
  entry.set = this;
  {
    SpinGuard const guard(lock_);
    waiting_.append(entry);
  }
  if (entry.request == nullptr || !entry.request->slot.begin_wait(entry)) {
    becomes_ready(entry, false);
  }
}

void RequestSetCore::on_complete(SlotWaiter& waiter, bool turn_ends) noexcept {
  auto& entry = static_cast<Entry&>(waiter);
  entry.set->becomes_ready(entry, turn_ends);
}

void RequestSetCore::becomes_ready(Entry& entry, bool turn_ends) noexcept {
  SpinGuard const guard(lock_);
  waiting_.remove(entry);
  ready_.append(entry);
  if (Slot* const slot = std::exchange(announced_, nullptr)) {
    (void)slot->complete(turn_ends);  // an owner that gave up takes our lock before it goes
  }
}

RequestSetCore::Entry* RequestSetCore::take_ready() noexcept {
  SpinGuard const guard(lock_);
  Entry* const entry = ready_.first;
  if (entry != nullptr) ready_.remove(*entry);
  return entry;
}

RequestSetCore::Entry* RequestSetCore::take_waiting_for(void const* target) noexcept {
  SpinGuard const guard(lock_);
  for (Entry* entry = waiting_.first; entry != nullptr; entry = entry->next) {
    if (entry->target == target && entry->request->slot.stop_waiting(Slot::abandoned)) {
      waiting_.remove(*entry);
      return entry;
    }
  }
  return nullptr;
}

RequestSetCore::Entry* RequestSetCore::give_up_one(bool& abandoned) noexcept {
  for (int spins = 0;; ++spins) {
    {
      SpinGuard const guard(lock_);
      List& list = ready_.first != nullptr ? ready_ : waiting_;
      Entry* const entry = list.first;
      if (entry == nullptr) return nullptr;
      abandoned = &list == &waiting_ && entry->request->slot.stop_waiting(Slot::abandoned);
      if (abandoned || &list == &ready_) {
        list.remove(*entry);
        return entry;
      }
    }
    spins < 100 ? cpu_pause() : yield_thread();  // its reply is on its way to ready_
  }
}

bool RequestSetCore::announce(Slot& slot) noexcept {
  SpinGuard const guard(lock_);
  if (ready_.first != nullptr) return false;
  announced_ = &slot;
  return true;
}

void RequestSetCore::retract() noexcept {
  SpinGuard const guard(lock_);
  announced_ = nullptr;
}

}  // namespace spawned::detail
