//! `random_bernoulli`, `random_normal` and `random_uniform`: tensors of a given shape, a row each.

use crate::contract::*;
use crate::support::elementwise::each_output;
use crate::support::index::room_for;
use crate::support::plan::{for_float, output};
use crate::support::stream::Stream;
use mil_base::{DType, Dim, Opset, Shape, Type};
use mil_kernels::{Float, bytes_as_mut};

const PAGE: &str = include_str!("distributions.md");

macro_rules! row {
    ($name:literal, $params:expr, $flops:literal) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: &[Version::new(Opset::Ios15, $params)],
            constraints: &[Constraint {
                slug: concat!($name, "/shape"),
                rule: "shape is a vector of known length, and no entry is negative",
            }],
            infer,
            reference: Reference::Rule(reference),
            cpu: Cpu::kernel(plan),
            gradient: Gradient::Zero,
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each_output(op, $flops),
            accuracy: Accuracy::ROUNDED,
        }
    };
}

/// 1 with a probability, else 0.
pub static RANDOM_BERNOULLI: OpDef = row!(
    "random_bernoulli",
    &[
        Param::tensor("shape", sets::INT32),
        Param::constant("prob", sets::FLOAT).group("T").or(Default::Float(0.5)),
        Param::constant("seed", sets::INT32).or(Default::Int(-1)),
    ],
    1
);
/// Numbers of a normal distribution.
pub static RANDOM_NORMAL: OpDef = row!(
    "random_normal",
    &[
        Param::tensor("shape", sets::INT32),
        Param::constant("mean", sets::FLOAT).group("T").or(Default::Float(0.0)),
        Param::constant("stddev", sets::FLOAT).group("T").or(Default::Float(1.0)),
        Param::constant("seed", sets::INT32).or(Default::Int(-1)),
    ],
    6
);
/// Numbers of an interval.
pub static RANDOM_UNIFORM: OpDef = row!(
    "random_uniform",
    &[
        Param::tensor("shape", sets::INT32),
        Param::constant("low", sets::FLOAT).group("T").or(Default::Float(0.0)),
        Param::constant("high", sets::FLOAT).group("T").or(Default::Float(1.0)),
        Param::constant("seed", sets::INT32).or(Default::Int(-1)),
    ],
    2
);

/// The parameters that decide the output's dtype.
const TYPED: [&str; 5] = ["prob", "mean", "stddev", "low", "high"];

#[derive(Clone, Copy, Debug)]
enum Distribution {
    Bernoulli { prob: f64 },
    Normal { mean: f64, stddev: f64 },
    Uniform { low: f64, high: f64 },
}

impl Distribution {
    /// Of the op called `name`, whose parameters `float` reads.
    fn of<E>(name: &str, float: impl Fn(&str) -> Result<f64, E>) -> Result<Distribution, E> {
        Ok(match name {
            "random_bernoulli" => Distribution::Bernoulli { prob: float("prob")? },
            "random_normal" => Distribution::Normal { mean: float("mean")?, stddev: float("stddev")? },
            _ => Distribution::Uniform { low: float("low")?, high: float("high")? },
        })
    }

    fn draw(self, stream: Stream, index: usize) -> f64 {
        let index = index as u64;
        match self {
            Distribution::Bernoulli { prob } => f64::from(u8::from(stream.unit(index) < prob)),
            Distribution::Normal { mean, stddev } => mean + stddev * stream.normal(index),
            Distribution::Uniform { low, high } => low + (high - low) * stream.unit(index),
        }
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let dtype = TYPED.iter().find_map(|n| cx.ty(n)).map_or(DType::Fp32, |t| t.dtype);
    let (ty, known) = (cx.need("shape")?, cx.ints("shape"));
    let length = known.as_ref().map(Vec::len).or(ty.shape.first().and_then(|d| d.known()));
    let (1, Some(rank)) = (ty.shape.rank(), length) else {
        return Err(cx.refuse(
            cx.slug("shape"),
            "shape",
            format!("`shape` is {}, not a vector of known length", ty.shape),
            "its length is the rank of the result",
        ));
    };
    let Some(sizes) = known else {
        return cx.one(dtype, Shape(vec![Dim::Unknown; rank.min(MAX_RANK)]));
    };
    match concrete(&sizes) {
        Ok(shape) => cx.one(dtype, Shape::known(&shape)),
        Err(size) => {
            let message = format!("{size} is no size");
            Err(cx.refuse(cx.slug("shape"), "shape", message, "sizes are 0 or more"))
        }
    }
}

/// More dimensions than any tensor has: a longer vector is no shape, but must not ask for memory either.
const MAX_RANK: usize = 64;

/// The sizes, or the first that is none.
fn concrete(sizes: &[i64]) -> Result<Vec<usize>, i64> {
    sizes.iter().map(|&s| usize::try_from(s).map_err(|_| s)).collect()
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let shape = concrete(&call.ints("shape")?)
        .map_err(|size| Failure::new("op/shape-negative", format!("{size} is no size")))?;
    let dtype = TYPED.iter().find_map(|n| call.get(n)).map_or(DType::Fp32, |t| t.dtype);
    let distribution = Distribution::of(call.def.name, |n| call.float(n))?;
    let stream = Stream::new(call.int("seed")?);
    let values = (0..room_for(&shape)?).map(|i| distribution.draw(stream, i)).collect();
    Ok(vec![RefTensor::floats(dtype, &shape, values)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(distribution: Distribution, stream: Stream) -> CpuKernel {
        CpuKernel::new(move |call| {
            let out = bytes_as_mut::<T>(output(call.outputs)?);
            call.pool.for_pieces(out, PIECE, 1, |piece, out| {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = T::from_f32(distribution.draw(stream, piece * PIECE + i) as f32);
                }
            });
            Ok(())
        })
    }
    let float = |name: &str| cx.view.float(name).ok_or_else(|| cx.unplanned(name));
    let distribution = Distribution::of(cx.def().name, float)?;
    let stream = Stream::new(cx.view.int("seed").ok_or_else(|| cx.unplanned("seed"))?);
    let dtype = cx.outputs.first().ok_or_else(|| cx.unplanned("shape"))?.dtype;
    for_float!(cx, "shape", dtype, T => Ok(kernel::<T>(distribution, stream)))
}

/// Numbers one thread draws at a time.
const PIECE: usize = 4096;
