//! `scaled_dot_product_attention`: softmax of queries against keys, applied to values.

use crate::contract::*;
use crate::support::broadcast;
use mil_base::{DType, DTypes, Dim, Opset, Shape, TensorType, Type};
use mil_kernels::attention::{Attention, Mask};
use mil_kernels::{Floats, FloatsMut};

/// The card of `scaled_dot_product_attention`.
pub static SCALED_DOT_PRODUCT_ATTENTION: OpDef = OpDef {
    name: "scaled_dot_product_attention",
    doc: Doc::page(include_str!("scaled_dot_product_attention.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            Param::tensor("query", sets::FLOAT).group("T"),
            Param::tensor("key", sets::FLOAT).group("T"),
            Param::tensor("value", sets::FLOAT).group("T"),
            Param::tensor("attn_mask", DTypes::of(&[DType::Bool, DType::Fp16, DType::Fp32]))
                .group("M")
                .or(Default::Absent),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "scaled_dot_product_attention/rank",
            rule: "query, key and value have the same rank, 3 or more",
        },
        Constraint {
            slug: "scaled_dot_product_attention/sizes",
            rule: "query, key and value have the same batch axes, query and key the same last axis, key and value the same sequence length",
        },
        Constraint {
            slug: "scaled_dot_product_attention/mask-shape",
            rule: "attn_mask broadcasts to [batch.., query length, key length], and its last axis is the key length",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let (query, value) = (op.ty("query")?.shape.count()? as u64, op.ty("value")?.shape.sizes()?);
        let [.., keys, depth] = value[..] else { return None };
        let rows = query.checked_div(op.ty("query")?.shape.last()?.known()?.max(1) as u64)?;
        let each = op.ty("query")?.shape.last()?.known()?.checked_add(depth)?;
        rows.checked_mul(2)?.checked_mul((keys as u64).checked_mul(each as u64)?)
    },
    accuracy: Accuracy::sum(1.2e-6),
};

/// The batch axes and the matrix of a tensor.
fn split(ty: &TensorType) -> Option<(Shape, Dim, Dim)> {
    match ty.shape.0.as_slice() {
        [batch @ .., rows, columns] => Some((Shape(batch.to_vec()), *rows, *columns)),
        _ => None,
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (query, key, value) = (cx.need("query")?, cx.need("key")?, cx.need("value")?);
    let rank = query.shape.rank();
    let parts = (split(query), split(key), split(value));
    let (
        Some((batch, length, depth)),
        Some((key_batch, keys, key_depth)),
        Some((value_batch, values, width)),
    ) = parts
    else {
        return Err(rank_refused(cx, query, key, value));
    };
    if rank < 3 || key.shape.rank() != rank || value.shape.rank() != rank {
        return Err(rank_refused(cx, query, key, value));
    }
    let same_batch = batch.may_equal(&key_batch) && batch.may_equal(&value_batch);
    if !same_batch || !depth.may_equal(key_depth) || !keys.may_equal(values) {
        return Err(cx.refuse(
            "scaled_dot_product_attention/sizes",
            if same_batch && depth.may_equal(key_depth) { "value" } else { "key" },
            format!("query is {}, key {} and value {}", query.shape, key.shape, value.shape),
            "query is [batch.., L, E], key [batch.., S, E], value [batch.., S, V], with equal batch axes: expand or tile what is shared",
        ));
    }
    if let Some(mask) = cx.ty("attn_mask") {
        check_mask(cx, mask, query, keys)?;
    }
    let mut shape: Vec<Dim> = batch.iter().zip(key_batch.iter()).map(|(a, b)| a.merge(*b)).collect();
    shape.extend([length, width]);
    cx.one(query.dtype, Shape(shape))
}

fn rank_refused(cx: &mut Infer<'_>, query: &TensorType, key: &TensorType, value: &TensorType) -> Refused {
    cx.refuse(
        "scaled_dot_product_attention/rank",
        "query",
        format!("query is {}, key {} and value {}", query.shape, key.shape, value.shape),
        "all three need the same rank, with at least one batch axis: expand_dims adds it",
    )
}

fn check_mask(cx: &mut Infer<'_>, mask: &TensorType, query: &TensorType, keys: Dim) -> Result<(), Refused> {
    let mut scores = query.shape.clone();
    if let Some(last) = scores.0.last_mut() {
        *last = keys;
    }
    let last_fits = mask.shape.last().is_some_and(|d| d.may_equal(keys));
    // The mask must not enlarge the scores.
    let widened = broadcast::shape(&scores, &mask.shape);
    if last_fits && widened.is_some_and(|w| w.may_equal(&scores)) {
        return Ok(());
    }
    Err(cx.refuse(
        "scaled_dot_product_attention/mask-shape",
        "attn_mask",
        format!("attn_mask is {} and the scores are {scores}", mask.shape),
        "give a mask that broadcasts to the scores, its last axis being the key length",
    ))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (query, key, value) = (call.arg("query")?, call.arg("key")?, call.arg("value")?);
    let wrong = || Failure::new("scaled_dot_product_attention/sizes", "query, key and value do not fit");
    let (
        Some((batch, &[length, depth])),
        Some((key_batch, &[keys, key_depth])),
        Some((value_batch, &[values, width])),
    ) = (
        query.shape.split_last_chunk::<2>(),
        key.shape.split_last_chunk::<2>(),
        value.shape.split_last_chunk::<2>(),
    )
    else {
        return Err(wrong());
    };
    if batch != key_batch || batch != value_batch || depth != key_depth || keys != values {
        return Err(wrong());
    }
    let heads: usize = batch.iter().product();
    let scores_shape: Vec<usize> = batch.iter().copied().chain([length, keys]).collect();
    let mask = match call.get("attn_mask") {
        Some(mask) => Some((broadcast::positions(&mask.shape, &scores_shape)?, added(mask))),
        None => None,
    };
    let (q, k, v) = (query.f64s(), key.f64s(), value.f64s());
    let mut out = Vec::with_capacity(heads * length * width);
    for head in 0..heads {
        for row in 0..length {
            let query = &q[(head * length + row) * depth..][..depth];
            let score = |s: usize| {
                let key = &k[(head * keys + s) * depth..][..depth];
                let product: f64 = query.iter().zip(key).map(|(a, b)| a * b).sum();
                let mask = mask.as_ref().map_or(0.0, |(at, m)| m[at[(head * length + row) * keys + s]]);
                product / (depth as f64).sqrt() + mask
            };
            let scores: Vec<f64> = (0..keys).map(score).collect();
            let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
            let total: f64 = weights.iter().sum();
            for column in 0..width {
                let mixed: f64 = (0..keys).map(|s| weights[s] * v[(head * keys + s) * width + column]).sum();
                out.push(mixed / total);
            }
        }
    }
    let shape: Vec<usize> = batch.iter().copied().chain([length, width]).collect();
    Ok(vec![RefTensor::floats(query.dtype, &shape, out)])
}

/// What a mask adds to the scores: its values, or minus infinity where a bool is false.
fn added(mask: &RefTensor) -> Vec<f64> {
    match &mask.data {
        RefData::Bool(keep) => keep.iter().map(|&k| if k { 0.0 } else { f64::NEG_INFINITY }).collect(),
        _ => mask.f64s(),
    }
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (query, key, value) = (cx.ty("query")?, cx.ty("key")?, cx.ty("value")?);
    let slots = [cx.need("query")?, cx.need("key")?, cx.need("value")?];
    let mask = match cx.slot("attn_mask") {
        Some(slot) => Some((slot, cx.ty("attn_mask")?)),
        None => None,
    };
    let mask_shape = mask.as_ref().map(|(_, ty)| ty.shape.as_slice());
    let attention = Attention::new(&query.shape, &key.shape, &value.shape, mask_shape, None, cx.threads)
        .ok_or_else(|| cx.unplanned("query"))?;
    let (dtype, scratch) = (query.dtype, attention.scratch_bytes(cx.threads));
    let run = move |call: &mut KernelCall<'_>| {
        let failed = || Failure::new("op/not-planned", "attention is of floats");
        let read = |slot| Floats::new(dtype, call.read(slot)?).ok_or_else(failed);
        let [q, k, v] = [read(slots[0])?, read(slots[1])?, read(slots[2])?];
        let mask = match &mask {
            Some((slot, ty)) if ty.dtype == DType::Bool => Some(Mask::Bool(call.read(*slot)?)),
            Some((slot, ty)) => Some(Mask::Add(Floats::new(ty.dtype, call.read(*slot)?).ok_or_else(failed)?)),
            None => None,
        };
        let out = FloatsMut::new(dtype, crate::support::plan::output(call.outputs)?).ok_or_else(failed)?;
        attention.run(q, k, v, mask, out, call.scratch, call.pool);
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
