//! Cards with kernels plain enough to see that only the plan can be wrong: in place, views, scratch memory, several
//! outputs, and steps taken by a producer.

use mil_base::{DType, Opset, Type, f16};
use mil_ops::OpSet;
use mil_ops::contract::*;

const ONE: &[Version] = &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::FLOAT).group("T")])];
const TWO: &[Version] = &[Version::new(
    Opset::Ios15,
    &[Param::tensor("x", sets::FLOAT).group("T"), Param::tensor("y", sets::FLOAT).group("T")],
)];
const PAIR: &[Version] =
    &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::FLOAT).group("T")]).outputs(Outputs::Exactly(2))];

/// `max(x, 0)`, in place, fusable.
pub static RELU: OpDef = card(
    "t_relu",
    ONE,
    relu,
    Cpu::Kernel(CpuRule { plan: plan_relu, as_post: Some(|_, _| Some(PostOp::Relu)), takes_post: false }),
);
/// `x + y`, over either input, fusable.
pub static ADD: OpDef = card(
    "t_add",
    TWO,
    add,
    Cpu::Kernel(CpuRule {
        plan: plan_add,
        as_post: Some(|cx, slot| {
            let x = cx.slot("x")?;
            let y = cx.slot("y")?;
            Some(PostOp::Add { slot: if slot == x { y } else { x } })
        }),
        takes_post: false,
    }),
);
/// `x / 2 + 1`, takes steps, copies through scratch memory, never in place.
pub static HALF: OpDef =
    card("t_half", ONE, half, Cpu::Kernel(CpuRule { plan: plan_half, as_post: None, takes_post: true }));
/// `x`, a view.
pub static SAME: OpDef = card(
    "t_same",
    ONE,
    |c| Ok(vec![c.arg("x")?.clone()]),
    Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
);
/// `x` and `-x`.
pub static BOTH: OpDef = OpDef {
    infer: |cx| {
        let x = cx.need("x")?;
        let t = Type::Tensor(x.clone());
        Ok(vec![t.clone(), t])
    },
    ..card("t_both", PAIR, both, Cpu::kernel(plan_both))
};

/// `x` and then `y`, along the first axis; `x` is `[16, n]`, so that parts can lie at multiples of 64 bytes.
pub static JOIN: OpDef = OpDef {
    infer: |cx| {
        let x = cx.need("x")?;
        let mut shape = x.shape.clone();
        shape.0[0] = shape.0[0].map(|n| n.checked_mul(2));
        cx.one(x.dtype, shape)
    },
    ..card("t_join", TWO, join, Cpu::kernel(plan_join))
};

fn join(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, y) = (c.arg("x")?, c.arg("y")?);
    let mut shape = x.shape.clone();
    shape[0] *= 2;
    let data = [x.f64s(), y.f64s()].concat();
    Ok(vec![RefTensor::floats(x.dtype, &shape, data)])
}

fn plan_join(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, y) = (cx.need("x")?, cx.need("y")?);
    let kernel = CpuKernel::new(move |call| {
        let (x, y) = (call.read(x)?, call.read(y)?);
        let (first, second) = call.outputs[0].split_at_mut(x.len());
        first.copy_from_slice(x);
        second.copy_from_slice(y);
        Ok(())
    });
    Ok(kernel.alias(Alias::Join { first: x.min(y), count: 2 }))
}

/// The first half of `x` along the first axis.
pub static HEAD: OpDef = OpDef {
    infer: |cx| {
        let x = cx.need("x")?;
        let mut shape = x.shape.clone();
        shape.0[0] = shape.0[0].map(|n| Some(n / 2));
        cx.one(x.dtype, shape)
    },
    ..card("t_head", ONE, head, Cpu::Reference("a test"))
};

fn head(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = c.arg("x")?;
    let mut shape = x.shape.clone();
    shape[0] /= 2;
    let count = shape.iter().product();
    Ok(vec![RefTensor::floats(x.dtype, &shape, x.f64s()[..count].to_vec())])
}

/// The standard ops and these.
pub fn ops() -> OpSet {
    [&RELU, &ADD, &HALF, &SAME, &BOTH, &JOIN, &HEAD].into_iter().fold(OpSet::standard(), OpSet::with)
}

type Rule = fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>;

const fn card(name: &'static str, versions: &'static [Version], reference: Rule, cpu: Cpu) -> OpDef {
    OpDef {
        name,
        doc: Doc::page(""),
        versions,
        constraints: &[],
        infer: |cx| {
            let x = cx.need("x")?;
            cx.one(x.dtype, x.shape.clone())
        },
        reference: Reference::Rule(reference),
        cpu,
        gradient: Gradient::Zero,
        ane: Ane::Todo("a test"),
        cost: |op| Some(op.ty("x")?.shape.count()? as u64),
        accuracy: Accuracy::ROUNDED,
    }
}

fn floats(like: &RefTensor, data: Vec<f64>) -> Result<Vec<RefTensor>, Failure> {
    Ok(vec![RefTensor::floats(like.dtype, &like.shape, data)])
}

fn relu(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = c.arg("x")?;
    floats(x, x.f64s().into_iter().map(|v| v.max(0.0)).collect())
}

fn add(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, y) = (c.arg("x")?, c.arg("y")?);
    floats(x, x.f64s().into_iter().zip(y.f64s()).map(|(a, b)| a + b).collect())
}

fn half(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = c.arg("x")?;
    floats(x, x.f64s().into_iter().map(|v| v / 2.0 + 1.0).collect())
}

fn both(c: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = c.arg("x")?;
    let minus = RefTensor::floats(x.dtype, &x.shape, x.f64s().into_iter().map(|v| -v).collect());
    Ok(vec![x.clone(), minus])
}

fn get(dtype: DType, bytes: &[u8], i: usize) -> f32 {
    match dtype {
        DType::Fp16 => f16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32(),
        _ => f32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap()),
    }
}

fn put(dtype: DType, bytes: &mut [u8], i: usize, v: f32) {
    match dtype {
        DType::Fp16 => bytes[2 * i..2 * i + 2].copy_from_slice(&f16::from_f32(v).to_le_bytes()),
        _ => bytes[4 * i..4 * i + 4].copy_from_slice(&v.to_le_bytes()),
    }
}

fn plan_relu(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, out) = (cx.need("x")?, cx.outputs[0].clone());
    let run = move |call: &mut KernelCall<'_>| {
        for i in 0..out.count() {
            let v = get(out.dtype, call.input(x).unwrap_or(&*call.outputs[0]), i);
            put(out.dtype, call.outputs[0], i, v.max(0.0));
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).alias(Alias::InPlace(x)))
}

fn plan_add(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, y, out) = (cx.need("x")?, cx.need("y")?, cx.outputs[0].clone());
    let run = move |call: &mut KernelCall<'_>| {
        for i in 0..out.count() {
            let a = get(out.dtype, call.input(x).unwrap_or(&*call.outputs[0]), i);
            let v = a + get(out.dtype, call.read(y)?, i);
            put(out.dtype, call.outputs[0], i, v);
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).alias(Alias::InPlace(x)))
}

fn plan_half(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, out, post) = (cx.need("x")?, cx.outputs[0].clone(), cx.post.to_vec());
    let bytes = out.bytes();
    let round = move |v: f32| if out.dtype == DType::Fp16 { f16::from_f32(v).to_f32() } else { v };
    let (dtype, count) = (cx.outputs[0].dtype, cx.outputs[0].count());
    let run = move |call: &mut KernelCall<'_>| {
        let scratch = &mut call.scratch[..bytes];
        scratch.copy_from_slice(call.inputs[x].unwrap());
        call.outputs[0].fill(0xff);
        for i in 0..count {
            let mut v = round(get(dtype, scratch, i) / 2.0 + 1.0);
            for step in &post {
                v = round(match *step {
                    PostOp::Relu => v.max(0.0),
                    PostOp::Add { slot } => v + get(dtype, call.inputs[slot].unwrap(), i),
                    other => return Err(Failure::new("test/step", format!("{other:?}"))),
                });
            }
            put(dtype, call.outputs[0], i, v);
        }
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(bytes))
}

fn plan_both(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, out) = (cx.need("x")?, cx.outputs[0].clone());
    Ok(CpuKernel::new(move |call| {
        let from = call.read(x)?;
        let [same, minus] = &mut *call.outputs else { return Err(Failure::new("test/outputs", "not two")) };
        same.copy_from_slice(from);
        (0..out.count()).for_each(|i| put(out.dtype, minus, i, -get(out.dtype, from, i)));
        Ok(())
    }))
}
