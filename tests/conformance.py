#!/usr/bin/env python3
"""Run coremltools' own tests against $MIL_RUNNER and judge them by Milwright's rule.

    MIL_RUNNER=target/release/milwright python tests/conformance.py ../shared/conformance [--sample N] [SUITE ...]
    python tests/conformance.py ../shared/conformance --shim milwright [--sample N] [SUITE ...]
    python tests/conformance.py ../shared/conformance --table RESULTS.jsonl ...

With `--shim milwright` the predictions are those of `import milwright.coremltools`, from the Python package that is installed, in place of the
harness's own shim and the runner. The environment variable RESULTS names a file that keeps one line of JSON per test; `--table` runs nothing, and
prints a Markdown table per suite of such files. A test that stands in several of them counts with its last result.

The rule: a test whose models use only ops that have a card must pass. A test that fails because an op has no card yet (the runner
answers with kind `unsupported`) is counted and listed by op, and is no failure; nor is one that conformance-exceptions.txt lists with the
reason why it cannot pass. Options other than those above go to the harness. Exit status 1 if any other test fails, or none ran.
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


def table(harness, files):
    sys.path.insert(0, str(harness))
    from mil_conformance.suites import SUITES

    patterns = exceptions()
    last = {r["test"]: r for name in files for r in map(json.loads, Path(name).read_text().splitlines())}
    rows = collections.defaultdict(collections.Counter)
    for record in last.values():
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
    jobs = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as scratch:
        results = os.environ.get("RESULTS", f"{scratch}/results.jsonl")
        command = [sys.executable, str(harness / "run_coremltools_suite.py"), "--fp32", "-j", jobs]
        command += ["--out", results, "--log", results.replace(".jsonl", ".log"), *rest]
        done = subprocess.run(command, env=environment)
        records = [json.loads(line) for line in Path(results).read_text().splitlines()]
    reached = [r for r in records if r.get("predicts")]
    bad = [r for r in reached if r["outcome"] == "failed"]
    missing = [r for r in bad if r.get("kind") == "unsupported"]
    patterns = exceptions()
    excepted = [r for r in bad if r not in missing and listed(r, patterns)]
    failed = [r for r in bad if r not in missing and r not in excepted]
    reasons = collections.Counter(r.get("error", "")[:120] for r in missing)
    for reason, count in reasons.most_common():
        print(f"no card: {count:5} {reason}")
    for r in failed:
        print(f"FAILED {r['test']}: [{r.get('kind')}] {r.get('error')}")
    if done.returncode not in (0, 1):
        print(f"the harness ended with status {done.returncode}")
    print(f"{len(missing)} tests need ops without a card, {len(excepted)} are listed as unable to pass")
    print(f"{len(reached) - len(bad)} passed, {len(failed)} failed")
    sys.exit(1 if failed or not reached or done.returncode not in (0, 1) else 0)


if __name__ == "__main__":
    main()
