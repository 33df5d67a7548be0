"""The stub of the extension module says what the module has."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import milwright
from milwright import _native

STUB = ast.parse((Path(milwright.__file__).parent / "_native.pyi").read_text())


def documented(node):
    return [n for n in node.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]


def pairs():
    """Each function, class, method and property of the stub with that of the module."""
    for node in documented(STUB):
        thing = getattr(_native, node.name)
        yield node.name, node, thing
        if isinstance(node, ast.ClassDef):
            for member in documented(node):
                yield f"{node.name}.{member.name}", member, getattr(thing, member.name)


def test_the_stub_names_what_the_module_has():
    named = {n.name for n in documented(STUB)} | {"__version__"}
    assert named == set(_native.__all__) == {n for n in vars(_native) if not n.startswith("__")} | {"__version__"}
    for node in (n for n in STUB.body if isinstance(n, ast.ClassDef)):
        public = {n for n in vars(getattr(_native, node.name)) if not n.startswith("_")}
        assert public == {m.name for m in documented(node) if not m.name.startswith("_")}


def test_the_stub_and_the_module_say_the_same_in_their_docstrings():
    for name, node, thing in pairs():
        said = ast.get_docstring(node)
        if said is not None:
            assert inspect.cleandoc(thing.__doc__) == said, name
        else:
            assert name.split(".")[-1].startswith("__"), f"{name} has no docstring"


def test_signatures_agree_to_the_type_checker():
    pytest.importorskip("mypy", reason="skipped: mypy is not installed")
    command = [sys.executable, "-m", "mypy.stubtest", "milwright._native"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_typed():
    assert (Path(milwright.__file__).parent / "py.typed").exists()
    assert set(milwright.__all__) <= set(dir(milwright))


def test_a_users_script_passes_the_strict_type_checker(tmp_path):
    pytest.importorskip("mypy", reason="skipped: mypy is not installed")
    script = tmp_path / "script.py"
    script.write_text(
        """
import numpy as np
import milwright
import milwright.coremltools
from milwright import images

model = milwright.load("model.mlpackage", runtime="cpu", function="main", threads=4)
state: milwright.State = model.make_state()
outputs = model.predict({"x": np.zeros(3), "y": [1, 2], "z": 1.5}, state=state)
state["memory"] = np.ones(3)
shape = model.inputs[0].shape
for diagnostic in milwright.check("model.mil"):
    print(diagnostic.place.file if diagnostic.place else diagnostic.code)
print(images.from_array(np.zeros((1, 3, 2, 2))).size, milwright.coremltools.install(threads=2))
wrong: int = model.function
"""
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    (mistake,) = [line for line in done.stdout.splitlines() if "error" in line and "Found" not in line]
    assert "Incompatible types in assignment" in mistake, "the types are known, and everything else fits"
