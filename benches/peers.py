#!/usr/bin/env python3
"""Time and peak memory of whole models, side by side with ONNX Runtime in one run.

    pip install onnxruntime 'numpy<2.3'
    python benches/peers.py MODELS [--binary target/release/milwright] [--threads 2] [--seconds 3] [--rounds 3] [name ...]

MODELS is a folder made by `make_models.py` (a folder a model: model.onnx, fp32.mlpackage, fp16.mlpackage, in.npz).
Every measurement is a process of its own, and the two programs take turns, so that both meet the same load; the
lowest median of the rounds counts. Ratios are ours over ONNX Runtime's: below 1 we are faster or smaller.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path


def peak_mib():
    """Highest resident memory of this process so far."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def child(folder, threads, seconds):
    """One measurement of ONNX Runtime, as JSON."""
    import numpy as np
    import onnxruntime as ort

    x = np.load(folder / "in.npz")["x"]
    before = peak_mib()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    for _ in range(3):
        session.run(None, {"x": x})
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < seconds or len(times) < 5:
        t = time.perf_counter()
        session.run(None, {"x": x})
        times.append(time.perf_counter() - t)
    print(json.dumps({"ms": 1e3 * float(np.median(times)), "mib": peak_mib(), "before": before}))


def theirs(folder, o):
    command = [sys.executable, __file__, "--child", str(folder), str(o.threads), str(o.seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ours(folder, package, o):
    command = [str(o.binary), "bench", str(folder / package), "--threads", str(o.threads)]
    command += ["--seconds", str(o.seconds), "--inputs", str(folder / "in.npz"), "--json"]
    got = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"ms": got["median_ms"], "mib": got["peak_memory"] / 2**20}


def best(results):
    """The lowest time and memory of several rounds."""
    return {key: min(r[key] for r in results) for key in results[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--binary", type=Path, default=Path("target/release/milwright"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    o = parser.parse_args()
    names = o.names or sorted(p.name for p in o.models.iterdir() if (p / "model.onnx").exists())
    print(f"{'model':20} {'ours ms':>9} {'fp16 ms':>9} {'ort ms':>9} {'ratio':>6}   "
          f"{'ours MiB':>8} {'ort MiB':>8} {'ratio':>6}   threads={o.threads}")
    product = 1.0
    for name in names:
        folder = o.models / name
        rounds = [
            (ours(folder, "fp32.mlpackage", o), theirs(folder, o), ours(folder, "fp16.mlpackage", o))
            for _ in range(o.rounds)
        ]
        a, b, half = (best([r[i] for r in rounds]) for i in range(3))
        product *= a["ms"] / b["ms"]
        print(f"{name:20} {a['ms']:9.2f} {half['ms']:9.2f} {b['ms']:9.2f} {a['ms'] / b['ms']:6.2f}   "
              f"{a['mib']:8.0f} {b['mib']:8.0f} {a['mib'] / b['mib']:6.2f}   "
              f"(before loading a model, ort's process had {b['before']:.0f} MiB)", flush=True)
    print(f"geometric mean of the time ratios: {product ** (1 / len(names)):.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        main()
