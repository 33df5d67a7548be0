#!/usr/bin/env python3
"""Writes the models that `compressed.py` measures: random weights in every compressed form that coremltools writes.

    pip install coremltools 'numpy<2.3' scikit-learn
    python benches/compressed_models.py FOLDER [--blocks 12] [form ...]

A model is a stack of transformer blocks of width 768 (about 7 million weights a block, fp16): `encoder-FORM` takes 128
rows at once and begins with an embedding of 8,192 rows, `decoder-FORM` takes one row, as a language model's step does.
"""
import argparse
from pathlib import Path

import coremltools as ct
import coremltools.optimize.coreml as cto
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.converters.mil.mil import types

WIDTH, INNER, HEADS, VOCABULARY = 768, 3072, 12, 8192


def half(rng, *shape):
    return (rng.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float16)


def block(x, rows, rng):
    def linear(x, outputs, inputs):
        return mb.linear(x=x, weight=half(rng, outputs, inputs), bias=half(rng, outputs))

    def norm(x):
        return mb.layer_norm(x=x, axes=[-1], gamma=np.ones(WIDTH, np.float16), beta=np.zeros(WIDTH, np.float16), epsilon=np.float16(1e-5))

    def heads(x):
        return mb.transpose(x=mb.reshape(x=x, shape=[1, rows, HEADS, WIDTH // HEADS]), perm=[0, 2, 1, 3])

    y = norm(x)
    q, k, v = (heads(linear(y, WIDTH, WIDTH)) for _ in range(3))
    scores = mb.mul(x=mb.matmul(x=q, y=k, transpose_y=True), y=np.float16(0.125))
    y = mb.matmul(x=mb.softmax(x=scores, axis=-1), y=v)
    y = mb.reshape(x=mb.transpose(x=y, perm=[0, 2, 1, 3]), shape=[1, rows, WIDTH])
    x = mb.add(x=x, y=linear(y, WIDTH, WIDTH))
    y = mb.gelu(x=linear(norm(x), INNER, WIDTH), mode="TANH_APPROXIMATION")
    return mb.add(x=x, y=linear(y, WIDTH, INNER))


def program(kind, blocks):
    rng = np.random.default_rng(1)
    if kind == "encoder":
        @mb.program(input_specs=[mb.TensorSpec(shape=(128,), dtype=types.int32)], opset_version=ct.target.iOS18)
        def main(ids):
            x = mb.expand_dims(x=mb.gather(x=half(rng, VOCABULARY, WIDTH), indices=ids, axis=0), axes=[0])
            for _ in range(blocks):
                x = block(x, 128, rng)
            return x
    else:
        @mb.program(input_specs=[mb.TensorSpec(shape=(1, 1, WIDTH), dtype=types.fp16)], opset_version=ct.target.iOS18)
        def main(x):
            for _ in range(blocks):
                x = block(x, 1, rng)
            return x
    return main


def palettized(**how):
    return lambda m: cto.palettize_weights(m, cto.OptimizationConfig(global_config=cto.OpPalettizerConfig(mode="uniform", **how)))


def quantized(**how):
    return lambda m: cto.linear_quantize_weights(m, cto.OptimizationConfig(global_config=cto.OpLinearQuantizerConfig(**how)))


def pruned(m):
    # Three in four of the random weights are below this.
    config = cto.OpThresholdPrunerConfig(threshold=1.15 * 0.02, minimum_sparsity_percentile=0.5)
    return cto.prune_weights(m, cto.OptimizationConfig(global_config=config))


def joint(m):
    config = cto.OptimizationConfig(global_config=cto.OpPalettizerConfig(mode="uniform", nbits=4))
    return cto.palettize_weights(pruned(m), config, joint_compression=True)


FORMS = {
    "fp16": lambda m: m,
    "lut4": palettized(nbits=4),
    "lut6": palettized(nbits=6),
    "lut4-grouped": palettized(nbits=4, granularity="per_grouped_channel", group_size=16),
    "int8": quantized(mode="linear_symmetric", dtype="int8"),
    "int4-blocks": quantized(mode="linear", dtype="int4", granularity="per_block", block_size=32),
    "sparse75": pruned,
    "sparse75-lut4": joint,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("forms", nargs="*", metavar="form", help=f"of {', '.join(FORMS)} [default: all]")
    parser.add_argument("--blocks", type=int, default=12)
    o = parser.parse_args()
    for kind in ["encoder", "decoder"]:
        model = ct.convert(program(kind, o.blocks), minimum_deployment_target=ct.target.iOS18, compute_precision=ct.precision.FLOAT16,
                           skip_model_load=True, pass_pipeline=ct.PassPipeline.EMPTY)
        for form in o.forms or FORMS:
            path = o.folder / f"{kind}-{form}.mlpackage"
            if not path.exists():
                FORMS[form](model).save(str(path))
                print(path, flush=True)


if __name__ == "__main__":
    main()
