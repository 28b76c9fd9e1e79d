#!/usr/bin/env python3
"""Checks who includes and uses what, where neither compiler nor CMake can.

- detail/ headers belong to their module (and its tests), and to the modules on layers above it.
- src/ headers belong to their module's sources and tests; a public header includes none.
- A public header includes the standard library, the system and spawned, nobody else's headers.
- Atomics go through the shim, so that a model checker can take their place.
"""
import re

import source

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|"[^"\n]+")', re.M)
DETAIL = re.compile(r"<spawned/(\w+)/detail/")
SYSTEM = re.compile(r"<([a-z_0-9]+|(sys|linux|netinet|arpa|asm)/\w+\.h|(\w+)\.h)>")
ATOMIC_SHIM = "runtime/include/spawned/runtime/detail/atomic.hpp"
MODEL_ORDERS = "runtime/include/spawned/testing/detail/order.hpp"  # takes the orders, no atomics
ATOMIC = re.compile(r"\bstd::atomic|#[ \t]*include[ \t]*<atomic>")
DETAIL_USERS = {"runtime": {"runtime", "actors", "registry", "supervision"},
                "actors": {"actors", "registry", "supervision"},
                "testing": {"runtime"}}


def includes(path, text):
    module = path.split("/")[0]
    public = path.startswith(tuple(f"{name}/include/" for name in (*source.MODULES, "cmake")))
    for match in INCLUDE.finditer(source.code(text, keep_strings=True)):
        name, line = match.group(1), source.line_of(text, match.start())
        detail = DETAIL.match(name)
        if detail and module not in ("tests", "bench") and \
                module not in DETAIL_USERS.get(detail.group(1), {detail.group(1)}):
            yield f"{path}:{line}: {name} is a detail of {detail.group(1)}"
        if name[0] == '"' and (public or "../" in name or "src/" in name):
            yield f"{path}:{line}: {name} is private to the sources of one module"
        if public and name[0] == "<" and not name.startswith("<spawned/") \
                and not SYSTEM.fullmatch(name):
            yield f"{path}:{line}: a public header may not include {name}"


def uses(path, text):
    module, code = path.split("/")[0], source.code(text)
    if module in source.MODULES and path not in (ATOMIC_SHIM, MODEL_ORDERS):
        for match in ATOMIC.finditer(code):
            yield f"{path}:{source.line_of(text, match.start())}: atomics go through {ATOMIC_SHIM}"


def problems(root):
    for path, text in source.files(root, source.EVERYTHING):
        yield from includes(path, text)
        yield from uses(path, text)


if __name__ == "__main__":
    source.main("layers", problems)
