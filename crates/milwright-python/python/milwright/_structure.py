"""coremltools' `MLModelStructure` and `MLComputePlan`, made of what Milwright reads."""

import warnings
from dataclasses import dataclass

from coremltools.models import compute_plan as records
from coremltools.models.compute_device import MLCPUComputeDevice

from . import _native
from ._proxy import _MLComputePlanProxy, _MLCPUComputeDeviceProxy, _MLModelStructureProgramOperationProxy


@dataclass(frozen=True)
class ValueType(records.MLModelStructureProgramValueType):
    """The type of a value. Core ML's own record is empty; this one says it."""

    text: str
    """As MIL writes it, ``tensor<fp16, [1, 8]>``."""

    def __str__(self):
        return self.text


def structure(path):
    """The structure of the model at `path`, compiled or not."""
    return _of(_native.Opened(path))


def _of(opened):
    stages = _native.stages(opened)
    if stages:
        models = [(name, _of(stage)) for name, stage in stages]
        pipeline = records.MLModelStructurePipeline(sub_models=models)
        return records.MLModelStructure(neuralnetwork=None, program=None, pipeline=pipeline)
    functions = {}
    for name, opset, parameters, blocks in _native.outline(opened):
        body = _body(opset, blocks)
        functions[name] = records.MLModelStructureProgramFunction(inputs=_typed(parameters), block=body)
    program = records.MLModelStructureProgram(functions=functions)
    return records.MLModelStructure(neuralnetwork=None, program=program, pipeline=None)


def _body(opset, blocks):
    """The outermost block. Inner blocks come after outer ones, and so are made first."""
    made = [None] * len(blocks)
    for place, (parameters, operations, results) in reversed(list(enumerate(blocks))):
        made[place] = records.MLModelStructureProgramBlock(
            inputs=_typed(parameters),
            operations=[_operation(opset, operation, made) for operation in operations],
            output_names=results,
        )
    return made[0]


def _operation(opset, operation, blocks):
    kind, arguments, outputs, nested, share = operation
    return records.MLModelStructureProgramOperation(
        inputs={name: _argument(values) for name, values in arguments},
        operator_name=_operator_name(kind, opset),
        outputs=_typed(outputs),
        blocks=[blocks[place] for place in nested],
        __proxy__=_MLModelStructureProgramOperationProxy(kind == "const", share),
    )


def _operator_name(kind, opset):
    """The name as Core ML gives it, ``ios18.conv``.

    Core ML puts the op set of the op's own definition in front, and nothing before ops of iOS 15 or `const`. That table is
    Apple's and not published; the function's op set agrees with most of what plans made on Macs show.
    """
    return kind if kind == "const" or not opset.startswith("ios") or opset == "ios15" else f"{opset}.{kind}"


def _argument(values):
    bindings = [
        records.MLModelStructureProgramBinding(
            name=name, value=records.MLModelStructureProgramValue() if name is None else None
        )
        for name in values
    ]
    return records.MLModelStructureProgramArgument(bindings=bindings)


def _typed(values):
    return [records.MLModelStructureProgramNamedValueType(name=name, type=ValueType(text)) for name, text in values]


class Plan(_MLComputePlanProxy):
    """What Milwright does with a model: every operation runs on the CPU.

    Where Core ML would run an operation depends on the Mac or phone, and only Core ML there can tell.
    """

    def __init__(self, path):
        warnings.warn(
            "this MLComputePlan is Milwright's: it computes everything on the CPU, and estimates costs by floating-point operations and "
            "memory traffic. What Core ML would run on the GPU or the Neural Engine can only be asked on a Mac: "
            "`milwright run MODEL --runtime coreml` there, or this script without milwright.coremltools",
            stacklevel=4,
        )
        self.model_structure = structure(path)
        self._device = MLCPUComputeDevice(_MLCPUComputeDeviceProxy())

    def get_compute_device_usage_for_mlprogram_operation(self, operation):
        if operation.__proxy__.constant:
            return None
        return records.MLComputePlanDeviceUsage(
            preferred_compute_device=self._device, supported_compute_devices=[self._device]
        )

    def get_compute_device_usage_for_neuralnetwork_layer(self, layer):
        return None

    def get_estimated_cost_for_mlprogram_operation(self, operation):
        share = operation.__proxy__.share
        return None if share is None else records.MLComputePlanCost(weight=share)
