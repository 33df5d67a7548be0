"""`milwright.coremltools` where coremltools' tests under the harness of ../shared/conformance expect the harness's own shim.

What predicts is Milwright's stand-in, as users have it. This file only tells the harness what happened, and sets what coremltools' tests
(not coremltools) ask before they predict: are we on macOS, on which machine.
"""

import functools
import os
import platform
import sys

import milwright
import milwright.coremltools
from milwright import _proxy

#: Called with (event, detail) for "load", "predict" and "error"; set by the harness.
observer = None


def install():
    """What the harness calls before anything imports coremltools."""
    machine, actual = os.environ.get("MIL_FAKE_MACHINE", "arm64"), platform.machine
    platform.machine = lambda: machine if _asked_by_coremltools() else actual()
    if not milwright.coremltools.install(threads=1):
        raise RuntimeError("milwright.coremltools is not installed")
    proxy = _proxy._MLModelProxy
    proxy._entry = _entry
    proxy.predict = _told(proxy.predict, "predict")
    proxy._load = _told(proxy._load, "load")
    _proxy._MLStateProxy.read_state = _told(_proxy._MLStateProxy.read_state, "predict")
    patch_modules()


def patch_modules():
    """Sets the flag that coremltools' tests copy."""
    for name, module in list(sys.modules.items()):
        if name.startswith("coremltools") and "_IS_MACOS" in getattr(module, "__dict__", {}):
            module._IS_MACOS = True


def _asked_by_coremltools():
    return sys._getframe(2).f_globals.get("__name__", "").startswith("coremltools.")


def _told(method, event):
    """The method, which tells the observer that it is called, and how it fails."""

    @functools.wraps(method)
    def wrapped(self, *arguments):
        if event == "predict" or self._loaded is None:
            _notify(event, self if isinstance(self, _proxy._MLModelProxy) else None)
        try:
            result = method(self, *arguments)
        except RuntimeError as error:
            cause = error if isinstance(error, milwright.Error) else error.__cause__
            error.kind = "unsupported" if getattr(cause, "unsupported", False) else "runtime"
            _notify("error", error)
            raise
        if event == "predict" and os.environ.get("MIL_CONFORMANCE_PERTURB") == "1" and isinstance(result, dict):
            return {name: _perturbed(value) for name, value in result.items()}
        return result

    return wrapped


def _perturbed(value):
    """A grossly wrong value of the same shape and type, where it is an array or number."""
    if isinstance(value, (str, dict)) or hasattr(value, "getbands"):
        return value
    return ~value if getattr(value, "dtype", None) == bool else value + value + 3


def _notify(event, detail):
    if observer is not None:
        observer(event, detail)


def _entry(self):
    """(nothing, the MIL function that runs): the harness lists its ops."""
    from coremltools.models.utils import load_spec

    functions = load_spec(self._path).mlProgram.functions
    return None, functions[self._function or "main"]
