"""Does coremltools take the packages we write?

    check_package.py OURS.mlpackage [ORIGINAL.mlpackage]

Loads the package with `ct.models.MLModel`, turns its program into coremltools' own (which type-checks every op), reads
every blob with the reader of coremltools, and compares with the original where one is given. Exit status 0 if all is
well, 77 without coremltools.
"""

import sys
from pathlib import Path

for heavy in ("torch", "tensorflow", "sklearn", "xgboost"):
    sys.modules[heavy] = None  # coremltools imports them when it can; not needed here

try:
    import coremltools as ct
    from coremltools import libmilstoragepython
    from coremltools.converters.mil.frontend.milproto.load import load
except ImportError:
    sys.exit(77)


def blobs(message, found):
    """Every blobFileValue with the type around it, in any message."""
    if message.DESCRIPTOR.name == "Value" and message.WhichOneof("value") == "blobFileValue":
        found.append((message.type.tensorType, message.blobFileValue))
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = value.values() if field.message_type.fields_by_name["value"].message_type else []
        else:
            values = value if isinstance(value, (list, tuple)) or hasattr(value, "__len__") else [value]
        for item in values:
            blobs(item, found)


READERS = {10: "fp16", 11: "float", 21: "int8", 22: "int16", 23: "int32", 25: "int4", 31: "uint8", 32: "uint16",
           33: "uint32", 35: "uint4", 36: "uint2", 37: "uint1", 38: "uint6", 39: "uint3"}


def main(path, original=None):
    spec = ct.utils.load_spec(path)
    model = ct.models.MLModel(path, skip_model_load=True)
    program = load(spec, specification_version=spec.specificationVersion, file_weights_dir=model.weights_dir)
    print("functions:", ", ".join(program.functions), "ops:", sum(len(f.operations) for f in program.functions.values()))
    found = []
    blobs(spec.mlProgram, found)
    if found:
        reader = libmilstoragepython._BlobStorageReader(str(Path(model.weights_dir) / "weight.bin"))
        for ty, blob in found:
            data = getattr(reader, f"read_{READERS[ty.dataType]}_data")(blob.offset)
            count = 1
            for dimension in ty.dimensions:
                count *= dimension.constant.size
            assert len(data) == count, (blob.offset, len(data), count)
    print("blobs read:", len(found))
    if original is not None:
        assert spec == ct.utils.load_spec(original), "the model differs from the original"
        weights = "Data/com.apple.CoreML/weights/weight.bin"
        ours, theirs = Path(path) / weights, Path(original) / weights
        assert ours.exists() == theirs.exists()
        assert not ours.exists() or ours.read_bytes() == theirs.read_bytes(), "the weights differ"


main(*sys.argv[1:])
