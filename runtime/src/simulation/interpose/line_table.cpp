#include "simulation/interpose/line_table.hpp"

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace spawned::interpose {

namespace {

using Bytes = std::span<std::byte const>;

// Reads numbers one after the other. At the end of what there is it reads zeros.
class Reader {
 public:
  explicit Reader(Bytes bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const noexcept { return at_ >= bytes_.size(); }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

  template <typename T>
  T number() noexcept {
    T value{};
    if (bytes_.size() - at_ < sizeof(T)) {
      at_ = bytes_.size();
      return value;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::uint64_t offset(bool wide) noexcept {
    return wide ? number<std::uint64_t>() : number<std::uint32_t>();
  }
  std::uint64_t unsigned_leb() noexcept { return leb().first; }
  std::int64_t signed_leb() noexcept {
    auto const [value, bits] = leb();
    bool const negative = bits < 64 && (value >> (bits - 1) & 1U) != 0;
    return static_cast<std::int64_t>(negative ? value | ~std::uint64_t{0} << bits : value);
  }
  std::string_view text() noexcept {
    Bytes const rest = bytes_.subspan(at_);
    std::string_view const all(reinterpret_cast<char const*>(rest.data()), rest.size());
    std::string_view const found = all.substr(0, all.find('\0'));
    skip(found.size() + 1);
    return found;
  }
  void skip(std::uint64_t count) noexcept {
    at_ = count < bytes_.size() - at_ ? at_ + static_cast<std::size_t>(count) : bytes_.size();
  }
  Reader part(std::uint64_t count) noexcept {
    std::size_t const begin = at_;
    skip(count);
    return Reader(bytes_.subspan(begin, at_ - begin));
  }

 private:
  // And how many bits it was written with.
  std::pair<std::uint64_t, unsigned> leb() noexcept {
    std::uint64_t value = 0;
    unsigned bits = 0;
    while (!at_end()) {
      auto const byte = number<std::uint8_t>();
      if (bits < 64) value |= static_cast<std::uint64_t>(byte & 0x7fU) << bits;
      bits += 7;
      if ((byte & 0x80U) == 0) break;
    }
    return {value, bits == 0 ? 7 : bits};
  }

  Bytes bytes_;
  std::size_t at_ = 0;
};

std::string_view text_at(Bytes section, std::uint64_t offset) noexcept {
  Reader reader(section);
  reader.skip(offset);
  return reader.text();
}

// A header of the system's or of ours: a call that was inlined from it is the program's.
bool is_library(std::string_view path) noexcept {
  return path.starts_with("/usr/") || path.find("/include/spawned/") != std::string_view::npos;
}

struct File {
  std::string_view name;
  std::uint64_t directory = 0;
};

struct Row {
  std::uint64_t address = 0;
  std::uint64_t file = 1;
  std::int64_t line = 1;
};

// The table of one compilation unit.
class Unit {
 public:
  Unit(LineSections const& sections, Reader body, bool wide) noexcept
      : sections_(sections), body_(body), wide_(wide) {}

  [[nodiscard]] std::optional<SourceLine> find(std::uint64_t function, std::uint64_t address) {
    if (!read_header()) return std::nullopt;
    function_ = function;
    wanted_ = address;
    begin_sequence();
    while (!body_.at_end()) {
      if (step()) return found();
    }
    return std::nullopt;
  }

 private:
  bool read_header();
  void read_entries_4();
  std::vector<File> read_entries_5();
  bool step();
  bool extended();
  bool add_row(bool last);
  void begin_sequence() noexcept {
    row_ = Row();
    before_.reset();
    own_.reset();
  }
  void advance(std::uint64_t operations) noexcept { row_.address += operations * least_bytes_; }
  [[nodiscard]] SourceLine found() const;
  [[nodiscard]] std::string path_of(std::uint64_t file) const;

  LineSections const& sections_;
  Reader body_;
  bool wide_;
  std::uint16_t version_ = 0;
  std::uint8_t least_bytes_ = 1;
  std::int8_t line_base_ = 0;
  std::uint8_t line_range_ = 1;
  std::uint8_t opcode_base_ = 1;
  std::vector<std::uint8_t> operands_;  // of each standard opcode
  std::vector<std::string_view> directories_;
  std::vector<File> files_;

  std::uint64_t function_ = 0;
  std::uint64_t wanted_ = 0;
  Row row_;
  std::optional<Row> before_;  // the last at or before the wanted address
  std::optional<Row> own_;     // the last of those that is in no header of the system
};

bool Unit::read_header() {
  version_ = body_.number<std::uint16_t>();
  if (version_ < 4 || version_ > 5) return false;
  if (version_ == 5) body_.skip(2);  // sizes of addresses and segments
  std::uint64_t const length = body_.offset(wide_);
  Reader program = body_;
  program.skip(length);
  least_bytes_ = body_.number<std::uint8_t>();
  body_.skip(2);  // operations in an instruction, and what counts as a statement at first
  line_base_ = body_.number<std::int8_t>();
  line_range_ = body_.number<std::uint8_t>();
  opcode_base_ = body_.number<std::uint8_t>();
  if (line_range_ == 0 || opcode_base_ == 0) return false;
  for (int i = 1; i < opcode_base_; ++i) operands_.push_back(body_.number<std::uint8_t>());
  if (version_ == 5) {
    for (File const& each : read_entries_5()) directories_.push_back(each.name);
    files_ = read_entries_5();
  } else {
    read_entries_4();
  }
  body_ = program;
  return true;
}

void Unit::read_entries_4() {
  directories_.emplace_back();  // that of the compilation, which is written elsewhere
  files_.emplace_back();        // they count from 1
  for (std::string_view name = body_.text(); !name.empty(); name = body_.text()) {
    directories_.push_back(name);
  }
  for (std::string_view name = body_.text(); !name.empty(); name = body_.text()) {
    files_.push_back({name, body_.unsigned_leb()});
    (void)body_.unsigned_leb();  // when it was changed
    (void)body_.unsigned_leb();  // its size
  }
}

std::vector<File> Unit::read_entries_5() {
  constexpr std::uint64_t path = 1;
  constexpr std::uint64_t directory = 2;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> format;  // of what, and in which form
  for (int left = body_.number<std::uint8_t>(); left > 0; --left) {
    std::uint64_t const content = body_.unsigned_leb();
    format.emplace_back(content, body_.unsigned_leb());
  }
  std::vector<File> entries;
  for (std::uint64_t left = body_.unsigned_leb(); left > 0 && !body_.at_end(); --left) {
    File& entry = entries.emplace_back();
    for (auto const& [content, form] : format) {
      std::uint64_t number = 0;
      std::string_view text;
      switch (form) {
        case 0x08:
          text = body_.text();
          break;  // string
        case 0x1f:
          text = text_at(sections_.debug_line_str, body_.offset(wide_));
          break;  // line_strp
        case 0x0e:
          text = text_at(sections_.debug_str, body_.offset(wide_));
          break;  // strp
        case 0x0f:
          number = body_.unsigned_leb();
          break;  // udata
        case 0x0b:
          number = body_.number<std::uint8_t>();
          break;  // data1
        case 0x05:
          number = body_.number<std::uint16_t>();
          break;  // data2
        case 0x06:
          number = body_.number<std::uint32_t>();
          break;  // data4
        case 0x07:
          number = body_.number<std::uint64_t>();
          break;  // data8
        case 0x1e:
          body_.skip(16);
          break;  // data16
        case 0x09:
          body_.skip(body_.unsigned_leb());
          break;  // block
        default:
          return entries;  // of a later standard
      }
      if (content == path) entry.name = text;
      if (content == directory) entry.directory = number;
    }
  }
  return entries;
}

// True: the wanted address lies between the row before and this one.
bool Unit::add_row(bool last) {
  if (before_ && wanted_ < row_.address) return true;
  if (last) {
    begin_sequence();
    return false;
  }
  if (row_.address > wanted_) return false;  // this sequence begins behind it
  before_ = row_;
  // Line 0: what the compiler has made up.
  if (row_.address >= function_ && row_.line != 0 && !is_library(path_of(row_.file))) own_ = row_;
  return false;
}

bool Unit::extended() {
  Reader operation = body_.part(body_.unsigned_leb());
  switch (operation.number<std::uint8_t>()) {
    case 1:
      return add_row(true);  // end_sequence
    case 2:
      row_.address = operation.number<std::uint64_t>();
      break;  // set_address
    default:
      break;
  }
  return false;
}

// Executes one instruction. True: found.
bool Unit::step() {
  auto const opcode = body_.number<std::uint8_t>();
  if (opcode >= opcode_base_) {
    unsigned const adjusted = static_cast<unsigned>(opcode) - opcode_base_;
    advance(adjusted / line_range_);
    row_.line += line_base_ + static_cast<int>(adjusted % line_range_);
    return add_row(false);
  }
  switch (opcode) {
    case 0:
      return extended();
    case 1:
      return add_row(false);  // copy
    case 2:
      advance(body_.unsigned_leb());
      break;  // advance_pc
    case 3:
      row_.line += body_.signed_leb();
      break;  // advance_line
    case 4:
      row_.file = body_.unsigned_leb();
      break;  // set_file
    case 8:
      advance((255U - opcode_base_) / line_range_);
      break;  // const_add_pc
    case 9:
      row_.address += body_.number<std::uint16_t>();
      break;  // fixed_advance_pc
    default:
      for (int left = operands_[opcode - 1U]; left > 0; --left) (void)body_.unsigned_leb();
  }
  return false;
}

std::string Unit::path_of(std::uint64_t file) const {
  if (file >= files_.size()) return {};
  File const& entry = files_[static_cast<std::size_t>(file)];
  std::string path(entry.name);
  if (!path.starts_with('/') && entry.directory < directories_.size()) {
    std::string_view const directory = directories_[static_cast<std::size_t>(entry.directory)];
    if (!directory.empty()) path = std::string(directory) + "/" + path;
  }
  if (!path.starts_with('/') && !directories_.empty() && !directories_[0].empty()) {
    path = std::string(directories_[0]) + "/" + path;
  }
  return path;
}

SourceLine Unit::found() const {
  Row const& row = own_ ? *own_ : *before_;
  return {path_of(row.file), static_cast<unsigned>(row.line)};
}

}  // namespace

SourceLine line_of(LineSections const& sections, std::uintptr_t function, std::uintptr_t address) {
  Reader all(sections.debug_line);
  while (!all.at_end()) {
    std::uint64_t length = all.number<std::uint32_t>();
    bool const wide = length == 0xffffffff;
    if (wide) length = all.number<std::uint64_t>();
    Unit unit(sections, all.part(length), wide);
    if (std::optional<SourceLine> found = unit.find(function, address)) return *found;
  }
  return {};
}

}  // namespace spawned::interpose
