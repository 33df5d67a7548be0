"""The lines of `shapes.rs` for ONNX Runtime, on THREADS threads (2): python benches/peers.py [filter]"""
import os
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

FILTER = sys.argv[1] if len(sys.argv) > 1 else ""
RNG = np.random.default_rng(0)


def run(name, nodes, inputs, weights, flops):
    if FILTER not in name:
        return
    value = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
    graph = helper.make_graph(nodes, "g", [value(n, a.shape) for n, a in inputs.items()], [value("y", None)],
                              [numpy_helper.from_array(a, n) for n, a in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("THREADS", 2))
    session = ort.InferenceSession(model.SerializeToString(), options)
    binding = session.io_binding()
    for n, a in inputs.items():
        binding.bind_cpu_input(n, a)
    binding.bind_output("y", "cpu")
    session.run_with_iobinding(binding)
    best, start = 1e9, time.perf_counter()
    while time.perf_counter() - start < 0.3:
        t = time.perf_counter()
        session.run_with_iobinding(binding)
        best = min(best, time.perf_counter() - t)
    print(f"onnx {name:39} {best * 1e6:9.1f} us {flops / best / 1e9:7.1f} GFLOP/s", flush=True)


def rand(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def matmul(name, a, b, transpose, post=None):
    full = f"{name} {a}x{b}" + ("T" if transpose else "")
    flops = 2 * np.prod(a) * b[-2 if transpose else -1]
    if len(b) == 2:
        w = rand(*b)
        nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["a"])]
        nodes.append(helper.make_node("Gelu" if post else "Identity", ["a"], ["y"]))
        w = np.ascontiguousarray(w.T) if transpose else w
        return run(full, nodes, {"x": rand(*a)}, {"w": w, "b": rand(w.shape[1])}, flops)
    nodes = [helper.make_node("Transpose", ["w"], ["t"], perm=[0, 2, 1])] if transpose else []
    nodes.append(helper.make_node("MatMul", ["x", "t" if transpose else "w"], ["y"]))
    run(full, nodes, {"x": rand(*a), "w": rand(*b)}, {}, flops)


def conv(name, c, o, g, size, k, s):
    out = (size + 2 * (k // 2) - k) // s + 1
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[s] * 2, pads=[k // 2] * 4, group=g),
             helper.make_node("Relu", ["c"], ["y"])]
    run(f"{name} {c}>{o} g{g} {size}x{size} k{k} s{s}", nodes, {"x": rand(1, c, size, size)},
        {"w": rand(o, c // g, k, k), "b": rand(o)}, 2 * o * out * out * c // g * k * k)


matmul("bert", [128, 768], [768, 768], True)
matmul("bert", [128, 768], [3072, 768], True, "gelu")
matmul("bert", [128, 3072], [768, 3072], True)
matmul("bert", [12, 128, 64], [12, 128, 64], True)
matmul("bert", [12, 128, 128], [12, 128, 64], False)
matmul("block768", [256, 768], [768, 768], True)
matmul("block768", [256, 768], [3072, 768], True, "gelu")
matmul("block768", [256, 3072], [768, 3072], True)
matmul("gpt2", [1, 768], [768, 768], True)
matmul("gpt2", [1, 768], [3072, 768], True, "gelu")
matmul("gpt2", [1, 3072], [768, 3072], True)
matmul("seed", [256, 64], [64, 64], True)
matmul("seed", [256, 64], [128, 64], True, "gelu")
matmul("seed", [256, 128], [64, 128], True)
matmul("seed", [1, 256, 64], [1, 256, 64], True)
matmul("seed", [1, 256, 256], [1, 256, 64], False)
matmul("resnet", [1, 2048], [1000, 2048], True)
for line in """resnet 3 64 1 224 7 2|resnet 64 64 1 56 1 1|resnet 64 64 1 56 3 1|resnet 64 256 1 56 1 1|resnet 256 64 1 56 1 1
resnet 128 128 1 56 3 2|resnet 128 128 1 28 3 1|resnet 512 128 1 28 1 1|resnet 256 512 1 56 1 2|resnet 256 256 1 14 3 1
resnet 1024 256 1 14 1 1|resnet 256 1024 1 14 1 1|resnet 512 512 1 7 3 1|resnet 2048 512 1 7 1 1|resnet 512 2048 1 7 1 1
mobilenet 3 32 1 224 3 2|mobilenet 32 32 32 112 3 1|mobilenet 96 96 96 112 3 2|mobilenet 144 144 144 56 3 1
mobilenet 384 384 384 14 3 1|mobilenet 960 960 960 7 3 1|mobilenet 16 96 1 112 1 1|mobilenet 144 24 1 56 1 1
mobilenet 384 64 1 14 1 1|mobilenet 320 1280 1 7 1 1|unet 3 32 1 256 3 1|unet 32 64 1 128 3 1|unet 64 128 1 64 3 1
unet 192 64 1 128 3 1|unet 96 32 1 256 3 1|unet 32 3 1 256 3 1""".replace("\n", "|").split("|"):
    name, *sizes = line.split()
    conv(name, *map(int, sizes))
run("softmax 12x128x128", [helper.make_node("Softmax", ["x"], ["y"], axis=-1)], {"x": rand(12, 128, 128)}, {}, 0)
run("layer_norm 128x768", [helper.make_node("LayerNormalization", ["x", "g", "b"], ["y"], axis=-1)],
    {"x": rand(128, 768)}, {"g": rand(768), "b": rand(768)}, 0)
run("transpose [1, 128, 12, 64] [0, 2, 1, 3]", [helper.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 1, 3])],
    {"x": rand(1, 128, 12, 64)}, {}, 0)
run("transpose [1, 12, 128, 64] [0, 1, 3, 2]", [helper.make_node("Transpose", ["x"], ["y"], perm=[0, 1, 3, 2])],
    {"x": rand(1, 12, 128, 64)}, {}, 0)
run("gelu 128x3072", [helper.make_node("Gelu", ["x"], ["y"])], {"x": rand(128, 3072)}, {}, 0)
