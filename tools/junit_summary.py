#!/usr/bin/env python3
"""Prints what a ctest JUnit file says as one plain last line: `N passed, N failed`.

usage: junit_summary.py FILE

Skipped tests count as neither. A file that is missing or holds no test is a failure.
"""
import sys
import xml.etree.ElementTree


def main(path):
    try:
        suite = xml.etree.ElementTree.parse(path).getroot()
        total, failed, skipped, disabled = (
            int(suite.get(key, 0)) for key in ("tests", "failures", "skipped", "disabled"))
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        print(f"no test result: {error}")
        total, failed, skipped, disabled = 1, 1, 0, 0
    if skipped or disabled:
        print(f"{skipped + disabled} skipped: not meant for this compiler or build")
    passed = total - failed - skipped - disabled
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
