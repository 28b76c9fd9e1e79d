#include <algorithm>
#include <utility>

#include "simulation/network.hpp"

namespace spawned::simulation {

using detail::IoOperation;
using detail::IoVerb;
using io::IoErrorKind;

namespace {

// TCP sends again what is lost, but later.
constexpr std::int64_t resend_ns = 200'000'000;

}  // namespace

End& End::other() const noexcept { return connection_->ends[1 - side_]; }

io::Address const* End::peer_address() const noexcept { return &other().local; }

// --- operations ---

bool End::start(IoOperation& operation) noexcept {
  bool const reads = operation.verb == IoVerb::read;
  IoOperation*& waiting = reads ? reader_ : writer_;
  if (closed_ || connection_->world->ended() || (!reads && shut_)) {
    settle(operation, IoErrorKind::closed);
  } else if (reset_) {
    settle(operation, IoErrorKind::reset);
  } else if (waiting != nullptr) {
    settle(operation, IoErrorKind::busy);
  } else if (operation.size == 0) {
    settle(operation);
  } else {
    if (!reads &&
        connection_->world->chance(connection_->world->wires().faults.reset, Choice::network)) {
      reset();
      settle(operation, IoErrorKind::reset);
      return true;
    }
    if (reads ? read(operation) : write(operation)) return true;
    waiting = &operation;
    return false;
  }
  return true;
}

// False: there is nothing yet.
bool End::read(IoOperation& operation) noexcept {
  if (unread_.empty()) {
    if (ended_) settle(operation);
    return ended_;
  }
  World& world = *connection_->world;
  std::size_t size = std::min(operation.size, unread_.size());
  if (size > 1 && world.chance(world.wires().faults.short_read, Choice::network)) {
    size = 1 + world.choose(size - 1, Choice::network);
  }
  auto const end = unread_.begin() + static_cast<std::ptrdiff_t>(size);
  std::copy(unread_.begin(), end, operation.into);
  unread_.erase(unread_.begin(), end);
  operation.count = size;
  settle(operation);
  make_room_known();
  return true;
}

// False: there is no room yet for all that it wants.
bool End::write(IoOperation& operation) noexcept {
  World& world = *connection_->world;
  while (operation.count < operation.size) {
    std::size_t size = std::min(room(), operation.size - operation.count);
    if (size == 0) return false;
    if (size > 1 && world.chance(world.wires().faults.short_write, Choice::network)) {
      size = 1 + world.choose(size - 1, Choice::network);
    }
    std::byte const* const from = operation.from + operation.count;
    send(What::bytes, std::vector<std::byte>(from, from + size));
    operation.count += size;
    if (operation.verb == IoVerb::write) break;
  }
  settle(operation);
  return true;
}

void End::withdraw(IoOperation& operation) noexcept {
  if (reader_ == &operation) reader_ = nullptr;
  if (writer_ == &operation) writer_ = nullptr;
}

void End::fail_waiting(IoErrorKind error) noexcept {
  if (reader_ != nullptr) finish(*std::exchange(reader_, nullptr), error);
  if (writer_ != nullptr) finish(*std::exchange(writer_, nullptr), error);
}

// --- the end of it ---

void End::close() noexcept {
  if (std::exchange(closed_, true)) return;
  fail_waiting(IoErrorKind::closed);
  if (reset_) return;
  if (!unread_.empty()) {
    unread_.clear();
    send_reset();
  } else if (!std::exchange(shut_, true)) {
    send(What::end);
  }
}

void End::shutdown_write() noexcept {
  if (closed_ || reset_ || std::exchange(shut_, true)) return;
  if (writer_ != nullptr) finish(*std::exchange(writer_, nullptr), IoErrorKind::closed);
  send(What::end);
}

void End::crash() noexcept {
  if (!closed_ && !reset_) send_reset();
  closed_ = true;
  unread_.clear();
  fail_waiting(IoErrorKind::closed);
}

void End::reset() noexcept {
  if (reset_) return;
  connection_->world->remark("network: " + local.to_string() + " - " + other().local.to_string() +
                             " is reset");
  send_reset();
  reset_ = true;
  unread_.clear();
  fail_waiting(IoErrorKind::reset);
}

// --- packets ---

std::size_t End::room() const noexcept {
  std::size_t const used = bytes_under_way_ + other().unread_.size();
  return used < connection_->window ? connection_->window - used : 0;
}

void End::send(What what, std::vector<std::byte> bytes) noexcept {
  World& world = *connection_->world;
  if (world.ended()) return;
  std::string const& from = local.host();
  std::string const& to = other().local.host();
  std::int64_t latency = world.wires().draw_latency(world, from, to);
  if (from != to) {
    for (int i = 0; i < 5 && world.chance(world.wires().faults.loss, Choice::network); ++i) {
      latency += resend_ns << i;
    }
  }
  last_due_ns_ = std::max(last_due_ns_, world.now_ns() + latency);
  bytes_under_way_ += bytes.size();
  row_.push_back(Packet{what, last_due_ns_, std::move(bytes)});
  world.after(last_due_ns_ - world.now_ns(),
              [kept = connection_->shared_from_this(), this] { deliver(); });
}

void End::send_reset() noexcept {
  row_.clear();
  bytes_under_way_ = 0;
  last_due_ns_ = 0;
  send(What::reset);
}

void End::deliver() noexcept {
  World& world = *connection_->world;
  while (!row_.empty() && row_.front().due_ns <= world.now_ns()) {
    if (world.wires().is_cut(local.host(), other().local.host())) return;  // heal() goes on
    Packet packet = std::move(row_.front());
    row_.pop_front();
    bytes_under_way_ -= packet.bytes.size();
    other().take(std::move(packet));
  }
}

void End::take(Packet packet) noexcept {
  if (packet.what == What::reset) {
    if (closed_ || reset_) return;
    reset_ = true;
    unread_.clear();
    row_.clear();
    bytes_under_way_ = 0;
    fail_waiting(IoErrorKind::reset);
    return;
  }
  if (reset_) return;
  if (packet.what == What::end) {
    ended_ = true;
  } else if (closed_) {
    reset_ = true;  // nobody will read it: the sender is told
    send_reset();
    return;
  } else {
    unread_.insert(unread_.end(), packet.bytes.begin(), packet.bytes.end());
  }
  if (reader_ == nullptr || !read(*reader_)) return;
  (void)std::exchange(reader_, nullptr)->slot.complete();
}

void End::make_room_known() noexcept {
  World& world = *connection_->world;
  if (other().writer_ == nullptr) return;
  bool const far = local.host() != other().local.host();
  std::int64_t const latency =
      far ? world.wires().link(local.host(), other().local.host()).latency.count() : 0;
  world.after(latency, [kept = connection_->shared_from_this(), this] {
    if (kept->world->wires().is_cut(local.host(), other().local.host())) return;
    other().go_on_writing();
  });
}

void End::go_on_writing() noexcept {
  if (writer_ == nullptr || closed_ || reset_) return;
  if (write(*writer_)) (void)std::exchange(writer_, nullptr)->slot.complete();
}

}  // namespace spawned::simulation
