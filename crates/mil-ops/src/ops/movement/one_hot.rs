//! `one_hot`: a vector for each index, with one value at the index and another elsewhere.

use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size, output};
use crate::support::words::Words;
use mil_base::{DType, Dim, Opset, Tensor, Type};
use mil_kernels::bytes_as_mut;

/// The card of `one_hot`.
pub static ONE_HOT: OpDef = OpDef {
    name: "one_hot",
    doc: Doc::page(include_str!("one_hot.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("indices", sets::INT32),
            Param::tensor("one_hot_vector_size", sets::INT32),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
            Param::constant("on_value", sets::PLAIN).group("T").or(Default::Int(1)),
            Param::constant("off_value", sets::PLAIN).group("T").or(Default::Int(0)),
        ],
    )],
    constraints: &[
        Constraint { slug: "one_hot/axis-in-range", rule: "axis is in -rank..rank of the result" },
        Constraint { slug: "one_hot/size", rule: "one_hot_vector_size is a scalar and not negative" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Zero,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let indices = cx.need("indices")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("one_hot/axis-in-range", "axis", axis, indices.shape.rank() + 1)?;
    let size = cx.need("one_hot_vector_size")?;
    if size.shape.rank() != 0 && size.shape.count() != Some(1) {
        let message = format!("`one_hot_vector_size` is {size}");
        return Err(cx.refuse("one_hot/size", "one_hot_vector_size", message, "give a scalar"));
    }
    let size = match cx.int("one_hot_vector_size") {
        None => Dim::Unknown,
        Some(size) => match usize::try_from(size) {
            Ok(size) => Dim::Known(size),
            Err(_) => {
                let message = format!("a vector cannot have {size} elements");
                return Err(cx.refuse("one_hot/size", "one_hot_vector_size", message, "give 0 or more"));
            }
        },
    };
    let dtype = cx.ty("on_value").or(cx.ty("off_value")).map_or(DType::Int32, |t| t.dtype);
    let mut shape = indices.shape.clone();
    shape.0.insert(axis, size);
    cx.one(dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let indices = call.arg("indices")?;
    let axis = axis_of(call.int("axis")?, indices.shape.len() + 1)?;
    let size = call.int("one_hot_vector_size")?;
    let size = usize::try_from(size)
        .map_err(|_| Failure::new("one_hot/size", format!("a vector cannot have {size} elements")))?;
    let dtype = call.get("on_value").or(call.get("off_value")).map_or(DType::Int32, |t| t.dtype);
    let (on, off) = (call.float("on_value")?, call.float("off_value")?);
    let mut shape = indices.shape.clone();
    shape.insert(axis, size);
    let (strides, values) = (row_major(&indices.shape), indices.i64s());
    let data = each(&shape, |at| {
        let mut place = at.to_vec();
        let i = place.remove(axis);
        if values[position(&strides, &place)] == i as i64 { on } else { off }
    })?;
    Ok(vec![RefTensor::from_f64(dtype, &shape, data)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let out = cx.outputs.first().ok_or_else(|| cx.unplanned("indices"))?;
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    cx.view.int("one_hot_vector_size").ok_or_else(|| cx.unplanned("one_hot_vector_size"))?;
    let around = Around::new(&out.shape, axis_of(axis, out.shape.len())?);
    let value = |name: &str| {
        let value = cx.view.float(name).ok_or_else(|| cx.unplanned(name))?;
        Tensor::from_f64(out.dtype, &[], &[value]).map_err(|_| cx.unplanned(name))
    };
    let (on, off) = (value("on_value")?, value("off_value")?);
    let (indices, bytes) = (Words::of(cx, "indices")?, element_size(cx, 0)?);
    let count = around.before * around.after;
    Ok(CpuKernel::new(move |call| {
        let indices = indices.read(call)?;
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            // A tensor made from a vector of bytes need not be aligned, so its element is read bytewise.
            let element = |t: &Tensor| bytemuck::pod_read_unaligned::<T>(t.bytes());
            let (on, out) = (element(&on), bytes_as_mut::<T>(out));
            out.fill(element(&off));
            for i in 0..count {
                let (outer, inner) = (i / around.after, i % around.after);
                if let Some(at) = usize::try_from(indices.at(i)).ok().filter(|&at| at < around.along) {
                    out[(outer * around.along + at) * around.after + inner] = on;
                }
            }
        });
        Ok(())
    }))
}
