//! The products against the definition.

use super::*;
use crate::binary::Binary;
use crate::epilogue::{Along, PostOp};
use crate::testing::{Random, assert_close};
use crate::unary::Unary;
use mil_base::f16;

fn reference(m: usize, k: usize, n: usize, ta: bool, tb: bool, a: &[f32], b: &[f32]) -> Vec<f64> {
    let mut c = vec![0f64; m * n];
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = (0..k)
                .map(|p| {
                    let x = if ta { a[p * m + i] } else { a[i * k + p] };
                    let y = if tb { b[j * k + p] } else { b[p * n + j] };
                    f64::from(x) * f64::from(y)
                })
                .sum();
        }
    }
    c
}

fn run(plan: &Matmul, a: Floats<'_>, b: Floats<'_>, n: usize, e: &Epilogue, o: &[Floats<'_>]) -> Vec<f32> {
    let pool = Pool::new(2).unwrap();
    let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
    let scratch = bytemuck::cast_slice_mut(&mut scratch);
    let mut c = vec![f32::NAN; n];
    plan.run(a, b, FloatsMut::F32(&mut c), e, o, scratch, &pool);
    c
}

#[test]
fn every_route_and_odd_size_matches() {
    let mut random = Random::new(3);
    let mut sizes: Vec<[usize; 3]> = vec![
        [0, 3, 4],
        [3, 0, 4],
        [1, 300, 70],
        [3, 70, 2100],
        [12, 600, 32],
        [128, 64, 3],
        [700, 1100, 300],
    ];
    for _ in 0..30 {
        sizes.push([1 + random.below(60), 1 + random.below(300), 1 + random.below(80)]);
    }
    for [m, k, n] in sizes {
        let (a, b) = (random.vec(m * k, 1.0), random.vec(k * n, 1.0));
        for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
            let (sa, sb) = (if ta { [k, m] } else { [m, k] }, if tb { [n, k] } else { [k, n] });
            let spec = MatmulSpec { a: &sa, b: &sb, transpose_a: ta, transpose_b: tb };
            let plan = Matmul::new(&spec, 2).unwrap();
            let want = reference(m, k, n, ta, tb, &a, &b);
            let got = run(&plan, Floats::F32(&a), Floats::F32(&b), m * n, Epilogue::NONE, &[]);
            assert_close(&got, &want, 2e-5, &format!("{m}x{k}x{n} {ta} {tb}"));
            let half = |v: &[f32]| v.iter().map(|&v| f16::from_f32(v)).collect::<Vec<_>>();
            let (ha, hb) = (half(&a), half(&b));
            let got = run(&plan, Floats::F16(&ha), Floats::F16(&hb), m * n, Epilogue::NONE, &[]);
            let wide = |v: &[f16]| v.iter().map(|v| v.to_f32()).collect::<Vec<_>>();
            let want = reference(m, k, n, ta, tb, &wide(&ha), &wide(&hb));
            assert_close(&got, &want, 2e-5, &format!("fp16 {m}x{k}x{n} {ta} {tb}"));
        }
    }
}

#[test]
fn batches_broadcast() {
    let mut random = Random::new(4);
    for (sa, sb) in [
        (vec![3, 2, 5, 7], vec![2, 7, 6]),
        (vec![4, 5, 7], vec![7, 6]),
        (vec![5, 7], vec![4, 7, 6]),
        (vec![2, 1, 5, 7], vec![3, 7, 6]),
    ] {
        let spec = MatmulSpec { a: &sa, b: &sb, transpose_a: false, transpose_b: false };
        let plan = Matmul::new(&spec, 2).unwrap();
        let shape = plan.batch_shape().to_vec();
        let count: usize = shape.iter().product();
        let (a, b) = (random.vec(sa.iter().product(), 1.0), random.vec(sb.iter().product(), 1.0));
        let got = run(&plan, Floats::F32(&a), Floats::F32(&b), count * 30, Epilogue::NONE, &[]);
        let (ba, bb) = (&sa[..sa.len() - 2], &sb[..sb.len() - 2]);
        let (ta, tb) = (broadcast_strides(ba, &shape).unwrap(), broadcast_strides(bb, &shape).unwrap());
        let offset = |strides: &[usize], mut i: usize| {
            let mut at = 0;
            for d in (0..shape.len()).rev() {
                at += i % shape[d] * strides[d];
                i /= shape[d];
            }
            at
        };
        for i in 0..count {
            let (oa, ob) = (offset(&ta, i), offset(&tb, i));
            let want = reference(5, 7, 6, false, false, &a[oa * 35..][..35], &b[ob * 42..][..42]);
            assert_close(&got[i * 30..][..30], &want, 1e-5, &format!("{sa:?} {sb:?} {i}"));
        }
    }
    let spec = MatmulSpec { a: &[2, 3], b: &[4, 2], transpose_a: false, transpose_b: false };
    assert!(Matmul::new(&spec, 2).is_none());
}

#[test]
fn the_epilogue_runs_in_order_and_rounds_between() {
    let mut random = Random::new(5);
    for (m, k, n, tb) in [(1, 40, 70, true), (2, 40, 70, false), (37, 300, 90, true), (50, 64, 20, false)] {
        let (a, b) = (random.vec(m * k, 1.0), random.vec(k * n, 1.0));
        let (bias, row, same) = (random.vec(n, 1.0), random.vec(m, 1.0), random.vec(m * n, 1.0));
        let sb = if tb { [n, k] } else { [k, n] };
        let spec = MatmulSpec { a: &[m, k], b: &sb, transpose_a: false, transpose_b: tb };
        let plan = Matmul::new(&spec, 2).unwrap();
        let binary = |op, operand, along, reversed| PostOp::Binary { op, operand, along, reversed };
        for round_fp16 in [false, true] {
            let epilogue = Epilogue {
                ops: vec![
                    PostOp::Bias { operand: 0, along: Along::Column },
                    PostOp::Unary(Unary::Silu),
                    binary(Binary::Sub, 1, Along::Same, true),
                    binary(Binary::Mul, 2, Along::Row, false),
                ],
                round_fp16,
            };
            let operands = [&bias, &same, &row].map(|v| Floats::F32(v));
            let got = run(&plan, Floats::F32(&a), Floats::F32(&b), m * n, &epilogue, &operands);
            let round = |v: f64| if round_fp16 { f16::from_f64(v).to_f64() } else { v };
            let product = reference(m, k, n, false, tb, &a, &b);
            let want: Vec<f64> = (0..m * n)
                .map(|i| {
                    let x = round(product[i] + f64::from(bias[i % n]));
                    let x = round(x / (1.0 + (-x).exp()));
                    round(f64::from(same[i]) - x) * f64::from(row[i / n])
                })
                .collect();
            // A sum that falls on the other side of a rounding border moves by one unit of fp16.
            let tolerance = if round_fp16 { 3e-3 } else { 2e-5 };
            assert_close(&got, &want, tolerance, &format!("{m}x{k}x{n} {round_fp16}"));
        }
    }
}

#[test]
fn every_level_of_micro_kernels_agrees() {
    use micro::{A_STRIDE, Lines, for_isa};
    let mut random = Random::new(6);
    let mut levels = vec![crate::simd::Isa::Baseline];
    #[cfg(target_arch = "x86_64")]
    {
        if crate::simd::isa() != crate::simd::Isa::Baseline {
            levels.push(crate::simd::Isa::Avx2);
        }
        levels.push(crate::simd::isa());
    }
    for level in levels {
        let kernels = for_isa(level);
        for (lanes, table) in [(kernels.wide, kernels.wide_kernels), (kernels.narrow, kernels.narrow_kernels)]
        {
            for (i, kernel) in table.iter().enumerate() {
                let (rows, k) = (i + 1, 37);
                let (a, b) = (random.vec(rows * A_STRIDE, 1.0), random.vec(k * lanes, 1.0));
                let mut c = vec![1f32; rows * lanes];
                // SAFETY: the buffers have the sizes the kernel reads and writes, and the level is present.
                unsafe { kernel(k, a.as_ptr(), Lines::Packed(b.as_ptr()), c.as_mut_ptr(), lanes, true) };
                let want: Vec<f64> = (0..rows * lanes)
                    .map(|i| {
                        let (r, j) = (i / lanes, i % lanes);
                        1.0 + (0..k)
                            .map(|p| f64::from(a[r * A_STRIDE + p]) * f64::from(b[p * lanes + j]))
                            .sum::<f64>()
                    })
                    .collect();
                assert_close(&c, &want, 1e-5, &format!("{level:?} {rows} {lanes}"));
                let offsets: Vec<usize> = (0..k).map(|i| i * lanes).collect();
                let mut again = vec![1f32; rows * lanes];
                let lines = Lines::Scattered(b.as_ptr(), offsets.as_ptr());
                // SAFETY: as above, and every offset leaves a whole line.
                unsafe { kernel(k, a.as_ptr(), lines, again.as_mut_ptr(), lanes, true) };
                assert_eq!(c, again);
            }
        }
    }
}
