"""What Milwright tells: diagnostics, the error that carries them, and what is in a program."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple


@dataclass(frozen=True)
class Place:
    """A place in a program, as far as it is known."""

    file: str
    """The file or folder as it was named."""
    message: str = ""
    """A remark on this place, or nothing."""
    line: Optional[int] = None
    """Line in the text, from 1; nothing for programs that are not text."""
    column: Optional[int] = None
    """Column in characters, from 1."""
    function: Optional[str] = None
    """The function."""
    op: Optional[str] = None
    """The op: its first output, or its kind when it has none."""
    argument: Optional[str] = None
    """The argument, attribute, parameter or output of it."""

    def __str__(self) -> str:
        text = self.file
        if self.line is not None:
            text += f":{self.line}:{self.column}"
        inside = [name for name in (self.function, self.op, self.argument) if name]
        return f"{text} ({' / '.join(inside)})" if inside else text


@dataclass(frozen=True)
class Diagnostic:
    """One remark about a program or its inputs."""

    code: str
    """A readable slug, such as ``layer_norm/epsilon-dtype``; ``milwright explain CODE`` tells more."""
    severity: str
    """``error``, ``warning`` or ``note``."""
    message: str
    """One sentence."""
    help: Optional[str] = None
    """What to do about it."""
    places: Tuple[Place, ...] = ()
    """Where, the main place first."""

    @property
    def place(self) -> Optional[Place]:
        """The main place."""
        return self.places[0] if self.places else None

    def __str__(self) -> str:
        at = f"{self.place}: " if self.place else ""
        remedy = f"; {self.help}" if self.help else ""
        return f"{at}{self.severity}: {self.message} [{self.code}]{remedy}"


class Error(RuntimeError):
    """A program, or what it was given, is wrong. The text shows every mistake with its place."""

    diagnostics: List[Diagnostic]
    """Every mistake, sorted by place."""
    unsupported: bool
    """Is the only reason that Milwright does not know an op?"""

    def __init__(self, text: str, diagnostics: Iterable[Diagnostic] = (), unsupported: bool = False):
        super().__init__(text)
        self.diagnostics = list(diagnostics)
        self.unsupported = unsupported

    def __reduce__(self) -> Tuple[Any, ...]:
        return Error, (str(self), self.diagnostics, self.unsupported)


@dataclass(frozen=True)
class Feature:
    """An input, output or state of a function."""

    name: str
    """Its name, the key in what `Model.predict` takes and gives."""
    kind: str
    """``array``, ``image``, ``dictionary``, ``string``, ``int64``, ``double`` or ``sequence``."""
    type: str
    """Its type as MIL writes it, ``tensor<fp16, [1, 8]>``."""
    dtype: Optional[str]
    """NumPy's name of the element type; nothing if it is no tensor."""
    shape: Optional[Tuple[Optional[int], ...]]
    """Sizes, None for one that is open; nothing if it is no tensor."""
    usual_shape: Optional[Tuple[Optional[int], ...]]
    """The shape when nothing else is said."""
    optional: bool = False
    """May it be left out?"""
    default: Optional[float] = None
    """What every element is when it is left out."""
    colors: Optional[str] = None
    """Of an image: ``rgb``, ``bgr``, ``grayscale`` or ``grayscale_fp16``."""
    array_dtype: Optional[str] = None
    """The element type that the model's description states, which may differ from the program's."""
    description: str = ""
    """For people."""


@dataclass(frozen=True)
class Function:
    """A function of a program."""

    name: str
    """Its name."""
    opset: str
    """Its op set, such as ``ios18``."""
    inputs: Tuple[Feature, ...]
    """What `Model.predict` takes."""
    outputs: Tuple[Feature, ...]
    """What it gives."""
    states: Tuple[Feature, ...]
    """What a `State` of it holds."""
    ops: Dict[str, int]
    """How often each op occurs, constants left out, the most frequent first."""
    parameters: int
    """Elements of all weights."""
    weight_bytes: int
    """Bytes they take as they are stored."""
    flops: Optional[int]
    """Floating-point operations of one run (a multiply-add is two), where every size is known."""


@dataclass(frozen=True)
class Program:
    """What is in a file."""

    path: Path
    """The file or folder."""
    specification_version: Optional[int]
    """6 for iOS 15, one more for each op set since; nothing for plain MIL text."""
    default_function: Optional[str]
    """The function that runs when none is named."""
    functions: Dict[str, Function]
    """The functions by name."""
