#!/usr/bin/env python3
"""Compiles a program that must be rejected and checks the diagnostic that its author promised.

usage: run.py SOURCE COMPILER [FLAG...]

SOURCE begins with comment lines `// expect: <regex>` and optionally `// compiler: gnu|clang|any`.
The first output line with "error:" must match the regex. Exit code 77: not for this compiler.
"""
import os
import re
import subprocess
import sys


def directive(head, name, default=None):
    found = re.search(rf"^// {name}: *(.+?) *$", head, re.M)
    return found.group(1) if found else default


def problem(source, command):
    with open(source, encoding="utf-8") as file:
        head = re.match(r"(//.*\n)*", file.read()).group()
    expected = directive(head, "expect")
    if not expected:
        return "has no `// expect: <regex>` line at its top"
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True).stdout
    if directive(head, "compiler", "any") not in ("any", "clang" if "clang" in version else "gnu"):
        sys.exit(77)

    # The C locale makes g++ quote with ' instead of typographic quotation marks.
    compiled = subprocess.run([*command, "-fsyntax-only", "-fno-diagnostics-color", source],
                              capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if compiled.returncode == 0:
        return "compiles, and must not"
    errors = [line for line in compiled.stderr.splitlines() if "error:" in line]
    if not errors:
        return f"fails without an error line:\n{compiled.stderr}"
    if not re.search(expected, errors[0]):
        return f"first error does not match\n  expected: {expected}\n  found:    {errors[0]}"
    print(errors[0])
    return None


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    found = problem(sys.argv[1], sys.argv[2:])
    if found:
        sys.exit(f"{sys.argv[1]}: {found}")
