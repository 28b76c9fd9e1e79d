// What the tests of signals share.
#pragma once

#include <csignal>

namespace test {

/// Sets a handler, and at the end the one before.
class WithHandler {
 public:
  WithHandler(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction wanted = {};
    wanted.sa_handler = handler;
    sigaction(signal, &wanted, &before_);
  }
  WithHandler(WithHandler const&) = delete;
  WithHandler& operator=(WithHandler const&) = delete;
  ~WithHandler() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ = {};
};

}  // namespace test
