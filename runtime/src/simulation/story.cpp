// The events of a run as text.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <spawned/runtime/simulation/report.hpp>

#include "simulation/told.hpp"

namespace spawned::simulation {

namespace {

constexpr std::size_t columns = 5;
using Row = std::array<std::string, columns>;  // step, time, who, what, why

// Idle turns matter only where they were chosen.
bool is_noise(Told const& told) {
  return told.what == Told::What::idles && !told.chosen && told.started.empty() &&
         told.lost.empty() && told.remarks.empty() && !told.ended;
}

std::vector<Row> rows_of(Report const& report) {
  std::vector<Row> rows;
  std::string last_time;
  for (Told const& told : tell(report)) {
    if (is_noise(told)) continue;
    std::string time = as_text(told.time);
    Row& row = rows.emplace_back();
    row[0] = (told.chosen ? "* " : "  ") +
             (told.step == Told::none ? std::string("-") : std::to_string(told.step));
    row[1] = time == last_time ? std::string() : time;
    row[2] = told.what == Told::What::time ? std::string("time") : name_of(report, told.unit);
    row[3] = deed(report, told);
    row[4] = reason(report, told);
    last_time = std::move(time);
  }
  return rows;
}

// A star stays at the left, the number of the step goes to the right.
std::string aligned_step(std::string const& cell, std::size_t width) {
  return cell.substr(0, 2) + std::string(width - cell.size(), ' ') + cell.substr(2);
}

}  // namespace

std::vector<std::string> Report::story() const {
  constexpr std::size_t widest = 60;  // of a column; what is longer pushes the rest to the right
  std::vector<Row> const rows = rows_of(*this);
  std::array<std::size_t, columns> widths{};
  for (Row const& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], std::min(row[i].size(), widest));
    }
  }
  std::vector<std::string> lines;
  for (Row const& row : rows) {
    std::string& line = lines.emplace_back(aligned_step(row[0], widths[0]));
    std::size_t width = widths[0];
    for (std::size_t i = 1; i < columns; ++i) {
      line.resize(std::max(line.size(), width), ' ');
      line += "  " + row[i];
      width += 2 + widths[i];
    }
    line.resize(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace spawned::simulation
