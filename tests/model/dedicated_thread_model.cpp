// How a dedicated thread gets its turns (threads/single_post.hpp, as it is): no turn is lost, none
// is run twice, and the thread leaves when it is told to.
//
// DedicatedThread itself is not here: it starts threads. A unit is posted again only by who knows
// that it has run, which here a word of the unit says, as an actor's mailbox does.
#include <cstdint>

#include "model/support.hpp"
#include "threads/single_post.hpp"

namespace {

using namespace model_test;
using spawned::detail::atomic;
using spawned::detail::memory_order_acq_rel;
using spawned::detail::memory_order_acquire;
using spawned::detail::memory_order_release;
using spawned::detail::SharedCell;
using spawned::detail::SinglePost;

struct Unit {
  SharedCell<int> message;
  int runs = 0;
  atomic<bool> scheduled{false};
};

using Post = SinglePost<Unit, 1>;

// Sends: posts unless the unit is scheduled already.
void send(Post& post, Unit& unit) {
  if (!unit.scheduled.exchange(true, memory_order_acq_rel)) post.post(unit);
}

}  // namespace

TEST_SUITE("model/dedicated_thread") {
  TEST_CASE("each post is one turn, also one during the turn before, and the last is to leave") {
    holds([] {
      Post post;
      Unit unit;
      model::parallel(
          [&] {
            while (Unit* const work = post.wait()) {
              model::check(work == &unit && work->message.get() == 1, "it sees what was posted");
              if (++work->runs == 2) break;
              work->message.set(0);
              work->scheduled.store(false, memory_order_release);
            }
          },
          [&] {
            unit.message.set(1);
            send(post, unit);
            while (unit.scheduled.load(memory_order_acquire)) spawned::detail::cpu_pause();
            unit.message.set(1);
            send(post, unit);
          });
      model::check(unit.runs == 2, "no turn is lost");
    });
  }

  TEST_CASE("two who send at once make at least one turn, after which nothing is left over") {
    holds([] {
      Post post;
      Unit unit;
      atomic<int> sent{0};
      auto const sender = [&] {
        sent.fetch_add(1, memory_order_release);
        send(post, unit);
      };
      model::parallel(
          [&] {
            for (;;) {
              (void)post.wait();
              unit.scheduled.exchange(false, memory_order_acq_rel);
              if (sent.load(memory_order_acquire) == 2) break;
            }
          },
          sender, sender);
    });
  }

  TEST_CASE("a thread whose context never started leaves") {
    holds([] {
      Post post;
      model::parallel([&] { model::check(post.wait() == nullptr, "there is no unit"); },
                      [&] { post.retire(); });
    });
  }

  TEST_CASE("a place is used again for another context while a late poster is still at its word") {
    holds([] {
      Post post;
      Unit first;
      Unit second;
      model::parallel(
          [&] {
            model::check(post.wait() == &first, "the first context's turn");
            post.reset();
            model::Thread next([&] { model::check(post.wait() == &second, "the second's"); });
            post.post(second);
          },
          [&] { post.post(first); });
    });
  }

  TEST_CASE("a place that is used again lets its thread leave when the second never starts") {
    holds([] {
      Post post;
      Unit first;
      post.post(first);
      model::check(post.wait() == &first, "the first context's turn");
      post.reset();
      model::parallel([&] { model::check(post.wait() == nullptr, "not the former unit"); },
                      [&] { post.retire(); });
    });
  }
}
