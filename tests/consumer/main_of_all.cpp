// The same program through the umbrella header of everything.
#include <spawned/spawned.hpp>

#include "main.cpp"
