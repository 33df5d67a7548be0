#!/usr/bin/env python3
"""Count the tests of coremltools by op, for the status page.

    python tests/conformance_counts.py RESULTS.jsonl ... > tests/conformance-counts.json

The files are results of tests/conformance.py (set RESULTS to keep them); of a test that is in several, the last result counts. A test counts for
every op in its models, if it reached a prediction: as passed, as one that cannot pass (conformance-exceptions.txt), or as failed.
"""

import collections
import json
import sys

from conformance import exceptions, listed, results_of

# What coremltools inserts around any op; a test that is not about them says little of them.
AROUND = {"cast", "const"}


def main():
    patterns = exceptions()
    counts = collections.defaultdict(lambda: {"passed": 0, "cannot": 0, "failed": 0})
    total = collections.Counter()
    for record in results_of(sys.argv[1:]):
        if not record.get("predicts"):
            continue
        kind = {"passed": "passed", "xpassed": "passed", "failed": "failed"}.get(record["outcome"])
        if kind == "failed" and listed(record, patterns):
            kind = "cannot"
        if kind is None:
            continue
        if kind == "failed":
            print(record["test"], record.get("error"), file=sys.stderr)
        total[kind] += 1
        ops = set(record["ops"])
        for op in ops - AROUND or ops:
            counts[op][kind] += 1
    whole = {"total": dict(sorted(total.items())), "ops": dict(sorted(counts.items()))}
    lines = json.dumps(whole, indent=1).replace("{\n   ", "{").replace(",\n   ", ", ").replace("\n  }", "}")
    print(lines)


main()
