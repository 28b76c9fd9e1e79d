#!/bin/sh
# usage: CXX=... PKG_CONFIG_PATH=... build.sh OUTPUT
set -e
here=$(dirname "$0")
# shellcheck disable=SC2046
${CXX:-g++} -std=c++20 -O0 $(pkg-config --cflags spawned) "$here/../main.cpp" -o "$1" $(pkg-config --libs spawned)
