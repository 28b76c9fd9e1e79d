#include "simulation/interpose/symbols.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simulation/interpose/line_table.hpp"

namespace spawned::interpose {

namespace {

using Bytes = std::span<std::byte const>;

// Never unmapped: there are few, and a failing program may ask again.
Bytes map_file(char const* path) noexcept {
  int const file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat status = {};
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size > 0) {
    memory =
        mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  }
  close(file);
  if (memory == MAP_FAILED) return {};
  return {static_cast<std::byte const*>(memory), static_cast<std::size_t>(status.st_size)};
}

// An ELF file of this machine's kind. Whatever does not fit in the file reads as empty.
class Elf {
 public:
  explicit Elf(char const* path) : bytes_(map_file(path)) {
    auto const header = all<ElfW(Ehdr)>(0, 1);
    if (header.empty() ||
        std::string_view(reinterpret_cast<char const*>(header[0].e_ident), SELFMAG) != ELFMAG) {
      return;
    }
    sections_ = all<ElfW(Shdr)>(header[0].e_shoff, header[0].e_shnum);
    if (header[0].e_shstrndx < sections_.size()) {
      names_ = contents(sections_[header[0].e_shstrndx]);
    }
  }

  /// Empty if there is none, or it is compressed.
  [[nodiscard]] Bytes section(std::string_view name) const noexcept {
    for (ElfW(Shdr) const& each : sections_) {
      if (text(names_, each.sh_name) != name) continue;
      return (each.sh_flags & SHF_COMPRESSED) != 0 ? Bytes() : contents(each);
    }
    return {};
  }

  struct Function {
    std::string_view name;  ///< empty: there is none
    std::uintptr_t begin = 0;
  };
  [[nodiscard]] Function function_at(std::uintptr_t offset) const noexcept {
    for (ElfW(Shdr) const& each : sections_) {
      if (each.sh_type != SHT_SYMTAB && each.sh_type != SHT_DYNSYM) continue;
      if (each.sh_link >= sections_.size()) continue;
      Bytes const names = contents(sections_[each.sh_link]);
      for (auto const& symbol : all<ElfW(Sym)>(each.sh_offset, each.sh_size / sizeof(ElfW(Sym)))) {
        if ((symbol.st_info & 0xf) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
        if (offset - symbol.st_value < symbol.st_size) {
          return {text(names, symbol.st_name), symbol.st_value};
        }
      }
    }
    return {};
  }

 private:
  template <typename T>
  [[nodiscard]] std::span<T const> all(std::size_t offset, std::size_t count) const noexcept {
    if (offset > bytes_.size() || offset % alignof(T) != 0) return {};
    if (count > (bytes_.size() - offset) / sizeof(T)) return {};
    return {reinterpret_cast<T const*>(bytes_.data() + offset), count};
  }
  [[nodiscard]] Bytes contents(ElfW(Shdr) const& section) const noexcept {
    if (section.sh_type == SHT_NOBITS) return {};
    return all<std::byte>(section.sh_offset, section.sh_size);
  }
  [[nodiscard]] static std::string_view text(Bytes names, std::size_t offset) noexcept {
    if (offset >= names.size()) return {};
    auto const* const begin = reinterpret_cast<char const*>(names.data()) + offset;
    std::string_view const rest(begin, names.size() - offset);
    return rest.substr(0, rest.find('\0'));
  }

  Bytes bytes_;
  std::span<ElfW(Shdr) const> sections_;
  Bytes names_;
};

// What is known without reading files; and which file it is in.
Place loaded_from(std::uintptr_t address, std::string& path) {
  Place place;
  Dl_info found{};
  void* extra = nullptr;
  if (dladdr1(reinterpret_cast<void*>(address), &found, &extra, RTLD_DL_LINKMAP) == 0) {
    place.offset = address;
    return place;
  }
  auto const& module = *static_cast<link_map*>(extra);
  place.module = found.dli_fname != nullptr ? found.dli_fname : "?";
  place.offset = address - static_cast<std::uintptr_t>(module.l_addr);
  if (found.dli_sname != nullptr) place.name = found.dli_sname;
  // The name of the program may be relative to a directory that it has left.
  bool const is_program = module.l_name == nullptr || *module.l_name == '\0';
  path = is_program ? "/proc/self/exe" : place.module;
  return place;
}

Place read_place(std::uintptr_t address) {
  // Under the mutex of place_of().
  static auto& files = *new std::map<std::string, std::unique_ptr<Elf const>>();
  std::string path;
  Place place = loaded_from(address, path);
  if (path.empty()) return place;
  std::unique_ptr<Elf const>& file = files[path];
  if (file == nullptr) file = std::make_unique<Elf const>(path.c_str());
  Elf::Function const function = file->function_at(place.offset);
  if (!function.name.empty()) place.name = function.name;
  SourceLine const source = line_of({.debug_line = file->section(".debug_line"),
                                     .debug_line_str = file->section(".debug_line_str"),
                                     .debug_str = file->section(".debug_str")},
                                    function.begin, place.offset);
  place.file = source.file;
  place.line = source.line;
  return place;
}

}  // namespace

Place place_of(std::uintptr_t address) {
  static std::mutex mutex;
  // A search that fails in one place asks for it again and again.
  static auto& known = *new std::map<std::uintptr_t, Place>();
  std::scoped_lock const lock(mutex);
  auto const found = known.find(address);
  if (found != known.end()) return found->second;
  return known.emplace(address, read_place(address)).first->second;
}

}  // namespace spawned::interpose
