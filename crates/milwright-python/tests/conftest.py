"""What several tests need: programs as files, and the project's shared folder."""

import os
from pathlib import Path

import numpy as np
import pytest

import milwright

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def mil(tmp_path):
    """Writes a program of one function and gives its path: `mil(parameters, body, outputs)`."""

    def write(parameters, body, outputs, opset="ios18"):
        path = tmp_path / "program.mil"
        path.write_text(f"program(1.3)\n{{\n  func main<{opset}>({parameters}) {{\n{body}\n  }} -> ({outputs});\n}}\n")
        return path

    return write


@pytest.fixture
def load(mil):
    """Loads a program of one function."""
    return lambda *program, **options: milwright.load(mil(*program), **options)


@pytest.fixture(scope="session")
def shared():
    """The project's shared folder; a test that needs it is skipped without."""
    path = Path(os.environ.get("MILWRIGHT_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"skipped: there is no {path}")
    return path


def loop(load):
    """A model that counts to `n`, adding `x` to itself that often: how long it takes is the caller's choice."""
    return load(
        "int32 n, tensor<fp32, [4]> x",
        """
    int32 zero = const()[name = string("zero"), val = int32(0)];
    int32 count, tensor<fp32, [4]> sum = while_loop(loop_vars = (zero, x))
      (int32 i, tensor<fp32, [4]> s) { bool on = less(x = i, y = n); } -> (on)
      (int32 i, tensor<fp32, [4]> s) {
        tensor<fp32, [4]> more = add(x = s, y = x);
        int32 next = add(x = i, y = int32(1));
      } -> (next, more);""",
        "count, sum",
        threads=1,
    )


def counted(model, n):
    """What `loop` gives for a count, of ones."""
    outputs = model.predict({"n": np.int32(n), "x": np.ones(4, np.float32)})
    assert outputs["count"] == n
    return outputs["sum"]
