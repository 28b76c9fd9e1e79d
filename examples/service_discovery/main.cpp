// Services find one another by name: a shop needs a price list, which it does not start, cannot
// name by a ref, and which is replaced while the shop runs.
//
// Run    build/release/examples/service_discovery
// Prints what the shop charges, with each price list.
#include <chrono>
#include <string>
#include <utility>

#include <spawned/registry/registry.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct PriceOf {
  std::string item;
};

/// A price list, from one year.
class Prices : public sp::Actor<Prices> {
 public:
  explicit Prices(int year) : year_(year) {}
  int handle_request(PriceOf const& wanted) const {
    return static_cast<int>(wanted.item.size()) * (year_ - 2000);
  }

 private:
  int year_;
};

// The name and what is to be found under it, for both sides. A typo in it does not compile, and no
// look-up by it finds anything else.
inline constexpr sp::registry::Key<Prices> prices{"prices"};

class Shop : public sp::Actor<Shop> {
 public:
  struct Charge {
    std::string item;
  };

  // Looks the price list up anew each time: the one of before may have ended.
  sp::Task<std::string> handle_request(Charge charge) {
    auto list = co_await sp::registry::wait_until_registered(prices, std::chrono::seconds(1));
    if (!list) co_return charge.item + " is not for sale: nobody knows the price";
    auto price = co_await list->request<PriceOf>(charge.item);
    if (!price) co_return charge.item + " is not for sale: the price list is ending";
    co_return charge.item + " costs " + std::to_string(*price);
  }
};

void say(std::string const& text) { sp::log::info("service_discovery", text); }

sp::Task<void> charge(sp::ActorRef<Shop> shop, std::string item) {
  auto answer = co_await shop.request<Shop::Charge>(std::move(item));
  say(answer ? *answer : "the shop does not answer: " + answer.error().what());
}

sp::Task<int> demo() {
  auto shop = Shop{}.start();
  if (!sp::registry::register_name("shop", shop)) co_return 1;

  auto first = co_await sp::registry::start_registered<Prices>(prices, 2024);
  if (!first) co_return 1;
  co_await charge(shop, "tea");

  // Whoever wants it started too gets the one that runs.
  auto second = co_await sp::registry::start_registered<Prices>(prices, 2025);
  if (!second) co_return 1;
  say(second->started_now ? "a second price list" : "the price list runs already");

  // The names of an actor go with it, and are free at once.
  auto ended = co_await first->ref.stop_and_wait();
  if (!ended) co_return 1;
  auto found = sp::registry::whereis(prices);
  say(found ? "a price list that has ended" : found.error().what());

  auto third = co_await sp::registry::start_registered<Prices>(prices, 2025);
  if (!third) co_return 1;
  co_await charge(shop, "tea");

  for (auto const& each : sp::registry::registered()) {
    say(each.name + " is a " + std::string(each.type_name));
  }
  auto wrong = sp::registry::whereis<Prices>("shop");
  if (wrong) co_return 1;
  say("the shop is no price list, it is a " + std::string(wrong.error().registered_as()));
  co_return 0;
}

int main() { return sp::run(demo); }
