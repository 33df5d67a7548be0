//! Types, shapes and limits.

use super::{Confidence, Constraint, Mode, Path, rows};

pub(super) static ROWS: &[Constraint] = rows! {
    "L01" [CompileError FallsBack] [] High
        "Rank is 5 at most; 6 is refused. Under Core ML rank 5 already runs elsewhere.",
        "all", "AF, MI";
    "L02" [CompileError FallsBack] [] High
        "The engine computes in fp16. Arithmetic in fp32, int32 or bf16 is refused on the direct paths and runs elsewhere under Core ML.",
        "all", "AF, AG ch3, MI";
    "L03" [CompileError FallsBack] [] High
        "Width, height and depth are 16384 at most on M1 to M3, and 65536 on M4 and M5.",
        "compiler tables; 16384 measured", "AG appA, HO";
    "L04" [CompileError] [] Medium
        "Channels and batch are 65536 at most; batch 4096 before M1.",
        "compiler tables", "AG appA";
    "L05" [CompileError] [] High
        "A vocabulary head of 32000 outputs is too wide for M1 to M3 (L03): split it.",
        "M1 to M3", "AF issue 181, MX PR#26";
    "L06" [CompileError] [] Medium
        "The extents after a transpose have the limits of L03.",
        "compiler tables", "AG";
    "L07" [CompileError] [] High
        "A convolution kernel is at most 13 wide on M1 and 15 on later chips (the tables say 16), and 29 or 32 high: 16 high by 3 wide compiles, 3 by 16 fails.",
        "M1 to M5", "AF, AG appA";
    "L08" [Slow] [] Medium
        "A grouped convolution stays one op while input channels x kernel width x kernel height is 2048 at most; else it is decomposed.",
        "compiler tables", "AG appA";
    "L09" [CompileError Slow] [] Medium
        "Groups divide the channels, best into multiples of four times the cores.",
        "compiler tables", "AG";
    "L10" [CompileError] [] Medium
        "A convolution over three axes fails on every chip, against the compiler's own table.",
        "M1", "AG ch24";
    "L11" [CompileError] [] Medium
        "No dimension is 0.",
        "not stated", "AF";
    "L12" [CompileError] [] Medium
        "Symbolic and unknown dimensions are read and then refused: one program for each shape.",
        "M1", "AG ch19";
    "L13" [CompileError] [] Medium
        "matmul has depth 1, and rank 5 with a batch is refused; linear has rank below 5.",
        "not stated", "AF, AG";
    "L14" [CompileError SilentlyWrong] [] High
        "The axis of an argmax has 2048 elements at most: the index is an fp16 and exact only below that.",
        "not stated", "AF, AG";
    "L15" [CompileError Slow] [] Medium
        "Small channel counts fail or waste lanes: 64 was the least on M5; multiples of 64 do best.",
        "M5, M3", "MX m5result, ES";
    "L16" [CompileError] [InMemory] Low
        "On one M3 Pro only the variants of a benchmark with 512 channels compiled.",
        "M3 Pro", "MX benchmarks";
    "L17" [CompileError] [InMemory] Medium
        "A trainer's kernels need a model dimension that is a multiple of 128 and a hidden one that is a multiple of 16.",
        "M4", "RU";
    "L18" [Slow] [] Medium
        "Past a model dimension of 4096 the time jumps: at 5120 a layer took 4.7 times as long.",
        "M4 Max", "RU";
    "L19" [Slow] [] Medium
        "A working set past 2 MB (M1) or 4.72 MB (M5) spills.",
        "M1, M5", "AG ch21, AF";
    "L20" [Slow] [] Medium
        "A layer whose weights pass 64 KB unstreamed, or 16 MB in any case, is split.",
        "compiler tables", "AG ch24";
    "L21" [CompileError] [Anec] Medium
        "A program has about 3200 ops at most, beyond which the compiler returns -14: split it.",
        "M4", "MI shard.rs";
    "L22" [FallsBack] [] Medium
        "A program is 2 GiB at most up to macOS 26, and 1 GiB on macOS 27; a larger one runs on the CPU and nothing says so.",
        "M2, macOS 27.0.1", "EE",
        against "Measured through Core ML only, in the notes of one project.";
    "L23" [CompileError Crash] [InMemory] Contradicted
        "After about 119 compiles a process compiles no more, until it is started again (about 50 ms).",
        "M4", "MX, OR 5",
        against "FG and AF say that what is limited is the programs loaded at a time, about 128, and that unloading gives room. Count both.";
    "L24" [Slow] [] Medium
        "After failed compiles wait about 15 seconds: a burst of them stalls the compile service.",
        "M1", "AG ch19";
    "L25" [Slow] [] Medium
        "Twelve or more parallel branches that meet in one op make the compiler search for seconds.",
        "M1", "AG ch19";
    "L26" [Hang] [] Medium
        "A convolution with weights to be trained over a large batch compiles in 1.9 s at 4, 35 s at 64, 79 s at 128, and never at 1000.",
        "M1", "AG ch19";
    "L27" [SilentlyWrong] [] High
        "An unknown TargetArchitecture is ignored without a word.",
        "macOS 26", "TMC, AF";
    "L28" [CompileError] [] Medium
        "Factors of tile, pixel shuffle and stride are 2, 3, 4 or 8.",
        "compiler tables", "AG appA";
    "L29" [CompileError FallsBack] [] Medium
        "A pooling window is 29 at most on M1 and 31 later.",
        "compiler tables; older chips under Core ML", "AG, HO",
        against "HO, on older chips under Core ML: kernels past 13 or strides past 2 already leave the engine.";
    "L30" [Slow] [] Medium
        "Reducing an axis of 192 elements or more (M1, M2) or 384 (later) goes by way of a transpose.",
        "compiler tables", "AG appA";
    "L31" [] [] Low
        "The table of an activation has 86 bytes, and only those the compiler knows can be used.",
        "compiler tables", "AG";
};
