// The simulated disk: what a host's files hold, what of it is durable, and what a crash leaves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulation/world.hpp"

namespace spawned::simulation {

using Bytes = std::vector<std::byte>;

/// A write, or a new size.
struct Change {
  std::uint64_t offset = 0;
  Bytes bytes;
  bool truncates = false;

  void apply_to(Bytes& content, std::size_t bytes_most = SIZE_MAX) const;
};

/// What a file holds; there may be several names for it in time, and handles without a name.
class Content {
 public:
  [[nodiscard]] Bytes const& bytes() const noexcept { return now_; }
  void change(Change change);
  void make_durable();
  /// What was not synced is lost or kept, piece by piece; the reader does not see that yet.
  void lose_some(World& world);
  /// What is left.
  void crash(World& world, std::string const& name);

 private:
  Bytes now_;
  Bytes durable_;
  std::vector<Change> unsynced_;
};

/// What is on a disk: it survives the host.
struct Drive {
  using Names = std::map<std::string, std::shared_ptr<Content>, std::less<>>;
  /// Name `name` means `content` now; null: nothing. A rename is two of them.
  struct NameChange {
    std::vector<std::pair<std::string, std::shared_ptr<Content>>> names;
    std::shared_ptr<Content> made;  // if that made the file
  };

  void change_names(NameChange change);
  void make_names_durable() {
    durable_names = names;
    unsynced.clear();
  }
  /// If its name is not durable yet, all names become it.
  void make_name_durable(Content const& content);
  [[nodiscard]] std::uint64_t used() const;
  void crash(World& world, std::string const& host);

  DiskFaults faults;
  Names names;
  Names durable_names;
  std::vector<NameChange> unsynced;
};

/// The disk of a host, until it crashes: carries operations out after their time.
class SimulatedDisk final : public detail::IoObject,
                            public std::enable_shared_from_this<SimulatedDisk> {
 public:
  SimulatedDisk(World& world, std::shared_ptr<Drive> drive)
      : world_(world.shared_from_this()), drive_(std::move(drive)) {}

  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override {
    return start(operation, this);
  }
  /// For a file of it, or for itself.
  [[nodiscard]] bool start(detail::IoOperation& operation, detail::IoObject* target) noexcept;
  void withdraw(detail::IoOperation& operation) noexcept override;
  /// The host fails.
  void close() noexcept override;
  /// What waits for this file.
  void fail_waiting(detail::IoObject const& target) noexcept;

  [[nodiscard]] World& world() noexcept { return *world_; }
  [[nodiscard]] Drive& drive() noexcept { return *drive_; }

 private:
  struct Ticket {
    detail::IoOperation* operation;  // null: settled or withdrawn
    detail::IoObject* target;
  };

  void carry_out(detail::IoOperation& operation) noexcept;
  void open(detail::IoOperation& operation);
  void remove(detail::IoOperation& operation);
  void rename(detail::IoOperation& operation);
  void list(detail::IoOperation& operation);

  std::shared_ptr<World> world_;
  std::shared_ptr<Drive> drive_;
  std::vector<std::shared_ptr<Ticket>> tickets_;
  bool closed_ = false;
};

class SimulatedFile final : public detail::IoObject {
 public:
  SimulatedFile(std::shared_ptr<SimulatedDisk> disk, std::shared_ptr<Content> content)
      : disk_(std::move(disk)), content_(std::move(content)) {}

  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override;
  void withdraw(detail::IoOperation& operation) noexcept override { disk_->withdraw(operation); }
  void close() noexcept override;
  void carry_out(detail::IoOperation& operation) noexcept;

 private:
  void read(detail::IoOperation& operation);
  void write(detail::IoOperation& operation);
  void sync(detail::IoOperation& operation);

  std::shared_ptr<SimulatedDisk> disk_;
  std::shared_ptr<Content> content_;
  bool closed_ = false;
};

}  // namespace spawned::simulation
