"""The report of a benchmark run: names, values, floors, and failures that are not swallowed."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

REPORT = pathlib.Path(__file__).parents[2] / "tools" / "bench_report.py"

# Stands in for spawned_bench: the times rise by 10 ns from round to round.
PROGRAM = """#!{python}
import json, os, re, sys
options = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
records = {records}
wanted = re.compile(options.get("benchmark_filter", ""))
if "benchmark_list_tests" in options:
    print("\\n".join(record["name"] for record in records))
    sys.exit()
count = os.path.join(os.path.dirname(sys.argv[0]), "count")
rounds = int(open(count).read()) if os.path.exists(count) else 0
open(count, "w").write(str(rounds + 1))
chosen = [dict(record, real_time=record.get("real_time", 100) + 10 * rounds, time_unit="ns",
               run_type="iteration") for record in records if wanted.search(record["name"])]
json.dump(dict(benchmarks=chosen), open(options["benchmark_out"], "w"))
"""

RECORDS = [
    {"name": "actors::request/timeout=none/real_time", "real_time": 40,
     "label": "floor=floor::request;unit=ns"},
    {"name": "actors::idle_bytes/iterations:1", "value": 200.0, "label": "unit=bytes"},
    {"name": "actors::send_ring/actors=100", "ns_per_op": 12.5, "label": "floor=floor::ring"},
    {"name": "floor::request/real_time", "real_time": 10},
    {"name": "floor::ring", "ns_per_op": 5.0},
]


def report(records, *options):
    with tempfile.TemporaryDirectory() as folder:
        program, out = pathlib.Path(folder, "program"), pathlib.Path(folder, "out.json")
        program.write_text(PROGRAM.format(python=sys.executable, records=repr(records)))
        program.chmod(0o755)
        run = subprocess.run(
            [sys.executable, "-B", REPORT, program, "--json", out, *options], capture_output=True,
            text=True, env={**os.environ, "SPAWNED_BENCH_REPETITIONS": "3"})
        written = json.loads(out.read_text()) if out.exists() else {"results": []}
        return run, {record["name"]: record for record in written["results"]}, written


class BenchReport(unittest.TestCase):
    def test_each_name_has_one_record_beside_its_floor(self):
        run, results, written = report(RECORDS)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(results["actors::request/timeout=none"], {
            "name": "actors::request/timeout=none", "unit": "ns", "median": 50, "min": 40, "max": 60,
            "runs": 3, "floor": 20, "ratio": 2.5})
        self.assertIn("cores", written["machine"])
        self.assertEqual(len(results), len(RECORDS))

    def test_counters_stand_for_the_time_where_they_exist(self):
        _, results, _ = report(RECORDS)
        idle, ring = results["actors::idle_bytes"], results["actors::send_ring/actors=100"]
        self.assertEqual((idle["median"], idle["unit"], idle["floor"], idle["ratio"]),
                         (200.0, "bytes", None, None))
        self.assertEqual((ring["median"], ring["unit"], ring["ratio"]), (12.5, "ns", 2.5))

    def test_a_filter_keeps_the_floors_of_what_it_selects_and_no_others(self):
        _, results, _ = report(RECORDS, "--filter", "send_ring")
        self.assertEqual(sorted(results), ["actors::send_ring/actors=100", "floor::ring"])

    def test_what_fails_fails_the_report(self):
        broken = {"name": "actors::broken", "error_occurred": True, "error_message": "no luck"}
        for records, message in ((RECORDS + [broken], "no luck"),
                                 (RECORDS[:1], "floor::request does not exist")):
            run, _, _ = report(records)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn(message, run.stderr)
        run, _, _ = report(RECORDS, "--filter", "nothing_like_it")
        self.assertIn("no benchmark matches", run.stderr)


if __name__ == "__main__":
    unittest.main()
