#!/usr/bin/env python3
"""Holds what the documents say against the code.

usage: check.py snippets ROOT COMPILER [FLAG...]   every C++ block compiles
       check.py claims ROOT                        links, files and functions that are named exist

A block fenced as cpp in README.md or below docs/ is C++20 that compiles, good or bad. A block with an
#include of its own is a program and a translation unit. The others of a page share one, each in a
namespace of its own; it begins with <spawned/tasks.hpp> and the name sp. A comment on the lines before
a block may say
    <!-- not compiled: why -->   it is left out
    <!-- given                   code that the block needs and the reader does not; braces that the
    ...                          given code leaves open are closed behind the block
    -->
and one anywhere in the page
    <!-- preamble                code that its blocks need
    ...
    -->
A block fenced as `cpp fails: words` must not compile: the first error, warnings included, contains the
words. The first block of README.md must be examples/readme/main.cpp, word for word.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:^<!-- *(?P<word>not compiled|given)\b:?(?P<text>.*?)-->[ \t]*\n)?"
                   r"^```cpp\b(?P<info>[^\n]*)\n(?P<code>.*?)^``` *$", re.M | re.S)
PAGE_PREAMBLE = re.compile(r"^<!-- *preamble\b:?(?P<text>.*?)-->[ \t]*$", re.M | re.S)
INCLUDE = re.compile(r"^#include [^\n]*", re.M)
PREAMBLE = "#include <spawned/tasks.hpp>\nnamespace sp = spawned::tasks;\n"
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FUNCTION = re.compile(r"`(?:[\w:<>]+::)?(\w+)(?:<\w+>)?\(\)`")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:hpp|cpp|py|cmake|txt|md)|\w+\.hpp|\w+\.cpp)`")
SOURCES = ("runtime", "actors", "registry", "supervision", "examples", "bench", "tests", "tools",
           "cmake", "docs")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def pages(root):
    paths = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return [(path.relative_to(root), path.read_text(encoding="utf-8")) for path in paths]


class Unit:
    """A translation unit made of blocks of a page, with lines numbered as there."""

    def __init__(self, path, text, blocks, fails=""):
        self.where = f"{path}:{line_of(text, blocks[0].start('code'))}"
        self.fails = fails
        self.count = len(blocks)
        program = "#include" in blocks[0].group("code")
        code = "" if program else PREAMBLE
        for found in PAGE_PREAMBLE.finditer(text):
            if not program:
                code += f'#line {line_of(text, found.start("text"))} "{path}"\n{found.group("text")}\n'
        for number, block in enumerate(blocks):
            given = block.group("text") if block.group("word") == "given" else ""
            unclosed = given.count("{") - given.count("}")
            if not program:  # what is included belongs outside of the block's namespace
                code += "\n".join(INCLUDE.findall(given))
                given = INCLUDE.sub("", given)
                code += f"\nnamespace block_{number} {{\n"
            code += (f'#line {line_of(text, block.start())} "{path}"\n{given}\n'
                     f'#line {line_of(text, block.start("code"))} "{path}"\n{block.group("code")}\n')
            code += "};" * unclosed + ("" if program else "}") + "\n"
        self.code = code

    def problem(self, command):
        strict = ["-Werror"] if self.fails else []
        with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
            file.write(self.code)
            file.flush()
            run = subprocess.run([*command, *strict, "-fsyntax-only", "-fno-diagnostics-color",
                                  file.name], capture_output=True, text=True)
        if not self.fails:
            return f"{self.where}: does not compile\n{run.stderr}" if run.returncode else None
        if run.returncode == 0:
            return f"{self.where}: compiles, and should fail with: {self.fails}"
        first = next((line for line in run.stderr.splitlines() if "error:" in line), run.stderr)
        return None if self.fails in first else \
            f"{self.where}: the first error does not say: {self.fails}\n{first}"


def units_of(path, text):
    """The translation units of a page, and the problems of what is written around its blocks."""
    together, units, problems = [], [], []
    for block in BLOCK.finditer(text):
        where = f"{path}:{line_of(text, block.start('code'))}"
        info = block.group("info").strip()
        fails = info.removeprefix("fails:").strip() if info.startswith("fails:") else ""
        if block.group("word") == "not compiled":
            if not block.group("text").strip():
                problems.append(f"{where}: `not compiled` without a reason")
        elif info and not fails:
            problems.append(f"{where}: it is `cpp` or `cpp fails: words`, not `cpp {info}`")
        elif fails or "#include" in block.group("code"):
            units.append(Unit(path, text, [block], fails))
        else:
            together.append(block)
    return units + ([Unit(path, text, together)] if together else []), problems


def snippet_problems(root, command):
    readme = (root / "examples/readme/main.cpp").read_text(encoding="utf-8")
    units = []
    for path, text in pages(root):
        found, problems = units_of(path, text)
        units += found
        yield from problems
        first = BLOCK.search(text)
        if str(path) == "README.md" and first and first.group("code") != readme:
            yield f"{path}: the first program differs from examples/readme/main.cpp"
    if not units:
        yield "no block found"
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from filter(None, pool.map(lambda unit: unit.problem(command), units))
    print(f"{sum(unit.count for unit in units)} blocks in {len(units)} units")


def anchors(path):
    """The targets that the headings of a page give, as GitHub makes them."""
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ +(.+?) *$", prose, re.M)}


def claim_problems(root):
    files = [path for folder in SOURCES for path in (root / folder).rglob("*") if path.is_file()]
    files += [path for path in root.iterdir() if path.is_file()]
    relative = ["/" + str(path.relative_to(root)) for path in files]
    code = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files
                     if path.suffix in (".hpp", ".cpp", ".py", ".cmake") or
                     path.name in ("CMakeLists.txt", "dev"))
    words = set(re.findall(r"\w+", code))
    documents = [*root.glob("*.md"), *(root / "docs").rglob("*.md"),
                 *(root / module / "README.md" for module in SOURCES[:2])]
    for path in documents:
        text = path.read_text(encoding="utf-8")
        prose = FENCED.sub(lambda block: "\n" * block.group().count("\n"), text)
        name = path.relative_to(root)
        for match in LINK.finditer(prose):
            target, _, anchor = match.group(1).partition("#")
            page = path.parent / target if target else path
            if "://" in target:
                continue
            if not page.exists() or (anchor and page.suffix == ".md" and anchor not in anchors(page)):
                yield f"{name}:{line_of(text, match.start())}: link to nothing: {match.group(1)}"
        if name.name in ("CHANGELOG.md", "CONTRIBUTING.md"):
            continue  # these speak of what was, and of invented examples
        for match in FUNCTION.finditer(prose):
            if match.group(1) not in words:
                yield f"{name}:{line_of(text, match.start())}: no such function: {match.group()}"
        for match in FILE.finditer(prose):
            end = "/" + match.group(1).rpartition(".../")[2]
            if not any(there.endswith(end) for there in relative):
                yield f"{name}:{line_of(text, match.start())}: no such file: {match.group()}"


if __name__ == "__main__":
    if len(sys.argv) >= 4 and sys.argv[1] == "snippets":
        found = list(snippet_problems(pathlib.Path(sys.argv[2]), sys.argv[3:]))
    elif len(sys.argv) == 3 and sys.argv[1] == "claims":
        found = list(claim_problems(pathlib.Path(sys.argv[2])))
    else:
        sys.exit(__doc__)
    if found:
        sys.exit("\n".join(found))
