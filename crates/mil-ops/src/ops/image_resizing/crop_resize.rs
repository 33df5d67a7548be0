//! `crop_resize`: boxes of images, each resized to one size.

use super::grid::Sampling;
use super::sampler::{Interpolation, Outside, Plane, elements, folded};
use crate::contract::*;
use crate::support::args::Args;
use mil_base::{DType, DTypes, Dim, Opset, Shape, Type};

/// The card of `crop_resize`.
pub static CROP_RESIZE: OpDef = OpDef {
    name: "crop_resize",
    doc: Doc::page(include_str!("crop_resize.md")),
    versions: &[
        Version::new(Opset::Ios15, &IOS15),
        Version::new(Opset::Ios16, &IOS16),
        Version::new(Opset::Ios17, &IOS17),
    ],
    constraints: &[
        Constraint {
            slug: "crop_resize/shapes",
            rule: "x has rank 4; roi is [boxes, 1, 4 or 5, 1, 1]; since ios17 boxes is [boxes, 4] and box_indices [boxes]",
        },
        Constraint { slug: "crop_resize/size", rule: "target_height and target_width are 1 or more" },
        Constraint {
            slug: "crop_resize/modes",
            rule: "box_coordinate_mode is one of four, sampling_mode one of five, and normalized coordinates are floats",
        },
        Constraint {
            slug: "crop_resize/image-in-range",
            rule: "every box names an image of the batch; without box_indices there are at most as many boxes as images",
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

const TARGET: [Param; 6] = [
    Param::constant("target_height", sets::INT32).or(Default::Int(1)),
    Param::constant("target_width", sets::INT32).or(Default::Int(1)),
    Param::constant("normalized_coordinates", sets::BOOL).or(Default::Bool(false)),
    Param::constant("spatial_scale", DTypes::of(&[DType::Fp32])).or(Default::Float(1.0)),
    Param::constant("box_coordinate_mode", sets::STRING).or(Default::Str("CORNERS_HEIGHT_FIRST")),
    Param::constant("sampling_mode", sets::STRING).or(Default::Str("DEFAULT")),
];

const IOS15: [Param; 8] = {
    let [h, w, n, s, b, m] = TARGET;
    let roi = Param::tensor("roi", sets::FLOAT).group("T");
    [Param::tensor("x", sets::FLOAT).group("T"), roi, h, w, n, s, b, m]
};

const PAD: Param = Param::constant("pad_value", sets::FLOAT).group("T").or(Default::Float(0.0));

const IOS16: [Param; 9] = {
    let [x, roi, h, w, n, s, b, m] = IOS15;
    [x, roi, h, w, n, s, b, m, PAD]
};

const IOS17: [Param; 10] = {
    let [x, _, h, w, n, s, b, m] = IOS15;
    let boxes = Param::tensor("boxes", DTypes::of(&[DType::Fp16, DType::Fp32, DType::UInt16])).group("BOX_T");
    let indices = Param::tensor("box_indices", DTypes::of(&[DType::Int32, DType::UInt16]))
        .group("BOX_INDEX_T")
        .or(Default::Computed("0, 1, .. for the boxes in order"));
    [x, boxes, indices, h, w, n, s, b, m, PAD]
};

/// How the four numbers of a box are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct BoxMode {
    /// Centre and size instead of corners.
    center: bool,
    /// x before y.
    width_first: bool,
}

impl BoxMode {
    fn parse(name: &str) -> Option<BoxMode> {
        let (center, width_first) = match name {
            "CORNERS_HEIGHT_FIRST" => (false, false),
            "CORNERS_WIDTH_FIRST" => (false, true),
            "CENTER_SIZE_HEIGHT_FIRST" => (true, false),
            "CENTER_SIZE_WIDTH_FIRST" => (true, true),
            _ => return None,
        };
        Some(BoxMode { center, width_first })
    }

    /// First and last row, first and last column.
    fn corners(self, [a, b, c, d]: [f64; 4]) -> [[f64; 2]; 2] {
        let ((y, x), (y2, x2)) = if self.width_first { ((b, a), (d, c)) } else { ((a, b), (c, d)) };
        match self.center {
            true => [[y - y2 / 2.0, y + y2 / 2.0], [x - x2 / 2.0, x + x2 / 2.0]],
            false => [[y, y2], [x, x2]],
        }
    }
}

struct Modes {
    boxes: BoxMode,
    sampling: Sampling,
    normalized: bool,
    scale: f64,
    pad: f64,
    target: [usize; 2],
}

impl Modes {
    fn read(args: &impl Args) -> Option<Modes> {
        let size = |name| usize::try_from(args.get_int(name)?).ok().filter(|&n| n > 0);
        Some(Modes {
            boxes: BoxMode::parse(&args.get_str("box_coordinate_mode")?)?,
            sampling: Sampling::parse(&args.get_str("sampling_mode")?)?,
            normalized: args.get_bool("normalized_coordinates")?,
            scale: args.get_float("spatial_scale")?,
            // ios15 has no `pad_value`.
            pad: args.get_float("pad_value").unwrap_or(0.0),
            target: [size("target_height")?, size("target_width")?],
        })
    }

    /// Where element `o` of `n` of a box reads an axis of `size`; outside the axis, the padding is read.
    fn at(&self, o: usize, n: usize, [first, last]: [f64; 2], size: usize) -> f64 {
        let end = size.saturating_sub(1) as f64;
        let i = o as f64;
        if self.sampling == Sampling::UnalignCorners {
            // Edges of pixels: a normalised box counts in whole sizes, and what is outside is mirrored.
            let (from, span) = match self.normalized {
                true => (first * self.scale * size as f64, (last - first) * self.scale * size as f64),
                false => (first * self.scale, (last - first) * self.scale + 1.0),
            };
            return folded(from + (i + 0.5) * span / n as f64 - 0.5, size, Outside::Symmetric);
        }
        let unit = if self.normalized { end * self.scale } else { self.scale };
        let (first, last) = (first * unit, last * unit);
        let spread = |alone: f64| if n > 1 { first + i * (last - first) / (n - 1) as f64 } else { alone };
        match self.sampling {
            Sampling::StrictAlignCorners => spread(first),
            Sampling::AlignCorners => spread((first + last) / 2.0),
            Sampling::OffsetCorners => first + (i + 0.5) * (last - first).max(1.0) / n as f64,
            _ => (first + i * (last - first + 1.0) / n as f64).min(last.max(first)),
        }
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let target = check_parameters(cx)?;
    let seventeen = cx.version.since >= Opset::Ios17;
    let name = if seventeen { "boxes" } else { "roi" };
    let boxes = cx.need(name)?;
    let is = |d: Dim, n: usize| d.may_equal(Dim::Known(n));
    let count = match boxes.shape.0[..] {
        [n, four] if seventeen && is(four, 4) => Some(n),
        [n, one, parts, a, b] if !seventeen && is(one, 1) && is(a, 1) && is(b, 1) => {
            (is(parts, 4) || is(parts, 5)).then_some(n)
        }
        _ => None,
    };
    let (&[batch, channels, _, _], Some(count)) = (&x.shape.0[..], count) else {
        let form = if seventeen { "[boxes, 4]" } else { "[boxes, 1, 4 or 5, 1, 1]" };
        return Err(cx.refuse(
            "crop_resize/shapes",
            if x.shape.rank() == 4 { name } else { "x" },
            format!("x is {x} and {name} {boxes}"),
            format!("x is [batch, channels, height, width] and {name} {form}"),
        ));
    };
    if cx.bool("normalized_coordinates") == Some(true) && !boxes.dtype.is_float() {
        let message = format!("{name} is {} and normalized_coordinates is true", boxes.dtype);
        cx.report(
            "crop_resize/modes",
            name,
            message,
            "normalised coordinates are between 0 and 1: use floats",
        );
    }
    if seventeen {
        check_indices(cx, count, batch)?;
        return cx.one(x.dtype, Shape(vec![count, channels, target[0], target[1]]));
    }
    let indexed = boxes.shape[2].known() == Some(5);
    let images = if indexed { Dim::Known(1) } else { batch };
    cx.one(x.dtype, Shape(vec![count, images, channels, target[0], target[1]]))
}

fn check_parameters(cx: &mut Infer<'_>) -> Result<[Dim; 2], Refused> {
    let (mode, sampling) = (cx.need_str("box_coordinate_mode")?, cx.need_str("sampling_mode")?);
    if BoxMode::parse(&mode).is_none() {
        cx.report(
            "crop_resize/modes",
            "box_coordinate_mode",
            format!("\"{mode}\" is no box_coordinate_mode"),
            "use \"CORNERS_HEIGHT_FIRST\", \"CORNERS_WIDTH_FIRST\", \"CENTER_SIZE_HEIGHT_FIRST\" or \"CENTER_SIZE_WIDTH_FIRST\"",
        );
    }
    if Sampling::parse(&sampling).is_none() {
        let message = format!("\"{sampling}\" is no sampling mode");
        cx.report("crop_resize/modes", "sampling_mode", message, format!("use {}", Sampling::NAMES));
    }
    let mut target = [Dim::Unknown; 2];
    for (name, dim) in ["target_height", "target_width"].iter().zip(&mut target) {
        let size = cx.need_int(name)?;
        match usize::try_from(size).ok().filter(|&n| n > 0) {
            Some(size) => *dim = Dim::Known(size),
            None => {
                let message = format!("`{name}` is {size}");
                return Err(cx.refuse("crop_resize/size", name, message, "give a size of 1 or more"));
            }
        }
    }
    Ok(target)
}

fn check_indices(cx: &mut Infer<'_>, count: Dim, batch: Dim) -> Result<(), Refused> {
    let Some(indices) = cx.ty("box_indices") else {
        if let (Dim::Known(count), Dim::Known(batch)) = (count, batch)
            && count > batch
        {
            cx.report(
                "crop_resize/image-in-range",
                "boxes",
                format!("there are {count} boxes and {batch} images"),
                "give box_indices: without it box i is of image i",
            );
        }
        return Ok(());
    };
    if !matches!(indices.shape.0.as_slice(), [n] if n.may_equal(count)) {
        return Err(cx.refuse(
            "crop_resize/shapes",
            "box_indices",
            format!("box_indices is {indices} and there are {count} boxes"),
            format!("give box_indices the shape [{count}]"),
        ));
    }
    let known = cx.tensor("box_indices").map(|t| t.to_i64()).unwrap_or_default();
    let outside = |&&i: &&i64| i < 0 || batch.known().is_some_and(|n| i >= n as i64);
    if let Some(index) = known.iter().find(outside) {
        cx.report(
            "crop_resize/image-in-range",
            "box_indices",
            format!("box_indices names image {index} of {batch}"),
            "images are counted from 0",
        );
    }
    Ok(())
}

/// The images a box is cut from, and its four numbers.
struct Crop {
    images: std::ops::Range<usize>,
    numbers: [f64; 4],
}

fn crops(call: &RefCall<'_>, batch: usize) -> Result<(Vec<Crop>, bool), Failure> {
    let wrong = || Failure::new("crop_resize/shapes", "the boxes have not the sizes they need");
    let image = |index: f64| match index >= 0.0 && index < batch as f64 {
        true => Ok(index as usize..index as usize + 1),
        false => {
            let message = format!("a box names image {index} of {batch}");
            Err(Failure::new("crop_resize/image-in-range", message))
        }
    };
    let numbers = |part: &[f64]| part.try_into().map_err(|_| wrong());
    if call.version.since >= Opset::Ios17 {
        let boxes = call.arg("boxes")?.f64s();
        let count = boxes.len() / 4;
        let counted = || (0..count).map(|i| i as f64).collect();
        let indices = call.get("box_indices").map_or_else(counted, RefTensor::f64s);
        let parts = boxes.chunks_exact(4).zip(&indices);
        let crops = parts.map(|(part, &i)| Ok(Crop { images: image(i)?, numbers: numbers(part)? }));
        return Ok((crops.collect::<Result<_, Failure>>()?, false));
    }
    let roi = call.arg("roi")?;
    let crops = match roi.shape.get(2) {
        Some(5) => {
            let values = roi.f64s();
            let parts = values.chunks_exact(5);
            parts.map(|p| Ok(Crop { images: image(p[0])?, numbers: numbers(&p[1..])? })).collect()
        }
        Some(4) => {
            let values = roi.f64s();
            let parts = values.chunks_exact(4);
            parts.map(|p| Ok(Crop { images: 0..batch, numbers: numbers(p)? })).collect()
        }
        _ => Err(wrong()),
    };
    Ok((crops?, true))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let modes = Modes::read(call)
        .ok_or_else(|| Failure::new("crop_resize/modes", "the modes of crop_resize cannot be read"))?;
    let &[batch, channels, height, width] = x.shape.as_slice() else {
        return Err(Failure::new("crop_resize/shapes", "x needs four axes"));
    };
    if height * width == 0 {
        return Err(Failure::new("crop_resize/shapes", "x is empty"));
    }
    let (crops, with_images) = crops(call, batch)?;
    let [rows, columns] = modes.target;
    let images = crops.first().map_or(batch, |c| c.images.len());
    let mut shape = vec![crops.len()];
    shape.extend(with_images.then_some(images));
    shape.extend([channels, rows, columns]);
    let mut out = Vec::with_capacity(elements(&shape)?);
    let pixels = x.f64s();
    let inside = |v: f64, size: usize| v >= 0.0 && v <= (size - 1) as f64;
    for Crop { images, numbers } in crops {
        let [down, across] = modes.boxes.corners(numbers);
        for plane in images.start * channels..images.end * channels {
            let plane = Plane { pixels: &pixels[plane * height * width..][..height * width], width, height };
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                let (y, x) = (modes.at(i, rows, down, height), modes.at(j, columns, across, width));
                out.push(match inside(y, height) && inside(x, width) {
                    true => plane.at(x, y, Interpolation::Bilinear, Outside::Border),
                    false => modes.pad,
                });
            }
        }
    }
    Ok(vec![RefTensor::floats(x.dtype, &shape, out)])
}
