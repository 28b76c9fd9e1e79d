// Words for people in the reports of simulated runs.
#pragma once

#include <exception>
#include <source_location>
#include <string>

namespace spawned::simulation {

/// What an exception says of itself.
[[nodiscard]] std::string what_of(std::exception_ptr const& exception);
/// "Bank#7" of "actor Bank#7", and a task's place without its folders.
[[nodiscard]] std::string short_name(std::string const& description);

/// "teller.cpp:12"
[[nodiscard]] std::string as_text(std::source_location where);

}  // namespace spawned::simulation
