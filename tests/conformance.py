#!/usr/bin/env python3
"""Run coremltools' own tests against $MIL_RUNNER and judge them by Milwright's rule.

    MIL_RUNNER=target/release/milwright python tests/conformance.py ../shared/conformance [--sample N] [SUITE ...]
    python tests/conformance.py ../shared/conformance --shim milwright [--sample N] [SUITE ...]
    python tests/conformance.py ../shared/conformance --strict=0.02,0.02 [--fp16-only] [SUITE ...]
    python tests/conformance.py ../shared/conformance --table RESULTS.jsonl ...
    python tests/conformance.py ../shared/conformance --evidence RESULTS.jsonl REFERENCE.jsonl
    python tests/conformance.py ../shared/conformance --differences RESULTS.jsonl OTHERS.jsonl

With `--shim milwright` the predictions are those of `import milwright.coremltools`, from the Python package that is installed, in place of the
harness's own shim and the runner; `--differences` names the tests that ended otherwise in one of two files. Every test runs with fp16 precision and
again with fp32, held to 1e-4; `--fp16-only` leaves these twins out. `--strict` holds the fp16 tests to less than coremltools' 0.5 and 5 %. The
environment variable RESULTS names a file that keeps one line of JSON per test; `--table` runs nothing, and prints a Markdown table per suite of such
files. A test that stands in several of them counts with its last result.

The rule: every test must pass, but for those that conformance-exceptions.txt lists with the reason why they cannot. `--evidence` compares with results
of the runtime `reference` (`MIL_RUNNER="sh -c 'exec target/release/milwright worker --runtime reference'"`), which computes in float64 and rounds
nothing but the outputs, and names the listed tests that fail here and pass there. Options other than those above go to the harness. Exit status 1
if any other test fails, or none ran.
"""

import collections
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def exceptions():
    lines = (Path(__file__).parent / "conformance-exceptions.txt").read_text().splitlines()
    # In a pattern only the star is special: test ids are full of brackets.
    return [line.replace("[", "[[]") for line in lines if line and not line.startswith("#")]


def listed(record, patterns):
    return any(fnmatch.fnmatchcase(record["test"], p) for p in patterns)


def column(record, patterns):
    """The column of the table in which a test counts; `none` if it never predicted."""
    if not record.get("predicts"):
        return "none"
    if record["outcome"] == "failed":
        return "listed" if listed(record, patterns) else "failed"
    if record["outcome"] == "passed":
        return "passed" if record.get("compares") else "weak"
    return "xfail"


def results_of(files):
    """The records in files of results: of a test that stands in several, the last."""
    return {r["test"]: r for name in files for r in map(json.loads, Path(name).read_text().splitlines())}.values()


def evidence(ours, reference):
    patterns = exceptions()
    exact = {r["test"]: r["outcome"] for r in results_of([reference]) if r.get("predicts")}
    failing = [r["test"] for r in results_of([ours]) if column(r, patterns) == "listed"]
    both = [test for test in failing if exact.get(test) == "failed"]
    for test in failing:
        if exact.get(test, "failed") != "failed":
            print(f"PASSES {test}")
    unknown = sum(test not in exact for test in failing)
    print(f"{len(failing)} listed tests fail; on the reference runtime {len(both)} of them fail too, {unknown} did not run")


def differences(ours, others):
    """Names the tests that predicted in both runs and ended otherwise; the status is 1 if there are any, or none ran."""
    other = {r["test"]: r["outcome"] for r in results_of([others]) if r.get("predicts")}
    both = [r for r in results_of([ours]) if r.get("predicts") and r["test"] in other]
    differ = [r for r in both if r["outcome"] != other[r["test"]]]
    for r in differ:
        print(f"{r['outcome']} here, {other[r['test']]} there: {r['test']}")
    print(f"{len(both)} tests predicted in both, {len(differ)} ended otherwise")
    sys.exit(1 if differ or not both else 0)


def table(harness, files):
    sys.path.insert(0, str(harness))
    from mil_conformance.suites import SUITES

    patterns = exceptions()
    rows = collections.defaultdict(collections.Counter)
    for record in results_of(files):
        path = record["test"].split("::")[0].split("coremltools/", 1)[-1]
        suite = next((s for s, places in SUITES.items() if any(path.startswith(p) for p in places)), "other")
        precision = "fp32" if "precision='fp32'" in record["test"] else "fp16"
        # The ops' tests exist once for each precision; the other suites' are whatever they are.
        key = (suite, precision if suite.startswith("ops-") else "")
        rows[key][column(record, patterns)] += 1
    names = ["passed", "weak", "xfail", "listed", "failed"]
    print("| suite | precision | collected | reached | " + " | ".join(names) + " |")
    print("|---|---|" + "--:|" * (len(names) + 2))
    total = collections.Counter()
    order = list(SUITES) + ["other"]
    for key in sorted(rows, key=lambda k: (order.index(k[0]), k[1])):
        total += rows[key]
        print_row(*key, rows[key], names)
    print_row("all", "", total, names)


def print_row(suite, precision, row, names):
    reached = sum(row[name] for name in names)
    print(f"| {suite} | {precision} | {row.total()} | {reached} | " + " | ".join(str(row[name]) for name in names) + " |")


def main():
    harness, rest = Path(sys.argv[1]), sys.argv[2:]
    if rest[:1] == ["--table"]:
        return table(harness, rest[1:])
    if rest[:1] == ["--evidence"]:
        return evidence(*rest[1:])
    if rest[:1] == ["--differences"]:
        return differences(*rest[1:])
    environment = dict(os.environ)
    if "--shim" in rest:
        at = rest.index("--shim")
        if rest[at + 1 : at + 2] != ["milwright"]:
            sys.exit("--shim takes the name of a shim: milwright")
        del rest[at : at + 2]
        path = [str(Path(__file__).parent / "shim"), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        # The harness wants to hear of a runner; nothing runs it.
        environment["MIL_RUNNER"] = "milwright.coremltools"
    fp16_only = "--fp16-only" in rest
    rest = [option for option in rest if option != "--fp16-only"]
    jobs = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as scratch:
        results = os.environ.get("RESULTS", f"{scratch}/results.jsonl")
        command = [sys.executable, str(harness / "run_coremltools_suite.py"), "-j", jobs]
        command += [] if fp16_only else ["--fp32"]
        command += ["--out", results, "--log", results.replace(".jsonl", ".log"), *rest]
        done = subprocess.run(command, env=environment)
        records = [json.loads(line) for line in Path(results).read_text().splitlines()]
    reached = [r for r in records if r.get("predicts")]
    patterns = exceptions()
    bad = [r for r in reached if r["outcome"] == "failed"]
    failed = [r for r in bad if not listed(r, patterns)]
    for r in failed:
        print(f"FAILED {r['test']}: [{r.get('kind')}] {r.get('error')}")
    if done.returncode not in (0, 1):
        print(f"the harness ended with status {done.returncode}")
    print(f"{len(reached) - len(bad)} passed, {len(bad) - len(failed)} are listed as unable to pass, {len(failed)} failed")
    sys.exit(1 if failed or not reached or done.returncode not in (0, 1) else 0)


if __name__ == "__main__":
    main()
