"""Inspecting and converting."""

import numpy as np
import pytest

import milwright


def test_inspect_counts(mil):
    body = """tensor<fp16, [3, 4]> w = const()[name = string("w"), val = tensor<fp16, [3, 4]>([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])];
    tensor<fp16, [3]> b = const()[name = string("b"), val = tensor<fp16, [3]>([1, 1, 1])];
    tensor<fp16, [2, 3]> h = linear(bias = b, weight = w, x = x);
    tensor<fp16, [2, 3]> y = relu(x = h);"""
    path = mil("tensor<fp16, [2, 4]> x", body, "y")
    program = milwright.inspect(path)
    assert program.path == path and program.default_function == "main" and list(program.functions) == ["main"]
    main = program.functions["main"]
    assert main.ops == {"linear": 1, "relu": 1} and main.opset == "ios18"
    assert main.parameters == 15 and main.weight_bytes == 30 and main.flops >= 2 * 2 * 3 * 4
    assert [f.name for f in main.inputs] == ["x"] and [f.name for f in main.outputs] == ["y"]


def test_text_becomes_a_package_and_back(mil, tmp_path):
    source = mil("tensor<fp32, [2]> x", "tensor<fp32, [2]> y = exp(x = x);", "y")
    package, text, bundle = (tmp_path / name for name in ("model.mlpackage", "again.mil", "model.mlmodelc"))
    assert milwright.convert(source, package) == []
    milwright.convert(package, text)
    milwright.convert(package, bundle)
    x = np.array([0, 1], np.float32)
    results = [milwright.load(p).predict({"x": x})["y"].tolist() for p in (source, package, text, bundle)]
    assert all(r == results[0] for r in results)
    assert milwright.inspect(package).specification_version is not None


def test_what_exists_is_replaced_only_when_asked(mil, tmp_path):
    source = mil("tensor<fp32, [2]> x", "tensor<fp32, [2]> y = exp(x = x);", "y")
    target = tmp_path / "model.mlpackage"
    milwright.convert(source, target)
    with pytest.raises(FileExistsError, match="force=True"):
        milwright.convert(source, target)
    milwright.convert(source, target, force=True)
    with pytest.raises(milwright.Error, match="file/unknown-kind"):
        milwright.convert(source, tmp_path / "model.onnx")


def test_the_version_is_that_of_the_crate():
    from importlib.metadata import version

    assert milwright.__version__ == version("milwright")
