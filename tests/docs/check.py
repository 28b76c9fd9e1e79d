#!/usr/bin/env python3
"""Holds what the documents say against the code.

usage: check.py snippets ROOT COMPILER [FLAG...]   every C++ block compiles
       check.py claims ROOT                        links, files and functions that are named exist

A block fenced as cpp in README.md or docs/ is a translation unit. Without an #include of its own it
gets <spawned/tasks.hpp> and the name sp. A comment on the lines before it may say
    <!-- not compiled: why -->   it is left out
    <!-- given                   code that the block needs and the reader does not; braces that the
    ...                          given code leaves open are closed behind the block
    -->
The first block of README.md must be examples/readme/main.cpp, word for word.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:^<!-- *(?P<word>not compiled|given)\b(?P<text>.*?)-->[ \t]*\n)?"
                   r"^```cpp *\n(?P<code>.*?)^``` *$", re.M | re.S)
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


def unit(path, text, block):
    """The translation unit of a block, with lines numbered as in the page."""
    code = block.group("code")
    given = block.group("text") if block.group("word") == "given" else ""
    unclosed = given.count("{") - given.count("}")
    preamble = "" if "#include" in code else PREAMBLE
    return (f'{preamble}#line {line_of(text, block.start())} "{path}"\n{given}\n'
            f'#line {line_of(text, block.start("code"))} "{path}"\n{code}\n{"}" * unclosed}\n')


def snippet_problems(root, command):
    readme = (root / "examples/readme/main.cpp").read_text(encoding="utf-8")
    compiled = 0
    for path, text in pages(root):
        for number, block in enumerate(BLOCK.finditer(text)):
            where = f"{path}:{line_of(text, block.start('code'))}"
            if str(path) == "README.md" and number == 0 and block.group("code") != readme:
                yield f"{where}: the program differs from examples/readme/main.cpp"
            if block.group("word") == "not compiled":
                if not block.group("text").lstrip(": \n").rstrip():
                    yield f"{where}: `not compiled` without a reason"
                continue
            with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
                file.write(unit(path, text, block))
                file.flush()
                run = subprocess.run([*command, "-fsyntax-only", "-fno-diagnostics-color", file.name],
                                     capture_output=True, text=True)
            compiled += 1
            if run.returncode != 0:
                yield f"{where}: does not compile\n{run.stderr}"
    if compiled == 0:
        yield "no block found"
    print(f"{compiled} blocks compiled")


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
            target = match.group(1).split("#")[0]
            if target and "://" not in target and not (path.parent / target).exists():
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
