#!/usr/bin/env python3
"""Run coremltools' own tests against $MIL_RUNNER and judge them by Milwright's rule.

    MIL_RUNNER=target/release/milwright python tests/conformance.py ../shared/conformance [--sample N] [SUITE ...]
    python tests/conformance.py ../shared/conformance --shim milwright [--sample N] [SUITE ...]

With `--shim milwright` the predictions are those of `import milwright.coremltools`, from the Python package that is installed, in place of the
harness's own shim and the runner.

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


def main():
    harness, rest = Path(sys.argv[1]), sys.argv[2:]
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
    excepted = [r for r in bad if r not in missing and any(fnmatch.fnmatchcase(r["test"], p) for p in exceptions())]
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
