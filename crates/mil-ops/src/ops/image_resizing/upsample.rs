//! `upsample_nearest_neighbor` and `upsample_bilinear`: height and width times a factor.

use super::common::{Between, Resizing, cost_linear, need_image, with_image};
use super::grid::{Sampling, scaled};
use crate::contract::*;
use crate::support::args::Args;
use mil_base::{DType, DTypes, Dim, Opset, Type};

const FACTORS: DTypes = DTypes::of(&[DType::Fp32, DType::Int32]);

const NEAREST: [Param; 3] = [
    Param::tensor("x", sets::FLOAT).group("T"),
    Param::constant("scale_factor_height", FACTORS).group("U").or(Default::Int(1)),
    Param::constant("scale_factor_width", FACTORS).group("U").or(Default::Int(1)),
];

const BILINEAR: [Param; 4] = {
    let [x, height, width] = NEAREST;
    [x, height, width, Param::constant("align_corners", sets::BOOL).or(Default::Bool(true))]
};

const BILINEAR_16: [Param; 5] = {
    let [x, height, width, align] = BILINEAR;
    let half = Param::constant("half_pixel_centers", sets::BOOL)
        .or(Default::Computed("the opposite of align_corners"));
    [x, height, width, align, half]
};

/// The card of `upsample_nearest_neighbor`.
pub static UPSAMPLE_NEAREST_NEIGHBOR: OpDef = OpDef {
    name: "upsample_nearest_neighbor",
    doc: Doc::section(include_str!("upsample.md"), "upsample_nearest_neighbor"),
    versions: &[Version::new(Opset::Ios15, &NEAREST)],
    constraints: &[
        Constraint { slug: "upsample_nearest_neighbor/rank", rule: "x has rank 3 or more" },
        Constraint {
            slug: "upsample_nearest_neighbor/size",
            rule: "the factors are positive and leave at least one row and column",
        },
    ],
    infer: |cx| infer(cx, "upsample_nearest_neighbor/rank", "upsample_nearest_neighbor/size"),
    reference: Reference::Rule(|call| {
        let x = call.arg("x")?;
        Ok(vec![resizing(call, &x.shape, Between::Before)?.reference(x)?])
    }),
    cpu: Cpu::kernel(|cx| resizing(&cx.view, &cx.ty("x")?.shape, Between::Before)?.plan(cx)),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

/// The card of `upsample_bilinear`.
pub static UPSAMPLE_BILINEAR: OpDef = OpDef {
    name: "upsample_bilinear",
    doc: Doc::section(include_str!("upsample.md"), "upsample_bilinear"),
    versions: &[Version::new(Opset::Ios15, &BILINEAR), Version::new(Opset::Ios16, &BILINEAR_16)],
    constraints: &[
        Constraint { slug: "upsample_bilinear/rank", rule: "x has rank 3 or more" },
        Constraint {
            slug: "upsample_bilinear/size",
            rule: "the factors are positive and leave at least one row and column",
        },
        Constraint {
            slug: "upsample_bilinear/corners-or-centers",
            rule: "align_corners and half_pixel_centers are not both true",
        },
    ],
    infer: |cx| {
        if cx.bool("align_corners") == Some(true) && cx.bool("half_pixel_centers") == Some(true) {
            cx.report(
                "upsample_bilinear/corners-or-centers",
                "half_pixel_centers",
                "align_corners and half_pixel_centers are both true",
                "corners or centres of pixels can coincide, not both: set one to false",
            );
        }
        infer(cx, "upsample_bilinear/rank", "upsample_bilinear/size")
    },
    reference: Reference::Rule(|call| {
        let x = call.arg("x")?;
        Ok(vec![resizing(call, &x.shape, Between::Linear)?.reference(x)?])
    }),
    cpu: Cpu::kernel(|cx| resizing(&cx.view, &cx.ty("x")?.shape, Between::Linear)?.plan(cx)),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: cost_linear,
    accuracy: Accuracy::sum(3e-7),
};

/// A factor, 1 when left out.
fn factor(args: &impl Args, name: &str) -> Option<f64> {
    args.get_float(name).filter(|f| f.is_finite() && *f > 0.0)
}

/// Height and width of the result; nothing for a factor that is no positive number.
fn sizes(args: &impl Args, [height, width]: [Dim; 2]) -> Option<[Dim; 2]> {
    let down = scaled(height, factor(args, "scale_factor_height")?);
    Some([down, scaled(width, factor(args, "scale_factor_width")?)])
}

fn infer(cx: &mut Infer<'_>, rank: &'static str, size: &'static str) -> Result<Vec<Type>, Refused> {
    let x = need_image(cx, rank)?;
    let n = x.shape.rank();
    let image = [x.shape[n - 2], x.shape[n - 1]];
    let known = |d: &Dim| d.known().is_some();
    match sizes(&cx.view(), image) {
        Some(new) if new.iter().zip(&image).all(|(n, old)| n.known().map_or(!known(old), |n| n > 0)) => {
            cx.one(x.dtype, with_image(&x.shape, new))
        }
        _ => Err(cx.refuse(
            size,
            "scale_factor_height",
            format!("nothing (or too much) is left of height {} and width {}", image[0], image[1]),
            "give positive factors; floor(size * factor) must be at least 1",
        )),
    }
}

fn resizing(args: &impl Args, x: &[usize], between: Between) -> Result<Resizing, Failure> {
    let wrong = || Failure::new("op/argument-unreadable", "the factors leave nothing");
    let &[.., height, width] = x else { return Err(wrong()) };
    let new = sizes(args, [Dim::Known(height), Dim::Known(width)]).ok_or_else(wrong)?;
    let sizes: Option<Vec<usize>> = new.iter().map(|d| d.known().filter(|&n| n > 0)).collect();
    let align = args.get_bool("align_corners").unwrap_or(true);
    let half = args.get_bool("half_pixel_centers").unwrap_or(!align);
    let sampling = match (between, align, half) {
        (Between::Before, ..) | (_, false, false) => Sampling::Default,
        (_, true, _) => Sampling::StrictAlignCorners,
        (_, false, true) => Sampling::UnalignCorners,
    };
    Ok(Resizing { between, sampling, sizes: sizes.ok_or_else(wrong)? })
}
