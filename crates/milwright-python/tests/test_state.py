"""States: what a program remembers."""

import numpy as np
import pytest

import milwright

COUNTER = (
    "state<tensor<fp16, [2]>> memory, tensor<fp16, [2]> x",
    """tensor<fp16, [2]> before = read_state(input = memory);
    tensor<fp16, [2]> y = add(x = before, y = x);
    write_state(data = y, input = memory);""",
    "y",
)


def test_a_state_lives_between_predictions(load):
    model = load(*COUNTER)
    assert [(s.name, s.dtype, s.shape) for s in model.states] == [("memory", "float16", (2,))]
    one, other = model.make_state(), model.make_state()
    for step in range(1, 4):
        assert model.predict({"x": [1, 2]}, state=one)["y"].tolist() == [step, 2 * step]
    assert model.predict({"x": [1, 2]}, other)["y"].tolist() == [1, 2]
    assert one["memory"].tolist() == [3, 6] and other["memory"].tolist() == [1, 2]
    assert model.predict({"x": [1, 2]})["y"].tolist() == [1, 2], "without a state it starts from zeros"
    assert model.predict({"x": [1, 2]})["y"].tolist() == [1, 2], "each time"


def test_a_state_is_a_mapping(load):
    model = load(*COUNTER)
    state = model.make_state()
    assert len(state) == 1 and list(state) == state.keys() == ["memory"]
    assert "memory" in state and "other" not in state and 3 not in state
    assert {name: value.tolist() for name, value in dict(state).items()} == {"memory": [0, 0]}
    state["memory"] = np.array([5, 6], np.float32)
    assert model.predict({"x": [1, 1]}, state)["y"].tolist() == [6, 7]
    copy = state["memory"]
    copy[:] = 0
    assert state["memory"].tolist() == [6, 7], "what is read is a copy"
    state["memory"] = [1, 2]
    assert state["memory"].dtype == np.float16 and state["memory"].tolist() == [1, 2], "integers become floats"
    with pytest.raises(KeyError, match="its states are memory"):
        state["other"]
    with pytest.raises(KeyError):
        state["other"] = [1, 2]
    with pytest.raises(milwright.Error, match="run/state-type"):
        state["memory"] = np.zeros(3, np.float16)


def test_a_state_belongs_to_its_model(load):
    model = load(*COUNTER)
    stranger = load(*COUNTER).make_state()
    with pytest.raises(ValueError, match="another model"):
        model.predict({"x": [1, 2]}, state=stranger)


def test_a_state_outlives_the_name_of_its_model(load):
    state = load(*COUNTER).make_state()
    assert state["memory"].tolist() == [0, 0]
