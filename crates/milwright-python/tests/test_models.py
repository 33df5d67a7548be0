"""The nine reference models meet their reference outputs."""

import json

import numpy as np
import pytest

import milwright

NAMES = [
    "dynamic_length",
    "encoder",
    "encoder_fp16_ios15",
    "encoder_palettized_4bit",
    "kv_cache",
    "mobilenet_v2",
    "recurrent",
    "sdpa_ios18",
    "unet_int8",
]


def at(arrays, step):
    return {name.split("@")[0]: value for name, value in arrays.items() if name.endswith(f"@{step}")}


def cosine(a, b):
    a, b = np.ravel(a).astype(np.float64), np.ravel(b).astype(np.float64)
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


@pytest.mark.parametrize("name", NAMES)
def test_the_model_meets_its_reference(shared, name):
    folder = shared / "models" / name
    if not folder.is_dir():
        pytest.skip(f"skipped: there is no {folder}")
    case = json.loads((folder / "case.json").read_text())
    inputs, wanted = dict(np.load(folder / "in.npz")), dict(np.load(folder / "out.npz"))
    model = milwright.load(folder / "model.mlpackage")
    if "steps" in case:
        state = model.make_state()
        for step in range(case["steps"]):
            got = model.predict(at(inputs, step), state)
            for key, value in at(wanted, step).items():
                np.testing.assert_allclose(got[key], value, rtol=case["rtol"], atol=case["atol"])
        return
    got = model.predict(inputs)
    if "min_cosine" in case:
        dense = milwright.load(folder / "dense.mlpackage").predict(inputs)
        for key, value in wanted.items():
            np.testing.assert_allclose(got[key], dense[key], rtol=0, atol=case["dense_atol"])
            assert cosine(got[key], value) >= case["min_cosine"]
        return
    for key, value in wanted.items():
        np.testing.assert_allclose(got[key], value, rtol=case["rtol"], atol=case["atol"])
