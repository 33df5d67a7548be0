//! What convolutions share: taps, the plain sum over them, and the checks of groups and biases.

use crate::contract::{CpuCx, CpuKernel, Failure, Infer, KernelCall, Refused};
use crate::support::plan::output;
use crate::support::steps::Steps;
use crate::support::window::Slide;
use mil_base::{Dim, TensorType};
use mil_kernels::{Along, Epilogue, Floats, FloatsMut, Pool};

/// A convolution with all sizes known; missing spatial axes are [`Slide::UNIT`].
pub(super) struct Geometry {
    /// Images.
    pub(super) batch: usize,
    /// Groups of channels that do not see each other.
    pub(super) groups: usize,
    /// Input channels of a group.
    pub(super) channels_in: usize,
    /// Output channels of a group.
    pub(super) channels_out: usize,
    /// The windows along depth, height and width.
    pub(super) slides: [Slide; 3],
}

impl Geometry {
    fn product(&self, of: impl Fn(&Slide) -> usize) -> usize {
        self.slides.iter().map(of).product()
    }

    /// The convolution of `x` [batch, in, ..] with `weight` [out, in / groups, ..].
    pub(super) fn convolve(&self, x: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        let (input, kernel) = (self.product(|s| s.input), self.product(|s| s.kernel));
        let places = self.product(|s| s.output);
        let outs = self.groups * self.channels_out;
        let mut y = vec![0.0; self.batch * outs * places];
        for (at, place) in positions(self.slides.map(|s| s.output)).enumerate() {
            let taps = taps(&self.slides, place);
            for (image, out) in pairs(self.batch, outs) {
                let first = (image * self.groups + out / self.channels_out) * self.channels_in;
                let mut sum = bias.map_or(0.0, |b| b[out]);
                for c in 0..self.channels_in {
                    let x = &x[(first + c) * input..];
                    let w = &weight[(out * self.channels_in + c) * kernel..];
                    sum += taps.iter().map(|&(from, k)| x[from] * w[k]).sum::<f64>();
                }
                y[(image * outs + out) * places + at] = sum;
            }
        }
        y
    }

    /// The transpose of a convolution: every element of `x` [batch, in, ..] adds its multiple of `weight`
    /// [in, out / groups, ..] to the output, whose windows [`Geometry::slides`] describe: there `input` are the sizes
    /// of the result and `output` those of `x`.
    pub(super) fn spread(&self, x: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        let (result, kernel) = (self.product(|s| s.input), self.product(|s| s.kernel));
        let places = self.product(|s| s.output);
        let (ins, outs) = (self.groups * self.channels_in, self.groups * self.channels_out);
        let mut y = vec![0.0; self.batch * outs * result];
        if let Some(bias) = bias {
            for (i, v) in y.iter_mut().enumerate() {
                *v = bias[i / result.max(1) % outs];
            }
        }
        for (at, place) in positions(self.slides.map(|s| s.output)).enumerate() {
            let taps = taps(&self.slides, place);
            for (image, c) in pairs(self.batch, ins) {
                let value = x[(image * ins + c) * places + at];
                let first = image * outs + c / self.channels_in * self.channels_out;
                for o in 0..self.channels_out {
                    let w = &weight[(c * self.channels_out + o) * kernel..];
                    let y = &mut y[(first + o) * result..];
                    taps.iter().for_each(|&(to, k)| y[to] += value * w[k]);
                }
            }
        }
        y
    }
}

/// Every position in a box, row-major.
fn positions([d, h, w]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..d).flat_map(move |z| (0..h).flat_map(move |y| (0..w).map(move |x| [z, y, x])))
}

fn pairs(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)))
}

/// For the window at a place: which elements of a channel it covers, and with which elements of the kernel.
fn taps(slides: &[Slide; 3], [z, y, x]: [usize; 3]) -> Vec<(usize, usize)> {
    let [d, h, w] = slides;
    let mut taps = Vec::new();
    for [i, j, k] in positions(slides.map(|s| s.kernel)) {
        if let (Some(a), Some(b), Some(c)) = (d.source(z, i), h.source(y, j), w.source(x, k)) {
            taps.push(((a * h.input + b) * w.input + c, (i * h.kernel + j) * w.kernel + k));
        }
    }
    taps
}

/// Slugs under which a convolution reports its arguments.
pub(super) struct ConvSlugs {
    /// Ranks of x and weight.
    pub(super) rank: &'static str,
    /// Channels and groups.
    pub(super) channels: &'static str,
    /// The bias.
    pub(super) bias: &'static str,
}

/// Refuses `x` and `weight` unless they have the same rank, 3 to 5.
pub(super) fn check_ranks(
    cx: &mut Infer<'_>,
    slugs: &ConvSlugs,
    x: &TensorType,
    weight: &TensorType,
) -> Result<(), Refused> {
    let rank = x.shape.rank();
    if (3..=5).contains(&rank) && weight.shape.rank() == rank {
        return Ok(());
    }
    Err(cx.refuse(
        slugs.rank,
        if (3..=5).contains(&rank) { "weight" } else { "x" },
        format!("x is {x} and weight is {weight}"),
        "x needs a batch axis, a channel axis and 1 to 3 spatial axes, and weight as many axes as x",
    ))
}

/// The number of groups, at least 1.
pub(super) fn groups(cx: &mut Infer<'_>, slugs: &ConvSlugs) -> Result<usize, Refused> {
    let groups = cx.need_int("groups")?;
    usize::try_from(groups).ok().filter(|&g| g > 0).ok_or_else(|| {
        cx.refuse(
            slugs.channels,
            "groups",
            format!("`groups` is {groups}"),
            "use 1, or a divisor of the numbers of channels",
        )
    })
}

/// Refuses channels of x, output channels and channels of weight that do not fit the number of groups.
pub(super) fn check_channels(
    cx: &mut Infer<'_>,
    slugs: &ConvSlugs,
    groups: usize,
    [channels, outputs, per_group]: [Dim; 3],
) -> Result<(), Refused> {
    let divides = |d: Dim| d.known().is_none_or(|n| n.is_multiple_of(groups));
    let (what, help) = if !divides(channels) {
        (format!("x has {channels} channels and groups is {groups}"), "groups must divide the channels of x")
    } else if !channels.map(|c| Some(c / groups)).may_equal(per_group) {
        (
            format!("x has {channels} channels in {groups} groups, and weight takes {per_group}"),
            "axis 1 of weight must be the channels of x divided by groups",
        )
    } else if !divides(outputs) {
        (format!("weight has {outputs} output channels and groups is {groups}"), "groups must divide them")
    } else {
        return Ok(());
    };
    Err(cx.refuse(slugs.channels, "weight", what, help))
}

/// Refuses a bias that has not one element for each of `channels`.
pub(super) fn check_bias(cx: &mut Infer<'_>, slugs: &ConvSlugs, channels: Dim) -> Result<(), Refused> {
    let Some(bias) = cx.ty("bias") else { return Ok(()) };
    let fits = matches!(bias.shape.0.as_slice(), [n] if n.may_equal(channels));
    if fits {
        return Ok(());
    }
    Err(cx.refuse(
        slugs.bias,
        "bias",
        format!("bias is {bias} and there are {channels} output channels"),
        format!("give bias the shape [{channels}]"),
    ))
}

/// The kernel of a planned convolution: `run` gets input, weight, output, the steps after it with their operands, scratch memory
/// and threads. The bias, if there is one, is the first of the steps.
pub(super) fn kernel<R>(cx: &CpuCx<'_>, scratch: usize, run: R) -> Result<CpuKernel, Failure>
where
    R: Fn(Floats<'_>, Floats<'_>, FloatsMut<'_>, &Epilogue, &[Floats<'_>], &mut [u8], &Pool),
    R: Send + Sync + 'static,
{
    let (x, weight) = (cx.ty("x")?.dtype, cx.ty("weight")?.dtype);
    let mut steps = Steps::new(cx)?;
    if let Some(bias) = cx.slot("bias") {
        steps = steps.bias(bias, cx.ty("bias")?.dtype, Along::Row);
    }
    let (at_x, at_weight) = (cx.need("x")?, cx.need("weight")?);
    let kernel = CpuKernel::new(move |call: &mut KernelCall<'_>| {
        let failed = || Failure::new("op/not-planned", "a convolution is of floats");
        let input = Floats::new(x, call.read(at_x)?).ok_or_else(failed)?;
        let weight = Floats::new(weight, call.read(at_weight)?).ok_or_else(failed)?;
        let operands = steps.operands(call)?;
        let out = FloatsMut::new(x, output(call.outputs)?).ok_or_else(failed)?;
        run(input, weight, out, &steps.epilogue, &operands, call.scratch, call.pool);
        Ok(())
    });
    Ok(kernel.scratch(scratch))
}
