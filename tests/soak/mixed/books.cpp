#include "books.hpp"

namespace soak {

namespace {

std::string text(char const* name, Tally const& tally) {
  return std::string(name) + ": made " + std::to_string(tally.made) + " = handled " +
         std::to_string(tally.begun) + " + unheard " + std::to_string(tally.unheard) + " (told " +
         std::to_string(tally.told) + ", dead letters " + std::to_string(tally.letters) +
         "), alive " + std::to_string(tally.alive()) + "\n";
}

void check(Tally const& tally, std::string const& name) {
  stress::check_equal(tally.worked, tally.begun, (name + ": handled and destroyed").c_str());
  stress::check_equal(tally.worked + tally.unheard, tally.made, (name + ": made").c_str());
  stress::check_equal(tally.originals, 0, (name + ": originals alive").c_str());
}

}  // namespace

std::string describe(Books const& books) {
  std::string all = "  " + text("notes", books.notes) + "  " + text("timed", books.timed) + "  " +
                    text("ticks", books.ticks) + "  " + text("requests", books.requests);
  all += "  asked " + std::to_string(books.asked) + " = answered " +
         std::to_string(books.answered) + " + given up " + std::to_string(books.given_up) +
         " + unwound " + std::to_string(books.unwound);
  for (std::size_t i = 0; i < Books::error_kinds; ++i) {
    if (books.errors[i] == 0) continue;
    all += std::string(" + ") + spawned::to_string(static_cast<ErrorKind>(i)) + " " +
           std::to_string(books.errors[i]);
  }
  all += "\n  deferred: sent " + std::to_string(books.deferred_sent) + ", caller gone " +
         std::to_string(books.deferred_gone) + ", dropped " +
         std::to_string(books.deferred_dropped) + "\n  timers " + std::to_string(books.timers) +
         " = cancelled " + std::to_string(books.timers_cancelled) + " + sent " +
         std::to_string(books.timers_sent) + " + ended with their actor " +
         std::to_string(books.timers_ended) + "; intervals " + std::to_string(books.intervals) +
         "\n  dead letters:";
  for (std::size_t i = 0; i < Books::causes; ++i) {
    all += std::string(" ") + spawned::to_string(static_cast<sp::DeadLetter::Cause>(i)) + " " +
           std::to_string(books.letters_by_cause[i]);
  }
  return all + "; actors ended " + std::to_string(books.ends);
}

void check(Books const& books) {
  check(books.notes, "notes");
  check(books.timed, "timed");
  check(books.ticks, "ticks");
  check(books.requests, "requests");

  stress::check_equal(books.notes.made, books.sent, "notes made and sent");
  stress::check_equal(books.notes.begun + books.notes.told + books.notes.letters, books.sent,
                      "notes: handled + told + dead letters");
  stress::check_equal(books.ticks.begun + books.ticks.letters, books.ticks.made,
                      "ticks: handled + dead letters");

  stress::check_equal(books.timed.made, books.timers, "timers and their messages");
  stress::check_equal(books.timers_cancelled + books.timers_sent + books.timers_ended, books.timers,
                      "what became of timers");
  // Of a timer that was sent just when its actor ended the handle says `actor_ended`.
  std::uint64_t const arrived = books.timed.begun + books.timed.letters;
  stress::check(books.timers_sent <= arrived && arrived <= books.timers_sent + books.timers_ended,
                "timers: handled + dead letters");

  std::uint64_t outcomes = books.answered + books.given_up + books.unwound;
  for (Count const& count : books.errors) outcomes += count;
  stress::check_equal(outcomes, books.asked, "outcomes of requests");
  stress::check(books.answered <= books.requests.begun, "answers without a handler");

  std::uint64_t letters = 0;
  for (Count const& count : books.letters_by_cause) letters += count;
  stress::check_equal(books.notes.letters + books.timed.letters + books.ticks.letters, letters,
                      "dead letters by type and by cause");
}

}  // namespace soak
