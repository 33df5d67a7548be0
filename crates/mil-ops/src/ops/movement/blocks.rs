//! `depth_to_space`, `space_to_depth`, `pixel_shuffle`, `pixel_unshuffle`: blocks of pixels as channels and back.
//!
//! They differ in the direction, and in whether the place within a block or the channel counts more among the
//! channels.

use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use mil_base::{DType, DTypes, Dim, Opset, Type};

/// What tells the four ops apart.
struct Row {
    name: &'static str,
    /// The parameter with the side of a block.
    side: &'static str,
    rank_4: &'static str,
    divides: &'static str,
    /// From channels to pixels, or back.
    to_space: bool,
    /// Does the channel of the wide tensor count more than the place within a block?
    channel_first: bool,
}

/// A card from its row. `infer` and `reference` are functions without state, so each op has its own.
macro_rules! card {
    ($name:literal, $since:expr, $params:expr, to_space: $to_space:literal,
     channel_first: $channel_first:literal, $rule:literal) => {{
        const ROW: Row = Row {
            name: $name,
            side: $params[1].name,
            rank_4: concat!($name, "/rank-4"),
            divides: concat!($name, "/block-divides"),
            to_space: $to_space,
            channel_first: $channel_first,
        };
        OpDef {
            name: ROW.name,
            doc: Doc::section(include_str!("blocks.md"), ROW.name),
            versions: &[Version::new($since, $params)],
            constraints: &[
                Constraint { slug: ROW.rank_4, rule: "x is [batch, channels, height, width]" },
                Constraint { slug: ROW.divides, rule: $rule },
            ],
            infer: |cx| infer(cx, &ROW),
            reference: Reference::Rule(|call| reference(call, &ROW)),
            cpu: Cpu::kernel(|cx| plan(cx, &ROW)),
            gradient: GRADIENT_LATER,
            ane: ANE_LATER,
            cost: |_| Some(0),
            accuracy: Accuracy::EXACT,
        }
    }};
}

const X: Param = Param::tensor("x", sets::FLOAT).group("T");
const BLOCK: &[Param] = &[X, Param::constant("block_size", sets::INT32)];
const UPSCALE: &[Param] = &[X, Param::constant("upscale_factor", sets::INT32)];
const DOWNSCALE: &[Param] = &[X, Param::constant("downscale_factor", DTypes::of(&[DType::UInt32]))];

/// The card of `depth_to_space`.
pub static DEPTH_TO_SPACE: OpDef = card!(
    "depth_to_space", Opset::Ios15, BLOCK, to_space: true, channel_first: false,
    "the square of block_size, which is positive, divides the channels"
);

/// The card of `space_to_depth`.
pub static SPACE_TO_DEPTH: OpDef = card!(
    "space_to_depth", Opset::Ios15, BLOCK, to_space: false, channel_first: false,
    "block_size, which is positive, divides height and width"
);

/// The card of `pixel_shuffle`.
pub static PIXEL_SHUFFLE: OpDef = card!(
    "pixel_shuffle", Opset::Ios15, UPSCALE, to_space: true, channel_first: true,
    "the square of upscale_factor, which is positive, divides the channels"
);

/// The card of `pixel_unshuffle`.
pub static PIXEL_UNSHUFFLE: OpDef = card!(
    "pixel_unshuffle", Opset::Ios16, DOWNSCALE, to_space: false, channel_first: true,
    "downscale_factor, which is positive, divides height and width"
);

fn infer(cx: &mut Infer<'_>, row: &Row) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let side = cx.need_int(row.side)?;
    let [_, c, h, w] = *x.shape.0 else {
        let message = format!("x has the shape {}", x.shape);
        return Err(cx.refuse(row.rank_4, "x", message, "reshape it to [batch, channels, height, width]"));
    };
    let Some(b) = usize::try_from(side).ok().filter(|&b| b > 0) else {
        return Err(cx.refuse(
            row.divides,
            row.side,
            format!("a block cannot have the side {side}"),
            "use 1 or more",
        ));
    };
    let area = b.checked_mul(b);
    let divided: &[(Dim, Option<usize>)] =
        if row.to_space { &[(c, area)] } else { &[(h, Some(b)), (w, Some(b))] };
    for &(dim, by) in divided {
        let fits = dim.known().is_none_or(|n| by.is_some_and(|by| n.is_multiple_of(by)));
        if !fits {
            let message = format!("blocks of side {b} do not divide x of shape {}", x.shape);
            return Err(cx.refuse(row.divides, row.side, message, "choose another block or pad x"));
        }
    }
    let area = area.unwrap_or(1);
    let mut shape = x.shape.clone();
    if row.to_space {
        shape.0[1] = c.map(|n| Some(n / area));
        shape.0[2] = h.map(|n| n.checked_mul(b));
        shape.0[3] = w.map(|n| n.checked_mul(b));
    } else {
        shape.0[1] = c.map(|n| n.checked_mul(area));
        shape.0[2] = h.map(|n| Some(n / b));
        shape.0[3] = w.map(|n| Some(n / b));
    }
    cx.one(x.dtype, shape)
}

fn reference(call: &RefCall<'_>, row: &Row) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let b = usize::try_from(call.int(row.side)?).unwrap_or(0);
    let &[n, c, h, w] = x.shape.as_slice() else {
        return Err(Failure::new(row.rank_4, format!("x has the shape {:?}", x.shape)));
    };
    let fits = b > 0 && if row.to_space { c % (b * b) == 0 } else { h % b == 0 && w % b == 0 };
    if !fits {
        return Err(Failure::new(row.divides, format!("blocks of side {b} do not divide {:?}", x.shape)));
    }
    let shape = if row.to_space { [n, c / (b * b), h * b, w * b] } else { [n, c * b * b, h / b, w / b] };
    // `few` channels are those of the side with the pixels; `deep` holds their blocks as channels.
    let few = if row.to_space { shape[1] } else { c };
    let deep_channel = |channel: usize, place: usize| {
        if row.channel_first { channel * b * b + place } else { place * few + channel }
    };
    let strides = row_major(&x.shape);
    let from = each(&shape, |at| {
        if row.to_space {
            let place = at[2] % b * b + at[3] % b;
            return position(&strides, &[at[0], deep_channel(at[1], place), at[2] / b, at[3] / b]);
        }
        let (channel, place) =
            if row.channel_first { (at[1] / (b * b), at[1] % (b * b)) } else { (at[1] % few, at[1] / few) };
        position(&strides, &[at[0], channel, at[2] * b + place / b, at[3] * b + place % b])
    })?;
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>, row: &Row) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let out = cx.outputs.first().ok_or_else(|| cx.unplanned("x"))?;
    let b =
        cx.view.int(row.side).and_then(|b| usize::try_from(b).ok()).ok_or_else(|| cx.unplanned(row.side))?;
    let (&[n, c, h, w], &[_, out_c, out_h, out_w]) = (x.shape.as_slice(), out.shape.as_slice()) else {
        return Err(cx.unplanned("x"));
    };
    let (image, plane) = (c * h * w, h * w);
    let walk = if row.to_space {
        // Result [n, channel, h, i, w, j]; the steps of i and j are steps between channels of x.
        let (channel, place) = if row.channel_first { (b * b, 1) } else { (1, out_c) };
        let steps = [image, channel * plane, w, place * b * plane, 1, place * plane];
        Walk::new(&[n, out_c, h, b, w, b], &steps)
    } else if row.channel_first {
        Walk::new(&[n, c, b, b, out_h, out_w], &[image, plane, w, 1, b * w, b])
    } else {
        Walk::new(&[n, b, b, c, out_h, out_w], &[image, w, 1, plane, b * w, b])
    };
    walk.kernel(cx, cx.need("x")?, &x.shape)
}
