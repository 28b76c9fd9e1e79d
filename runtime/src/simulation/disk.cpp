#include "simulation/disk.hpp"

#include <algorithm>
#include <set>

#include "simulation/network.hpp"

namespace spawned::simulation {

using detail::IoObject;
using detail::IoOperation;
using detail::IoVerb;
using io::IoErrorKind;

// --- Content ---

void Change::apply_to(Bytes& content, std::size_t bytes_most) const {
  if (truncates) {
    content.resize(offset);
    return;
  }
  std::size_t const size = std::min(bytes.size(), bytes_most);
  if (size == 0) return;
  if (content.size() < offset + size) content.resize(offset + size);
  std::copy_n(bytes.begin(), size, content.begin() + static_cast<std::ptrdiff_t>(offset));
}

void Content::change(Change change) {
  change.apply_to(now_);
  unsynced_.push_back(std::move(change));
}

void Content::make_durable() {
  for (Change const& change : unsynced_) change.apply_to(durable_);
  unsynced_.clear();
}

void Content::lose_some(World& world) {
  for (Change const& change : unsynced_) {
    if (world.choose(2, Choice::disk) == 0) change.apply_to(durable_);
  }
  unsynced_.clear();
}

// Everything reached the disk; or the writes up to one, which may be torn; or some of them, as a
// drive that sorts its writes leaves them.
void Content::crash(World& world, std::string const& name) {
  enum : std::uint32_t { all, a_prefix, some };
  std::uint32_t const how = unsynced_.empty() ? all : world.choose(3, Choice::disk);
  std::size_t const count =
      how == a_prefix ? world.choose(unsynced_.size(), Choice::disk) : unsynced_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (how == some && world.choose(2, Choice::disk) != 0) {
      world.remark("disk: " + name + " has lost a write");
    } else {
      unsynced_[i].apply_to(durable_);
    }
  }
  if (count < unsynced_.size()) {
    Change const& torn = unsynced_[count];
    std::uint32_t const part = torn.truncates ? 0 : world.choose(torn.bytes.size(), Choice::disk);
    if (part != 0) torn.apply_to(durable_, part);
    world.remark("disk: " + name + " has lost the last " +
                 std::to_string(unsynced_.size() - count) + " writes, but for " +
                 std::to_string(part) + " bytes");
  }
  unsynced_.clear();
  now_ = durable_;
}

// --- Drive ---

void Drive::change_names(NameChange change) {
  for (auto const& [name, content] : change.names) {
    if (content == nullptr) {
      names.erase(name);
    } else {
      names[name] = content;
    }
  }
  unsynced.push_back(std::move(change));
}

void Drive::make_name_durable(Content const& content) {
  bool const is_new =
      std::any_of(unsynced.begin(), unsynced.end(),
                  [&content](NameChange const& each) { return each.made.get() == &content; });
  if (is_new) make_names_durable();
}

std::uint64_t Drive::used() const {
  std::uint64_t sum = 0;
  for (auto const& [name, content] : names) sum += content->bytes().size();
  return sum;
}

void Drive::crash(World& world, std::string const& host) {
  std::size_t const lost = world.choose(unsynced.size() + 1, Choice::disk);
  if (lost != 0) {
    world.remark("disk: " + host + " has lost the last " + std::to_string(lost) +
                 " changes of names");
  }
  names = durable_names;
  unsynced.resize(unsynced.size() - lost);
  for (NameChange& change : std::exchange(unsynced, {})) change_names(std::move(change));
  make_names_durable();
  std::set<Content*> done;
  for (auto const& [name, content] : names) {
    if (done.insert(content.get()).second) content->crash(world, host + ":" + name);
  }
}

// --- SimulatedDisk ---

bool SimulatedDisk::start(IoOperation& operation, IoObject* target) noexcept {
  if (closed_ || world_->ended()) {
    settle(operation, IoErrorKind::closed);
    return true;
  }
  auto ticket = std::make_shared<Ticket>(Ticket{&operation, target});
  tickets_.push_back(ticket);
  world_->after(drive_->faults.latency.count(), [kept = shared_from_this(), ticket] {
    std::erase(kept->tickets_, ticket);
    if (ticket->operation == nullptr) return;
    IoOperation& due = *ticket->operation;
    if (ticket->target == kept.get()) {
      kept->carry_out(due);
    } else {
      static_cast<SimulatedFile*>(ticket->target)->carry_out(due);
    }
    (void)due.slot.complete();
  });
  return false;
}

void SimulatedDisk::withdraw(IoOperation& operation) noexcept {
  for (auto const& ticket : tickets_) {
    if (ticket->operation == &operation) ticket->operation = nullptr;
  }
}

void SimulatedDisk::close() noexcept {
  closed_ = true;
  for (auto const& ticket : std::exchange(tickets_, {})) {
    if (ticket->operation == nullptr) continue;
    finish(*std::exchange(ticket->operation, nullptr), IoErrorKind::closed);
  }
}

void SimulatedDisk::fail_waiting(IoObject const& target) noexcept {
  for (auto const& ticket : tickets_) {
    if (ticket->target != &target || ticket->operation == nullptr) continue;
    finish(*std::exchange(ticket->operation, nullptr), IoErrorKind::closed);
  }
}

void SimulatedDisk::carry_out(IoOperation& operation) noexcept {
  switch (operation.verb) {
    case IoVerb::open:
      return open(operation);
    case IoVerb::remove:
      return remove(operation);
    case IoVerb::rename:
      return rename(operation);
    case IoVerb::list:
      return list(operation);
    case IoVerb::sync:
      if (world_->chance(drive_->faults.sync_error, Choice::disk)) {
        return settle(operation, IoErrorKind::broken);
      }
      drive_->make_names_durable();
      return settle(operation);
    default:
      return settle(operation, IoErrorKind::not_there);
  }
}

void SimulatedDisk::open(IoOperation& operation) {
  auto const mode = static_cast<io::OpenMode>(operation.offset);
  auto const found = drive_->names.find(operation.name);
  std::shared_ptr<Content> content;
  if (found == drive_->names.end()) {
    if (mode == io::OpenMode::existing) return settle(operation, IoErrorKind::not_found);
    content = std::make_shared<Content>();
    drive_->change_names({{{std::string(operation.name), content}}, content});
  } else {
    if (mode == io::OpenMode::make_new) return settle(operation, IoErrorKind::exists);
    content = found->second;
    if (mode == io::OpenMode::replace) content->change({0, {}, true});
  }
  operation.object = std::make_shared<SimulatedFile>(shared_from_this(), std::move(content));
  settle(operation);
}

void SimulatedDisk::remove(IoOperation& operation) {
  if (drive_->names.find(operation.name) == drive_->names.end()) {
    return settle(operation, IoErrorKind::not_found);
  }
  drive_->change_names({{{std::string(operation.name), nullptr}}, nullptr});
  settle(operation);
}

void SimulatedDisk::rename(IoOperation& operation) {
  auto const found = drive_->names.find(operation.name);
  if (found == drive_->names.end()) return settle(operation, IoErrorKind::not_found);
  std::shared_ptr<Content> const content = found->second;
  drive_->change_names(
      {{{std::string(operation.name), nullptr}, {std::string(operation.other_name), content}},
       nullptr});
  settle(operation);
}

void SimulatedDisk::list(IoOperation& operation) {
  for (auto const& [name, content] : drive_->names) {
    if (name.starts_with(operation.name)) operation.names->push_back(name);
  }
  settle(operation);
}

// --- SimulatedFile ---

bool SimulatedFile::start(IoOperation& operation) noexcept {
  if (closed_) {
    settle(operation, IoErrorKind::closed);
    return true;
  }
  return disk_->start(operation, this);
}

void SimulatedFile::close() noexcept {
  if (std::exchange(closed_, true)) return;
  disk_->fail_waiting(*this);
}

void SimulatedFile::carry_out(IoOperation& operation) noexcept {
  switch (operation.verb) {
    case IoVerb::read:
      return read(operation);
    case IoVerb::write:
    case IoVerb::write_all:
      return write(operation);
    case IoVerb::sync:
      return sync(operation);
    case IoVerb::truncate:
      content_->change({operation.offset, {}, true});
      return settle(operation);
    case IoVerb::size:
      operation.number = content_->bytes().size();
      return settle(operation);
    default:
      return settle(operation, IoErrorKind::not_there);
  }
}

void SimulatedFile::read(IoOperation& operation) {
  World& world = disk_->world();
  DiskFaults const& faults = disk_->drive().faults;
  if (world.chance(faults.read_error, Choice::disk)) {
    return settle(operation, IoErrorKind::broken);
  }
  Bytes const& bytes = content_->bytes();
  std::size_t const start = std::min<std::uint64_t>(operation.offset, bytes.size());
  std::size_t size = std::min(operation.size, bytes.size() - start);
  if (size > 1 && world.chance(faults.short_read, Choice::disk)) {
    size = 1 + world.choose(size - 1, Choice::disk);
  }
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(start), size, operation.into);
  operation.count = size;
  settle(operation);
}

void SimulatedFile::write(IoOperation& operation) {
  World& world = disk_->world();
  Drive& drive = disk_->drive();
  bool const appends = operation.verb == IoVerb::write_all;
  std::uint64_t const old_size = content_->bytes().size();
  std::uint64_t const offset = appends ? old_size : operation.offset;
  std::uint64_t const used = drive.used();
  std::uint64_t const end_most =
      old_size + (used < drive.faults.capacity ? drive.faults.capacity - used : 0);
  std::size_t size = operation.size;
  bool const full = end_most < offset || size > end_most - offset;
  if (full) size = end_most < offset ? 0 : static_cast<std::size_t>(end_most - offset);
  bool const broken = world.chance(drive.faults.write_error, Choice::disk);
  if (broken) {
    size = world.choose(size + 1, Choice::disk);
  } else if (!appends && size > 1 && world.chance(drive.faults.short_write, Choice::disk)) {
    size = 1 + world.choose(size - 1, Choice::disk);
  }
  if (size != 0) content_->change({offset, Bytes(operation.from, operation.from + size), false});
  operation.count = size;
  if (broken) return settle(operation, IoErrorKind::broken);
  if (full && (appends || size == 0)) return settle(operation, IoErrorKind::no_space);
  settle(operation);
}

void SimulatedFile::sync(IoOperation& operation) {
  World& world = disk_->world();
  if (world.chance(disk_->drive().faults.sync_error, Choice::disk)) {
    world.remark("disk: a sync fails");
    content_->lose_some(world);
    return settle(operation, IoErrorKind::broken);
  }
  content_->make_durable();
  disk_->drive().make_name_durable(*content_);
  settle(operation);
}

}  // namespace spawned::simulation
