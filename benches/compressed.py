#!/usr/bin/env python3
"""Memory and time of compressed weights, held compressed and expanded, side by side in one run.

    python benches/compressed_models.py FOLDER
    python benches/compressed.py FOLDER [--binary target/release/milwright] [--threads 1] [--seconds 3] [--rounds 2] [model ...]

Every measurement is a process of its own, and the two ways take turns; the lowest of the rounds counts. Ratios are compressed
over expanded: below 1, holding weights compressed is better. `weights` is the size of the model's files; `peak` is the most memory
the process ever held, its code and the mapped weights it read included. Times are processor time, which other work on the
machine disturbs least: `run` of one run, from the difference between a short and a long benchmark, and `load` of the rest.
The models named `fp16` were not compressed.
"""
import argparse
import json
import os
import subprocess
from pathlib import Path

from peers import best

#: Runs of `milwright bench` before it measures.
WARM_UP = 3

#: Runs more than in the short benchmark that make a long one.
FEWEST = 10


def bench(package, weights, seconds, o):
    """What one benchmark says, with the processor time it took in ms."""
    command = [str(o.binary), "bench", str(package), "--threads", str(o.threads), "--seconds", str(seconds)]
    command += ["--input", "ids=zeros"] if package.name.startswith("encoder") else []
    command += ["--seed", "1", "--weights", weights, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    got = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return {**got, "cpu": 1e3 * (usage.ru_utime + usage.ru_stime)}


def measure(package, weights, o):
    short = long = bench(package, weights, 0, o)
    seconds = o.seconds
    while long["runs"] < short["runs"] + FEWEST:
        long = bench(package, weights, seconds, o)
        seconds *= 2
    run = (long["cpu"] - short["cpu"]) / (long["runs"] - short["runs"])
    load = short["cpu"] - run * (short["runs"] + WARM_UP)
    return {"peak": long["peak_memory"] / 2**20, "load": load, "run": run}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--binary", type=Path, default=Path("target/release/milwright"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=2)
    o = parser.parse_args()
    names = o.names or sorted(p.stem for p in o.models.glob("*.mlpackage"))
    print("| model | weights, MiB | peak, MiB: compressed | expanded | ratio | load, ms: compressed | expanded | ratio "
          "| run, ms: compressed | expanded | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in names:
        package = o.models / f"{name}.mlpackage"
        size = sum(f.stat().st_size for f in package.rglob("*") if f.is_file()) / 2**20
        rounds = [[measure(package, how, o) for how in ("compressed", "expanded")] for _ in range(o.rounds)]
        a, b = (best([r[i] for r in rounds]) for i in range(2))
        cells = [f"{a[k]:.{d}f} | {b[k]:.{d}f} | {a[k] / b[k]:.2f}" for k, d in (("peak", 0), ("load", 0), ("run", 1))]
        print(f"| {name} | {size:.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
