//! The convolutions against the definition.

use super::*;
use crate::binary::Binary;
use crate::epilogue::{Along, PostOp};
use crate::testing::{Random, assert_close};
use crate::unary::Unary;
use mil_base::f16;

struct Case {
    n: usize,
    c: usize,
    o: usize,
    g: usize,
    input: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
    dilation: [usize; 3],
    before: [usize; 3],
    after: [usize; 3],
}

fn positions(sizes: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..sizes[0]).flat_map(move |d| (0..sizes[1]).flat_map(move |h| (0..sizes[2]).map(move |w| [d, h, w])))
}

fn index(at: [usize; 3], sizes: [usize; 3]) -> usize {
    (at[0] * sizes[1] + at[1]) * sizes[2] + at[2]
}

impl Case {
    fn window(&self) -> WindowSpec<'_> {
        WindowSpec {
            input: &self.input,
            kernel: &self.kernel,
            stride: &self.stride,
            dilation: &self.dilation,
            before: &self.before,
            after: &self.after,
            ceil: false,
        }
    }

    fn spec(&self) -> ConvSpec<'_> {
        ConvSpec { n: self.n, channels: self.c, filters: self.o, groups: self.g, window: self.window() }
    }

    fn reference(&self, x: &[f32], w: &[f32], output: [usize; 3]) -> Vec<f64> {
        let (cg, og) = (self.c / self.g, self.o / self.g);
        let (ilen, taps): (usize, usize) = (self.input.iter().product(), self.kernel.iter().product());
        let mut out = Vec::new();
        for n in 0..self.n {
            for o in 0..self.o {
                for p in positions(output) {
                    let mut sum = 0f64;
                    for c in 0..cg {
                        for t in positions(self.kernel) {
                            let at: [isize; 3] = std::array::from_fn(|d| {
                                (p[d] * self.stride[d] + t[d] * self.dilation[d]) as isize
                                    - self.before[d] as isize
                            });
                            if (0..3).any(|d| at[d] < 0 || at[d] >= self.input[d] as isize) {
                                continue;
                            }
                            let i = index(at.map(|v| v as usize), self.input);
                            let channel = n * self.c + o / og * cg + c;
                            sum += f64::from(x[channel * ilen + i])
                                * f64::from(w[(o * cg + c) * taps + index(t, self.kernel)]);
                        }
                    }
                    out.push(sum);
                }
            }
        }
        out
    }

    fn transposed(&self, x: &[f32], w: &[f32], output: [usize; 3]) -> Vec<f64> {
        let (cg, og) = (self.c / self.g, self.o / self.g);
        let (ilen, taps): (usize, usize) = (self.input.iter().product(), self.kernel.iter().product());
        let olen: usize = output.iter().product();
        let mut out = vec![0f64; self.n * self.o * olen];
        for n in 0..self.n {
            for c in 0..self.c {
                for o in 0..og {
                    for i in positions(self.input) {
                        for t in positions(self.kernel) {
                            let at: [isize; 3] = std::array::from_fn(|d| {
                                (i[d] * self.stride[d] + t[d] * self.dilation[d]) as isize
                                    - self.before[d] as isize
                            });
                            if (0..3).any(|d| at[d] < 0 || at[d] >= output[d] as isize) {
                                continue;
                            }
                            let filter = n * self.o + c / cg * og + o;
                            out[filter * olen + index(at.map(|v| v as usize), output)] +=
                                f64::from(x[(n * self.c + c) * ilen + index(i, self.input)])
                                    * f64::from(w[(c * og + o) * taps + index(t, self.kernel)]);
                        }
                    }
                }
            }
        }
        out
    }
}

fn cases() -> Vec<Case> {
    let one = [1; 3];
    let base = |n, c, o, g, h: usize, w: usize, k: usize, s: usize, p: usize| Case {
        n,
        c,
        o,
        g,
        input: [1, h, w],
        kernel: [1, k, k],
        stride: [1, s, s],
        dilation: one,
        before: [0, p, p],
        after: [0, p, p],
    };
    let mut cases = vec![
        base(1, 5, 7, 1, 9, 11, 1, 1, 0),
        base(2, 5, 7, 1, 9, 11, 1, 2, 0),
        base(1, 3, 16, 1, 23, 31, 7, 2, 3),
        base(1, 8, 20, 1, 14, 14, 3, 1, 1),
        base(2, 6, 9, 3, 10, 13, 3, 1, 1),
        base(1, 12, 12, 12, 17, 19, 3, 1, 1),
        base(2, 12, 24, 12, 17, 70, 3, 2, 1),
        base(2, 21, 21, 21, 7, 9, 3, 2, 1),
        base(1, 5, 5, 5, 60, 61, 5, 1, 2),
        base(1, 3, 3, 3, 2, 2, 5, 1, 4),
        base(1, 40, 4, 1, 90, 90, 3, 1, 1),
        base(1, 48, 5, 1, 130, 130, 3, 2, 1),
        base(1, 4, 4, 2, 6, 6, 5, 3, 2),
    ];
    cases.push(Case {
        input: [4, 6, 7],
        kernel: [3, 2, 3],
        stride: [1, 2, 1],
        before: [1, 0, 2],
        after: [0, 1, 1],
        ..base(1, 3, 4, 1, 1, 1, 1, 1, 0)
    });
    cases.push(Case { dilation: [1, 2, 3], ..base(1, 3, 4, 1, 15, 16, 3, 2, 2) });
    cases.push(Case {
        input: [1, 1, 300],
        kernel: [1, 1, 5],
        stride: [1, 1, 2],
        before: [0, 0, 4],
        after: [0, 0, 1],
        dilation: [1, 1, 2],
        ..base(2, 3, 4, 1, 1, 1, 1, 1, 0)
    });
    cases
}

#[test]
fn convolutions_match_the_definition_with_their_epilogue() {
    let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(20));
    for (i, case) in cases().iter().enumerate() {
        let plan = Conv::new(&case.spec(), 2).unwrap();
        let output: [usize; 3] = plan.output().try_into().unwrap();
        let x = random.vec(case.n * case.c * case.input.iter().product::<usize>(), 1.0);
        let w = random.vec(case.o * case.c / case.g * case.kernel.iter().product::<usize>(), 1.0);
        let olen: usize = output.iter().product();
        let (bias, residual) = (random.vec(case.o, 1.0), random.vec(case.n * case.o * olen, 1.0));
        let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
        let scratch = bytemuck::cast_slice_mut(&mut scratch);
        let epilogue = Epilogue {
            ops: vec![
                PostOp::Bias { operand: 0, along: Along::Row },
                PostOp::Unary(Unary::Relu),
                PostOp::Binary { op: Binary::Add, operand: 1, along: Along::Same, reversed: false },
            ],
            round_fp16: false,
        };
        let operands = [Floats::F32(&bias), Floats::F32(&residual)];
        let finish = |raw: Vec<f64>| -> Vec<f64> {
            let bias = |i: usize| f64::from(bias[i / olen % case.o]);
            raw.iter().enumerate().map(|(i, v)| (v + bias(i)).max(0.0) + f64::from(residual[i])).collect()
        };
        let mut out = vec![f32::NAN; case.n * case.o * olen];
        plan.run(
            Floats::F32(&x),
            Floats::F32(&w),
            FloatsMut::F32(&mut out),
            &epilogue,
            &operands,
            scratch,
            &pool,
        );
        assert_close(&out, &finish(case.reference(&x, &w, output)), 2e-5, &format!("case {i}"));
        let half = |v: &[f32]| v.iter().map(|&v| f16::from_f32(v)).collect::<Vec<_>>();
        let wide = |v: &[f16]| v.iter().map(|v| v.to_f32()).collect::<Vec<_>>();
        let (hx, hw) = (half(&x), half(&w));
        let mut out = vec![f16::NAN; out.len()];
        plan.run(
            Floats::F16(&hx),
            Floats::F16(&hw),
            FloatsMut::F16(&mut out),
            &epilogue,
            &operands,
            scratch,
            &pool,
        );
        let want = finish(case.reference(&wide(&hx), &wide(&hw), output));
        assert_close(&wide(&out), &want, 1e-3, &format!("fp16 case {i}"));
    }
}

#[test]
fn transposed_convolutions_match_the_definition() {
    let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(21));
    for (i, case) in cases().iter().enumerate() {
        let full =
            |d: usize| (case.input[d] - 1) * case.stride[d] + case.dilation[d] * (case.kernel[d] - 1) + 1;
        for extra in [0, 1] {
            let output: [usize; 3] = std::array::from_fn(|d| {
                let size = full(d).saturating_sub(case.before[d] + case.after[d]).max(1);
                if extra == 1 && case.stride[d] > 1 { size + 1 } else { size }
            });
            let shape = [case.n, case.c, case.o, case.g];
            let plan = ConvTranspose::new(shape, &case.window(), &output, 2).unwrap();
            let x = random.vec(case.n * case.c * case.input.iter().product::<usize>(), 1.0);
            let w = random.vec(case.c * case.o / case.g * case.kernel.iter().product::<usize>(), 1.0);
            let bias = random.vec(case.o, 1.0);
            let epilogue =
                Epilogue { ops: vec![PostOp::Bias { operand: 0, along: Along::Row }], round_fp16: false };
            let olen: usize = output.iter().product();
            let mut out = vec![f32::NAN; case.n * case.o * olen];
            let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
            let scratch = bytemuck::cast_slice_mut(&mut scratch);
            let operands = [Floats::F32(&bias)];
            plan.run(
                Floats::F32(&x),
                Floats::F32(&w),
                FloatsMut::F32(&mut out),
                &epilogue,
                &operands,
                scratch,
                &pool,
            );
            let raw = case.transposed(&x, &w, output);
            let want: Vec<f64> =
                raw.iter().enumerate().map(|(i, v)| v + f64::from(bias[i / olen % case.o])).collect();
            assert_close(&out, &want, 2e-5, &format!("case {i} {extra}"));
        }
    }
}

#[test]
fn impossible_geometry_is_refused() {
    let mut case = cases().remove(3);
    case.kernel = [1, 40, 3];
    assert!(Conv::new(&case.spec(), 2).is_none());
    case.kernel = [1, 3, 3];
    case.g = 3;
    assert!(Conv::new(&case.spec(), 2).is_none());
}
