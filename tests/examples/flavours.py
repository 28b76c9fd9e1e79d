#!/usr/bin/env python3
"""Compares the two flavours of the examples.

usage: flavours.py EXAMPLES
       flavours.py EXAMPLES NAME    prints what NAME_threads must be, but for its comments

For each folder EXAMPLES/<name>_threads the sources of EXAMPLES/<name>, after the SUBSTITUTIONS below
and nothing else, must be those of <name>_threads, token by token; comments and white space are free.
"""
import pathlib
import re
import sys

# Files that differ on purpose, with the reason.
DIFFERENT = {
    "signal_test/interrupt.hpp": "a task awaits the signal, a thread blocks",
    "updater/fetch.hpp": "a task must not block its worker, a thread may",
}

# What turns the tasks flavour into the threads flavour, with how often it must happen in an example.
SUBSTITUTIONS = (
    (r"#include <spawned/tasks\.hpp>", r"#include <spawned/threads.hpp>", 1),
    (r"\bnamespace sp = spawned::tasks;", r"namespace sp = spawned::threads;", 1),
    (r"\bsp::Task<(?P<value>(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*)>", r"\g<value>", None),
    (r"\bco_await\s+", r"", None),
    (r"\bco_return\b", r"return", None),
)
LEFT = r"\bco_(?:await|return|yield)\b|\bTask\b|\btasks\b"

STRING = r""" "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' """
TOKEN = re.compile(rf"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<token>   {STRING} | [\w.]*\w | \S )
""", re.S | re.X)


def sources(folder):
    name = folder.name.removesuffix("_threads")
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())
            if path.suffix in (".cpp", ".hpp") and f"{name}/{path.name}" not in DIFFERENT}


def without_comments(text):
    return TOKEN.sub(lambda match: match["token"] or "", text)


def substitute(pattern, replacement, text):
    """The text with `replacement` wherever the pattern matches outside strings, and how often."""
    count = 0

    def replaced(match):
        nonlocal count
        if match["string"]:
            return match.group()
        count += 1
        return match.expand(replacement)
    return re.sub(rf"(?P<string>(?x:{STRING}))|{pattern}", replaced, text), count


def tokens(text):
    """Pairs of line number and token."""
    line, at = 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if match["token"]:
            yield line, match["token"]


def threads_flavour(files):
    """The sources as the threads flavour has them, and the problems of that."""
    problems = []
    files = {name: without_comments(text) for name, text in files.items()}
    for pattern, replacement, wanted in SUBSTITUTIONS:
        count = 0
        for name, text in files.items():
            files[name], here = substitute(pattern, replacement, text)
            count += here
        if wanted is not None and count != wanted:
            problems.append(f"{pattern} occurs {count} times, not {wanted}")
    for name, text in files.items():
        problems += [f"{name}: {count} left over of {LEFT}"
                     for count in [substitute(LEFT, "", text)[1]] if count]
    return files, problems


def differences(derived, found):
    for name in sorted(derived.keys() ^ found.keys()):
        yield f"{name} is in one flavour only"
    for name in sorted(derived.keys() & found.keys()):
        left = [token for _, token in tokens(derived[name])]
        right = list(tokens(found[name]))
        for index, (line, token) in enumerate(right):
            if index >= len(left) or left[index] != token:
                wanted = " ".join(left[index:index + 8]) or "the end"
                there = " ".join(word for _, word in right[index:index + 8])
                yield f"{name}:{line}: expected {wanted}\n  found: {there}"
                break
        else:
            if len(left) > len(right):
                yield f"{name} ends early, expected {' '.join(left[len(right):len(right) + 8])}"


def problems(examples):
    compared = 0
    for threads in sorted(examples.glob("*_threads")):
        name = threads.name.removesuffix("_threads")
        derived, wrong = threads_flavour(sources(examples / name))
        yield from (f"{name}: {problem}" for problem in wrong)
        yield from (f"{threads.name}/{problem}"
                    for problem in differences(derived, sources(threads)))
        compared += 1
    for path, reason in DIFFERENT.items():
        print(f"{path} is not compared: {reason}")
    print(f"{compared} examples in both flavours")
    if compared == 0:
        yield "no example has two flavours"


if __name__ == "__main__":
    if len(sys.argv) == 2:
        wrong = list(problems(pathlib.Path(sys.argv[1])))
        if wrong:
            sys.exit("\n".join(wrong))
    elif len(sys.argv) == 3:
        for file, text in threads_flavour(sources(pathlib.Path(sys.argv[1]) / sys.argv[2]))[0].items():
            print(f"// {file}\n{text}")
    else:
        sys.exit(__doc__)
