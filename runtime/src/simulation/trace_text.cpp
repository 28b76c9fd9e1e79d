#include "simulation/trace_text.hpp"

#include <algorithm>
#include <array>

#include <spawned/runtime/simulation/replay.hpp>

namespace spawned::simulation {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view format = "s1";
constexpr std::string_view digits64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view digits16 = "0123456789abcdef";
constexpr std::size_t head = trace_build_bytes + 1 + 3;
constexpr std::size_t choices_most = 100'000'000;

// --- bytes and text ---

std::string to_text(Bytes const& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t const n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < n ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j <= n; ++j) text += digits64[group >> (18 - 6 * j) & 63U];
  }
  return text;
}

[[noreturn]] void refuse_change() {
  throw InvalidTrace(
      "simulation::replay: the trace is not whole, or a character of it has changed");
}

Bytes to_bytes(std::string_view text) {
  Bytes bytes;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (char const digit : text) {
    std::size_t const value = digits64.find(digit);
    if (value == std::string_view::npos) {
      throw InvalidTrace(std::string("simulation::replay: a trace has no character '") + digit +
                         "'");
    }
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(group >> bits));
  }
  // What is left over is nothing, or the text has changed.
  if (bits == 6 || (group & ((1U << bits) - 1)) != 0) refuse_change();
  return bytes;
}

// Fletcher's, which notices what is cut off, swapped or mistyped.
std::uint32_t check_sum(std::uint8_t const* bytes, std::size_t size) {
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (std::size_t i = 0; i < size; ++i) {
    low = (low + bytes[i]) % 255;
    high = (high + low) % 255;
  }
  return high << 8 | low;
}

// --- choices ---

void put_varint(Bytes& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 0x80));
  to.push_back(static_cast<std::uint8_t>(value));
}

void put_choices(Bytes& to, std::vector<std::uint32_t> const& choices) {
  std::uint64_t zeros = 0;
  for (std::uint32_t const choice : choices) {
    if (choice == 0) {
      ++zeros;
      continue;
    }
    std::uint32_t const value = choice - 1;
    auto const high = static_cast<std::uint8_t>(std::min<std::uint64_t>(zeros, 15));
    auto const low = static_cast<std::uint8_t>(std::min<std::uint32_t>(value, 15));
    to.push_back(static_cast<std::uint8_t>(high << 4 | low));
    if (high == 15) put_varint(to, zeros - 15);
    if (low == 15) put_varint(to, value - 15);
    zeros = 0;
  }
}

[[noreturn]] void refuse_content() {
  throw InvalidTrace("simulation::replay: the trace makes no sense");
}

class ChoiceReader {
 public:
  ChoiceReader(std::uint8_t const* at, std::uint8_t const* end) noexcept : at_(at), end_(end) {}

  std::vector<std::uint32_t> read() {
    std::vector<std::uint32_t> choices;
    while (at_ != end_) {
      std::uint8_t const both = *at_++;
      std::uint64_t const zeros = half(both >> 4U);
      std::uint64_t const value = half(both & 15U);
      if (zeros > choices_most - choices.size() || value > ~std::uint32_t{0} - 1) refuse_content();
      choices.resize(choices.size() + zeros);
      choices.push_back(static_cast<std::uint32_t>(value + 1));
    }
    return choices;
  }

 private:
  std::uint64_t half(std::uint32_t value) { return value < 15 ? value : varint() + 15; }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      if (at_ == end_) break;
      std::uint8_t const byte = *at_++;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    refuse_content();
  }

  std::uint8_t const* at_;
  std::uint8_t const* end_;
};

std::uint8_t digit16(char digit) {
  std::size_t const value = digits16.find(digit);
  return value == std::string_view::npos ? std::uint8_t{0} : static_cast<std::uint8_t>(value);
}

}  // namespace

std::size_t length_that_counts(std::vector<std::uint32_t> const& choices) noexcept {
  std::size_t size = choices.size();
  while (size != 0 && choices[size - 1] == 0) --size;
  return size;
}

std::string short_build_identity() { return build_identity().substr(0, 2 * trace_build_bytes); }

std::string encode(Trace const& trace) {
  Bytes bytes;
  for (std::size_t i = 0; i < trace_build_bytes; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(digit16(trace.build[2 * i]) << 4 |
                                              digit16(trace.build[2 * i + 1])));
  }
  bytes.push_back(static_cast<std::uint8_t>((trace.clock == ClockMode::adversarial ? 1U : 0U) |
                                            static_cast<unsigned>(trace.outcome) << 1U));
  for (unsigned shift = 0; shift < 24; shift += 8) {
    bytes.push_back(static_cast<std::uint8_t>(trace.hash >> shift));
  }
  put_choices(bytes, trace.choices);
  std::uint32_t const sum = check_sum(bytes.data(), bytes.size());
  bytes.push_back(static_cast<std::uint8_t>(sum));
  bytes.push_back(static_cast<std::uint8_t>(sum >> 8));
  return std::string(format) + to_text(bytes);
}

Trace decode(std::string_view text) {
  if (text.size() < 2 || text[0] != 's' || text[1] < '0' || text[1] > '9') {
    throw InvalidTrace("simulation::replay: a trace begins with \"" + std::string(format) +
                       "\", but not this text: \"" + std::string(text.substr(0, 20)) + "\"");
  }
  if (!text.starts_with(format)) {
    std::string const theirs(text.substr(0, 2));
    throw TraceMismatch("simulation::replay: the trace has the format " + theirs +
                            ", and this library reads " + std::string(format) +
                            "; run the seed again to get a trace of now",
                        theirs, std::string(format));
  }
  Bytes const bytes = to_bytes(text.substr(format.size()));
  std::size_t const size = bytes.size() < 2 ? 0 : bytes.size() - 2;
  if (size < head ||
      check_sum(bytes.data(), size) != (bytes[size] | std::uint32_t{bytes[size + 1]} << 8)) {
    refuse_change();
  }
  Trace trace;
  for (std::size_t i = 0; i < trace_build_bytes; ++i) {
    trace.build += digits16[bytes[i] >> 4U];
    trace.build += digits16[bytes[i] & 15U];
  }
  std::uint8_t const flags = bytes[trace_build_bytes];
  trace.clock = (flags & 1U) != 0 ? ClockMode::adversarial : ClockMode::idle;
  trace.outcome = static_cast<Outcome>(flags >> 1U & 15U);
  for (unsigned i = 0; i < 3; ++i) {
    trace.hash |= std::uint32_t{bytes[trace_build_bytes + 1 + i]} << (8 * i);
  }
  trace.choices = ChoiceReader(bytes.data() + head, bytes.data() + size).read();
  return trace;
}

std::string Report::trace() const {
  Trace trace;
  trace.build = short_build_identity();
  trace.clock = clock;
  trace.outcome = outcome;
  trace.hash = static_cast<std::uint32_t>(hash & 0xffffffU);
  trace.choices.assign(choices.begin(),
                       choices.begin() + static_cast<std::ptrdiff_t>(length_that_counts(choices)));
  return encode(trace);
}

}  // namespace spawned::simulation
