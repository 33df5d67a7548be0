"""coremltools' MLModelStructure and MLComputePlan, and the tools of coremltools that are built on them."""

import asyncio
import os
import warnings

import numpy as np
import pytest

os.environ.setdefault("TQDM_DISABLE", "1")
pytest.importorskip("coremltools", reason="skipped: coremltools is not installed")
pytest.importorskip("PIL", reason="skipped: pillow is not installed")

from test_coremltools import converted  # noqa: E402

import coremltools as ct  # noqa: E402
from coremltools.converters.mil import Builder as mb  # noqa: E402
from coremltools.models.compute_plan import MLComputePlan, MLModelStructure  # noqa: E402
from coremltools.models.ml_program.experimental import model_structure_path as paths  # noqa: E402
from coremltools.models.ml_program.experimental.debugging_utils import (  # noqa: E402
    MLModelComparator,
    MLModelInspector,
    MLModelValidator,
)
from coremltools.models.ml_program.experimental.perf_utils import MLModelBenchmarker  # noqa: E402

WEIGHT = np.arange(32, dtype=np.float32).reshape(4, 8) / 32


def net(x):
    h = mb.relu(x=mb.linear(x=x, weight=WEIGHT, name="h"), name="r")
    return mb.concat(values=(h, h), axis=1, name="y")


def plan_of(model):
    with pytest.warns(UserWarning, match="this MLComputePlan is Milwright's.*on a Mac"):
        return MLComputePlan.load_from_path(model.get_compiled_model_path(), ct.ComputeUnit.CPU_AND_NE)


def test_a_structure_lists_functions_and_operations():
    model = converted((2, 8), net, target=ct.target.iOS17)
    structure = MLModelStructure.load_from_path(model.get_compiled_model_path())
    assert structure.pipeline is None and structure.neuralnetwork is None
    (name, main), = structure.program.functions.items()
    assert name == "main" and [(p.name, str(p.type)) for p in main.inputs] == [("x", "tensor<fp32, [2, 8]>")]
    assert main.block.inputs == [] and main.block.output_names == ["y"]
    operations = {op.outputs[0].name: op for op in main.block.operations}
    spec = model.get_spec().mlProgram.functions["main"]
    written = list(spec.block_specializations[spec.opset].operations)
    assert [op.operator_name.split(".")[-1] for op in main.block.operations] == [op.type for op in written]
    assert operations["h"].operator_name == "ios17.linear" and str(operations["h"].outputs[0].type) == "tensor<fp32, [2, 4]>"
    assert operations["h"].inputs["x"].bindings[0].name == "x" and operations["h"].inputs["x"].bindings[0].value is None
    assert [b.name for b in operations["y"].inputs["values"].bindings] == ["r", "r"]
    constants = [op for op in main.block.operations if op.operator_name == "const"]
    assert constants and all(op.inputs == {} for op in constants)


def test_what_is_written_out_is_a_binding_with_a_value(tmp_path):
    path = tmp_path / "model.mil"
    path.write_text("program(1.3)\n{ func main<ios15>(tensor<fp32, [2]> x) { tensor<fp32, [2]> y = add(x = x, y = fp32(1)); } -> (y); }\n")
    (op,) = MLModelStructure.load_from_path(str(path)).program.functions["main"].block.operations
    (one,) = op.inputs["y"].bindings
    assert one.name is None and one.value is not None and op.operator_name == "add", "iOS 15 has no prefix"


def test_blocks_are_nested():
    def body(x):
        def inner(i, s):
            return mb.cond(
                pred=mb.less(x=i, y=2), _true_fn=lambda: mb.add(x=s, y=1.0), _false_fn=lambda: mb.mul(x=s, y=2.0)
            )

        return mb.while_loop(
            _cond=lambda i, s: mb.less(x=i, y=4),
            _body=lambda i, s: (mb.add(x=i, y=1), inner(i, s)),
            loop_vars=(np.int32(0), x),
        )[1]

    model = converted((2,), body)
    assert model.predict({"x": np.array([1.0, 2.0])})[model.get_spec().description.output[0].name].tolist() == [12, 16]
    main = MLModelStructure.load_from_path(model.get_compiled_model_path()).program.functions["main"]
    (loop,) = [op for op in main.block.operations if op.blocks]
    condition, inside = loop.blocks
    assert len(condition.inputs) == len(inside.inputs) == 2 and len(condition.output_names) == 1
    (cond,) = [op for op in inside.operations if op.blocks]
    assert [op.operator_name for op in cond.blocks[0].operations][-1] == "ios16.add"
    assert [op.operator_name for op in cond.blocks[1].operations][-1] == "ios16.mul"
    found = paths.map_model_structure_to_path(MLModelStructure.load_from_path(model.get_compiled_model_path()), [])
    assert any(op.operator_name == "ios16.mul" for op, _ in found)


def test_the_paths_are_those_of_the_specification():
    model = converted((2, 8), net)
    structure = MLModelStructure.load_from_path(model.get_compiled_model_path())
    ours = [path for _, path in paths.map_model_structure_to_path(structure, [])]
    assert ours == [path for _, path in paths.map_model_spec_to_path(model.get_spec(), [])]


def test_the_structure_of_a_pipeline_has_its_models(tmp_path):
    first = converted((2,), lambda x: mb.add(x=x, y=1.0, name="middle"))
    spec = converted((2,), lambda x: mb.exp(x=x, name="y")).get_spec()
    ct.utils.rename_feature(spec, "x", "middle")
    model = ct.utils.make_pipeline(first, ct.models.MLModel(spec, weights_dir=first.weights_dir))
    path = str(tmp_path / "pipeline.mlpackage")
    model.save(path)
    for place in (path, model.get_compiled_model_path()):
        models = MLModelStructure.load_from_path(place).pipeline.sub_models
        last = [m.program.functions["main"].block.operations[-1].operator_name for _, m in models]
        assert len(models) == 2 and last == ["ios16.add", "ios16.exp"], place
        assert len({name for name, _ in models}) == 2


def test_what_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="no file"):
        MLModelStructure.load_from_path(str(tmp_path / "none.mlmodelc"))


def test_a_plan_says_that_it_is_milwrights_and_on_the_cpu():
    model = converted((2, 8), net)
    plan = plan_of(model)
    shares = []
    for op in plan.model_structure.program.functions["main"].block.operations:
        usage = plan.get_compute_device_usage_for_mlprogram_operation(op)
        cost = plan.get_estimated_cost_for_mlprogram_operation(op)
        assert (usage is None) == (cost is None) == (op.operator_name == "const")
        if usage is not None:
            assert isinstance(usage.preferred_compute_device, ct.models.compute_device.MLCPUComputeDevice)
            assert usage.supported_compute_devices == [usage.preferred_compute_device]
            shares.append((cost.weight, op.operator_name))
    assert abs(sum(weight for weight, _ in shares) - 1) < 1e-9 and max(shares)[1].endswith("linear")


def test_sizes_that_are_open_are_planned_as_usual(tmp_path):
    path = tmp_path / "model.mil"
    path.write_text(
        """program(1.3)
        { func main<ios18>(tensor<fp32, [?, 8]> x) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>>
            ((("DefaultShapes", {{"x", [50, 8]}})))] { tensor<fp32, [?, 8]> y = relu(x = x); } -> (y); }"""
    )
    with pytest.warns(UserWarning):
        plan = MLComputePlan.load_from_path(str(path))
    (op,) = plan.model_structure.program.functions["main"].block.operations
    assert plan.get_estimated_cost_for_mlprogram_operation(op).weight == 1


# -- coremltools' tools ----------------------------------------------------------------


def broken(x):
    return mb.exp(x=mb.log(x=mb.sub(x=x, y=2.0, name="below"), name="nan"), name="y")


def test_the_benchmarker_measures():
    bench = MLModelBenchmarker(converted((2, 8), net))
    assert asyncio.run(bench.benchmark_load(iterations=2)).statistics.minimum > 0
    inputs = {"x": np.ones((2, 8), np.float32)}
    assert len(asyncio.run(bench.benchmark_predict(inputs, iterations=3, warmup=True)).samples) == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        operations = asyncio.run(bench.benchmark_operation_execution(inputs, iterations=3))
    measured = {e.spec.type: e.measurement.statistics for e in operations}
    assert measured["linear"].median > measured["relu"].median > 0 and measured["const"] is None


def test_the_inspector_gives_what_lies_between():
    x = np.ones((2, 8), np.float32)
    inspector = MLModelInspector(converted((2, 8), net))

    async def collect():
        return {name: value async for name, value in inspector.inspect({"x": x}, ["h", "r"])}

    found = asyncio.run(collect())
    np.testing.assert_allclose(found["h"], x @ WEIGHT.T, rtol=1e-5)
    np.testing.assert_allclose(found["r"], np.maximum(found["h"], 0))


def test_the_validator_finds_the_first_nan():
    validator = MLModelValidator(converted((4,), broken))
    found = asyncio.run(validator.find_failing_ops_with_nan_output({"x": np.ones(4, np.float32)}))
    assert [op.type for op in found] == ["log"]


def test_the_comparator_finds_where_models_part():
    models = [
        converted((4,), lambda x, f=f: mb.exp(x=mb.mul(x=mb.add(x=x, y=1.0, name="a"), y=f, name="b"), name="y"))
        for f in (0.5, 0.25)
    ]
    comparator = MLModelComparator(*models)
    same = lambda op, a, b: np.allclose(a, b)  # noqa: E731
    found = asyncio.run(comparator.find_failing_ops({"x": np.ones(4, np.float32)}, same))
    assert [op.outputs[0].name for op in found] == ["b"]
