"""Each lint finds what it is there to find, and lets the allowed forms pass."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

LINTS = pathlib.Path(__file__).parents[2] / "tools" / "lint"

PAIRED = """\
// Orderings.
//   publish   put() stores (release)  ->  get() loads (acquire).
//   total     put() adds, get() adds; all seq_cst.
#pragma once
struct Cell {
  void put() { full.store(true, memory_order_release); }  // publish
  bool get() { return full.load(memory_order_acquire); }  // publish
  void add() { count.fetch_add(1, memory_order_seq_cst); }  // total
  void sub() {
    count.fetch_sub(1,
                    memory_order_seq_cst);  // total
  }
};
"""


def lint(name, files):
    """Runs a lint on a project of the given files; returns its complaints."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            target = pathlib.Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", LINTS / f"{name}.py", folder],
                             stdout=subprocess.PIPE, text=True)
        complaints = run.stdout.splitlines() if run.returncode else []
        assert bool(complaints) == bool(run.returncode), run.stdout
        return complaints


class Orderings(unittest.TestCase):
    path = "runtime/include/spawned/runtime/cell.hpp"

    def complaints(self, old="", new="", more=None):
        self.assertIn(old, PAIRED)
        return lint("orderings", {self.path: PAIRED.replace(old, new), **(more or {})})

    def test_a_file_whose_rules_are_pairs_passes(self):
        self.assertEqual(self.complaints(), [])

    def test_an_access_without_a_comment_is_found(self):
        self.assertIn("without a reason", self.complaints("acquire); }  // publish", "acquire); }")[0])

    def test_either_side_of_a_pair_that_is_weakened_is_found(self):
        for order in ("true, memory_order_release", "load(memory_order_acquire"):
            weak = order.rpartition("memory_order_")[0] + "memory_order_relaxed"
            self.assertIn("'publish' is not a pair", self.complaints(order, weak)[0])

    def test_a_weakened_total_order_is_found_across_lines(self):
        found = self.complaints("                memory_order_seq_cst", "    memory_order_acq_rel")
        self.assertIn("'total' needs seq_cst", found[0])

    def test_an_order_left_to_the_default_is_found(self):
        found = self.complaints("full.load(memory_order_acquire); }  // publish", "full.load(); }")
        self.assertIn("explicit order", found[0])

    def test_the_other_side_may_be_in_a_source_that_includes_the_file(self):
        line = "  bool get() { return full.load(memory_order_acquire); }  // publish\n"
        for include, problems in (("#include <spawned/runtime/cell.hpp>\n", 0), ("", 1)):
            found = self.complaints(line, "", {"runtime/src/any.cpp": include + line})
            self.assertEqual(len(found), problems, found)

    def test_an_operation_may_pair_with_itself_where_the_rule_says_so(self):
        counted = ("// Orderings.\n//   refs      {} (acq_rel)  ->  drop() (acq_rel).\n#pragma once\n"
                   "void drop() {{ refs.fetch_sub(1, memory_order_acq_rel); }}  // refs\n")
        self.assertEqual(lint("orderings", {self.path: counted.format("drop()")}), [])
        self.assertEqual(len(lint("orderings", {self.path: counted.format("keep()")})), 1)


class Awaits(unittest.TestCase):
    def complaints(self, statement):
        return lint("awaits", {"examples/x/main.cpp": f"Task<void> f() {{\n  {statement}\n}}\n"})

    def test_a_temporary_or_a_capturing_closure_behind_co_await_is_found(self):
        for statement in ("co_await ref.request(Add{1, key});",
                          "auto r = co_await ref.request<Add>(name::Key{\"a;b\"});",
                          "co_await f(std::vector<int>{1, 2});",
                          "co_await Sleep{5};",
                          "co_await spawn([key] { use(key); });",
                          "co_await spawn([=]() mutable { use(key); });",
                          "co_await spawn(\n      [&key](int n) -> int { return n; });"):
            self.assertEqual(len(self.complaints(statement)), 1, statement)

    def test_the_safe_forms_pass(self):
        for statement in ("co_await ref.request<Add>(1, key);",
                          "if (co_await stopped()) { Add{1, key}; }",
                          "for (auto& x : co_await all()) use(Add{x});",
                          "while ((co_await next()).has_value()) { auto y = Add{}; }",
                          "co_await spawn([] { return Add{1, 2}; });",
                          "co_await spawn([](int n) -> Task<int> { co_return n; });",
                          "auto x = co_await a[i]; auto y = Add{x};",
                          "// co_await f(Add{1});",
                          "auto s = \"co_await f(Add{1});\";",
                          "co_await sleep(Ms{5});  // waiver G16: Ms is trivial"):
            self.assertEqual(self.complaints(statement), [], statement)


class Layers(unittest.TestCase):
    def complaints(self, path, text):
        return lint("layers", {path: text + "\n"})

    def test_what_breaks_a_layer_is_found(self):
        public = "actors/include/spawned/actors/a.hpp"
        for path, text in (
                (public, "#include <concurrentqueue/concurrentqueue.h>"),
                (public, '#include "private.hpp"'),
                ("actors/src/a.cpp", '#include "../../runtime/src/worker.hpp"'),
                ("actors/src/a.cpp", "#include <spawned/registry/detail/names.hpp>"),
                ("supervision/src/a.cpp", "#include <spawned/registry/detail/names.hpp>"),
                ("examples/a/main.cpp", "#include <spawned/actors/detail/cell.hpp>"),
                ("runtime/src/a.cpp", "std::atomic<int> count;"),
                ("runtime/src/a.cpp", "#include <atomic>")):
            self.assertEqual(len(self.complaints(path, text)), 1, (path, text))

    def test_what_a_layer_allows_passes(self):
        for path, text in (
                ("actors/include/spawned/actors/a.hpp", "#include <memory>\n#include <sys/types.h>"),
                ("actors/src/a.cpp", "#include <spawned/runtime/detail/slot.hpp>\n#include \"a.hpp\""),
                ("registry/src/a.cpp", "#include <spawned/actors/detail/cell.hpp>"),
                ("runtime/src/a.cpp", "#include <concurrentqueue/concurrentqueue.h>"),
                ("runtime/include/spawned/runtime/detail/atomic.hpp", "#include <atomic>"),
                ("tests/runtime/a_test.cpp", "std::atomic<int> count;"),
                ("actors/src/a.cpp", "// std::atomic is what the shim wraps")):
            self.assertEqual(self.complaints(path, text), [], (path, text))


class Sleeps(unittest.TestCase):
    def complaints(self, path, text):
        return lint("sleeps", {path: text + "\n"})

    def test_what_asks_the_machine_is_found(self):
        for path, text in (
                ("actors/src/a.cpp", "auto now = std::chrono::steady_clock::now();"),
                ("examples/a/main.cpp", "using Timer = std::chrono::system_clock;"),
                ("tests/runtime/a_test.cpp", "std::this_thread::sleep_for(1ms);"),
                ("tests/support/a.hpp", "::sleep(1);"),
                ("tests/stress/a/main.cpp", "auto seed = std::random_device()();"),
                ("runtime/src/a.cpp", "auto victim = std::rand() % workers;"),
                ("runtime/src/a.cpp", "usleep(1);  // waiver G23")):
            self.assertEqual(len(self.complaints(path, text)), 1, (path, text))

    def test_the_clock_the_benchmarks_timers_and_waivers_pass(self):
        for path, text in (
                ("runtime/src/time/clock.cpp", "auto now = std::chrono::steady_clock::now();"),
                ("bench/micro/a.cpp", "std::this_thread::sleep_for(1s);"),
                ("tests/actors/a_test.cpp", "co_await sp::sleep(1s);"),
                ("tests/actors/a_test.cpp", "co_await spawned::sleep_until(then);"),
                ("actors/src/a.cpp", "// what sleep_for(1ms) would do"),
                ("actors/src/a.cpp", "std::this_thread::sleep_for(1ms);  // waiver G23: no runtime yet")):
            self.assertEqual(self.complaints(path, text), [], (path, text))


class Guidelines(unittest.TestCase):
    rule = ("## G12: Never block a worker\n\n**Must.** It stalls others.\n\nBad: it waits.\n\n"
            "```cpp\nwait();\n```\n\nGood: it does not.\n\n<!-- given: void f() { -->\n```cpp\nco_await later();\n```\n\n"
            "**Enforced by** lint (`sleeps.py`), review.\n")
    row = "| [G12](06.md#g12) | Never block a worker | must | lint, review |\n"

    def complaints(self, rule=rule, row=row, code=""):
        return lint("guidelines", {"docs/guidelines/06.md": "# Blocking\n\n" + rule,
                                   "docs/guidelines/README.md": row, "actors/src/a.cpp": code})

    def test_a_rule_in_the_form_and_a_waiver_of_it_pass(self):
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.complaints(code="block();  // waiver G12: at start only\n"), [])

    def test_a_rule_that_lacks_a_part_is_found(self):
        for part in ("**Must.** It stalls others.", "Good: it does not.\n\n", "**Enforced by** lint (`sleeps.py`), review."):
            self.assertTrue(self.complaints(self.rule.replace(part, "")), part)
        self.assertIn("11 lines", self.complaints(self.rule.replace("wait();\n", "wait();\n" * 11))[0])

    def test_an_index_that_differs_is_found(self):
        for row in ("", self.row.replace("lint, ", ""), self.row.replace("06.md", "05.md"),
                    self.row.replace("must", "should"), self.row + self.row.replace("G12]", "G13]")):
            self.assertEqual(len(self.complaints(row=row)), 1, row)

    def test_a_waiver_without_reason_or_rule_is_found(self):
        for code in ("// waiver G12\n", "// waiver G12:\n", "// waiver G99: because\n"):
            self.assertEqual(len(self.complaints(code=code)), 1, code)


class Lines(unittest.TestCase):
    def complaints(self, lines):
        text = "#pragma once\n" + "int f();\n" * lines
        return lint("lines", {"actors/include/spawned/tasks.hpp": text,
                              "cmake/include/spawned/spawned.hpp": "#include <spawned/tasks.hpp>\n"})

    def test_a_header_is_held_to_its_budget(self):
        self.assertEqual(self.complaints(59000), [])
        found = self.complaints(60000)
        self.assertEqual(len(found), 2)
        self.assertIn("the budget is less than 60000", found[0])


class Docs(unittest.TestCase):
    case = 'TEST_CASE("SIG-01: in "\n   "order") {}\n'
    row = '| SIG-01 | a: b | `tests/a_test.cpp: "SIG-01: in order"` |\n'

    def complaints(self, semantics="words", table=row):
        return lint("docs", {"docs/semantics.md": semantics, "docs/otp-conformance.md": table,
                             "tests/a_test.cpp": self.case})

    def test_references_that_hold_pass(self):
        self.assertEqual(self.complaints('as `tests/a_test.cpp: "SIG-01: in order"` shows'), [])
        self.assertEqual(self.complaints("as `tests/a_test.cpp` shows"), [])

    def test_a_test_that_is_not_there_is_found(self):
        self.assertIn("has no test", self.complaints('`tests/a_test.cpp: "no order"`')[0])
        self.assertIn("there is no", self.complaints("`tests/b_test.cpp`")[0])

    def test_a_line_without_test_or_reason_and_a_test_without_a_line_are_found(self):
        self.assertIn("no test and no reason",
                      self.complaints(table=self.row + "| SIG-02 | a: b | later |\n")[0])
        for reason in ("issue 5: names", "not applicable: no names"):
            self.assertEqual(self.complaints(table=f"{self.row}| SIG-02 | a | {reason} |\n"), [])
        self.assertIn("is not in the line", self.complaints(table="| SIG-02 | a | issue 5 |\n")[0])


if __name__ == "__main__":
    unittest.main()
