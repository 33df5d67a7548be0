"""Run, check, inspect and convert MIL, the language of Core ML's ML Programs, on any machine.

>>> import milwright, numpy
>>> model = milwright.load("model.mlpackage")
>>> outputs = model.predict({"x": numpy.zeros((1, 8), numpy.float32)})

`import milwright.coremltools` makes the `predict` of coremltools work where Core ML is not.
"""

from ._native import Model, State, __version__, check, convert, inspect, load
from ._records import Diagnostic, Error, Feature, Function, Place, Program

__all__ = [
    "Diagnostic",
    "Error",
    "Feature",
    "Function",
    "Model",
    "Place",
    "Program",
    "State",
    "__version__",
    "check",
    "convert",
    "inspect",
    "load",
]
