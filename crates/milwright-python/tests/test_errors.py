"""Mistakes are exceptions that say everything."""

import pickle

import numpy as np
import pytest

import milwright

RELU = ("tensor<fp32, [2]> x", "tensor<fp32, [2]> y = relu(x = x);", "y")
WRONG = ("tensor<fp32, [2]> x", "tensor<fp32, [3]> y = relu(x = x);\n tensor<fp32, [2]> z = exp(x = w);", "y")


def test_a_wrong_program_is_refused_with_every_mistake(mil):
    path = mil(*WRONG)
    with pytest.raises(milwright.Error) as caught:
        milwright.load(path)
    error = caught.value
    assert isinstance(error, RuntimeError) and len(error.diagnostics) >= 1
    first = error.diagnostics[0]
    assert first.severity == "error" and "/" in first.code and first.message
    assert first.place.file == str(path) and first.place.line >= 4
    assert "program.mil" in str(error) and "^" in str(error), "the text shows the source"


def test_the_check_gives_what_the_error_carries(mil):
    path = mil(*RELU[:1], "tensor<fp32, [3]> y = relu(x = x);", "y")
    (found,) = milwright.check(path)
    assert found.code == "check/declared-type" and found.help and found.place.op == "y"
    assert str(found).startswith(f"{path}:4:") and "[check/declared-type]" in str(found)
    with pytest.raises(milwright.Error) as caught:
        milwright.load(path)
    assert caught.value.diagnostics == [found]
    assert milwright.check(mil(*RELU)) == []


def test_a_missing_file_is_a_diagnostic(tmp_path):
    (found,) = milwright.check(tmp_path / "none.mil")
    assert found.code == "file/not-found" and found.place.file == str(tmp_path / "none.mil") and found.help
    for call in (milwright.load, milwright.inspect):
        with pytest.raises(milwright.Error, match="file/not-found"):
            call(tmp_path / "none.mil")


@pytest.mark.parametrize(
    "inputs, code",
    [
        ({}, "run/input-missing"),
        ({"x": np.zeros(3, np.float32)}, "run/input-shape"),
        ({"x": np.zeros(2, np.float32), "z": np.zeros(2)}, "run/input-unknown"),
        ({"x": np.array([True, False])}, "run/input-dtype"),
        ({"x": ["a", "b"]}, "run/input-dtype"),
    ],
)
def test_inputs_that_do_not_fit(load, inputs, code):
    model = load(*RELU)
    with pytest.raises(milwright.Error) as caught:
        model.predict(inputs)
    (found,) = caught.value.diagnostics
    assert found.code == code and found.help
    assert found.place.file.endswith("program.mil") and found.place.function == "main" and found.place.line == 3
    assert found.place.argument == (None if code == "run/input-unknown" else "x")
    assert model.predict({"x": [1, -1]})["y"].tolist() == [1, 0], "the model goes on"


def test_floats_do_not_become_integers_unasked(load):
    model = load("tensor<int32, [2]> x", "tensor<int32, [2]> y = add(x = x, y = int32(1));", "y")
    with pytest.raises(milwright.Error, match="run/input-dtype"):
        model.predict({"x": [1.5, 2.5]})
    with pytest.raises(milwright.Error, match="run/input-dtype"):
        model.predict({"x": np.array([1, 2**40])})


@pytest.mark.parametrize("value", [np.zeros(2, np.complex64), np.zeros(2, "datetime64[s]"), [object(), object()], [None, 1]])
def test_elements_that_mil_has_not(load, value):
    with pytest.raises(TypeError, match=r"program.mil \(main\): `x`.*(astype|asarray)"):
        load(*RELU).predict({"x": value})


def test_what_numpy_makes_no_array_of_names_the_input(load):
    with pytest.raises(TypeError, match=r"program.mil \(main\): `x` cannot be made a NumPy array: .*inhomogeneous") as caught:
        load(*RELU).predict({"x": [[1], [1, 2]]})
    assert isinstance(caught.value.__cause__, ValueError)


def test_what_is_no_mapping_of_names_is_refused(load):
    model = load(*RELU)
    for inputs in ([1, 2], {1: [1, 2]}, None):
        with pytest.raises(TypeError, match=r'program.mil \(main\): predict takes a dict .*\{"x": array\}'):
            model.predict(inputs)


def test_an_op_that_fails_while_running_names_itself(load):
    model = load(
        "tensor<fp32, [2]> x, int32 i",
        "tensor<fp32, []> y = gather(x = x, indices = i, axis = int32(0), batch_dims = int32(0), validate_indices = bool(true));",
        "y",
    )
    with pytest.raises(milwright.Error) as caught:
        model.predict({"x": [1, 2], "i": 5})
    assert caught.value.diagnostics[0].place.op == "y"


def test_an_unknown_op_is_said_to_be_one(mil):
    with pytest.raises(milwright.Error) as caught:
        milwright.load(mil("tensor<fp32, [2]> x", "tensor<fp32, [2]> y = no_such_op(x = x);", "y"))
    assert caught.value.unsupported
    with pytest.raises(milwright.Error) as caught:
        milwright.load(mil(*WRONG))
    assert not caught.value.unsupported


def test_errors_can_be_pickled(mil):
    with pytest.raises(milwright.Error) as caught:
        milwright.load(mil(*WRONG))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.diagnostics == caught.value.diagnostics


@pytest.mark.parametrize("threads", [0, -1, -(2**62)])
def test_threads_must_be_some(load, threads):
    with pytest.raises(ValueError, match="1 or more"):
        load(*RELU, threads=threads)


def test_weights_are_held_in_one_of_two_ways(load):
    for weights in ["compressed", "expanded"]:
        model = load(*RELU, weights=weights)
        again = pickle.loads(pickle.dumps(model))
        for one in [model, again]:
            np.testing.assert_array_equal(one.predict({"x": np.float32([-1, 2])})["y"], [0, 2])
        assert model.__reduce__()[1][-1] == weights
    with pytest.raises(ValueError, match="'compressed' or 'expanded', not 'packed'"):
        load(*RELU, weights="packed")
