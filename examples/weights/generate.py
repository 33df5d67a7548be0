"""Writes the weight files of the examples: python3 examples/weights/generate.py

Deterministic and without dependencies. The layout is that of `weight.bin` (docs: ARCHITECTURE.md, "Weights"): a file header,
then for each tensor a 64-byte record and its fp16 elements, each starting at a multiple of 64.
"""

import struct
from pathlib import Path

FP16 = 1
HERE = Path(__file__).parent


def values(seed, count, centre, spread):
    """Numbers in centre +- spread, from a 32-bit linear congruential generator."""
    state = seed
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        yield centre + spread * (state / 2**31 - 1)


def write(path, tensors):
    data = struct.pack("<II56x", len(tensors), 2)
    for seed, (name, count, centre, spread) in enumerate(tensors, 1):
        payload = struct.pack(f"<{count}e", *values(seed, count, centre, spread))
        print(f"{path.name}: {name} at offset {len(data)}")
        data += struct.pack("<IIQQ40x", 0xDEADBEEF, FP16, len(payload), len(data) + 64) + payload
        data += bytes(-len(data) % 64)
    path.write_bytes(data)


write(HERE / "linear.bin", [("weight", 64 * 64, 0, 0.1), ("bias", 64, 0, 0.1)])
write(
    HERE / "transformer_block.bin",
    [
        ("gamma1", 64, 1, 0.1),
        ("beta1", 64, 0, 0.1),
        ("gamma2", 64, 1, 0.1),
        ("beta2", 64, 0, 0.1),
        ("w1", 128 * 64, 0, 0.1),
        ("b1", 128, 0, 0.1),
        ("w2", 64 * 128, 0, 0.1),
        ("b2", 64, 0, 0.1),
    ],
)
