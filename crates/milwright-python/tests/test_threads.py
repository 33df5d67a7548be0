"""Predictions run without the interpreter's lock, and beside each other."""

import copy
import multiprocessing
import pickle
import sys
import threading
import time

import numpy as np
import pytest

from conftest import counted, loop


def long_enough(model, seconds=0.5):
    """A count that takes the model at least this long on this machine."""
    n = 1000
    while True:
        begun = time.perf_counter()
        counted(model, n)
        if time.perf_counter() - begun >= seconds:
            return n
        n *= 2


def test_other_threads_run_during_a_prediction(load):
    model = loop(load)
    n = long_enough(model)
    started, done = threading.Event(), threading.Event()

    def predict():
        started.set()
        counted(model, n)
        done.set()

    thread = threading.Thread(target=predict)
    thread.start()
    started.wait()
    # With the lock held all along, this thread would wake once or twice: before the prediction and after it.
    woken = 0
    while not done.is_set():
        time.sleep(0.001)
        woken += 1
    thread.join()
    assert woken >= 10


def test_short_predictions_finish_during_a_long_one(load):
    model = loop(load)
    n = long_enough(model, seconds=1.0)
    done = threading.Event()

    def predict():
        counted(model, n)
        done.set()

    thread = threading.Thread(target=predict)
    thread.start()
    finished = 0
    while not done.is_set():
        counted(model, 10)
        finished += 1
    thread.join()
    assert finished >= 10


def test_threads_with_states_of_their_own_do_not_mix(load):
    model = load(
        "state<tensor<fp32, [64]>> memory, tensor<fp32, [64]> x",
        """tensor<fp32, [64]> before = read_state(input = memory);
        tensor<fp32, [64]> y = add(x = before, y = x);
        write_state(data = y, input = memory);""",
        "y",
    )
    failures = []

    def steps(k):
        state, x = model.make_state(), np.full(64, k, np.float32)
        for step in range(1, 201):
            y = model.predict({"x": x}, state)["y"]
            if not (y == k * step).all():
                failures.append((k, step))

    threads = [threading.Thread(target=steps, args=(k,)) for k in range(1, 5)]
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        [t.start() for t in threads]
        [t.join() for t in threads]
    finally:
        sys.setswitchinterval(switch)
    assert failures == []


def test_predictions_of_one_state_wait_for_each_other(load):
    model = load(
        "state<tensor<fp32, [8]>> memory, tensor<fp32, [8]> x",
        """tensor<fp32, [8]> before = read_state(input = memory);
        tensor<fp32, [8]> y = add(x = before, y = x);
        write_state(data = y, input = memory);""",
        "y",
    )
    state, x = model.make_state(), np.ones(8, np.float32)
    threads = [threading.Thread(target=lambda: [model.predict({"x": x}, state) for _ in range(250)]) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert state["memory"].tolist() == [1000] * 8


def square(load):
    """A model whose product is large enough for several threads, what it takes, and what it gives."""
    model = load(
        "tensor<fp32, [256, 256]> x",
        "tensor<fp32, [256, 256]> y = matmul(x = x, y = x, transpose_x = bool(false), transpose_y = bool(false));",
        "y",
        threads=2,
    )
    x = np.random.default_rng(0).random((256, 256), np.float32)
    return model, x, model.predict({"x": x})["y"]


def in_child(queue, model, x):
    queue.put(model.predict({"x": x})["y"])


@pytest.mark.parametrize("how", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_other_processes_predict(load, how):
    model, x, want = square(load)
    context = multiprocessing.get_context(how)
    queue = context.Queue()
    child = context.Process(target=in_child, args=(queue, model, x), daemon=True)
    child.start()
    try:
        # A forked process has none of the threads that the model had; waiting for them would be for ever.
        np.testing.assert_allclose(queue.get(timeout=60), want, rtol=1e-6)
    finally:
        child.kill()
        child.join()


def test_a_model_is_pickled_as_its_file_and_copied_as_itself(load):
    model, x, want = square(load)
    again = pickle.loads(pickle.dumps(model))
    assert (again.path, again.function, again.runtime) == (model.path, model.function, model.runtime)
    np.testing.assert_array_equal(again.predict({"x": x})["y"], want)
    assert copy.copy(model) is model and copy.deepcopy([model])[0] is model
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(model.make_state())
