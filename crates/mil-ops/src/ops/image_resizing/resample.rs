//! `resample`: an image read at given points.

use super::sampler::{Interpolation, Outside, Plane, elements};
use crate::contract::*;
use crate::support::args::Args;
use mil_base::{DType, DTypes, Opset, Shape, Type};

/// The card of `resample`.
pub static RESAMPLE: OpDef = OpDef {
    name: "resample",
    doc: Doc::page(include_str!("resample.md")),
    versions: &[
        Version::new(Opset::Ios15, &IOS15),
        Version::new(Opset::Ios16, &IOS16),
        Version::new(Opset::Ios17, &IOS17),
    ],
    constraints: &[
        Constraint { slug: "resample/rank", rule: "x and coordinates have rank 4" },
        Constraint {
            slug: "resample/sizes",
            rule: "x and coordinates have the same batch, and the last axis of coordinates has 2 elements",
        },
        Constraint {
            slug: "resample/modes",
            rule: "sampling_mode, padding_mode and coordinates_mode are among those of the manual page",
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

const IOS15: [Param; 7] = params(DTypes::of(&[DType::Fp32, DType::Int32]));
const IOS16: [Param; 7] = params(sets::NUMBER);
const IOS17: [Param; 7] = params(sets::NUMBER_17);

const fn params(coordinates: DTypes) -> [Param; 7] {
    [
        Param::tensor("x", sets::FLOAT).group("T"),
        Param::tensor("coordinates", coordinates).group("U"),
        Param::constant("sampling_mode", sets::STRING),
        Param::constant("padding_mode", sets::STRING),
        Param::constant("padding_value", sets::FLOAT).group("T"),
        Param::constant("coordinates_mode", sets::STRING),
        Param::constant("align_corners", sets::BOOL),
    ]
}

/// How coordinates count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Units {
    /// In pixels.
    Pixels,
    /// -1 is the first and 1 the last.
    MinusOneToOne,
    /// 0 is the first and 1 the last.
    ZeroToOne,
}

struct Modes {
    how: Interpolation,
    outside: Outside,
    units: Units,
    /// First and last are the centres of the border pixels, not the edges of the image.
    align: bool,
}

impl Modes {
    /// The modes, or the argument that names none.
    fn read(args: &impl Args) -> Result<Modes, &'static str> {
        let text = |name| args.get_str(name).unwrap_or_default().to_lowercase();
        let how = match text("sampling_mode").as_str() {
            "bilinear" => Interpolation::Bilinear,
            "nearest" => Interpolation::Nearest,
            _ => return Err("sampling_mode"),
        };
        let outside = match text("padding_mode").as_str() {
            "constant" => Outside::Constant(args.get_float("padding_value").unwrap_or(0.0)),
            "border" => Outside::Border,
            "reflection" => Outside::Reflection,
            "symmetric" => Outside::Symmetric,
            _ => return Err("padding_mode"),
        };
        let units = match text("coordinates_mode").as_str() {
            "unnormalized" => Units::Pixels,
            "normalized_minus_one_to_one" => Units::MinusOneToOne,
            "normalized_zero_to_one" => Units::ZeroToOne,
            _ => return Err("coordinates_mode"),
        };
        Ok(Modes { how, outside, units, align: args.get_bool("align_corners").unwrap_or(false) })
    }

    /// A coordinate in pixels, along an axis of `size`.
    fn pixel(&self, v: f64, size: usize) -> f64 {
        let share = match self.units {
            Units::Pixels => return v,
            Units::MinusOneToOne => (v + 1.0) / 2.0,
            Units::ZeroToOne => v,
        };
        match self.align {
            true => share * size.saturating_sub(1) as f64,
            false => share * size as f64 - 0.5,
        }
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, points) = (cx.need("x")?, cx.need("coordinates")?);
    if let Err(name) = Modes::read(&cx.view()) {
        let text = cx.need_str(name)?;
        return Err(cx.refuse(
            "resample/modes",
            name,
            format!("\"{text}\" is no {name} of resample"),
            "see `milwright explain resample` for the modes",
        ));
    }
    let (&[batch, channels, _, _], &[batch2, height, width, pair]) = (&x.shape.0[..], &points.shape.0[..])
    else {
        return Err(cx.refuse(
            "resample/rank",
            if x.shape.rank() == 4 { "coordinates" } else { "x" },
            format!("x is {x} and coordinates {points}"),
            "x is [batch, channels, height, width] and coordinates [batch, rows, columns, 2]",
        ));
    };
    if !batch.may_equal(batch2) || !pair.may_equal(2.into()) {
        return Err(cx.refuse(
            "resample/sizes",
            "coordinates",
            format!("x is {} and coordinates {}", x.shape, points.shape),
            "coordinates is [batch, rows, columns, 2] with the batch of x: (x, y) for each point",
        ));
    }
    cx.one(x.dtype, Shape(vec![batch.merge(batch2), channels, height, width]))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, points) = (call.arg("x")?, call.arg("coordinates")?);
    let modes = Modes::read(call)
        .map_err(|name| Failure::new("resample/modes", format!("`{name}` is no mode of resample")))?;
    let (&[batch, channels, height, width], &[batch2, rows, columns, 2]) = (&x.shape[..], &points.shape[..])
    else {
        return Err(Failure::new(
            "resample/rank",
            "x and coordinates need four axes, the last of two elements",
        ));
    };
    if batch != batch2 || height * width == 0 {
        return Err(Failure::new("resample/sizes", "x is empty, or the batches differ"));
    }
    let shape = [batch, channels, rows, columns];
    let mut out = Vec::with_capacity(elements(&shape)?);
    let (pixels, at) = (x.f64s(), points.f64s());
    for image in 0..batch {
        for c in 0..channels {
            let first = (image * channels + c) * height * width;
            let plane = Plane { pixels: &pixels[first..][..height * width], width, height };
            let points = &at[image * rows * columns * 2..][..rows * columns * 2];
            out.extend(points.chunks_exact(2).map(|p| {
                let (x, y) = (modes.pixel(p[0], width), modes.pixel(p[1], height));
                plane.at(x, y, modes.how, modes.outside)
            }));
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &shape, out)])
}
