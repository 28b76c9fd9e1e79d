// How this flavour waits for an answer: the call that blocks runs on the blocking pool, so that the
// worker serves other actors meanwhile.
#pragma once

#include <string>
#include <utility>

#include <spawned/tasks.hpp>

#include "support/http_get.hpp"

inline spawned::Task<support::HttpAnswer> fetch(std::string url) {
  auto get = [url] { return support::http_get(url); };
  auto answer = co_await spawned::spawn_blocking(spawned::moved(get));
  if (!answer) co_return spawned::Unexpected(std::string("cancelled"));
  co_return std::move(*answer);
}
