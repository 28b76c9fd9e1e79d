#!/usr/bin/env python3
"""Holds the promises of the documents to the tests that prove them.

Every test that docs/semantics.md and docs/otp-conformance.md name exists, in the form
`tests/actors/stop_test.cpp: "the name"` or `tests/compile_fail/unknown_request.cpp`. Every line of
the conformance table has a test, an issue or a reason, and every test named after an ID of it is in
it.
"""
import re

import source

DOCUMENTS = ("docs/semantics.md", "docs/otp-conformance.md")
TABLE = "docs/otp-conformance.md"
REFERENCE = re.compile(r'`(tests/[\w./-]+?\.\w+)(?:: "([^"`]+)")?`')
ROW = re.compile(r"^\| *([A-Z]+-\d+)\b[^|]*\|(.*)\|([^|]*)\|$", re.M)
CASE = re.compile(r'(?:TEST_CASE(?:_\w+)?|SPAWNED_SIMULATION_TEST)\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)')
ID = re.compile(r"([A-Z]+-\d+): ")


def cases(text):
    """The names of a test file's cases; a name may be written as several literals."""
    for match in CASE.finditer(text):
        yield "".join(re.findall(r'"((?:\\.|[^"\\])*)"', match.group(1)))


def problems(root):
    tests = {path: list(cases(text)) for path, text in source.files(root, ("tests",))}
    for document in DOCUMENTS:
        path = root / document
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not text:
            yield f"{document}: missing"
        for match in REFERENCE.finditer(text):
            where = f"{document}:{source.line_of(text, match.start())}"
            if not (root / match.group(1)).is_file():
                yield f"{where}: there is no {match.group(1)}"
            elif match.group(2) and match.group(2) not in tests.get(match.group(1), ()):
                yield f'{where}: {match.group(1)} has no test "{match.group(2)}"'

    table = root / TABLE
    text = table.read_text(encoding="utf-8") if table.exists() else ""
    rows = {match.group(1): match for match in ROW.finditer(text)}
    for name, match in rows.items():
        if not re.search(r"`tests/|issue \d|not applicable: \S", match.group(3)):
            yield f"{TABLE}:{source.line_of(text, match.start())}: {name} has no test and no reason"
    for path, names in tests.items():
        for name in names:
            found = ID.match(name)
            if found and (found.group(1) not in rows
                          or f'`{path}: "{name}"`' not in rows[found.group(1)].group(3)):
                yield f'{path}: "{name}" is not in the line {found.group(1)} of {TABLE}'


if __name__ == "__main__":
    source.main("docs", problems)
