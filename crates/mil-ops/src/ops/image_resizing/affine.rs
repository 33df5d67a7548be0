//! `affine`: an image turned, scaled, sheared and moved.

use super::sampler::{Interpolation, Outside, Plane, elements};
use crate::contract::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `affine`.
pub static AFFINE: OpDef = OpDef {
    name: "affine",
    doc: Doc::page(include_str!("affine.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::tensor("transform_matrix", sets::FLOAT).group("T"),
            Param::constant("output_height", sets::INT32),
            Param::constant("output_width", sets::INT32),
            Param::constant("sampling_mode", sets::STRING),
            Param::constant("padding_mode", sets::STRING),
            Param::constant("padding_value", sets::FLOAT).group("T"),
            Param::constant("coordinates_mode", sets::STRING),
            Param::constant("align_corners", sets::BOOL),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "affine/shapes",
            rule: "x has rank 4, and transform_matrix is [batch of x or 1, 6]",
        },
        Constraint { slug: "affine/size", rule: "output_height and output_width are 1 or more" },
        Constraint {
            slug: "affine/modes",
            rule: "sampling_mode is bilinear, padding_mode constant with padding_value 0, coordinates_mode normalized_minus_one_to_one, align_corners true: Core ML has no others",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("a rare op, whose rule is fast enough"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: super::common::cost_linear,
    accuracy: Accuracy::ROUNDED,
};

const MODES: [(&str, &str); 3] = [
    ("sampling_mode", "bilinear"),
    ("padding_mode", "constant"),
    ("coordinates_mode", "normalized_minus_one_to_one"),
];

fn check_modes(cx: &mut Infer<'_>) -> Result<(), Refused> {
    for (name, only) in MODES {
        let text = cx.need_str(name)?;
        if text.to_lowercase() != only {
            let help = format!("Core ML's affine knows \"{only}\" only: use resample for others");
            cx.report("affine/modes", name, format!("`{name}` is \"{text}\""), help);
        }
    }
    let padding = cx.float("padding_value").ok_or_else(|| cx.unknown("padding_value"))?;
    if padding != 0.0 {
        let help = "Core ML's affine pads with 0 only: use resample for others";
        cx.report("affine/modes", "padding_value", format!("`padding_value` is {padding}"), help);
    }
    if !cx.need_bool("align_corners")? {
        let help = "Core ML's affine aligns corners: use resample for others";
        cx.report("affine/modes", "align_corners", "`align_corners` is false", help);
    }
    Ok(())
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, matrix) = (cx.need("x")?, cx.need("transform_matrix")?);
    check_modes(cx)?;
    let fits = match (&x.shape.0[..], &matrix.shape.0[..]) {
        ([batch, ..], [n, six]) => {
            let any = n.may_equal(*batch) || n.may_equal(Dim::Known(1));
            x.shape.rank() == 4 && any && six.may_equal(Dim::Known(6))
        }
        _ => false,
    };
    if !fits {
        return Err(cx.refuse(
            "affine/shapes",
            "transform_matrix",
            format!("x is {x} and transform_matrix {matrix}"),
            "x is [batch, channels, height, width] and transform_matrix [batch, 6] or [1, 6]: a0, a1, a2, b0, b1, b2",
        ));
    }
    let mut shape = x.shape.clone();
    for (axis, name) in [(2, "output_height"), (3, "output_width")] {
        let size = cx.need_int(name)?;
        match usize::try_from(size).ok().filter(|&n| n > 0) {
            Some(size) => shape.0[axis] = Dim::Known(size),
            None => {
                let message = format!("`{name}` is {size}");
                return Err(cx.refuse("affine/size", name, message, "give a size of 1 or more"));
            }
        }
    }
    cx.one(x.dtype, Shape(shape.0))
}

/// Element `i` of `n` in -1..1, the first and the last being the ends.
fn normalized(i: usize, n: usize) -> f64 {
    if n > 1 { 2.0 * i as f64 / (n - 1) as f64 - 1.0 } else { -1.0 }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, matrix) = (call.arg("x")?, call.arg("transform_matrix")?);
    let wrong = || Failure::new("affine/shapes", "x or transform_matrix has not the sizes it needs");
    let (&[batch, channels, height, width], &[matrices, 6]) = (&x.shape[..], &matrix.shape[..]) else {
        return Err(wrong());
    };
    let size = |name| usize::try_from(call.int(name)?).map_err(|_| wrong());
    let (rows, columns) = (size("output_height")?, size("output_width")?);
    if !(matrices == 1 || matrices == batch) || height * width == 0 {
        return Err(wrong());
    }
    let shape = [batch, channels, rows, columns];
    let mut out = Vec::with_capacity(elements(&shape)?);
    let (pixels, transforms) = (x.f64s(), matrix.f64s());
    for image in 0..batch {
        let m = &transforms[if matrices == 1 { 0 } else { image * 6 }..][..6];
        for c in 0..channels {
            let first = (image * channels + c) * height * width;
            let plane = Plane { pixels: &pixels[first..][..height * width], width, height };
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                let (px, py) = (normalized(j, columns), normalized(i, rows));
                let (u, v) = (m[0] * px + m[1] * py + m[2], m[3] * px + m[4] * py + m[5]);
                let pixel = |v: f64, size: usize| (v + 1.0) / 2.0 * (size - 1) as f64;
                let (at_x, at_y) = (pixel(u, width), pixel(v, height));
                out.push(plane.at(at_x, at_y, Interpolation::Bilinear, Outside::Constant(0.0)));
            }
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &shape, out)])
}
