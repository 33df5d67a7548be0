#!/usr/bin/env python3
"""Do the reference models predict what their case.json asks for, on both runtimes?

    MILWRIGHT=target/release/milwright python tests/models.py ../shared/models [NAME ...]

For each model: `milwright predict` on its in.npz (every step, with state, for a stateful one), compared with its out.npz within
the tolerance of its case.json. A compressed model is compared with its dense twin, predicted the same way, and its
cosine similarity with the reference must reach the stated one. Prints a line a model; the last line counts.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MILWRIGHT = os.environ.get("MILWRIGHT", "target/release/milwright")


def predict(package, arrays, runtime, folder, state=None):
    """The outputs of one prediction; `state` is a path that is read if it exists, and written."""
    np.savez(folder / "in.npz", **arrays)
    command = [MILWRIGHT, "predict", str(package), "--runtime", runtime]
    command += ["--input", str(folder / "in.npz"), "--output", str(folder / "out.npz")]
    if state is not None:
        command += ["--state-out", str(state)] + (["--state-in", str(state)] if state.exists() else [])
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip()}")
    return dict(np.load(folder / "out.npz"))


def excess(got, want, atol, rtol):
    """How many times the allowance the worst element is off; at most 1 is within."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        raise RuntimeError(f"shape {got.shape}, expected {want.shape}")
    worst = np.max(np.abs(got - want) / (atol + rtol * np.abs(want)), initial=0.0)
    return float("inf") if np.isnan(worst) else float(worst)


def cosine(a, b):
    a, b = np.ravel(a).astype(np.float64), np.ravel(b).astype(np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def run(model, runtime):
    """(is it right, what to say)"""
    case = json.loads((model / "case.json").read_text())
    inputs, wanted = dict(np.load(model / "in.npz")), dict(np.load(model / "out.npz"))
    package = model / "model.mlpackage"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if "steps" in case:
            state, worst = folder / "state.npz", 0.0
            for step in range(case["steps"]):
                at = lambda arrays: {n.split("@")[0]: v for n, v in arrays.items() if n.endswith(f"@{step}")}
                got = predict(package, at(inputs), runtime, folder, state)
                worst = max([worst] + [excess(got[n], v, case["atol"], case["rtol"]) for n, v in at(wanted).items()])
            return worst <= 1, f"{worst:.3f} of the tolerance, {case['steps']} steps"
        got = predict(package, inputs, runtime, folder)
        if "min_cosine" in case:
            dense = predict(model / "dense.mlpackage", inputs, runtime, folder)
            worst = max(excess(got[n], dense[n], case["dense_atol"], 0.0) for n in wanted)
            likeness = min(cosine(got[n], v) for n, v in wanted.items())
            return worst <= 1 and likeness >= case["min_cosine"], f"{worst:.3f} of the tolerance, cosine {likeness:.5f}"
        worst = max(excess(got[n], v, case["atol"], case["rtol"]) for n, v in wanted.items())
        return worst <= 1, f"{worst:.3f} of the tolerance"


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    models = sorted(p.parent for p in folder.glob("*/case.json") if not names or p.parent.name in names)
    failed = 0
    for model in models:
        for runtime in ("cpu", "reference"):
            try:
                right, text = run(model, runtime)
            except Exception as error:  # a failure of one model must not hide the others
                right, text = False, str(error)
            failed += not right
            print(f"{'ok  ' if right else 'FAIL'} {model.name:24} {runtime:10} {text}", flush=True)
    print(f"{2 * len(models) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not models else 0)


if __name__ == "__main__":
    main()
