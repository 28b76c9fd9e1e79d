// How this flavour waits for an answer: it blocks, the actor's thread is its own.
#pragma once

#include <string>

#include "support/http_get.hpp"

inline support::HttpAnswer fetch(std::string const& url) { return support::http_get(url); }
