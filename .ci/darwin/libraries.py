"""Prints the libraries that an arm64 Mach-O executable loads, one a line; fails for any other file."""

import struct
import sys

with open(sys.argv[1], "rb") as file:
    header = file.read(32)
    magic, cpu, _, kind, commands, _, _, _ = struct.unpack("<8I", header)
    if (magic, cpu, kind) != (0xFEEDFACF, 0x0100000C, 2):
        sys.exit(f"{sys.argv[1]} is no arm64 Mach-O executable")
    for _ in range(commands):
        command, size = struct.unpack("<2I", file.read(8))
        body = file.read(size - 8)
        # LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
        if command in (0xC, 0x80000018, 0x8000001F):
            (offset,) = struct.unpack_from("<I", body)
            print(body[offset - 8 :].split(b"\0")[0].decode())
