// 21: a job that ends twice: it is cancelled, and it is done.
//
// Bug          "done" frees the place of its job without looking whether a cancellation has.
// Interleaving the cancellation comes when the job is done, but before that is known.
// Fix          whoever takes the job off the list frees its place.
#include <map>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Printer;

class Spooler : public sp::Actor<Spooler> {
 public:
  struct Print {
    int job;
  };
  struct Cancel {
    int job;
  };
  struct Done {
    int job;
  };
  struct Free {};

  Spooler(Variant variant, sp::ActorRef<Printer> printer)
      : variant_(variant), printer_(std::move(printer)) {}

  // True: it was printed.
  sp::RequestResponse<bool> handle_request(Print print, sp::Context<Spooler>& context);
  void handle_message(Cancel cancel) {
    corpus::maybe_sleep();
    if (finish(cancel.job, false)) ++free_;
  }
  void handle_message(Done done) {
    corpus::maybe_sleep();
    bool const first = finish(done.job, true);
    if (first || variant_ == Variant::broken) ++free_;
  }
  int handle_request(Free /*request*/) const { return free_; }

 private:
  bool finish(int job, bool printed) {
    auto const place = jobs_.find(job);
    if (place == jobs_.end()) return false;
    (void)place->second.reply(printed);
    jobs_.erase(place);
    return true;
  }

  Variant variant_;
  int free_ = 2;
  std::map<int, sp::ReplyTo<bool>> jobs_;
  sp::ActorRef<Printer> printer_;
};

class Printer : public sp::Actor<Printer> {
 public:
  struct Page {
    int job;
    sp::ActorRef<Spooler> spooler;
  };
  void handle_message(Page const& page) {
    corpus::maybe_sleep();
    page.spooler.send<Spooler::Done>(page.job);
  }
};

sp::RequestResponse<bool> Spooler::handle_request(Print print, sp::Context<Spooler>& context) {
  corpus::maybe_sleep();
  --free_;
  jobs_.emplace(print.job, context.defer<bool>());
  printer_.send<Printer::Page>(print.job, context.self());
  return sp::RequestResponse<bool>::deferred();
}

template <Variant variant>
sp::Task<void> cancel_against_reply() {
  auto printer = Printer{}.start();
  auto spooler = Spooler(variant, printer).start();
  auto printed = spooler.start_request<Spooler::Print>(1);
  co_await sp::yield_now();
  co_await sp::yield_now();
  spooler.send<Spooler::Cancel>(1);
  (void)co_await printed;
  (void)co_await printer.stop_and_wait();  // nothing more is done after that
  auto const free = co_await ask<Spooler::Free>(spooler);
  corpus::check(free.value() == 2, "the spooler has more places than there are");
}

CORPUS_PROGRAM(21, "cancelled and done", cancel_against_reply, false);

}  // namespace
