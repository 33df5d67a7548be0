"""coremltools predicts with Milwright, as it does with Core ML."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap

import numpy as np
import pytest

os.environ.setdefault("TQDM_DISABLE", "1")
pytest.importorskip("coremltools", reason="skipped: coremltools is not installed")
pytest.importorskip("PIL", reason="skipped: pillow is not installed")

import milwright.coremltools  # noqa: E402

import coremltools as ct  # noqa: E402
from coremltools.converters.mil import Builder as mb  # noqa: E402
from coremltools.converters.mil.mil import types  # noqa: E402
from PIL import Image  # noqa: E402

if sys.platform == "darwin" and not milwright.coremltools.installed():
    pytest.skip("skipped: this is macOS, where Core ML predicts", allow_module_level=True)


def converted(shape, body, dtype=types.fp32, target=ct.target.iOS16, precision=ct.precision.FLOAT32, image=None, **options):
    """A model of one input `x`, of what `body` makes of it; `image`: its output's colours."""

    @mb.program(input_specs=[mb.TensorSpec(shape, dtype)], opset_version=target)
    def program(x):
        return body(x)

    if image is not None:
        program.functions["main"].set_output_types([ct.ImageType(color_layout=image)])
    return ct.convert(program, minimum_deployment_target=target, compute_precision=precision, **options)


def in_fresh_python(script):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


# -- installing ---------------------------------------------------------------


def test_it_is_installed():
    assert milwright.coremltools.installed() and milwright.coremltools.install() is True


@pytest.mark.parametrize("first", ["milwright.coremltools", "coremltools"])
def test_the_order_of_imports_does_not_matter(first, tmp_path):
    path = tmp_path / "model.mlpackage"
    converted((2,), lambda x: mb.exp(x=x, name="y")).save(str(path))
    done = in_fresh_python(f"""
        import {first}
        import milwright.coremltools
        import coremltools as ct
        model = ct.models.MLModel({str(path)!r})
        assert model.predict({{"x": [0.0, 0.0]}})["y"].tolist() == [1, 1]
        """)
    if first != "coremltools":
        assert "libcoremlpython" not in done.stderr, "coremltools misses nothing"


def test_on_macos_nothing_happens_unless_asked():
    in_fresh_python("""
        import sys
        import coremltools as ct
        sys.platform = "darwin"
        import milwright.coremltools
        assert not milwright.coremltools.installed() and not milwright.coremltools.install()
        assert ct.models.model._MLModelProxy is None
        assert milwright.coremltools.install(force=True) and milwright.coremltools.installed()
        assert ct.models.model._MLModelProxy is not None
        """)


def test_without_coremltools_it_says_what_is_missing():
    in_fresh_python("""
        import sys
        sys.modules["coremltools"] = None
        try:
            import milwright.coremltools
        except ImportError as error:
            assert "pip install coremltools" in str(error)
        else:
            raise SystemExit("no error")
        """)


# -- arrays ---------------------------------------------------------------------


def test_halves_come_back_as_floats_and_scalars_as_arrays():
    model = converted((2, 3), lambda x: mb.relu(x=x, name="y"), types.fp16, precision=ct.precision.FLOAT16)
    got = model.predict({"x": np.array([[1, -2, 3], [-4, 5, -6]])})["y"]
    assert got.dtype == np.float32 and got.tolist() == [[1, 0, 3], [0, 5, 0]]
    model = converted((2,), lambda x: mb.reduce_sum(x=x, axes=[0], keep_dims=False, name="y"))
    assert model.predict({"x": np.array([1.5, 2.0])})["y"].tolist() == [3.5]


def test_integers_are_taken_from_floats_as_core_ml_does():
    model = converted((3,), lambda x: mb.add(x=x, y=1, name="y"), types.int32)
    got = model.predict({"x": np.array([1.0, 2.0, 3.0])})["y"]
    assert got.dtype == np.int32 and got.tolist() == [2, 3, 4]


def test_a_list_of_inputs_is_a_batch():
    model = converted((1,), lambda x: mb.add(x=x, y=1.0, name="y"))
    assert [r["y"].tolist() for r in model.predict([{"x": [1.0]}, {"x": [5.0]}])] == [[2], [6]]


def test_an_input_left_out_takes_its_default():
    @mb.program(input_specs=[mb.TensorSpec((2,)), mb.TensorSpec((2,))], opset_version=ct.target.iOS16)
    def program(x, w):
        return mb.add(x=x, y=w, name="y")

    inputs = [ct.TensorType("x", (2,)), ct.TensorType("w", (2,), default_value=np.array([3.0, 3.0], np.float32))]
    model = ct.convert(
        program, inputs=inputs, minimum_deployment_target=ct.target.iOS16, compute_precision=ct.precision.FLOAT32
    )
    assert model.predict({"x": [1.0, 2.0]})["y"].tolist() == [4, 5]
    assert model.predict({"x": [1.0, 2.0], "w": [0.0, 1.0]})["y"].tolist() == [1, 3]
    with pytest.raises(RuntimeError, match="Required input"):
        model.predict({"w": [0.0, 1.0]})


def test_a_classifier_gives_a_label_and_probabilities():
    for classes in (["cat", "dog", "cow"], [7, 8, 9]):
        model = converted(
            (1, 3), lambda x: mb.softmax(x=x, axis=-1, name="p"), classifier_config=ct.ClassifierConfig(classes)
        )
        got = model.predict({"x": np.array([[0.0, 3.0, 1.0]])})
        assert got["classLabel"] == classes[1]
        (probabilities,) = [value for value in got.values() if isinstance(value, dict)]
        assert list(probabilities) == classes and abs(sum(probabilities.values()) - 1) < 1e-6


# -- state and functions --------------------------------------------------------


def stateful():
    @mb.program(
        input_specs=[mb.TensorSpec((2,), types.fp16), mb.StateTensorSpec((2,), types.fp16)],
        opset_version=ct.target.iOS18,
    )
    def program(x, memory):
        before = mb.read_state(input=memory)
        return mb.coreml_update_state(state=memory, value=mb.add(x=before, y=x), name="y")

    return ct.convert(program, minimum_deployment_target=ct.target.iOS18)


def test_states_live_between_predictions():
    model = stateful()
    one, other = model.make_state(), model.make_state()
    for step in range(1, 4):
        assert model.predict({"x": np.array([1.0, 2.0])}, one)["y"].tolist() == [step, 2 * step]
    assert model.predict({"x": np.array([1.0, 2.0])}, state=other)["y"].tolist() == [1, 2]
    assert one.read_state("memory").tolist() == [3, 6] and one.read_state("memory").dtype == np.float32
    one.write_state("memory", np.array([10.0, 20.0]))
    assert model.predict({"x": np.array([1.0, 2.0])}, one)["y"].tolist() == [11, 22]
    one.write_state("memory", [7, 8])
    assert one.read_state("memory").tolist() == [7, 8], "integers too"
    with pytest.raises(RuntimeError, match="its states are memory"):
        one.read_state("other")
    for wrong in (np.zeros(3), ["a", "b"], [None, None]):
        with pytest.raises((RuntimeError, TypeError), match="memory"):
            one.write_state("memory", wrong)
    with pytest.raises(ValueError, match=r"make_state\(\) of this one, .*mlpackage"):
        stateful().predict({"x": np.zeros(2)}, one)


def test_each_function_of_a_model_predicts(tmp_path):
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name, op in {"up": mb.exp, "down": mb.neg if hasattr(mb, "neg") else mb.abs}.items():
        path = str(tmp_path / f"{name}.mlpackage")
        converted((2,), lambda x, op=op: op(x=x, name="y"), target=ct.target.iOS18).save(path)
        descriptor.add_function(path, "main", name)
    descriptor.default_function_name = "up"
    path = str(tmp_path / "both.mlpackage")
    ct.utils.save_multifunction(descriptor, path)
    x = {"x": np.array([-1.0, 0.0])}
    np.testing.assert_allclose(ct.models.MLModel(path).predict(x)["y"], np.exp([-1, 0]), rtol=1e-6)
    np.testing.assert_allclose(ct.models.MLModel(path, function_name="up").predict(x)["y"], np.exp([-1, 0]), rtol=1e-6)
    assert ct.models.MLModel(path, function_name="down").predict(x)["y"].tolist() == [1, 0]


def test_a_pipeline_predicts():
    first = converted((2,), lambda x: mb.add(x=x, y=1.0, name="middle"))
    second = converted((2,), lambda x: mb.mul(x=x, y=10.0, name="y"))
    ct.utils.rename_feature(spec := second.get_spec(), "x", "middle")
    second = ct.models.MLModel(spec, weights_dir=second.weights_dir or "")
    model = ct.utils.make_pipeline(first, second)
    assert model.predict({"x": np.array([1.0, 2.0])})["y"].tolist() == [20, 30]


# -- images -----------------------------------------------------------------------

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize("layout", ["RGB", "BGR"])
def test_colours_arrive_in_the_declared_order_scaled_and_shifted(layout):
    image = ct.ImageType("x", (1, 3, 4, 6), color_layout=layout, scale=0.5, bias=[1, 2, 3])
    model = converted((1, 3, 4, 6), lambda x: mb.relu(x=x, name="y"), inputs=[image])
    got = model.predict({"x": Image.fromarray(PIXELS)})["y"]
    planes = PIXELS.transpose(2, 0, 1)[:: 1 if layout == "RGB" else -1]
    want = planes * np.float32(0.5) + np.array([1, 2, 3], np.float32)[:, None, None]
    np.testing.assert_allclose(got, want[None], rtol=1e-6)


@pytest.mark.parametrize("layout", ["RGB", "BGR", "GRAYSCALE"])
def test_images_come_out_as_they_went_in(layout):
    grey = layout == "GRAYSCALE"
    shape, colors = (1, 1 if grey else 3, 4, 6), getattr(ct.colorlayout, layout)
    image = ct.ImageType("x", shape, color_layout=colors)
    model = converted(shape, lambda x: mb.relu(x=x, name="y"), inputs=[image], image=colors)
    given = Image.fromarray(PIXELS[:, :, 0] if grey else PIXELS)
    got = model.predict({"x": given})["y"]
    assert isinstance(got, Image.Image) and got.mode == given.mode and got.size == (6, 4)
    np.testing.assert_array_equal(np.asarray(got), np.asarray(given))


def test_values_beyond_a_byte_are_clamped_and_rounded():
    model = converted(
        (1, 1, 1, 4),
        lambda x: mb.add(x=mb.mul(x=x, y=2.0), y=-50.25, name="y"),
        inputs=[ct.ImageType("x", (1, 1, 1, 4), color_layout=ct.colorlayout.GRAYSCALE)],
        image=ct.colorlayout.GRAYSCALE,
    )
    given = Image.fromarray(np.array([[0, 26, 100, 255]], np.uint8))
    assert np.asarray(model.predict({"x": given})["y"]).tolist() == [[0, 2, 150, 255]]


def test_halves_of_grey_keep_their_values():
    model = converted(
        (1, 1, 2, 3),
        lambda x: mb.mul(x=x, y=np.float16(0.5), name="y"),
        types.fp16,
        precision=ct.precision.FLOAT16,
        inputs=[ct.ImageType("x", (1, 1, 2, 3), color_layout=ct.colorlayout.GRAYSCALE_FLOAT16)],
        image=ct.colorlayout.GRAYSCALE_FLOAT16,
    )
    given = Image.fromarray(np.array([[0.25, -1, 300], [1, 2, 3]], np.float32))
    got = model.predict({"x": given})["y"]
    assert got.mode == "F" and np.asarray(got).tolist() == [[0.125, -0.5, 150], [0.5, 1, 1.5]]


def test_milwright_itself_takes_images_too(tmp_path):
    path = str(tmp_path / "image.mlpackage")
    image = ct.ImageType("x", (1, 3, 4, 6), color_layout="BGR")
    converted((1, 3, 4, 6), lambda x: mb.relu(x=x, name="y"), inputs=[image]).save(path)
    model = milwright.load(path)
    assert (model.inputs[0].kind, model.inputs[0].colors) == ("image", "bgr")
    got = model.predict({"x": Image.fromarray(PIXELS)})["y"]
    np.testing.assert_array_equal(got[0], PIXELS.transpose(2, 0, 1)[::-1])


def test_an_image_of_another_size_is_refused_with_the_size_that_fits():
    image = ct.ImageType("x", (1, 3, 4, 6))
    model = converted((1, 3, 4, 6), lambda x: mb.relu(x=x, name="y"), inputs=[image])
    with pytest.raises(RuntimeError, match=r"Error computing NN outputs: .*3 wide and 2 high.*resize\(\(6, 4\)\)"):
        model.predict({"x": Image.new("RGB", (3, 2))})


# -- files ------------------------------------------------------------------------


def test_the_package_may_go_before_the_first_prediction():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.mlpackage")
        weight = np.arange(24, dtype=np.float32).reshape(4, 6)
        converted((1, 6), lambda x: mb.linear(x=x, weight=weight, name="y")).save(path)
        model = ct.models.MLModel(path, compute_units=ct.ComputeUnit.CPU_ONLY)
    np.testing.assert_allclose(model.predict({"x": np.ones((1, 6))})["y"], weight.sum(1)[None])


def test_a_model_made_of_a_specification_predicts():
    weight = np.arange(24, dtype=np.float32).reshape(4, 6)
    model = converted((1, 6), lambda x: mb.linear(x=x, weight=weight, name="y"))
    again = ct.models.MLModel(model.get_spec(), weights_dir=model.weights_dir)
    np.testing.assert_allclose(again.predict({"x": np.ones((1, 6))})["y"], weight.sum(1)[None])


def test_a_model_from_memory_predicts():
    weight = np.arange(24, dtype=np.float32).reshape(4, 6)
    model = converted((1, 6), lambda x: mb.linear(x=x, weight=weight, name="y"))
    with open(os.path.join(model.weights_dir, "weight.bin"), "rb") as stream:
        blobs = {"weights/weight.bin": stream.read()}
    asset = ct.models.model.MLModelAsset.from_memory(model.get_spec().SerializeToString(), blobs)
    got = ct.models.CompiledMLModel.from_asset(asset).predict({"x": np.ones((1, 6))})["y"]
    np.testing.assert_allclose(got, weight.sum(1)[None])
    with pytest.raises(RuntimeError, match="leads out"):
        ct.models.model.MLModelAsset.from_memory(b"", {"../escaped": b""})


def test_a_compiled_model_predicts(shared, tmp_path):
    bundle = shared / "models" / "bundles" / "test_linear.mlmodelc"
    if not bundle.is_dir():
        pytest.skip(f"skipped: there is no {bundle}")
    copy = shutil.copytree(bundle, tmp_path / "model.mlmodelc")
    plain = milwright.load(copy)
    inputs = {f.name: np.ones(f.usual_shape, f.dtype) for f in plain.inputs}
    model = ct.models.CompiledMLModel(str(copy))
    for name, value in plain.predict(inputs).items():
        np.testing.assert_allclose(model.predict(dict(inputs))[name], value.astype(np.float32))


def test_compiling_writes_a_bundle_that_predicts(tmp_path):
    weight = np.arange(24, dtype=np.float32).reshape(4, 6)
    model = converted((1, 6), lambda x: mb.linear(x=x, weight=weight, name="y"))
    written = ct.utils.compile_model(model.package_path, str(tmp_path / "model.mlmodelc"))
    for path in (written, model.get_compiled_model_path()):
        got = ct.models.CompiledMLModel(path).predict({"x": np.ones((1, 6), np.float32)})["y"]
        np.testing.assert_allclose(got, weight.sum(1)[None])


def test_a_compiled_model_without_the_function_is_refused_at_once():
    model = converted((2,), lambda x: mb.exp(x=x, name="y"))
    compiled = model.get_compiled_model_path()  # which goes with the model
    assert ct.models.CompiledMLModel(compiled, function_name="main").predict({"x": np.zeros(2)})["y"].tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="invalid"):
        ct.models.CompiledMLModel(compiled, function_name="invalid")


def test_skipping_the_load_skips_it():
    path = converted((2,), lambda x: mb.exp(x=x, name="y")).package_path
    assert ct.models.MLModel(path, skip_model_load=True).get_spec().description.input[0].name == "x"


# -- mistakes ---------------------------------------------------------------------


def test_mistakes_are_said_in_core_mls_words():
    model = converted((2, 3), lambda x: mb.relu(x=x, name="y"))
    with pytest.raises(RuntimeError, match="Error computing NN outputs: .*run/input-shape"):
        model.predict({"x": np.zeros((3, 3))})
    with pytest.raises(KeyError, match="does not match any of the model input"):
        model.predict({"z": np.zeros((2, 3))})


def test_mistakes_name_the_file_the_place_and_the_remedy():
    model = converted((2, 3), lambda x: mb.relu(x=x, name="y"))
    for wrong in (np.zeros((3, 3)), np.zeros((2, 3), object), np.zeros((2, 3), complex), "text", None, np.zeros(())):
        with pytest.raises((RuntimeError, TypeError)) as caught:
            model.predict({"x": wrong})
        said = str(caught.value)
        assert model.package_path in said and "x" in said and ("; " in said or "give" in said), said
    with pytest.raises(RuntimeError, match="mlpackage .*tensor<fp32"):
        model.predict({})
    with pytest.raises(RuntimeError, match="Required input"):
        model.predict([{"x": np.zeros((2, 3))}, {}])


def test_threads_may_share_a_model_from_the_first_prediction_on():
    from concurrent.futures import ThreadPoolExecutor

    for _ in range(5):
        model = converted((2,), lambda x: mb.exp(x=x, name="y"))
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: model.predict({"x": np.zeros(2)})["y"].tolist(), range(32)))
        assert results == [[1, 1]] * 32


def test_what_is_no_ml_program_loads_with_a_warning(tmp_path):
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder

    builder = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", None)])
    builder.add_activation("relu", "RELU", "x", "y")
    with pytest.warns(RuntimeWarning, match="not be able to run predict"):
        model = ct.models.MLModel(builder.spec)
    with pytest.raises(RuntimeError):
        model.predict({"x": np.zeros(3)})


def test_the_rest_of_the_surface_answers():
    model = converted((2,), lambda x: mb.exp(x=x, name="y"))
    assert model.last_predict_duration_in_nano_seconds is None
    assert model.load_duration_in_nano_seconds > 0, "before the first prediction too"
    model.predict({"x": [1.0, 2.0]})
    assert model.load_duration_in_nano_seconds > 0 and model.last_predict_duration_in_nano_seconds > 0
    (device,) = ct.models.MLModel.get_available_compute_devices()
    assert isinstance(device, ct.models.compute_device.MLCPUComputeDevice)
