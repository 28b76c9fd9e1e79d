// The build identity: from the notes of the executable, and of the shared object that holds this
// library if there is one.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <elf.h>
#include <link.h>

#include <spawned/runtime/simulation/replay.hpp>

namespace spawned::simulation {

namespace {

struct Search {
  int objects = 0;
  std::string identity;
};

void add_hex(std::string& to, unsigned char const* bytes, std::size_t size) {
  constexpr char const* digits = "0123456789abcdef";
  for (std::size_t i = 0; i < size; ++i) {
    to += digits[bytes[i] >> 4U];
    to += digits[bytes[i] & 15U];
  }
}

unsigned char const* begin_of(dl_phdr_info const& object, ElfW(Phdr) const& segment) {
  return reinterpret_cast<unsigned char const*>(object.dlpi_addr + segment.p_vaddr);
}

// Notes are a size of the name, a size of the content, a type, the name, and the content, each
// aligned to four bytes.
std::string id_in_notes(unsigned char const* at, std::size_t size) {
  unsigned char const* const end = at + size;
  auto const aligned = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
  while (static_cast<std::size_t>(end - at) >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    unsigned char const* const name = at + sizeof note;
    std::size_t const rest = aligned(note.n_namesz) + aligned(note.n_descsz);
    if (rest > static_cast<std::size_t>(end - name)) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0 &&
        note.n_descsz >= 8) {
      std::string id;
      add_hex(id, name + aligned(note.n_namesz), note.n_descsz);
      return id;
    }
    at = name + rest;
  }
  return {};
}

// Of what is loaded and not written: code and constants.
std::string hash_of(dl_phdr_info const& object) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    ElfW(Phdr) const& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    if ((segment.p_flags & PF_R) == 0) continue;
    unsigned char const* const bytes = begin_of(object, segment);
    for (std::size_t at = 0; at < segment.p_filesz; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min(sizeof word, segment.p_filesz - at));
      hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
      hash ^= hash >> 32;
    }
  }
  std::string text;
  add_hex(text, reinterpret_cast<unsigned char const*>(&hash), sizeof hash);
  return text;
}

std::string identity_of(dl_phdr_info const& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    ElfW(Phdr) const& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    std::string id = id_in_notes(begin_of(object, segment), segment.p_memsz);
    if (!id.empty()) return id;
  }
  return hash_of(object);
}

bool holds(dl_phdr_info const& object, std::uintptr_t address) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    ElfW(Phdr) const& segment = object.dlpi_phdr[i];
    std::uintptr_t const begin = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) {
      return true;
    }
  }
  return false;
}

// The executable comes first. What a shared library of ours does decides, too: its digits are mixed
// into those of the executable.
int visit(dl_phdr_info* object, std::size_t /*size*/, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  bool const first = search.objects++ == 0;
  if (first) {
    search.identity = identity_of(*object);
  } else if (holds(*object, reinterpret_cast<std::uintptr_t>(&visit))) {
    std::string const ours = identity_of(*object);
    for (std::size_t i = 0; i < search.identity.size(); ++i) {
      auto const value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
      int const mixed = value(search.identity[i]) ^ value(ours[i % ours.size()]);
      search.identity[i] = "0123456789abcdef"[mixed];
    }
  }
  return 0;
}

}  // namespace

std::string const& build_identity() {
  static std::string const identity = [] {
    Search search;
    (void)dl_iterate_phdr(&visit, &search);
    if (search.identity.size() < 16) search.identity.resize(16, '0');
    return std::move(search.identity);
  }();
  return identity;
}

}  // namespace spawned::simulation
