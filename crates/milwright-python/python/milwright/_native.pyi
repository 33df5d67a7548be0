"""The extension module: see `milwright` for what is public."""

import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union, final

from numpy.typing import ArrayLike, NDArray
from PIL.Image import Image

from ._records import Diagnostic, Feature, Program

_Path = Union[str, "os.PathLike[str]"]

_Typed = Tuple[str, str]
_Op = Tuple[str, List[Tuple[str, List[Optional[str]]]], List[_Typed], List[int], Optional[float]]
_Block = Tuple[List[_Typed], List[_Op], List[str]]

__all__ = ["Model", "Opened", "State", "__version__", "check", "convert", "inspect", "load", "outline", "stages"]
__version__: str

def load(
    path: _Path,
    runtime: str = "cpu",
    function: Optional[str] = None,
    threads: Optional[int] = None,
    weights: str = "compressed",
) -> Model:
    """Opens, checks and loads the program at `path`: an .mlpackage, .mlmodel, .mlmodelc or MIL text.

    `runtime`: ``cpu`` (fast; computes in fp32 and rounds as the program declares) or ``reference`` (float64).
    `function`: which to run; without it the default one. `threads`: without it one a core.
    `weights`: ``compressed`` holds compressed weights as they are stored and expands each in every run, which takes the least
    memory; ``expanded`` expands them once. Results are the same.
    Files stay mapped while the model is in use: replace them by renaming, do not overwrite them.

    Raises `Error` with everything that is wrong with the program.
    """

def check(path: _Path) -> List[Diagnostic]:
    """Everything wrong with the program at `path`, and advice on one without errors. Empty: nothing to say."""

def inspect(path: _Path) -> Program:
    """What is in the program at `path`: functions, inputs, outputs, states, ops, weights, FLOPs. Weight files may be missing.

    Raises `Error` if the program is wrong.
    """

def convert(source: _Path, target: _Path, *, force: bool = False) -> List[Diagnostic]:
    """Writes the program at `source` in the form that the end of `target` says: .mlpackage, .mlmodel, .mlmodelc or
    .mil. Gives what could not be kept.

    Raises `FileExistsError` if `target` exists and `force` is false, and `Error` if the program is wrong or cannot be written.
    """

@final
class Model:
    """A program ready to run, made by `load`. Threads may share it; predictions run without the interpreter's lock."""

    @property
    def path(self) -> Path:
        """The file or folder it was read from."""
    @property
    def function(self) -> str:
        """The name of the function that runs."""
    @property
    def runtime(self) -> str:
        """The name of the runtime, which says how it computes."""
    @property
    def inputs(self) -> Tuple[Feature, ...]:
        """The inputs, in the function's order."""
    @property
    def outputs(self) -> Tuple[Feature, ...]:
        """The outputs, in the function's order."""
    @property
    def states(self) -> Tuple[Feature, ...]:
        """The states."""
    def predict(
        self, inputs: Mapping[str, Union[ArrayLike, Image]], state: Optional[State] = None
    ) -> Dict[str, Any]:
        """Runs the function once.

        `inputs` are arrays, numbers or lists by name, or PIL images for inputs that are images. Floats are converted to the
        declared float type, integers to the declared integer or float type; an optional input may be left out. An array of
        floats that is C-contiguous is read where it is, without the interpreter's lock: do not write to it before the prediction is
        over. Other inputs, and all of a function with states, are copied first. Outputs are arrays of the declared types that
        nothing else refers to; a text is a `str`, a classifier's probabilities are a `dict`.

        Without `state` a stateful function starts from zeros.

        Raises `Error` if the inputs do not fit, and `TypeError` for elements that MIL has not.
        """
    def make_state(self) -> State:
        """A state of its own, with everything in it zero."""
    def __reduce__(self) -> Tuple[Callable[..., Model], Tuple[Any, ...]]: ...
    def __copy__(self) -> Model: ...
    def __deepcopy__(self, _memo: object, /) -> Model: ...

@final
class State:
    """What a program remembers from one prediction to the next: a mapping of names to arrays, made by `Model.make_state`.

    Reading gives a copy; assigning an array of the same shape replaces the contents. Predictions of several threads with
    one state wait for each other.
    """

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...
    def __setitem__(self, name: str, value: ArrayLike, /) -> None: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def keys(self) -> List[str]:
        """The names of the states."""

@final
class Opened:
    """A program that was read, with its files mapped; what it was read from may be removed."""

    def __new__(cls, path: _Path) -> Opened: ...
    def load(
        self,
        runtime: str = "cpu",
        function: Optional[str] = None,
        threads: Optional[int] = None,
        weights: str = "compressed",
    ) -> Model:
        """Checks and loads it, as `milwright.load` does."""

def outline(opened: Opened) -> List[Tuple[str, str, List[_Typed], List[_Block]]]:
    """The functions, each ``(name, opset, parameters, blocks)``; a block is ``(parameters, ops, results)``, an op
    ``(kind, arguments, outputs, blocks, share)``. The first block is the body, and an outer one stands before those nested in it.

    Raises `Error` if the program is wrong.
    """

def stages(opened: Opened) -> List[Tuple[str, Opened]]:
    """The models of a pipeline by name, in order; empty for other models."""
