// expect: error:.*a_dead_letter_callback_must_be_noexcept<
// A dead letter callback that may throw.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

void demo() {
  auto subscription = sp::dead_letters::subscribe([](sp::DeadLetter const& /*letter*/) {});
}
