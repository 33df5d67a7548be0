"""Importing this module makes the `predict` of coremltools work where Core ML is not.

>>> import milwright.coremltools
>>> import coremltools as ct
>>> ct.models.MLModel("model.mlpackage").predict({"x": x})

It may be imported before coremltools or after it. ML Programs predict, with state, several functions and images; so do pipelines of them and compiled
models. Models of other types load as they do on Linux without Milwright, with a warning, and do not predict. `compute_units` has no
effect: Milwright runs on the CPU.

`MLModelStructure` works, and with it coremltools' benchmarker, inspector, validator and comparator. `MLComputePlan` tells what Milwright does, not what
Core ML would do, and warns so.

On macOS nothing happens unless `install(force=True)` asks for it.
"""

import sys
import types
from typing import Optional

from . import _proxy

__all__ = ["install", "installed"]

_MODULE = "coremltools.libcoremlpython"

#: What coremltools takes this machine for: states need macOS 15.
_VERSION = (15, 5)


def install(
    force: bool = False, runtime: str = "cpu", threads: Optional[int] = None, weights: str = "compressed"
) -> bool:
    """Makes coremltools predict with Milwright, and says whether it does. May be called again, to change the options.

    `force`: on macOS too, in place of Core ML. `runtime`, `threads` and `weights` are those of `milwright.load`, for
    models that are loaded from now on.
    """
    if sys.platform == "darwin" and not force:
        return installed()
    _proxy.settings.runtime = runtime
    _proxy.settings.threads = threads
    _proxy.settings.weights = weights
    if installed():
        return True
    binding = types.ModuleType(_MODULE, "Stand-in of Milwright.")
    binding.milwright = True  # type: ignore[attr-defined]
    stand_ins = {name: value for name, value in vars(_proxy).items() if name.endswith("Proxy")}
    vars(binding).update(stand_ins)
    before = sys.modules.get(_MODULE)
    sys.modules[_MODULE] = binding
    try:
        import coremltools
        import coremltools.models.utils as utils
    except ImportError as error:
        sys.modules.pop(_MODULE)
        if before is not None:
            sys.modules[_MODULE] = before
        raise ImportError("milwright.coremltools needs coremltools: pip install coremltools") from error
    coremltools.libcoremlpython = binding
    replaced = {
        utils._is_macos: lambda: True,
        utils._macos_version: lambda: _VERSION,
    }
    # Modules imported earlier hold names of their own for what they found.
    for name, module in list(sys.modules.items()):
        if module is None or name.partition(".")[0] != "coremltools" or module is binding:
            continue
        for key, value in list(vars(module).items()):
            if key in stand_ins:
                setattr(module, key, stand_ins[key])
            elif key in ("_is_macos", "_macos_version") and value in replaced:
                setattr(module, key, replaced[value])
    return True


def installed() -> bool:
    """Does coremltools predict with Milwright?"""
    return getattr(sys.modules.get(_MODULE), "milwright", False)


install()
