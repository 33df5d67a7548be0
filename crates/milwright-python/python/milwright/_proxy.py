"""Stand-ins for the classes of `coremltools.libcoremlpython`, Apple's binding to Core ML, which exists on macOS only.

Their names, methods and arguments are Apple's: coremltools calls them. What Core ML does around a program is done here, so that a
script sees what it sees on a Mac: inputs are converted to the declared types, float16 results become float32, results of rank 0
get the shape (1,), images are PIL images, and a classifier gives a label and a dictionary.
"""

import os
import shutil
import tempfile
import threading
import time
import weakref
from types import SimpleNamespace

import numpy as np

from . import images
from ._native import Opened, convert
from ._records import Error

#: How programs are loaded; `milwright.coremltools.install` sets it.
settings = SimpleNamespace(runtime="cpu", threads=None, weights="compressed")

#: The specification of iOS 26, the newest that coremltools 9 writes.
NEWEST_SPECIFICATION = 10


class _MLModelProxy:
    """A model, opened at once and loaded when it is first needed: `ct.convert` makes one of every result, predicted or not."""

    def __init__(self, path, compute_units, function_name="", optimization_hints=None, asset=None):
        begun = time.perf_counter_ns()
        self._opened = asset._opened if asset is not None else Opened(path)
        self._path = path
        self._function = function_name or None
        self._loaded = None
        self._loading = threading.Lock()
        self._compiled = None
        self._load_time = time.perf_counter_ns() - begun
        self._predict_time = None
        if self._function and str(path).rstrip(os.sep).endswith(".mlmodelc"):
            # coremltools knows the functions of a package, and leaves those of a compiled model to Core ML, which refuses
            # an unknown one here.
            self._load()

    def _load(self):
        with self._loading:
            if self._loaded is None:
                begun = time.perf_counter_ns()
                how = (settings.runtime, self._function, settings.threads, settings.weights)
                self._loaded = _Loaded(self._opened.load(*how))
                self._load_time += time.perf_counter_ns() - begun
                self._opened = None
            return self._loaded

    def predict(self, data, state=None):
        loaded = self._load()
        begun = time.perf_counter_ns()
        try:
            outputs = loaded.model.predict(loaded.encode(data), state and state._state)
        except Error as error:
            # Core ML's own words come first: scripts written for it look for them.
            raise RuntimeError(f"Error computing NN outputs: {_one_line(error)}") from error
        self._predict_time = time.perf_counter_ns() - begun
        return loaded.decode(outputs)

    def batchPredict(self, batch):
        return [self.predict(data) for data in batch]

    def newState(self):
        return _MLStateProxy(self._load().model.make_state())

    def get_compiled_model_path(self):
        if self._compiled is None:
            self._compiled = self.compileModel(self._path)
            weakref.finalize(self, shutil.rmtree, os.path.dirname(self._compiled), ignore_errors=True)
        return self._compiled

    def get_load_duration_in_nano_seconds(self):
        self._load()
        return self._load_time

    def get_last_predict_duration_in_nano_seconds(self):
        return self._predict_time

    @staticmethod
    def compileModel(path):
        target = os.path.join(tempfile.mkdtemp(prefix="milwright-"), "model.mlmodelc")
        convert(path, target)
        return target

    @staticmethod
    def create_model_asset_from_path(path):
        return _model_asset(_MLModelAssetProxy(Opened(path)))

    @staticmethod
    def create_model_asset_from_memory(spec_data, blob_mapping):
        # The files are mapped when the folder goes, and stay so.
        with tempfile.TemporaryDirectory(prefix="milwright-") as folder:
            for name, data in {"model.mlmodel": spec_data, **blob_mapping}.items():
                path = os.path.join(folder, name)
                if os.path.commonpath([folder, os.path.abspath(path)]) != folder:
                    raise RuntimeError(f"the name of a blob leads out of the model: {name!r}")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as stream:
                    stream.write(data)
            return _model_asset(_MLModelAssetProxy(Opened(os.path.join(folder, "model.mlmodel"))))

    @staticmethod
    def maximum_supported_specification_version():
        return NEWEST_SPECIFICATION

    @staticmethod
    def auto_set_specification_version(spec):
        return spec

    @staticmethod
    def get_available_compute_devices():
        return _MLModelProxy.get_all_compute_devices()

    @staticmethod
    def get_all_compute_devices():
        from coremltools.models.compute_device import MLCPUComputeDevice

        return [MLCPUComputeDevice(_MLCPUComputeDeviceProxy())]

    @staticmethod
    def get_model_structure(path):
        from ._structure import structure

        return structure(path)

    @staticmethod
    def get_compute_plan(path, compute_units):
        from coremltools.models.compute_plan import MLComputePlan

        from ._structure import Plan

        return MLComputePlan(Plan(path))


class _Loaded:
    """A loaded model with what is needed to convert its inputs and outputs."""

    def __init__(self, model):
        self.model = model
        self.inputs = model.inputs
        self.outputs = model.outputs

    def encode(self, data):
        """What the program takes, of what the script gave."""
        encoded = {}
        for feature in self.inputs:
            if feature.name in data:
                encoded[feature.name] = _encode(feature, data[feature.name])
            elif not feature.optional:
                raise RuntimeError(
                    f"Required input feature not passed to neural network: {feature.name}; "
                    f"{self.model.path} ({self.model.function}) takes it as {feature.type}"
                )
        return encoded

    def decode(self, outputs):
        """What Core ML would return, of what the program gave."""
        return {feature.name: _decode(feature, outputs[feature.name]) for feature in self.outputs}


def _encode(feature, value):
    if feature.kind == "image" and hasattr(value, "getbands"):
        return value
    value = np.asarray(value)
    if value.dtype.kind in "biuf" and hasattr(np, feature.dtype or ""):
        value = value.astype(feature.dtype, copy=False)
    if feature.shape == () and value.size == 1:
        value = value.reshape(())
    return value


def _decode(feature, value):
    if feature.kind == "image":
        return images.from_array(value, feature.colors)
    if feature.kind == "dictionary" or isinstance(value, str):
        return value
    if feature.kind == "string":
        return str(value.reshape(-1)[0])
    if feature.kind == "int64":
        return int(value.reshape(-1)[0])
    if feature.kind == "double":
        return float(value.reshape(-1)[0])
    return _multi_array(value, feature.array_dtype)


def _multi_array(value, dtype=None):
    """The array as Core ML returns it."""
    dtype = dtype or value.dtype.name
    value = value.astype("float32" if dtype == "float16" else dtype, copy=False)
    return value.reshape(1) if value.ndim == 0 else value


def _one_line(error):
    """The mistakes in one line, each with its place and its remedy."""
    return "; ".join(map(str, error.diagnostics)) or str(error)


class _MLStateProxy:
    def __init__(self, state):
        self._state = state

    def read_state(self, name):
        return _multi_array(self._named(name))

    def write_state(self, name, value):
        self._named(name)
        self._state[name] = value

    def _named(self, name):
        if name not in self._state:
            raise RuntimeError(f"the model has no state {name!r}; its states are {', '.join(self._state)}")
        return self._state[name]


class _MLModelAssetProxy:
    def __init__(self, opened):
        self._opened = opened


def _model_asset(proxy):
    from coremltools.models.model import MLModelAsset

    return MLModelAsset(proxy)


class _MLCPUComputeDeviceProxy:
    pass


class _MLGPUComputeDeviceProxy:
    pass


class _MLNeuralEngineComputeDeviceProxy:
    def get_total_core_count(self):
        return 0


class _MLComputePlanProxy:
    pass


class _MLModelStructureProgramOperationProxy:
    """What stands behind an operation: what the plan answers when it is asked about it."""

    def __init__(self, constant=False, share=None):
        self.constant = constant
        self.share = share


class _MLModelStructureNeuralNetworkLayerProxy:
    pass
