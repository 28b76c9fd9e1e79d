// Execution, the memory: histories of stores, views of them, and clocks.
#pragma once

#include <spawned/testing/detail/execution.hpp>

namespace spawned::testing::model::detail {

inline void Execution::add(std::string& line, Value value) {
  if (value < 1'000'000'000) {
    line += std::to_string(value);
    return;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (; value != 0; value >>= 4U) hex.insert(hex.begin(), digits[value & 15U]);
  line += "0x" + hex;
}

inline void Execution::race(char const* mine, Where const& here, char const* other, unsigned thread,
                            Where const& there, Where const& born) {
  fail(FailureKind::data_race, std::string("data race on what was made at ") + to_text(born) +
                                   ": T" + std::to_string(current_) + " " + mine + " at " +
                                   to_text(here) + ", T" + std::to_string(thread) + " " + other +
                                   " at " + to_text(there));
}

inline void Execution::construct(AtomicState& state, Value value, Where const& where) {
  if (location_count_ == max_locations) {
    fail(FailureKind::location_limit, "more than " + std::to_string(max_locations) +
                                          " atomics (max_locations), at " + to_text(where));
  }
  state.execution = id_;
  state.location = location_count_++;
  Location& location = locations_[state.location];
  location.history.clear();
  location.history.emplace_back().value = value;
  location.accesses = Accesses{};
  location.born = where;
  location.creator = current_;
  location.created = me().current.clock[current_];
  location.alive = true;
  note(where, "makes", name(location), "=", value);
}

inline void Execution::destroy(AtomicState const& state) {
  if (state.execution != id_) return;
  Location& location = locations_[state.location];
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (before_me(i, location.accesses.epochs[i])) continue;
    race("destroys it", me().where, "uses it", i, location.accesses.places[i], location.born);
  }
  location.alive = false;
}

inline Execution::Location& Execution::touch(AtomicState const& state, Where const& where) {
  if (state.execution != id_) {
    fail(FailureKind::misuse, "an atomic of another execution is used at " + to_text(where));
  }
  Location& location = locations_[state.location];
  if (!location.alive) {
    fail(FailureKind::misuse, "a destroyed atomic, made at " + to_text(location.born) +
                                  ", is used at " + to_text(where));
  }
  if (!before_me(location.creator, location.created)) {
    race("uses it", where, "makes it", location.creator, location.born, location.born);
  }
  location.accesses.add(current_, me().current.clock[current_], where);
  return location;
}

// The oldest store that the current thread may still read.
inline std::size_t Execution::floor_of(unsigned location, memory_order order) noexcept {
  std::size_t floor = me().current.seen[location];
  if (is_seq_cst(order)) floor = std::max<std::size_t>(floor, total_.seen[location]);
  std::size_t const newest = locations_[location].history.size() - 1;
  bool const often = me().rereads[location] >= limits_.rereads;
  return often && floor == me().current.seen[location] && floor < newest ? floor + 1 : floor;
}

inline void Execution::take(Location& location, std::size_t index, memory_order order) {
  unsigned const at = index_of(location);
  Store const& store = location.history[index];
  View& current = me().current;
  View& acquired = me().acquired;
  bool const again = index == current.seen[at] && index + 1 != location.history.size();
  std::uint8_t& rereads = me().rereads[at];
  rereads = again ? static_cast<std::uint8_t>(rereads + (rereads != 0xff)) : std::uint8_t{0};
  current.seen[at] = std::max(current.seen[at], static_cast<StoreIndex>(index));
  acquired.seen[at] = current.seen[at];
  if (store.carries) {
    acquired.join(store.view, location_count_);
    if (acquires(order)) current.join(store.view, location_count_);
  }
  if (is_seq_cst(order)) {
    total_.seen[at] = std::max(total_.seen[at], static_cast<StoreIndex>(index));
  }
}

// `read`: the store that this one replaces as a read-modify-write, whose release sequence it
// continues; 0xffffffff for a plain store.
inline void Execution::append(Location& location, Value value, memory_order order,
                              std::size_t read) {
  unsigned const at = index_of(location);
  auto const index = static_cast<StoreIndex>(location.history.size());
  if (location.history.back().value != value) something_changed();
  Thread& thread = me();
  thread.current.seen[at] = thread.acquired.seen[at] = index;
  thread.rereads[at] = 0;
  Store& store = location.history.emplace_back();
  store.value = value;
  if (releases(order)) {
    store.view = thread.current;
    store.carries = true;
  } else if (thread.has_released) {
    store.view = thread.released;
    store.view.seen[at] = index;
    store.carries = true;
  }
  if (read < index && location.history[read].carries) {
    store.view.join(location.history[read].view, location_count_);
    store.carries = true;
  }
  if (store.carries) tick();
  if (is_seq_cst(order)) total_.seen[at] = index;
}

inline Execution::Value Execution::load(AtomicState const& state, memory_order order,
                                        Where const& where) {
  point("load", where);
  Location& location = touch(state, where);
  std::size_t const newest = location.history.size() - 1;
  auto const options = static_cast<std::uint32_t>(newest - floor_of(state.location, order) + 1);
  std::uint32_t const age = options == 1 ? 0 : choose(ChoiceKind::read, options);
  take(location, newest - age, order);
  Value const value = location.history[newest - age].value;
  note(where, age == 0 ? "load" : "load OLD", name(location), "=", value, " ", order_name(order));
  return value;
}

inline void Execution::store(AtomicState const& state, Value value, memory_order order,
                             Where const& where) {
  point("store", where);
  Location& location = touch(state, where);
  append(location, value, order, ~std::size_t{0});
  note(where, "store", name(location), "=", value, " ", order_name(order));
}

inline bool Execution::compare_exchange(AtomicState const& state, Value& expected, Value desired,
                                        memory_order success, memory_order failure, bool weak,
                                        Where const& where) {
  point("compare_exchange", where);
  Location& location = touch(state, where);
  std::size_t const newest = location.history.size() - 1;
  // The newest store decides; besides it, every older visible store that differs can be read by an
  // exchange that fails, and a weak one may fail on the newest.
  std::size_t const floor = floor_of(state.location, failure);
  candidates_.clear();
  candidates_.push_back(newest);
  for (std::size_t i = newest; i-- > floor;) {
    if (location.history[i].value != expected) candidates_.push_back(i);
  }
  bool const equal = location.history[newest].value == expected;
  bool const spurious = weak && equal && spurious_ < limits_.spurious;
  auto const options = static_cast<std::uint32_t>(candidates_.size() + (spurious ? 1 : 0));
  std::uint32_t const picked =
      options == 1
          ? 0
          : choose(candidates_.size() == 1 ? ChoiceKind::failure : ChoiceKind::read, options);
  if (picked == 0 && equal) {
    take(location, newest, success);
    append(location, desired, success, newest);
    note(where, "compare_exchange", name(location), " ", expected, " -> ", desired, " ",
         order_name(success));
    return true;
  }
  bool const fails_for_nothing = picked == candidates_.size();
  if (fails_for_nothing) ++spurious_;
  std::size_t const index = fails_for_nothing ? newest : candidates_[picked];
  take(location, index, failure);
  note(where, fails_for_nothing ? "compare_exchange fails for no reason" : "compare_exchange fails",
       name(location), "=", location.history[index].value, " not ", expected, " ",
       order_name(failure));
  expected = location.history[index].value;
  return false;
}

inline void Execution::fence(memory_order order, Where const& where) {
  if (is_seq_cst(order)) point("fence", where);
  Thread& thread = me();
  if (acquires(order)) thread.current.join(thread.acquired, location_count_);
  if (is_seq_cst(order)) {
    total_.join_seen(thread.current, location_count_);
    thread.current.join_seen(total_, location_count_);
    thread.acquired.join_seen(thread.current, location_count_);
  }
  if (releases(order)) {
    thread.released = thread.current;
    thread.has_released = true;
    tick();
  }
  note(where, "fence ", order_name(order));
}

inline void Execution::construct(CellState& cell, Where const& where) {
  cell.execution = id_;
  cell.writer = current_;
  cell.written = me().current.clock[current_];
  cell.writer_place = cell.born = where;
}

inline void Execution::read(CellState& cell, Where const& where) {
  if (cell.execution != id_) {
    fail(FailureKind::misuse, "a cell of another execution is used at " + to_text(where));
  }
  note(where, "reads cell (", to_text(cell.born), ")");
  if (!before_me(cell.writer, cell.written)) {
    race("reads it", where, "writes it", cell.writer, cell.writer_place, cell.born);
  }
  cell.reads.add(current_, me().current.clock[current_], where);
}

inline void Execution::write(CellState& cell, Where const& where, char const* what) {
  if (cell.execution != id_) {
    fail(FailureKind::misuse, "a cell of another execution is used at " + to_text(where));
  }
  note(where, what, " cell (", to_text(cell.born), ")");
  if (!before_me(cell.writer, cell.written)) {
    race(what, where, "writes it", cell.writer, cell.writer_place, cell.born);
  }
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (before_me(i, cell.reads.epochs[i])) continue;
    race(what, where, "reads it", i, cell.reads.places[i], cell.born);
  }
  cell.writer = current_;
  cell.written = me().current.clock[current_];
  cell.writer_place = where;
}

}  // namespace spawned::testing::model::detail
