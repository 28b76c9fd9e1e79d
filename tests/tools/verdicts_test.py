"""The scripts that turn an output into a verdict: examples, compile errors, the summary line."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]


def run(script, *files, after=()):
    """Runs a script on files with the given contents."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, text in enumerate(files):
            paths.append(pathlib.Path(folder, f"{number}.cpp"))
            paths[-1].write_text(text)
            paths[-1].chmod(0o755)
        return subprocess.run([sys.executable, "-B", ROOT / script, *paths, *after],
                              capture_output=True, text=True)


class Examples(unittest.TestCase):
    def check(self, output, expected, code=0):
        return run("tests/examples/check.py", f"#!/bin/sh\nprintf '{output}'\nexit {code}\n", expected)

    def test_lines_must_match_one_to_one_and_whole(self):
        self.assertEqual(self.check("a 12\\nb\\n", "a \\d+\nb\n").returncode, 0)
        for output in ("a 12\\n", "a 12\\nb\\nc\\n", "b\\na 12\\n", "a 12\\nbb\\n", ""):
            self.assertNotEqual(self.check(output, "a \\d+\nb\n").returncode, 0, output)

    def test_a_failing_program_fails(self):
        self.assertIn("exit code 3", self.check("a\\n", "a\n", code=3).stderr)


class CompileFail(unittest.TestCase):
    def check(self, text):
        return run("tests/compile_fail/run.py", text, after=("g++", "-std=c++20"))

    def test_the_first_error_must_be_the_promised_one(self):
        broken = "struct Undefined;\nUndefined value;\nint other = nothing;\n"
        self.assertEqual(self.check("// expect: 'Undefined value'\n" + broken).returncode, 0)
        self.assertIn("does not match", self.check("// expect: nothing\n" + broken).stderr)

    def test_what_compiles_or_promises_nothing_fails(self):
        self.assertIn("compiles", self.check("// expect: x\nint value;\n").stderr)
        self.assertIn("no `// expect", self.check("int value = nothing;\n").stderr)

    def test_a_case_for_another_compiler_is_skipped(self):
        self.assertEqual(self.check("// expect: x\n// compiler: clang\nint value;\n").returncode, 77)


class Summary(unittest.TestCase):
    def last_line(self, text):
        return run("tools/junit_summary.py", text).stdout.splitlines()[-1]

    def test_skipped_tests_count_as_neither(self):
        text = '<testsuite tests="7" failures="2" skipped="1" disabled="0"/>'
        self.assertEqual(self.last_line(text), "4 passed, 2 failed")

    def test_no_result_is_a_failure(self):
        self.assertEqual(self.last_line("<broken"), "0 passed, 1 failed")
        self.assertNotEqual(run("tools/junit_summary.py", '<testsuite tests="0"/>').returncode, 0)


if __name__ == "__main__":
    unittest.main()
