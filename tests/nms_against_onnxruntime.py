#!/usr/bin/env python3
"""Compare non_maximum_suppression with ONNX Runtime's NonMaxSuppression on random boxes.

    MIL_RUNNER=target/release/milwright python tests/nms_against_onnxruntime.py [CASES]

Needs coremltools, onnx and onnxruntime. coremltools' own tests of the op need TensorFlow. Exit status 1 if a selection differs.
"""

import os
import subprocess
import sys
import tempfile

import coremltools as ct
import numpy as np
import onnxruntime
from coremltools.converters.mil import Builder as mb
from onnx import TensorProto, helper

# Below every score that is drawn.
NO_SCORE = -1e30


def onnx_selection(boxes, scores, iou, threshold):
    """Rows of batch, class, box."""
    node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "threshold"], ["out"], center_point_box=1)
    floats = [("boxes", boxes.shape), ("scores", scores.shape), ("iou", [1]), ("threshold", [1])]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in floats]
    inputs.append(helper.make_tensor_value_info("most", TensorProto.INT64, [1]))
    output = helper.make_tensor_value_info("out", TensorProto.INT64, None)
    graph = helper.make_graph([node], "nms", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 8
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"boxes": boxes, "scores": scores, "most": np.array([boxes.shape[1]], np.int64)}
    feed |= {"iou": np.array([iou], np.float32), "threshold": np.array([threshold], np.float32)}
    return session.run(None, feed)[0]


def wanted(boxes, scores, iou, threshold, per_class, most):
    best, label = scores[0].max(-1), scores[0].argmax(-1)
    by_class = np.full((1, scores.shape[2] if per_class else 1, len(best)), NO_SCORE, np.float32)
    by_class[0, label if per_class else 0, np.arange(len(best))] = best
    found = onnx_selection(boxes, by_class, iou, max(threshold, NO_SCORE / 10))[:, 2].tolist()
    found = sorted(found, key=lambda box: -best[box])[:most] or [int(best.argmax())]
    return np.array(found + [-1] * (most - len(found)))


def ours(folder, boxes, scores, iou, threshold, per_class, most, ios17):
    if ios17:
        boxes, scores = boxes.transpose(0, 2, 1).copy(), scores.transpose(0, 2, 1).copy()
    target = ct.target.iOS17 if ios17 else ct.target.iOS15
    arguments = {"iou_threshold": iou, "max_boxes": most, "per_class_suppression": per_class}
    if not ios17:
        arguments["score_threshold"] = threshold

    @mb.program(input_specs=[mb.TensorSpec(shape=boxes.shape), mb.TensorSpec(shape=scores.shape)], opset_version=target)
    def program(boxes, scores):
        return mb.non_maximum_suppression(boxes=boxes, scores=scores, **arguments)

    precision = ct.precision.FLOAT32
    model = ct.convert(program, convert_to="mlprogram", compute_precision=precision, minimum_deployment_target=target)
    model.save(f"{folder}/nms.mlpackage")
    np.savez(f"{folder}/in.npz", boxes=boxes, scores=scores)
    files = ["--input", f"{folder}/in.npz", "--output", f"{folder}/out.npz"]
    subprocess.run([os.environ["MIL_RUNNER"], "predict", f"{folder}/nms.mlpackage", *files], check=True)
    outputs = np.load(f"{folder}/out.npz")
    return next(outputs[k][0] for k in outputs.files if outputs[k].shape == (1, most) and outputs[k].dtype == np.int32)


def main():
    random, differ = np.random.default_rng(0), 0
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    for case in range(cases):
        count, classes, most = int(random.integers(5, 60)), int(random.integers(1, 5)), int(random.integers(2, 40))
        iou, threshold = float(random.choice([0.05, 0.3, 0.6])), float(random.choice([-200, 0, 40]))
        per_class, ios17 = bool(case % 2), case % 3 == 0
        threshold = NO_SCORE if ios17 else threshold
        boxes = random.uniform(0, 100, (1, count, 4)).astype(np.float32)
        scores = random.uniform(-100, 100, (1, count, classes)).astype(np.float32)
        want = wanted(boxes, scores, iou, threshold, per_class, most)
        with tempfile.TemporaryDirectory() as folder:
            got = ours(folder, boxes, scores, iou, threshold, per_class, most, ios17)
        if not np.array_equal(got, want):
            differ += 1
            print(f"case {case}: {got.tolist()} is not {want.tolist()}")
    print(f"{cases} cases, {differ} differ")
    sys.exit(differ > 0)


main()
