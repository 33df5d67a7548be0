//! Scaled dot-product attention, a few queries at a time: scores of a tile of queries against all keys are computed,
//! normalised and multiplied with the values while they are in cache. The whole square of scores never exists.

use crate::epilogue::{Epilogue, Finish};
use crate::gemm::engine::Plan;
use crate::gemm::micro::kernels;
use crate::gemm::pack::{Columns, MatrixColumns, Panels, Rows};
use crate::gemm::sink::Direct;
use crate::pool::Pool;
use crate::softmax::softmax_f32;
use crate::strided::{Loops, broadcast_shape, broadcast_strides};
use crate::view::{Floats, FloatsMut, SharedFloats, SharedMut, take_scratch};

/// What is added to the scores.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// Added.
    Add(Floats<'a>),
    /// Where zero, the key is not attended to.
    Bool(&'a [u8]),
}

/// Attention planned for known shapes.
#[derive(Clone, Debug)]
pub struct Attention {
    queries: usize,
    keys: usize,
    depth: usize,
    value_depth: usize,
    scale: f32,
    batch_shape: Vec<usize>,
    /// For each head, which matrix of query, key, value is read, and where its mask starts.
    heads: Vec<[usize; 4]>,
    /// Strides of the mask along queries and keys.
    mask: [usize; 2],
    parts: usize,
    scores: Plan,
    mix: Plan,
}

/// Queries of a tile.
const TILE: usize = 48;

impl Attention {
    /// Plans `query [.., L, E]`, `key [.., S, E]`, `value [.., S, V]`, `mask` broadcast to `[.., L, S]`; the batch
    /// dimensions broadcast. `scale` is 1/sqrt(E) when absent. `None` when the shapes do not fit.
    pub fn new(
        query: &[usize],
        key: &[usize],
        value: &[usize],
        mask: Option<&[usize]>,
        scale: Option<f32>,
        threads: usize,
    ) -> Option<Attention> {
        let (batch_q, &[queries, depth]) = query.split_last_chunk::<2>()?;
        let (batch_k, &[keys, depth_k]) = key.split_last_chunk::<2>()?;
        let (batch_v, &[keys_v, value_depth]) = value.split_last_chunk::<2>()?;
        if depth != depth_k || keys != keys_v {
            return None;
        }
        let batch_shape = broadcast_shape(&broadcast_shape(batch_q, batch_k)?, batch_v)?;
        let full: Vec<usize> = batch_shape.iter().copied().chain([queries, keys]).collect();
        let mask_strides = broadcast_strides(mask.unwrap_or(&[]), &full)?;
        let (batch_m, &[mask_l, mask_s]) = mask_strides.split_last_chunk::<2>()?;
        let [q, k, v] = [batch_q, batch_k, batch_v].map(|b| broadcast_strides(b, &batch_shape));
        let (q, k, v) = (q?, k?, v?);
        let loops = Loops::new(&batch_shape, [&q, &k, &v, batch_m]);
        let mut heads = Vec::with_capacity(loops.count());
        loops.for_rows(0..loops.rows(), |_, at| {
            heads.extend((0..loops.row).map(|i| std::array::from_fn(|t| at[t] + i * loops.steps[t])));
        });
        // Few heads: their queries are shared out as well.
        let parts = if heads.len() >= threads { 1 } else { threads.min(queries.div_ceil(TILE)).max(1) };
        Some(Attention {
            queries,
            keys,
            depth,
            value_depth,
            scale: scale.unwrap_or(1.0 / (depth as f32).sqrt()),
            batch_shape,
            heads,
            mask: [mask_l, mask_s],
            parts,
            scores: Plan::new(TILE.min(queries), keys, depth, 1),
            mix: Plan::new(TILE.min(queries), value_depth, keys, 1),
        })
    }

    /// The batch dimensions of the result `[.., L, V]`.
    pub fn batch_shape(&self) -> &[usize] {
        &self.batch_shape
    }

    fn packed_lens(&self) -> [usize; 2] {
        let k = Panels::new(kernels(), self.keys).padded() * self.depth;
        let v = Panels::new(kernels(), self.value_depth).padded() * self.keys;
        [k, v]
    }

    /// Scratch for `threads` threads.
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        let [k, v] = self.packed_lens();
        threads * ((k + v + TILE * self.keys + self.keys) * 4 + Plan::strip_bytes() + 512)
    }

    /// Computes in `f32` and rounds the result once.
    pub fn run(
        &self,
        query: Floats<'_>,
        key: Floats<'_>,
        value: Floats<'_>,
        mask: Option<Mask<'_>>,
        out: FloatsMut<'_>,
        scratch: &mut [u8],
        pool: &Pool,
    ) {
        let Attention { queries, keys, depth, value_depth, parts, .. } = *self;
        assert_eq!(out.len(), self.heads.len() * queries * value_depth, "the output's size");
        if out.is_empty() {
            return;
        }
        let out = out.shared();
        let share = queries.div_ceil(parts).next_multiple_of(TILE);
        let [klen, vlen] = self.packed_lens();
        pool.for_ranges_scratch(self.heads.len() * parts, 1, scratch, |range, scratch| {
            let (packed_k, rest) = take_scratch::<f32>(scratch, klen);
            let (packed_v, rest) = take_scratch::<f32>(rest, vlen);
            for t in range {
                let (head, part) = (t / parts, t % parts);
                let [iq, ik, iv, im] = self.heads[head];
                let key = key.slice(ik * keys * depth..(ik + 1) * keys * depth);
                let value = value.slice(iv * keys * value_depth..(iv + 1) * keys * value_depth);
                pack(&MatrixColumns { data: key, k_stride: 1, column_stride: depth }, keys, depth, packed_k);
                let columns = MatrixColumns { data: value, k_stride: value_depth, column_stride: 1 };
                pack(&columns, value_depth, keys, packed_v);
                let query = query.slice(iq * queries * depth..(iq + 1) * queries * depth);
                for first in (part * share..((part + 1) * share).min(queries)).step_by(TILE) {
                    let count = TILE.min(queries - first);
                    let base = (head * queries + first) * value_depth;
                    let rows = query.slice(first * depth..(first + count) * depth);
                    let mask = mask.map(|m| (m, im + first * self.mask[0]));
                    self.tile(count, rows, packed_k, packed_v, mask, out, base, rest);
                }
            }
        });
    }

    fn tile(
        &self,
        count: usize,
        query: Floats<'_>,
        packed_k: &[f32],
        packed_v: &[f32],
        mask: Option<(Mask<'_>, usize)>,
        out: SharedFloats<'_>,
        base: usize,
        scratch: &mut [u8],
    ) {
        let (keys, depth) = (self.keys, self.depth);
        let (scores, rest) = take_scratch::<f32>(scratch, TILE * keys);
        let (line, rest) = take_scratch::<f32>(rest, keys);
        let plain = |width| Finish { steps: Epilogue::NONE, operands: &[], width };
        let rows = Rows { data: query, row_stride: depth, k_stride: 1 };
        let into = SharedFloats::F32(SharedMut::new(&mut scores[..count * keys]));
        let sink = Direct { out: into, finish: plain(keys), base: 0, first_row: 0 };
        self.scores.run_packed(count, &rows, packed_k, &sink, rest);
        for (r, row) in scores[..count * keys].chunks_exact_mut(keys.max(1)).enumerate() {
            crate::unary::unary_f32(crate::unary::Unary::Mul(self.scale), row);
            if let Some((mask, start)) = mask {
                self.add_mask(mask, start + r * self.mask[0], row, line);
            }
            softmax_f32(row);
        }
        let rows = Rows { data: Floats::F32(&scores[..count * keys]), row_stride: keys, k_stride: 1 };
        let sink = Direct { out, finish: plain(self.value_depth), base, first_row: 0 };
        self.mix.run_packed(count, &rows, packed_v, &sink, rest);
    }

    fn add_mask(&self, mask: Mask<'_>, start: usize, row: &mut [f32], line: &mut [f32]) {
        let step = self.mask[1];
        match mask {
            Mask::Add(values) if step == 1 => {
                values.read(start, line);
                crate::binary::binary_f32(crate::Binary::Add, row, crate::binary::Other::Each(line));
            }
            Mask::Add(values) => {
                row.iter_mut().enumerate().for_each(|(i, v)| *v += values.get(start + i * step));
            }
            Mask::Bool(keep) => row.iter_mut().enumerate().for_each(|(i, v)| {
                *v = if keep[start + i * step] != 0 { *v } else { f32::NEG_INFINITY };
            }),
        }
    }
}

fn pack(columns: &impl Columns, n: usize, k: usize, out: &mut [f32]) {
    let panels = Panels::new(kernels(), n);
    for p in 0..panels.count() {
        let (first, lanes) = panels.at(p);
        columns.pack(first, lanes.min(n - first), lanes, &mut out[first * k..(first + lanes) * k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};
    use mil_base::f16;

    #[test]
    fn attention_matches_the_definition() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(50));
        for (heads, l, s, e, v) in [
            (1, 1, 1, 1, 1),
            (3, 5, 7, 16, 9),
            (2, 100, 130, 64, 64),
            (1, 200, 33, 20, 40),
            (4, 1, 300, 64, 64),
        ] {
            let (q, k, x) = (
                random.vec(heads * l * e, 2.0),
                random.vec(heads * s * e, 2.0),
                random.vec(heads * s * v, 1.0),
            );
            let added = random.vec(l * s, 1.0);
            let keep: Vec<u8> = (0..s).map(|i| u8::from(i % 3 != 1)).collect();
            for kind in 0..3 {
                let shape: Option<Vec<usize>> = [None, Some(vec![l, s]), Some(vec![1, 1, s])][kind].clone();
                let plan =
                    Attention::new(&[heads, l, e], &[heads, s, e], &[heads, s, v], shape.as_deref(), None, 2)
                        .unwrap();
                let mask = [None, Some(Mask::Add(Floats::F32(&added))), Some(Mask::Bool(&keep))][kind];
                let mut want = Vec::new();
                for h in 0..heads {
                    for i in 0..l {
                        let scores: Vec<f64> = (0..s)
                            .map(|j| {
                                let dot: f64 = (0..e)
                                    .map(|d| {
                                        f64::from(q[(h * l + i) * e + d]) * f64::from(k[(h * s + j) * e + d])
                                    })
                                    .sum();
                                let score = dot / (e as f64).sqrt();
                                match kind {
                                    1 => score + f64::from(added[i * s + j]),
                                    2 if keep[j] == 0 => f64::NEG_INFINITY,
                                    _ => score,
                                }
                            })
                            .collect();
                        let high = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                        let total: f64 = scores.iter().map(|v| (v - high).exp()).sum();
                        want.extend((0..v).map(|d| {
                            (0..s)
                                .map(|j| (scores[j] - high).exp() / total * f64::from(x[(h * s + j) * v + d]))
                                .sum::<f64>()
                        }));
                    }
                }
                let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
                let scratch = bytemuck::cast_slice_mut(&mut scratch);
                let mut out = vec![f32::NAN; want.len()];
                plan.run(
                    Floats::F32(&q),
                    Floats::F32(&k),
                    Floats::F32(&x),
                    mask,
                    FloatsMut::F32(&mut out),
                    scratch,
                    &pool,
                );
                assert_close(&out, &want, 1e-5, &format!("{heads} {l} {s} {kind}"));
                let half = |v: &[f32]| v.iter().map(|&v| f16::from_f32(v)).collect::<Vec<_>>();
                let (hq, hk, hx) = (half(&q), half(&k), half(&x));
                let mut out = vec![f16::NAN; want.len()];
                plan.run(
                    Floats::F16(&hq),
                    Floats::F16(&hk),
                    Floats::F16(&hx),
                    mask,
                    FloatsMut::F16(&mut out),
                    scratch,
                    &pool,
                );
                let got: Vec<f32> = out.iter().map(|v| v.to_f32()).collect();
                assert_close(&got, &want, 5e-3, &format!("fp16 {heads} {l} {s} {kind}"));
            }
        }
    }

    #[test]
    fn batches_broadcast() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(51));
        let (q, k) = (random.vec(6 * 4 * 8, 1.0), random.vec(3 * 5 * 8, 1.0));
        let plan = Attention::new(&[2, 3, 4, 8], &[1, 3, 5, 8], &[1, 3, 5, 8], None, None, 2).unwrap();
        let each = Attention::new(&[3, 4, 8], &[3, 5, 8], &[3, 5, 8], None, None, 2).unwrap();
        let mut scratch = vec![0u64; plan.scratch_bytes(2) / 8 + 8];
        let scratch = bytemuck::cast_slice_mut(&mut scratch);
        let (mut out, mut half) = (vec![0f32; 6 * 4 * 8], vec![0f32; 3 * 4 * 8]);
        let k = Floats::F32(&k);
        plan.run(Floats::F32(&q), k, k, None, FloatsMut::F32(&mut out), scratch, &pool);
        for b in 0..2 {
            let q = Floats::F32(&q[b * 96..(b + 1) * 96]);
            each.run(q, k, k, None, FloatsMut::F32(&mut half), scratch, &pool);
            assert_eq!(out[b * 96..(b + 1) * 96], half[..]);
        }
        assert!(Attention::new(&[2, 4, 8], &[2, 5, 7], &[2, 5, 7], None, None, 2).is_none());
    }
}
