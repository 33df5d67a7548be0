//! `non_maximum_suppression`: of boxes that overlap, those with the best scores.

use crate::contract::*;
use crate::support::index::{ANE_LATER, GRADIENT_LATER, room_for};
use crate::support::plan::for_float;
use mil_base::{DType, Dim, Opset, Shape, Type};
use mil_kernels::view::take_scratch;
use mil_kernels::{Float, bytes_as, bytes_as_mut};
use std::cmp::Ordering;

/// The card of `non_maximum_suppression`.
pub static NON_MAXIMUM_SUPPRESSION: OpDef = OpDef {
    name: "non_maximum_suppression",
    doc: Doc::page(include_str!("non_maximum_suppression.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[
                Param::tensor("boxes", sets::FLOAT).group("T"),
                Param::tensor("scores", sets::FLOAT).group("T"),
                Param::constant("iou_threshold", sets::FLOAT).group("T"),
                Param::constant("score_threshold", sets::FLOAT).group("T"),
                Param::constant("max_boxes", sets::INT32),
                Param::constant("per_class_suppression", sets::BOOL).or(Default::Bool(false)),
            ],
        )
        .outputs(Outputs::Exactly(4)),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("boxes", sets::FLOAT).group("T"),
                Param::tensor("scores", sets::FLOAT).group("T"),
                Param::constant("iou_threshold", sets::FLOAT).group("T"),
                Param::constant("max_boxes", sets::INT32),
                Param::constant("per_class_suppression", sets::BOOL).or(Default::Bool(false)),
            ],
        )
        .outputs(Outputs::Exactly(3)),
    ],
    constraints: &[
        Constraint {
            slug: "non_maximum_suppression/boxes-shape",
            rule: "boxes is [n, B, 4], from iOS 17 on [n, 4, B]",
        },
        Constraint {
            slug: "non_maximum_suppression/scores-shape",
            rule: "scores is [n, B, K], from iOS 17 on [n, K, B], with the n and B of boxes and a K of at least 1",
        },
        Constraint { slug: "non_maximum_suppression/max-boxes", rule: "max_boxes is not negative" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |op| {
        let (boxes, last) = (op.ty("boxes")?, op.version.since >= Opset::Ios17);
        let n = boxes.shape.get(if last { 2 } else { 1 })?.known()? as u64;
        let kept = u64::try_from(op.int("max_boxes")?).ok()?.min(n);
        n.checked_mul(kept)?.checked_mul(16)
    },
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (boxes, scores) = (cx.need("boxes")?, cx.need("scores")?);
    // Where the boxes are counted, and what each of them has.
    let (along, within) = if cx.version.since >= Opset::Ios17 { (2, 1) } else { (1, 2) };
    if boxes.shape.rank() != 3 || !boxes.shape[within].may_equal(Dim::Known(4)) {
        let wanted = if along == 2 { "[n, 4, B]" } else { "[n, B, 4]" };
        return Err(cx.refuse(
            "non_maximum_suppression/boxes-shape",
            "boxes",
            format!("`boxes` is {}, which are not four numbers a box", boxes.shape),
            format!("give it the shape {wanted}: x, y, width and height of each"),
        ));
    }
    let agrees = |axis: usize| scores.shape[axis].may_equal(boxes.shape[axis]);
    if scores.shape.rank() != 3 || !agrees(0) || !agrees(along) || scores.shape[within] == Dim::Known(0) {
        let wanted = match along {
            2 => format!("[{}, K, {}]", boxes.shape[0], boxes.shape[2]),
            _ => format!("[{}, {}, K]", boxes.shape[0], boxes.shape[1]),
        };
        return Err(cx.refuse(
            "non_maximum_suppression/scores-shape",
            "scores",
            format!("`scores` is {} beside boxes of {}", scores.shape, boxes.shape),
            format!("give it the shape {wanted}, K being the number of classes"),
        ));
    }
    let max_boxes = cx.need_int("max_boxes")?;
    let Ok(kept) = usize::try_from(max_boxes) else {
        return Err(cx.refuse(
            "non_maximum_suppression/max-boxes",
            "max_boxes",
            format!("{max_boxes} boxes cannot be kept"),
            "give the most boxes to keep",
        ));
    };
    let n = boxes.shape[0].merge(scores.shape[0]);
    let shape = |each: Dim| match along {
        2 => Shape(vec![n, each, Dim::Known(kept)]),
        _ => Shape(vec![n, Dim::Known(kept), each]),
    };
    let mut outputs = vec![
        Type::tensor(boxes.dtype, shape(Dim::Known(4))),
        Type::tensor(scores.dtype, shape(scores.shape[within])),
        Type::tensor(DType::Int32, Shape(vec![n, Dim::Known(kept)])),
    ];
    if along == 1 {
        outputs.push(Type::tensor(DType::Int32, Shape(vec![n])));
    }
    Ok(outputs)
}

/// Sizes of a call, and its thresholds.
#[derive(Clone, Copy)]
struct Suppression {
    batches: usize,
    boxes: usize,
    classes: usize,
    kept: usize,
    /// Are the boxes along the last axis?
    last: bool,
    iou: f64,
    score: Option<f64>,
    per_class: bool,
}

/// The class of a box and the score it has there.
#[derive(Clone, Copy, Default, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C)]
struct Best {
    score: f64,
    class: u64,
}

impl Suppression {
    /// Where field `field` of box `index` is, in a tensor with `fields` of each box and room for `room` boxes.
    fn at(&self, batch: usize, index: usize, field: usize, fields: usize, room: usize) -> usize {
        let within = if self.last { field * room + index } else { index * fields + field };
        batch * fields * room + within
    }

    /// Puts the indices of the boxes kept at the front of `order` and says how many they are. `order` and `best` have an
    /// element for each box.
    fn select(
        &self,
        batch: usize,
        coordinate: impl Fn(usize) -> f64,
        score: impl Fn(usize) -> f64,
        order: &mut [u32],
        best: &mut [Best],
    ) -> usize {
        for (index, (o, b)) in order.iter_mut().zip(best.iter_mut()).enumerate() {
            let of = |class: usize| score(self.at(batch, index, class, self.classes, self.boxes));
            *o = index as u32;
            *b = Best { score: of(0), class: 0 };
            for class in 1..self.classes {
                if of(class) > b.score {
                    *b = Best { score: of(class), class: class as u64 };
                }
            }
        }
        let by_score = |a: &u32, b: &u32| {
            let (x, y) = (best[*a as usize].score, best[*b as usize].score);
            // What is no number comes last.
            x.is_nan().cmp(&y.is_nan()).then(y.partial_cmp(&x).unwrap_or(Ordering::Equal)).then(a.cmp(b))
        };
        order.sort_unstable_by(by_score);
        let corner = |index: u32| {
            let field = |field| coordinate(self.at(batch, index as usize, field, 4, self.boxes));
            [field(0), field(1), field(2), field(3)]
        };
        let mut kept = 0;
        for place in 0..order.len() {
            let candidate = order[place];
            let Best { score, class } = best[candidate as usize];
            let low = self.score.is_some_and(|threshold| score < threshold || score.is_nan());
            if kept == self.kept || low {
                break;
            }
            let a = corner(candidate);
            let suppressed = order[..kept].iter().any(|&other| {
                let same = !self.per_class || best[other as usize].class == class;
                same && overlap(a, corner(other)) > self.iou
            });
            if !suppressed {
                // Places before `place` that hold no kept box are not looked at again.
                order[kept] = candidate;
                kept += 1;
            }
        }
        // The best box is still in its place when none was good enough.
        kept.max(order.len().min(self.kept).min(1))
    }
}

/// Intersection over union of two boxes (x, y, width, height) around their centres.
fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let along = |axis: usize| {
        let low = (a[axis] - 0.5 * a[axis + 2]).max(b[axis] - 0.5 * b[axis + 2]);
        let high = (a[axis] + 0.5 * a[axis + 2]).min(b[axis] + 0.5 * b[axis + 2]);
        (high - low).max(0.0)
    };
    let both = along(0) * along(1);
    let either = a[2] * a[3] + b[2] * b[3] - both;
    if either > 0.0 { both / either } else { 0.0 }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (boxes, scores) = (call.arg("boxes")?, call.arg("scores")?);
    let last = call.version.since >= Opset::Ios17;
    let (along, within) = if last { (2, 1) } else { (1, 2) };
    let kept = call.int("max_boxes")?;
    let kept = usize::try_from(kept).map_err(|_| {
        Failure::new("non_maximum_suppression/max-boxes", format!("{kept} boxes cannot be kept"))
    })?;
    let rule = Suppression {
        batches: boxes.shape[0],
        boxes: boxes.shape[along],
        classes: scores.shape[within],
        kept,
        last,
        iou: call.float("iou_threshold")?,
        score: if last { None } else { Some(call.float("score_threshold")?) },
        per_class: call.bool("per_class_suppression")?,
    };
    let shape = |fields| match last {
        true => [rule.batches, fields, kept],
        false => [rule.batches, kept, fields],
    };
    let (box_shape, score_shape) = (shape(4), shape(rule.classes));
    let (coordinates, scored) = (boxes.f64s(), scores.f64s());
    let mut kept_boxes = vec![0.0; room_for(&box_shape)?];
    let mut kept_scores = vec![0.0; room_for(&score_shape)?];
    let mut indices = vec![-1; room_for(&[rule.batches, kept])?];
    let mut counts = Vec::new();
    let (mut order, mut best) = (vec![0; rule.boxes], vec![Best::default(); rule.boxes]);
    for batch in 0..rule.batches {
        let n = rule.select(batch, |i| coordinates[i], |i| scored[i], &mut order, &mut best);
        for (place, &index) in order[..n].iter().enumerate() {
            for f in 0..4 {
                kept_boxes[rule.at(batch, place, f, 4, kept)] =
                    coordinates[rule.at(batch, index as usize, f, 4, rule.boxes)];
            }
            for c in 0..rule.classes {
                kept_scores[rule.at(batch, place, c, rule.classes, kept)] =
                    scored[rule.at(batch, index as usize, c, rule.classes, rule.boxes)];
            }
            indices[batch * kept + place] = i64::from(index);
        }
        counts.push(n as i64);
    }
    let mut outputs = vec![
        RefTensor::floats(boxes.dtype, &box_shape, kept_boxes),
        RefTensor::floats(scores.dtype, &score_shape, kept_scores),
        RefTensor::ints(DType::Int32, &[rule.batches, kept], indices),
    ];
    if !last {
        outputs.push(RefTensor::ints(DType::Int32, &[rule.batches], counts));
    }
    Ok(outputs)
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (boxes, scores) = (cx.ty("boxes")?, cx.ty("scores")?);
    let last = cx.view.version.since >= Opset::Ios17;
    let (along, within) = if last { (2, 1) } else { (1, 2) };
    let float = |name: &str| cx.view.float(name).ok_or_else(|| cx.unplanned(name));
    let kept = cx.outputs.get(2).and_then(|o| o.shape.get(1)).copied();
    let (Some(&batches), Some(&count), Some(&classes)) =
        (boxes.shape.first(), boxes.shape.get(along), scores.shape.get(within))
    else {
        return Err(cx.unplanned("boxes"));
    };
    let rule = Suppression {
        batches,
        boxes: count,
        classes,
        kept: kept.ok_or_else(|| cx.unplanned("max_boxes"))?,
        last,
        iou: float("iou_threshold")?,
        score: if last { None } else { Some(float("score_threshold")?) },
        per_class: cx.view.bool("per_class_suppression").unwrap_or(false),
    };
    let slots = (cx.need("boxes")?, cx.need("scores")?);
    for_float!(cx, "boxes", boxes.dtype, T => Ok(kernel::<T>(rule, slots)))
}

fn kernel<T: Float>(rule: Suppression, slots: (usize, usize)) -> CpuKernel {
    let bytes = rule.boxes * size_of::<Best>() + (rule.boxes * size_of::<u32>()).next_multiple_of(64) + 128;
    let run = move |call: &mut KernelCall<'_>| {
        let (boxes, scores) = (bytes_as::<T>(call.read(slots.0)?), bytes_as::<T>(call.read(slots.1)?));
        let missing = || Failure::new("op/output-missing", "an output buffer is missing");
        let [kept_boxes, kept_scores, indices, rest @ ..] = &mut *call.outputs else { return Err(missing()) };
        let kept_boxes = bytes_as_mut::<T>(kept_boxes);
        let kept_scores = bytes_as_mut::<T>(kept_scores);
        let indices = bytes_as_mut::<i32>(indices);
        kept_boxes.fill(T::from_f32(0.0));
        kept_scores.fill(T::from_f32(0.0));
        indices.fill(-1);
        let (order, scratch) = take_scratch::<u32>(call.scratch, rule.boxes);
        let (best, _) = take_scratch::<Best>(scratch, rule.boxes);
        for batch in 0..rule.batches {
            let value = |x: &[T], i: usize| f64::from(x[i].to_f32());
            let n = rule.select(batch, |i| value(boxes, i), |i| value(scores, i), order, best);
            for (place, &index) in order[..n].iter().enumerate() {
                for f in 0..4 {
                    kept_boxes[rule.at(batch, place, f, 4, rule.kept)] =
                        boxes[rule.at(batch, index as usize, f, 4, rule.boxes)];
                }
                for c in 0..rule.classes {
                    kept_scores[rule.at(batch, place, c, rule.classes, rule.kept)] =
                        scores[rule.at(batch, index as usize, c, rule.classes, rule.boxes)];
                }
                indices[batch * rule.kept + place] = index as i32;
            }
            if let Some(counts) = rest.first_mut() {
                bytes_as_mut::<i32>(counts)[batch] = n as i32;
            }
        }
        Ok(())
    };
    CpuKernel::new(run).scratch(bytes)
}
