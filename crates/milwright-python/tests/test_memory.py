"""What is copied, what is kept, and what is given back."""

import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest



linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="skipped: needs Linux's /proc")

#: Elements of an array that stands out of everything else in memory: 128 MiB of fp32.
ROWS, COLUMNS = 8192, 4096
MIB = ROWS * COLUMNS * 4 / 2**20


def peak_growth(path, inputs):
    """How many MiB the peak of a fresh Python's memory grows while it predicts; `inputs` is the source of a dict."""
    script = f"""
        import re
        import numpy as np
        import milwright

        def peak():
            return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

        model = milwright.load({str(path)!r})
        inputs = {inputs}
        before = peak()
        outputs = model.predict(inputs)
        print(peak() - before)
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@linux
def test_floats_are_read_where_they_are(mil):
    shape = f"[{ROWS}, {COLUMNS}]"
    body = "tensor<fp32, []> y = reduce_sum(x = x, axes = tensor<int32, [2]>([0, 1]), keep_dims = bool(false));"
    path = mil(f"tensor<fp32, {shape}> x", body, "y")
    lent = peak_growth(path, f'{{"x": np.ones(({ROWS}, {COLUMNS}), np.float32)}}')
    copied = peak_growth(path, f'{{"x": np.ones(({ROWS}, {2 * COLUMNS}), np.float32)[:, ::2]}}')
    # The runtime has its own copy in either case.
    assert MIB * 0.9 < lent < MIB * 1.5
    assert copied > MIB * 1.9, "what is not contiguous must be copied, or this test measures nothing"


@linux
def test_the_memory_of_an_output_becomes_the_arrays(mil):
    body = f"tensor<fp32, [{ROWS}, {COLUMNS}]> y = mul(x = a, y = b);"
    path = mil(f"tensor<fp32, [{ROWS}, 1]> a, tensor<fp32, [1, {COLUMNS}]> b", body, "y")
    grown = peak_growth(path, f'{{"a": np.ones(({ROWS}, 1), np.float32), "b": np.ones((1, {COLUMNS}), np.float32)}}')
    # Once in the runtime's memory, once as the output; a copy at the handover would be a third.
    assert MIB * 1.9 < grown < MIB * 2.5


@pytest.mark.parametrize("runtime", ["cpu", "reference"])
def test_nothing_keeps_an_input(load, runtime):
    for shape in ("[4]", "[?]"):
        model = load(
            f"tensor<fp32, {shape}> x",
            f"tensor<fp32, {shape}> z = identity(x = x); tensor<fp32, {shape}> y = relu(x = x);",
            "y, z",
            runtime=runtime,
        )
        x = np.ones(4, np.float32)
        owner = weakref.ref(x)
        got = model.predict({"x": x})
        x[:] = 7
        assert got["y"].tolist() == got["z"].tolist() == [1] * 4, "outputs share nothing with inputs"
        assert not np.shares_memory(got["y"], got["z"])
        del x
        assert owner() is None


@pytest.mark.parametrize("shape", ["[4]", "[?]"])
def test_a_state_shares_nothing_with_what_it_was_set_to(load, shape):
    model = load(
        f"state<tensor<fp32, [4]>> memory, tensor<fp32, {shape}> x",
        """tensor<fp32, [4]> now = reshape(x = x, shape = tensor<int32, [1]>([4]));
        write_state(data = now, input = memory);
        tensor<fp32, [4]> y = relu(x = now);""",
        "y",
    )
    state, x = model.make_state(), np.ones(4, np.float32)
    model.predict({"x": x}, state)
    x[:] = 7
    assert state["memory"].tolist() == [1] * 4
    state["memory"] = x
    x[:] = 9
    assert state["memory"].tolist() == [7] * 4


def test_an_input_may_be_read_only_or_misaligned(load):
    model = load("tensor<fp32, [4]> x", "tensor<fp32, [4]> y = mul(x = x, y = fp32(2));", "y")
    fixed = np.arange(4, dtype=np.float32)
    fixed.flags.writeable = False
    odd = np.frombuffer(b"\0" + fixed.tobytes(), np.uint8)[1:].view(np.float32)
    assert not odd.flags.aligned
    for x in (fixed, odd, np.broadcast_to(np.float32(1), 4)):
        assert model.predict({"x": x})["y"].tolist() == (2 * x).tolist()


@linux
def test_a_thousand_loads_leak_nothing(mil):
    path = mil(
        "tensor<fp32, [64, 64]> x",
        "tensor<fp32, [64, 64]> y = matmul(x = x, y = x, transpose_x = bool(false), transpose_y = bool(true));",
        "y",
    )
    script = f"""
        import gc
        import numpy as np
        import milwright

        x = np.ones((64, 64), np.float32)

        def resident():
            gc.collect()
            return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

        def cycles(n):
            for _ in range(n):
                model = milwright.load({str(path)!r}, threads=2)
                state = model.make_state()
                model.predict({{"x": x}}, state)
                model.predict({{"x": x.T}})
                try:
                    model.predict({{"x": x[0]}})
                except milwright.Error:
                    pass

        cycles(100)
        before = resident()
        cycles(1000)
        print(resident() - before)
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # A thousand weights, arenas or arrays of this program would be 16 MiB or more.
    assert float(done.stdout) < 4, done.stdout


def test_one_model_serves_many_threads(load):
    model = load(
        "tensor<fp32, [8, 8]> x",
        "tensor<fp32, [8, 8]> y = matmul(x = x, y = x, transpose_x = bool(false), transpose_y = bool(false));",
        "y",
        threads=1,
    )
    wrong = []

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(100):
            x = random.integers(-4, 5, (8, 8)).astype(np.float32)
            if not (model.predict({"x": x})["y"] == x @ x).all():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert wrong == []
