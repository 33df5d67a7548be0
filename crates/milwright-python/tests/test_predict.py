"""Predictions: what goes in, what comes out."""

import numpy as np
import pytest

import milwright

NUMBERS = {
    "fp16": np.float16,
    "fp32": np.float32,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "bool": np.bool_,
}


@pytest.mark.parametrize("mil_type", NUMBERS)
def test_an_array_of_each_type_passes_through_unchanged(load, mil_type):
    model = load(
        f"tensor<{mil_type}, [2, 3]> x",
        f"tensor<{mil_type}, [6]> y = reshape(x = x, shape = tensor<int32, [1]>([6]));",
        "y",
    )
    given = np.array([[0, 1, 2], [3, 100, 127]]).astype(NUMBERS[mil_type])
    got = model.predict({"x": given})["y"]
    assert got.dtype == given.dtype
    np.testing.assert_array_equal(got, given.reshape(6))


def test_both_runtimes_and_their_names(load, mil):
    program = ("tensor<fp32, [3]> x", "tensor<fp32, [3]> y = exp(x = x);", "y")
    cpu, reference = load(*program, threads=2), load(*program, runtime="reference")
    assert (cpu.runtime, reference.runtime) == ("cpu", "reference")
    x = np.array([-1, 0, 2], np.float32)
    for model in (cpu, reference):
        np.testing.assert_allclose(model.predict({"x": x})["y"], np.exp(x), rtol=1e-6)
    with pytest.raises(ValueError, match="'cpu' or 'reference'"):
        load(*program, runtime="gpu")


def test_inputs_of_every_layout_are_read_right(load):
    model = load("tensor<fp32, [2, 3]> x", "tensor<fp32, [2, 3]> y = mul(x = x, y = fp32(2));", "y")
    want = np.arange(6, dtype=np.float32).reshape(2, 3)
    layouts = {
        "column-major": np.asfortranarray(want),
        "strided": np.repeat(want, 2, axis=1)[:, ::2],
        "reversed": want[::-1, ::-1].copy()[::-1, ::-1],
        "big-endian": want.astype(">f4"),
        "float64": want.astype(np.float64),
        "float16": want.astype(np.float16),
        "int64": want.astype(np.int64),
        "list": want.astype(int).tolist(),
    }
    for name, given in layouts.items():
        np.testing.assert_array_equal(model.predict({"x": given})["y"], 2 * want, err_msg=name)


def test_floats_of_another_size_are_rounded_once(load):
    model = load("tensor<fp16, [2]> x", "tensor<fp16, [2]> y = identity(x = x);", "y")
    # Rounded to fp32 first, the first would lie half way between two halves, and go down.
    x = np.array([1 + 2**-11 + 2**-30, -0.1])
    assert model.predict({"x": x})["y"].tolist() == [1 + 2**-10, float(np.float16(-0.1))]
    with pytest.raises(TypeError, match="astype"):
        model.predict({"x": x.astype(np.longdouble)})  # NumPy would round these twice


def test_scalars_and_empty_arrays(load):
    model = load("fp32 x", "fp32 y = add(x = x, y = fp32(1));", "y")
    got = model.predict({"x": 2.5})["y"]
    assert got.shape == () and got == 3.5
    model = load("tensor<fp32, [?, 2]> x", "tensor<fp32, [?, 2]> y = relu(x = x);", "y")
    assert model.predict({"x": np.zeros((0, 2), np.float32)})["y"].shape == (0, 2)
    assert model.inputs[0].shape == (None, 2)


def test_bools_from_a_view_are_zero_or_one(load):
    model = load("tensor<bool, [3]> x", 'tensor<int32, [3]> y = cast(x = x, dtype = string("int32"));', "y")
    odd = np.array([0, 1, 7], np.uint8).view(np.bool_)
    assert model.predict({"x": odd})["y"].tolist() == [0, 1, 1]


def test_outputs_own_their_memory(load):
    model = load("tensor<fp32, [4]> x", "tensor<fp32, [4]> y = relu(x = x); tensor<fp32, [4]> z = exp(x = y);", "y, z")
    first = model.predict({"x": np.ones(4, np.float32)})
    first["y"][:] = 7
    second = model.predict({"x": np.zeros(4, np.float32)})
    assert first["y"].tolist() == [7] * 4 and second["y"].tolist() == [0] * 4
    del model
    assert first["y"].flags.writeable and first["y"].flags.aligned and list(first) == ["y", "z"]


def test_a_classifier_gives_a_text_and_a_dictionary(load):
    model = load(
        "tensor<fp32, [3]> x",
        """list<string, 3> names = const()[name = string("names"), val = list<string, 3>(["a", "b", "c"])];
        string label, dict<string, fp64> all = classify(probabilities = x, classes = names);""",
        "label, all",
    )
    assert [f.kind for f in model.outputs] == ["string", "dictionary"]
    got = model.predict({"x": np.array([0.25, 0.5, 0.25], np.float32)})
    assert got == {"label": "b", "all": {"a": 0.25, "b": 0.5, "c": 0.25}}


def test_a_class_of_integers(load):
    model = load(
        "tensor<fp32, [2]> x",
        """list<int64, 2> ids = const()[name = string("ids"), val = list<int64, 2>([10, 20])];
        int64 id, dict<int64, fp64> all = classify(probabilities = x, classes = ids);""",
        "id, all",
    )
    got = model.predict({"x": np.array([0.75, 0.25], np.float32)})
    assert got["id"] == 10 and got["all"] == {10: 0.75, 20: 0.25}


def test_features_say_what_a_model_takes_and_gives(load):
    model = load("tensor<fp16, [1, ?]> x", "tensor<fp16, [1, ?]> y = relu(x = x);", "y")
    (x,), (y,) = model.inputs, model.outputs
    assert (x.name, x.kind, x.dtype, x.shape, x.optional) == ("x", "array", "float16", (1, None), False)
    assert (y.name, y.dtype) == ("y", "float16")
    assert model.states == () and model.function == "main" and "program.mil" in repr(model)
    assert isinstance(x, milwright.Feature) and "fp16" in x.type


def test_a_function_is_chosen_by_name(tmp_path):
    path = tmp_path / "two.mil"
    function = "func {}<ios18>(tensor<fp32, [2]> x) {{ tensor<fp32, [2]> y = {}(x = x); }} -> (y);"
    path.write_text(f"program(1.3)\n{{ {function.format('up', 'exp')} {function.format('down', 'log')} }}\n")
    x = np.array([1, 2], np.float32)
    np.testing.assert_allclose(milwright.load(path, function="up").predict({"x": x})["y"], np.exp(x), rtol=1e-6)
    np.testing.assert_allclose(milwright.load(str(path), function="down").predict({"x": x})["y"], np.log(x), rtol=1e-6)
    with pytest.raises(milwright.Error, match="up, down"):
        milwright.load(path, function="sideways")
