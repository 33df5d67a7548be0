//! Surfaces and I/O.

use super::{Confidence, Constraint, Mode, Path, rows};

pub(super) static ROWS: &[Constraint] = rows! {
    "S01" [RunError] [InMemory] High
        "All input surfaces of a program have one byte size: pad the smaller ones to the largest (else status 0x1d).",
        "M4, M5, M3 Max", "OR 12, AI, FG";
    "S02" [RunError] [InMemory] High
        "All output surfaces of a program have one byte size (else status 0x1d).",
        "M4", "OR 2";
    "S03" [SilentlyWrong] [InMemory] High
        "Inputs are bound in the alphabetical order of their names in the MIL text, not in the order they are declared.",
        "M4 (all six orders of three inputs), M3 Max", "OR 13, ES";
    "S04" [SilentlyWrong] [InMemory] High
        "Outputs are bound in the alphabetical order of their names, not in the order they are returned.",
        "M4, M3 Max", "OR 3, ES";
    "S05" [RunError] [InMemory] Contradicted
        "A surface holds at least about 48 KB: 768 channels by 16 in fp16; the last axis is 16 or more.",
        "M4", "OR 4",
        against "The research ran 64 x 32, 4 KB, on an M4 Max; FG puts the limit at a last axis of 32 (S06). A last axis of 32 or more and 48 KB satisfy everybody.";
    "S06" [SilentlyWrong RunError] [InMemory] Contradicted
        "The last axis of an input given at run time has 32 elements or more: 16 and 1 gave garbage or an error.",
        "M3 Max, macOS 26.3", "FG",
        against "AG counts a granule of 16 bytes of width, and Orion's smallest surface has a last axis of 16. 32 is safe for all.";
    "S07" [RunError] [InMemory] High
        "A last axis of 1 fails when it runs (status 0x1d, type 0x9).",
        "M3 Max", "ES, FG";
    "S08" [SilentlyWrong] [InMemory] High
        "Data is read packed, in the shape the MIL text declares, from the first byte of the surface; rows have no stride, even in a larger surface. Laid out otherwise, results were about 260 times too small.",
        "M4", "OR 14";
    "S09" [RunError] [InMemory] Medium
        "The last axis is a multiple of 16 elements.",
        "M4; the Linux driver for M1 demands it too", "RU, LIB";
    "S10" [Slow] [] Medium
        "A last axis of a multiple of 64 bytes (32 elements of fp16) is accessed in place; other surfaces are copied.",
        "all", "AG ch21, HO";
    "S11" [CompileError] [] High
        "Inputs and outputs are fp16, int8, uint8, int16 or uint16. fp32 needs a cast inside the program; bool, int32 and bf16 are not taken.",
        "all", "AF, AG ch4";
    "S12" [CompileError] [InMemory] Contradicted
        "On M1 and M2 the cast from and to fp32 at the boundary is refused: use fp16 inputs and outputs.",
        "M1, M2", "MX PR#6",
        against "AG lists the cast between fp16 and fp32 as native on M1.";
    "S13" [RunError] [InMemory] Contradicted
        "A program has a single input.",
        "M4, early work", "MX",
        against "Refuted: OR, FG and AI run several inputs where all have one size (S01).";
    "S14" [RunError] [InMemory] Medium
        "A key-value cache packed into the channels fails; packed into the last axis, 32 wide, it works.",
        "M3", "ES";
    "S15" [CompileError] [] High
        "Every returned name is computed by an op of the program (else InvalidMILProgram).",
        "all", "OR";
    "S16" [CompileError] [] Medium
        "Four-character image formats as input reach the compiler's back end and fail without an entitlement: take uint8.",
        "M1", "AG ch19";
    "S17" [Crash] [InMemory] Contradicted
        "The dictionary of weights is empty, never nil.",
        "M4", "OR 11",
        against "The research passes nil on M4 Max with macOS 15, and it works. An empty dictionary is right for both.";
    "S18" [Crash] [InMemory] High
        "The MIL text is passed as `NSData` in UTF-8; a string crashes.",
        "M4", "OR 9";
    "S19" [SilentlyWrong] [InMemory] High
        "The offset of a BLOBFILE is that of the record (64 for the first), not of the data behind it (128).",
        "M4", "OR 8";
    "S20" [CompileError] [InMemory] Medium
        "On M1 a weight file holds one tensor: several records in one file fail.",
        "M1", "MX PR#6";
    "S21" [CompileError] [E5] Medium
        "Names and shapes of inputs and outputs equal those of the model description handed to the engine, and the folder of the bundle cache, `~/Library/Caches/<program>/`, is writable.",
        "M4 Max, macOS 15", "SEED";
};
