//! Scale and zero point of `quantize` and `dequantize`: one for the tensor, or one for each place along an axis.

use crate::contract::*;
use crate::support::axes::{Around, resolve};
use mil_kernels::Affine;

/// The rules both ops have about their parameters, named after the op.
macro_rules! parameter_constraints {
    ($name:literal $(, $more:expr)*) => {
        &[
            Constraint {
                slug: concat!($name, "/parameter-shapes"),
                rule: "scale and zero_point both have rank 0, or both rank 1 and the size of input along axis",
            },
            Constraint {
                slug: concat!($name, "/axis-with-vectors"),
                rule: "axis is given if scale has rank 1, and only then, in -rank..rank",
            },
            $($more),*
        ]
    };
}
pub(crate) use parameter_constraints;

/// Checks `scale`, `zero_point` and `axis` against `input`.
pub(crate) fn infer_parameters(cx: &mut Infer<'_>) -> Result<(), Refused> {
    let (input, scale) = (cx.need("input")?, cx.need("scale")?);
    let (shapes, with) = (cx.slug("parameter-shapes"), cx.slug("axis-with-vectors"));
    if let Some(zero) = cx.ty("zero_point").filter(|z| z.shape.rank() != scale.shape.rank()) {
        cx.report(
            shapes,
            "zero_point",
            format!("`zero_point` has rank {} but `scale` rank {}", zero.shape.rank(), scale.shape.rank()),
            "give them the same shape",
        );
    }
    if scale.shape.rank() > 1 {
        return Err(cx.refuse(
            shapes,
            "scale",
            format!("`scale` is {}", scale.shape),
            "give one scale, or a list with one for each place along `axis`",
        ));
    }
    if scale.shape.rank() == 0 {
        if cx.has("axis") {
            cx.report(with, "axis", "`axis` is given but `scale` is one value", "leave `axis` out");
        }
        return Ok(());
    }
    if !cx.has("axis") {
        return Err(cx.refuse(with, "scale", "`scale` is a list but `axis` is missing", "state `axis`"));
    }
    let axis = cx.need_int("axis")?;
    let axis = cx.axis(with, "axis", axis, input.shape.rank())?;
    for name in ["scale", "zero_point"] {
        let Some(ty) = cx.ty(name).filter(|t| t.shape.rank() == 1) else { continue };
        if !ty.shape[0].may_equal(input.shape[axis]) {
            cx.report(
                shapes,
                name,
                format!(
                    "`{name}` has {} elements but `input` the size {} along axis {axis}",
                    ty.shape[0], input.shape[axis]
                ),
                "give one for each place along `axis`",
            );
        }
    }
    Ok(())
}

/// The parameters of one execution.
pub(crate) struct Parameters {
    scale: Vec<f64>,
    zero: Vec<f64>,
    /// Elements from one place along the axis to the next.
    after: usize,
}

impl Parameters {
    /// Reads them from a call.
    pub(crate) fn of(call: &RefCall<'_>) -> Result<Parameters, Failure> {
        let input = call.arg("input")?;
        let after = match call.get("axis") {
            Some(_) => Around::new(&input.shape, resolve(call.int("axis")?, input.shape.len())?).after,
            None => 1,
        };
        let scale = call.arg("scale")?.f64s();
        let zero = call.get("zero_point").map_or_else(|| vec![0.0; scale.len()], RefTensor::f64s);
        if scale.is_empty() || zero.len() != scale.len() {
            return Err(Failure::new("op/shapes-differ", "scale and zero_point have different sizes"));
        }
        Ok(Parameters { scale, zero, after: after.max(1) })
    }

    /// Scale and zero point of the element at a row-major position.
    pub(crate) fn at(&self, position: usize) -> (f64, f64) {
        let place = position / self.after % self.scale.len();
        (self.scale[place], self.zero[place])
    }
}

/// The parameters of a plan.
pub(crate) fn affine(cx: &CpuCx<'_>) -> Result<Affine, Failure> {
    let input = cx.ty("input")?;
    let after = match cx.view.has("axis") {
        true => {
            let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
            let around = Around::new(&input.shape, resolve(axis, input.shape.len())?);
            if cx.ty("scale")?.count() != around.along {
                return Err(cx.unplanned("scale"));
            }
            around.after
        }
        false => 1,
    };
    let scale = cx.tensor("scale").ok_or_else(|| cx.unplanned("scale"))?.to_f64();
    let zero = match cx.view.has("zero_point") {
        true => cx.tensor("zero_point").ok_or_else(|| cx.unplanned("zero_point"))?.to_i64(),
        false => vec![0; scale.len()],
    };
    let scale = scale.into_iter().map(|v| v as f32).collect();
    let zero = zero.into_iter().map(|v| v as i32).collect();
    Affine::new(scale, zero, after.max(1)).ok_or_else(|| cx.unplanned("scale"))
}
