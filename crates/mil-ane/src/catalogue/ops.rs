//! Single ops.

use super::{Confidence, Constraint, Mode, Path, rows};

pub(super) static ROWS: &[Constraint] = rows! {
    "O01" [CompileError] [InMemory] Contradicted
        "`concat` is refused.",
        "M4", "OR 1",
        against "It works in the research (Z1), and for MX, ES (12 inputs and more) and AF. What failed was a concat of channels in training kernels with many outputs; size or alignment is likelier. Warn, do not forbid.";
    "O02" [CompileError] [InMemory Anec] Contradicted
        "`gelu` is refused in every spelling: write the tanh form out.",
        "M4", "OR 10, MI",
        against "E5 and e5rt take it (SEED X1; AF, with the mode given).";
    "O03" [SilentlyWrong] [InMemory] High
        "`scaled_dot_product_attention` ignores its mask.",
        "M4", "MX, OR 6",
        against "On E5 the research ran it without a mask; AF finds that the native layer has one plane of mask for all heads and misapplies one per head.";
    "O04" [SilentlyWrong] [] Medium
        "The native attention layer gives garbage from 4096 positions on, or where both axes are 512 or more: write it out.",
        "M1", "AF",
        against "Another page of the same source has the limits at 2048 positions, and at 512 for the smaller of queries and keys, on M1 and M5.";
    "O05" [CompileError] [InMemory E5] High
        "`transpose_x` and `transpose_y` of `matmul` are both given, as named constants.",
        "M4", "OR, SEED",
        against "AF writes them inline on e5rt, and it works there.";
    "O06" [CompileError] [InMemory] Contradicted
        "`conv` takes no bias: add it in an op of its own.",
        "M4", "OR",
        against "AG finds the bias in the layer's descriptor, and Core ML's MIL has it.";
    "O07" [CompileError] [InMemory] Contradicted
        "`matmul` and attention fail on M1 and M2: use convolutions of 1 x 1.",
        "M1, M2", "MX PR#6",
        against "AG runs them natively on M1. The text's dialect is the likelier cause.";
    "O08" [Slow] [] High
        "A convolution of 1 x 1 is about three times as fast as the matmul it replaces.",
        "M4", "MX, OR";
    "O09" [SilentlyWrong] [InMemory] Contradicted
        "A convolution whose weights are an input compiles, and ignores them.",
        "M3 Max", "FG",
        against "AG and AF run it at batch 1 on M1, and see the compiler crash from batch 2 on.";
    "O10" [RunError] [InMemory] Contradicted
        "After `tile` every run of the process fails with status 0x1d.",
        "M3 Max", "FG",
        against "AF has it correct on e5rt.";
    "O11" [SilentlyWrong] [InMemory] Medium
        "A `mul` that broadcasts over the batch is unreliable among other ops; of equal shapes it is safe.",
        "M3 Max", "FG";
    "O12" [CompileError] [InMemory] Medium
        "`softmax` over an axis that is no power of two is refused: 257 failed, 256 compiled.",
        "M3", "ES";
    "O13" [CompileError] [InMemory] Contradicted
        "`reduce_mean` and `rsqrt` are missing: multiply a sum by 1/n, and raise to -0.5.",
        "M3", "ES",
        against "AG and AF have them native.";
    "O14" [CompileError] [InMemory] Medium
        "`rsqrt` or `sqrt` straight after a reduction fails: use `pow` with -0.5.",
        "M4", "RU";
    "O15" [CompileError] [InMemory] Low
        "`slice_by_index` of an input, an RMS norm and a convolution do not compile in one program.",
        "M3", "ES";
    "O16" [SilentlyWrong] [] High
        "A slice of the last axis that does not begin at 0 multiplies by 16 on the way, so that magnitudes past 4094 become infinite.",
        "M1, M1 Max, M2 Pro; not on M4 and M5", "AG ch3, AF",
        against "M3: clean by AG, not before M4 by AF.";
    "O17" [SilentlyWrong] [] High
        "A `gather` along the last axis is lowered to such slices and has O16.",
        "M1, M2", "AF";
    "O18" [CompileError FallsBack] [] High
        "`gather` has no path on e5rt; on M1 it had one at batch 1 and depth 1 only; under Core ML it runs elsewhere.",
        "M1 and later", "AF, AG, HO";
    "O19" [CompileError] [E5] Medium
        "The epsilon of `layer_norm` has the element type of gamma.",
        "M4 Max", "SEED";
    "O20" [CompileError] [E5] Medium
        "`concat` states `interleave`, and its axis is a scalar int32.",
        "M4 Max", "SEED";
    "O21" [CompileError] [Anec] Medium
        "The bounds of `clip` are fp16.",
        "M4", "MI";
    "O22" [CompileError] [E5] Medium
        "`log` states its epsilon and `gelu` its mode.",
        "not stated", "AF";
    "O23" [CompileError] [Anec] Medium
        "BLOBFILE constants are refused on the C path; lists in the text are taken.",
        "M4", "MI",
        against "They are the ordinary way on e5rt and in memory.";
    "O24" [CompileError] [InMemory] Contradicted
        "`constexpr_affine_dequantize` and a cast to uint8 are refused.",
        "M3", "ES",
        against "MX runs int8 on M4, and AF has the dequantisation correct.";
    "O25" [CompileError] [E5] Medium
        "What a `constexpr_` op gives is not reshaped before it is used; that of a blockwise one goes through an addition of 0 first.",
        "not stated", "AF";
    "O26" [CompileError] [] Medium
        "`cast` to int32 is not implemented; between fp16 and fp32 it is.",
        "M5 class", "AF, AG";
    "O27" [CompileError FallsBack] [] High
        "No path on any chip: reduce_prod, scatter and its kin, one_hot, non_zero, band_part, mod, logical_and, logical_or, logical_xor, rnn, lstm, gru, acos, asin, atanh, cosh, sinh, tan, reverse_sequence, sliding_windows, shape.",
        "all", "AF, AG appA";
    "O28" [CompileError] [] High
        "`cumsum` has no path: multiply by a triangle of ones, which is exact.",
        "all", "AF, AG";
    "O29" [CompileError] [] High
        "No control flow: cond, while_loop, lists.",
        "all", "AF, AG";
    "O30" [CompileError] [] Contradicted
        "`read_state` and `write_state` fail on the direct paths: pair an output with an input.",
        "M1", "AF",
        against "AG lists state as native, through ports that go both ways.";
    "O31" [Slow] [] Medium
        "`sin` and `cos` are native from M3 on; M1 and M2 decompose them.",
        "compiler tables", "AG";
    "O32" [CompileError] [] Medium
        "crop_resize, resample, affine and the symmetric and reflecting pads need M2 or later.",
        "compiler tables", "AG";
    "O33" [CompileError] [] Medium
        "The random ops need the generator of M3 and later, and e5rt does not reach it.",
        "compiler tables; M5 class", "AF, AG";
    "O34" [CompileError SilentlyWrong] [] Medium
        "topk, sort and dynamic_slice are refused on M1; topk fails with k of 3 and 4; sort goes by one lane.",
        "M1", "AF, AG";
    "O35" [CompileError] [] Medium
        "Local response norm has 15 channels at most; space_to_channel batch 1; minmax_norm over channels fails; dynamic_slice works at width 4 only.",
        "M1", "AF";
    "O36" [CompileError] [] Medium
        "The batch of `batch_to_space` divides by the block.",
        "not stated", "AF";
    "O37" [CompileError] [] Medium
        "A `mul` by 0 after a reduction fails: subtract the value from itself.",
        "not stated", "AF";
    "O38" [CompileError SilentlyWrong] [] Medium
        "Of elementwise layers with a scale, the subtraction is refused and the multiplication ignores the scale.",
        "not stated", "AF";
    "O39" [FallsBack] [CoreMl] Contradicted
        "`conv_transpose` and the resizing ops run on the GPU.",
        "M4", "MI",
        against "AF and AG have them native, the resizing ones from M2 on.";
    "O40" [FallsBack] [CoreMl] Low
        "A dilated convolution does not run on the engine.",
        "older chips", "HO";
    "O41" [FallsBack] [CoreMl] Low
        "Broadcasting layers, and C x H x W with C x 1 x 1, leave the engine.",
        "older chips", "HO";
    "O42" [FallsBack] [CoreMl] Low
        "Upsampling by more than 2 leaves the engine.",
        "older chips", "HO";
    "O43" [FallsBack] [CoreMl] High
        "Custom layers, recurrent layers and gathers never run on the engine.",
        "older chips; M5 class", "HO, AF";
    "O44" [FallsBack] [CoreMl] Medium
        "Integer ops run on the CPU, but for constants and casts.",
        "M4", "MI";
    "O45" [FallsBack] [CoreMl] High
        "`slice_update` runs on the CPU.",
        "M4", "MI, AF",
        against "AG lists it as native.";
    "O46" [Hang Crash] [InMemory] High
        "A Metal or IOSurface event attached to a request hangs it, or crashes.",
        "M3 Max, M5 Max", "ES, LS";
    "O47" [SilentlyWrong] [InMemory] Contradicted
        "Weights are fixed by the compile: to unload, overwrite the files and load again changes nothing, and nor does the request's `weightsBuffer`.",
        "M4, M5", "MX m5result, OR 7",
        against "Orion's second version makes the same calls and reports 494 ms in place of 4200 ms; it may have trained on stale weights.";
    "O48" [Crash] [] Medium
        "A process that has used the engine does not fork.",
        "not stated", "AF";
    "O49" [RunError] [InMemory] Medium
        "A program with several procedures is called with the symbol indices of the procedure meant (else status 0x2).",
        "M5", "AI";
    "O50" [] [Anec] Medium
        "Both spellings of a scalar constant are legal, `int32` and `tensor<int32, []>`; arguments come in any order; dead constants are tolerated.",
        "M4", "MI";
};
