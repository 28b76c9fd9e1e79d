#!/usr/bin/env python3
"""Rejects temporaries that g++ 12 destroys twice in a statement with `co_await`.

Those are aggregates and closures with captures that are made behind a `co_await` in the same
statement. A lint cannot see types, so every `Type{` counts. The safe forms: build in place
(`request<Add>(args...)`), name the value first and move it, or a factory function. What is known to
be harmless says `// waiver G16: reason`.
"""
import re

import source

AWAIT = re.compile(r"(?<!operator )\bco_await\b")
BRACED = re.compile(r"(?<![\w:])(?:::)?[A-Za-z_]\w*(?:::\w+)*(?:<[^;(){}]*>)?\s*\{")
NOT_TYPES = re.compile(r"(mutable|noexcept|const|do|else|try|return|requires)\b")


def closing(code, start):
    """The offset behind the bracket that closes the one at start."""
    depth = 0
    for offset in range(start, len(code)):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(code[offset], 0)
        if depth == 0:
            return offset + 1
    return len(code)


def operand(code, start):
    """The rest of the statement behind a co_await without its closures, and their captures."""
    kept, captures, depth, offset = "", [], 0, start
    while offset < len(code) and depth >= 0 and not (depth == 0 and code[offset] == ";"):
        # A bracket behind a value is a subscript; any other begins a closure (or an attribute).
        if code[offset] == "[" and not re.search(r"[\w)\]>]\s*$", kept):
            end = closing(code, offset)
            captures.append(code[offset + 1:end - 1].strip())
            body = code.find("{", end)
            offset = closing(code, body) if body >= 0 else len(code)
            continue
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(code[offset], 0)
        kept += code[offset]
        offset += 1
    return kept, [capture for capture in captures if capture]


def check(path, text):
    code = source.code(text)
    for match in AWAIT.finditer(code):
        rest, captures = operand(code, match.end())
        reasons = [f"closure [{capture}]" for capture in captures]
        reasons += [f"temporary {braced.group().strip()}...}}" for braced in BRACED.finditer(rest)
                    if not NOT_TYPES.match(braced.group().strip())]
        if reasons and not source.waived(text, match.start(), "G16"):
            yield (f"{path}:{source.line_of(text, match.start())}: {reasons[0]} in a statement with "
                   "co_await; build it in place or name it first")


def problems(root):
    for path, text in source.files(root, (*source.MODULES, "examples", "tests", "bench")):
        if not path.startswith("tests/compile_fail/"):
            yield from check(path, text)


if __name__ == "__main__":
    source.main("awaits", problems)
