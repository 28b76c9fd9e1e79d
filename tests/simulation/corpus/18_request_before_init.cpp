// 18: asked before it is ready.
//
// Bug          a service that gets its prices by a message answers from the first moment on.
// Interleaving a client's question overtakes the prices.
// Fix          questions wait until the prices are there.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Shop : public sp::Actor<Shop> {
 public:
  struct Prices {
    int apple;
  };
  struct Quote {};
  explicit Shop(Variant variant) : variant_(variant) {}

  void handle_message(Prices prices) {
    corpus::maybe_sleep();
    apple_ = prices.apple;
    for (auto& caller : waiting_) (void)caller.reply(apple_);
    waiting_.clear();
  }
  sp::RequestResponse<int> handle_request(Quote /*request*/, sp::Context<Shop>& context) {
    corpus::maybe_sleep();
    if (apple_ != 0 || variant_ == Variant::broken) {
      return sp::RequestResponse<int>::reply(apple_);
    }
    waiting_.push_back(context.defer<int>());
    return sp::RequestResponse<int>::deferred();
  }

 private:
  Variant variant_;
  int apple_ = 0;
  std::vector<sp::ReplyTo<int>> waiting_;
};

class PriceList : public sp::Actor<PriceList> {
 public:
  struct Read {};
  int handle_request(Read /*request*/) {
    corpus::maybe_sleep();
    return 3;
  }
};

sp::Task<void> configure(sp::ActorRef<PriceList> list, sp::ActorRef<Shop> shop) {
  auto const apple = co_await ask<PriceList::Read>(list);
  shop.send<Shop::Prices>(apple.value());
}

sp::Task<int> buy(sp::ActorRef<Shop> shop) {
  co_await corpus::work(4);
  auto const price = co_await ask<Shop::Quote>(shop);
  co_return price.value();
}

template <Variant variant>
sp::Task<void> request_before_init() {
  auto shop = Shop(variant).start();
  auto list = PriceList{}.start();
  auto configured = sp::spawn(configure(list, shop));
  auto bought = sp::spawn(buy(shop));
  auto price = co_await bought;
  corpus::check(price.value() == 3, "sold before there was a price");
  (void)co_await configured;
}

CORPUS_PROGRAM(18, "a request before the prices", request_before_init, false);

}  // namespace
