//! The pools: what is left of each window of the spatial axes.

use crate::contract::*;
use crate::support::args::Args;
use crate::support::plan::{for_float, output};
use crate::support::window::{
    PAD, STRIDES, Slide, WindowArgs, WindowSlugs, infer_windows, with_kernel_window,
};
use mil_base::{Dim, Opset, Shape, Type};
use mil_kernels::pooling::{Pooling, WindowPool};
use mil_kernels::window::Window as KernelWindow;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `max_pool`.
pub static MAX_POOL: OpDef = pool(
    "max_pool",
    &[Version::new(Opset::Ios15, PARAMS)],
    &[
        rank("max_pool/rank", "x has rank 3, 4 or 5"),
        arguments("max_pool/window-arguments"),
        fits("max_pool/window-fits"),
        same_lower("max_pool/same-lower-since-ios16"),
    ],
    |cx| infer(cx, &slugs("max_pool"), 5),
    |call| reference(call, maximum),
    |cx| plan(cx, Pooling::Max),
    Accuracy::EXACT,
);

/// The card of `avg_pool`.
pub static AVG_POOL: OpDef = pool(
    "avg_pool",
    &[Version::new(Opset::Ios15, &[EXCLUDE_PADDING, X, KERNEL_SIZES, STRIDES, PAD_TYPE, PAD, CEIL_MODE])],
    &[
        rank("avg_pool/rank", "x has rank 3, 4 or 5"),
        arguments("avg_pool/window-arguments"),
        fits("avg_pool/window-fits"),
        same_lower("avg_pool/same-lower-since-ios16"),
    ],
    |cx| infer(cx, &slugs("avg_pool"), 5),
    |call| match call.bool("exclude_padding_from_average")? {
        true => reference(call, mean_of_inside),
        false => reference(call, mean_of_covered),
    },
    |cx| {
        let excluded = cx.view.bool("exclude_padding_from_average");
        let exclude_padding = excluded.ok_or_else(|| cx.unplanned("exclude_padding_from_average"))?;
        plan(cx, Pooling::Average { exclude_padding })
    },
    Accuracy::sum(1.5e-6),
);

/// The card of `l2_pool`.
pub static L2_POOL: OpDef = pool(
    "l2_pool",
    &[Version::new(Opset::Ios15, PARAMS)],
    &[
        rank("l2_pool/rank", "x has rank 3 or 4"),
        arguments("l2_pool/window-arguments"),
        fits("l2_pool/window-fits"),
        same_lower("l2_pool/same-lower-since-ios16"),
    ],
    |cx| infer(cx, &slugs("l2_pool"), 4),
    |call| reference(call, length),
    |cx| plan(cx, Pooling::L2),
    Accuracy::of_largest(8e-7),
);

const X: Param = Param::tensor("x", sets::FLOAT).group("T");
const KERNEL_SIZES: Param = Param::constant("kernel_sizes", sets::INT32);
const PAD_TYPE: Param = Param::constant("pad_type", sets::STRING);
const CEIL_MODE: Param = Param::constant("ceil_mode", sets::BOOL).or(Default::Bool(false));
const EXCLUDE_PADDING: Param =
    Param::constant("exclude_padding_from_average", sets::BOOL).or(Default::Bool(false));

const PARAMS: &[Param] = &[X, KERNEL_SIZES, STRIDES, PAD_TYPE, PAD, CEIL_MODE];

type InferFn = fn(&mut Infer<'_>) -> Result<Vec<Type>, Refused>;
type ReferenceFn = fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>;

const fn pool(
    name: &'static str,
    versions: &'static [Version],
    constraints: &'static [Constraint],
    infer: InferFn,
    reference: ReferenceFn,
    plan: PlanFn,
    accuracy: Accuracy,
) -> OpDef {
    OpDef {
        name,
        doc: Doc::section(include_str!("pool.md"), name),
        versions,
        constraints,
        infer,
        reference: Reference::Rule(reference),
        cpu: Cpu::kernel(plan),
        gradient: Gradient::Todo("differentiation is a later issue"),
        ane: Ane::Todo("the Neural Engine's rules are a later issue"),
        cost,
        accuracy,
    }
}

const fn rank(slug: &'static str, rule: &'static str) -> Constraint {
    Constraint { slug, rule }
}

const fn arguments(slug: &'static str) -> Constraint {
    Constraint {
        slug,
        rule: "kernel_sizes and strides are 1 or more for each spatial axis, windows of at most 4194304 elements, pad 0 or more before and after each, pad_type one of four; ceil_mode goes with at most 2 spatial axes, equal pads and another pad_type than same",
    }
}

const fn fits(slug: &'static str) -> Constraint {
    Constraint { slug, rule: "at least one window fits into the padded input" }
}

const fn same_lower(slug: &'static str) -> Constraint {
    Constraint { slug, rule: "pad_type same_lower does not exist in ios15" }
}

struct PoolSlugs {
    rank: &'static str,
    windows: WindowSlugs,
}

fn slugs(op: &str) -> PoolSlugs {
    let (rank, arguments, fits, same_lower) = match op {
        "max_pool" => (
            "max_pool/rank",
            "max_pool/window-arguments",
            "max_pool/window-fits",
            "max_pool/same-lower-since-ios16",
        ),
        "avg_pool" => (
            "avg_pool/rank",
            "avg_pool/window-arguments",
            "avg_pool/window-fits",
            "avg_pool/same-lower-since-ios16",
        ),
        _ => (
            "l2_pool/rank",
            "l2_pool/window-arguments",
            "l2_pool/window-fits",
            "l2_pool/same-lower-since-ios16",
        ),
    };
    PoolSlugs { rank, windows: WindowSlugs { arguments, fits, same_lower } }
}

fn infer(cx: &mut Infer<'_>, slugs: &PoolSlugs, highest: usize) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    if !(3..=highest).contains(&rank) {
        return Err(cx.refuse(
            slugs.rank,
            "x",
            format!("x is {x}"),
            format!("x needs a batch axis, a channel axis and 1 to {} spatial axes", highest - 2),
        ));
    }
    let listed = cx.need_ints("kernel_sizes")?;
    let Some(kernel) = kernel_sizes(&listed, rank - 2) else {
        return Err(cx.refuse(
            slugs.windows.arguments,
            "kernel_sizes",
            format!("`kernel_sizes` is {listed:?} but x has {} spatial axes", rank - 2),
            format!("give {} sizes of 1 or more, one for each spatial axis", rank - 2),
        ));
    };
    if kernel.iter().try_fold(1, |n: usize, &k| n.checked_mul(k)).is_none_or(|n| n > MOST_ELEMENTS) {
        return Err(cx.refuse(
            slugs.windows.arguments,
            "kernel_sizes",
            format!("a window of `kernel_sizes` {listed:?} has more than {MOST_ELEMENTS} elements"),
            "use smaller windows; a reduction over whole axes, as `reduce_max`, has no limit",
        ));
    }
    let kernel: Vec<Dim> = kernel.into_iter().map(Dim::Known).collect();
    let spatial = infer_windows(cx, &slugs.windows, &x.shape[2..], &kernel)?;
    let mut shape = x.shape[..2].to_vec();
    shape.extend(spatial);
    cx.one(x.dtype, Shape(shape))
}

/// Most elements of a window: those of an image of 2048 x 2048. Every one costs memory when a program is planned.
const MOST_ELEMENTS: usize = 1 << 22;

fn kernel_sizes(listed: &[i64], spatial: usize) -> Option<Vec<usize>> {
    let sizes: Option<Vec<usize>> =
        listed.iter().map(|&k| usize::try_from(k).ok().filter(|&k| k > 0)).collect();
    sizes.filter(|s| s.len() == spatial)
}

/// The windows of a pool whose sizes are known.
fn windows(args: &impl Args, x: &[usize]) -> Result<[Slide; 3], Failure> {
    let wrong = |message: &str| Failure::new("op/argument-unreadable", message);
    let spatial = x.get(2..).ok_or_else(|| wrong("a pool needs batch and channel axes"))?;
    let kernel = kernel_sizes(&args.get_ints("kernel_sizes").unwrap_or_default(), spatial.len())
        .ok_or_else(|| wrong("kernel_sizes needs one size for each spatial axis"))?;
    let windows = WindowArgs::read(args, spatial.len()).map_err(|w| wrong(&w.message))?;
    windows.slides("op/argument-unreadable", spatial, &kernel)
}

/// One window: the elements of `x` under it, and its number of elements over `x` or its padding.
struct Window<'a> {
    inside: &'a [f64],
    covered: usize,
}

fn maximum(window: &Window<'_>) -> f64 {
    let larger = |a: f64, &b: &f64| if b > a || b.is_nan() { b } else { a };
    window.inside.iter().fold(f64::NEG_INFINITY, larger)
}

fn mean_of_covered(window: &Window<'_>) -> f64 {
    window.inside.iter().sum::<f64>() / window.covered as f64
}

fn mean_of_inside(window: &Window<'_>) -> f64 {
    window.inside.iter().sum::<f64>() / window.inside.len().max(1) as f64
}

fn length(window: &Window<'_>) -> f64 {
    window.inside.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn reference(call: &RefCall<'_>, of: fn(&Window<'_>) -> f64) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let [d, h, w] = windows(call, &x.shape)?;
    let values = x.f64s();
    let channels = x.shape[0] * x.shape[1];
    let size = d.input * h.input * w.input;
    let mut out = Vec::new();
    let mut inside = Vec::new();
    for channel in 0..channels {
        let image = &values[channel * size..][..size];
        for (z, y, x) in places(d.output, h.output, w.output) {
            inside.clear();
            for (i, j, k) in places(d.kernel, h.kernel, w.kernel) {
                if let (Some(a), Some(b), Some(c)) = (d.source(z, i), h.source(y, j), w.source(x, k)) {
                    inside.push(image[(a * h.input + b) * w.input + c]);
                }
            }
            out.push(of(&Window { inside: &inside, covered: d.covered(z) * h.covered(y) * w.covered(x) }));
        }
    }
    let mut shape = x.shape[..2].to_vec();
    shape.extend([d, h, w][5 - x.shape.len()..].iter().map(|s| s.output));
    Ok(vec![RefTensor::floats(x.dtype, &shape, out)])
}

fn places(d: usize, h: usize, w: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..d).flat_map(move |z| (0..h).flat_map(move |y| (0..w).map(move |x| (z, y, x))))
}

fn plan(cx: &CpuCx<'_>, kind: Pooling) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(pool: WindowPool, channels: usize, slot: usize, scratch: usize) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(slot)?), output(call.outputs)?);
            pool.run(channels, x, bytes_as_mut::<T>(out), call.scratch, call.pool);
            Ok(())
        })
        .scratch(scratch)
    }
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let slides = windows(&cx.view, &x.shape)?;
    let window = with_kernel_window(&slides, KernelWindow::new).ok_or_else(|| cx.unplanned("x"))?;
    let mut pool = WindowPool::new(kind, window);
    if let Some(scales) = scales(kind, &slides) {
        pool = pool.with_scales(scales);
    }
    let (channels, scratch) = (x.shape[0] * x.shape[1], pool.scratch_bytes(cx.threads));
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(pool, channels, slot, scratch)))
}

/// One over the elements that each window of a mean covers, if some windows hang over the end.
fn scales(kind: Pooling, slides: &[Slide; 3]) -> Option<Vec<f32>> {
    let covered = |s: &Slide| (0..s.output).map(|o| s.covered(o)).collect::<Vec<usize>>();
    let [d, h, w] = [covered(&slides[0]), covered(&slides[1]), covered(&slides[2])];
    let whole = |counts: &[usize], s: &Slide| counts.iter().all(|&n| n == s.kernel);
    let all = whole(&d, &slides[0]) && whole(&h, &slides[1]) && whole(&w, &slides[2]);
    if all || kind != (Pooling::Average { exclude_padding: false }) {
        return None;
    }
    let count = |(z, y, x): (usize, usize, usize)| (d[z] * h[y] * w[x]).max(1) as f32;
    Some(places(d.len(), h.len(), w.len()).map(|at| 1.0 / count(at)).collect())
}

/// One operation for each element of each window.
fn cost(op: &OpView<'_>) -> Option<u64> {
    let window: i64 = op.ints("kernel_sizes")?.iter().product();
    let outputs = op.outputs().first().copied().flatten()?.shape.count()? as u64;
    outputs.checked_mul(u64::try_from(window).ok()?)
}
