//! Windows that slide over spatial axes: the geometry of convolutions and pools.

use super::args::Args;
use crate::contract::{Default, Failure, Infer, Param, Refused, sets};
use mil_base::{Dim, Opset};
use mil_kernels::window::WindowSpec;

/// What a missing step means.
pub(crate) const ONES: Default = Default::Computed("1 for each spatial axis");
/// Steps between windows.
pub(crate) const STRIDES: Param = Param::constant("strides", sets::INT32).or(ONES);
/// Elements before and after, for the padding `custom`.
pub(crate) const PAD: Param =
    Param::constant("pad", sets::INT32).or(Default::Computed("0 before and after each spatial axis"));

/// How an input is extended before windows slide over it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Padding {
    /// Not at all.
    Valid,
    /// So that there are `ceil(input / stride)` windows, the odd element after.
    Same,
    /// As `Same`, the odd element before.
    SameLower,
    /// As `pad` says.
    Custom,
}

/// The sliding parameters of an op: `strides`, `pad_type`, `pad`, `dilations`, `ceil_mode`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WindowArgs {
    /// How the input is extended.
    pub(crate) padding: Padding,
    /// Steps between windows, one for each spatial axis; at least 1.
    pub(crate) strides: Vec<usize>,
    /// Steps between elements of a window; at least 1.
    pub(crate) dilations: Vec<usize>,
    /// Elements before and after each axis; zero unless the padding is custom.
    pub(crate) pad: Vec<(usize, usize)>,
    /// Is a last window that is only partly covered kept?
    pub(crate) ceil: bool,
}

/// What is wrong with sliding parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wrong {
    /// The parameter.
    pub(crate) argument: &'static str,
    /// One sentence.
    pub(crate) message: String,
    /// The remedy.
    pub(crate) help: String,
}

impl Wrong {
    fn new(argument: &'static str, message: String, help: impl Into<String>) -> Wrong {
        Wrong { argument, message, help: help.into() }
    }
}

impl WindowArgs {
    /// Reads the parameters of an op with that many spatial axes; those that the op does not have are at their
    /// defaults.
    pub(crate) fn read(args: &impl Args, spatial: usize) -> Result<WindowArgs, Wrong> {
        let kind = args.get_str("pad_type").unwrap_or_else(|| "valid".to_owned()).to_lowercase();
        let padding = match kind.as_str() {
            "valid" => Padding::Valid,
            "same" => Padding::Same,
            "same_lower" => Padding::SameLower,
            "custom" => Padding::Custom,
            _ => {
                return Err(Wrong::new(
                    "pad_type",
                    format!("\"{kind}\" is no pad_type"),
                    "use \"valid\", \"same\", \"same_lower\" or \"custom\"",
                ));
            }
        };
        let strides = steps(args, "strides", spatial)?;
        let dilations = steps(args, "dilations", spatial)?;
        let listed = match args.given("pad") {
            true => args.get_ints("pad").unwrap_or_default(),
            false => vec![0; 2 * spatial],
        };
        if listed.len() != 2 * spatial || listed.iter().any(|&p| p < 0) {
            return Err(Wrong::new(
                "pad",
                format!("`pad` is {listed:?} but x has {spatial} spatial axes"),
                format!("give {} sizes of 0 or more: before and after each spatial axis", 2 * spatial),
            ));
        }
        let ceil = args.get_bool("ceil_mode").unwrap_or(false);
        let pairs = listed.chunks_exact(2).map(|p| (p[0] as usize, p[1] as usize));
        let mut pad: Vec<(usize, usize)> = pairs.collect();
        if ceil {
            ceil_fits(padding, &pad)?;
        }
        if padding != Padding::Custom {
            pad.fill((0, 0));
        }
        Ok(WindowArgs { padding, strides, dilations, pad, ceil })
    }

    /// The windows along spatial axis `axis`, or why there is none.
    pub(crate) fn slide(&self, axis: usize, input: usize, kernel: usize) -> Result<Slide, String> {
        let (stride, dilation) = (self.strides[axis], self.dilations[axis]);
        let overflow = || format!("sizes along spatial axis {axis} are beyond all memory");
        if kernel == 0 {
            return Err(format!("the window is empty along spatial axis {axis}"));
        }
        let reach = (kernel - 1).checked_mul(dilation).and_then(|r| r.checked_add(1)).ok_or_else(overflow)?;
        let (before, after, output) = match self.padding {
            Padding::Valid | Padding::Custom => {
                let (before, after) = self.pad[axis];
                let total = before.checked_add(after).ok_or_else(overflow)?;
                let padded = input.checked_add(total).ok_or_else(overflow)?;
                (before, after, self.windows(axis, input, total, padded, reach))
            }
            Padding::Same | Padding::SameLower => {
                let output = input.div_ceil(stride);
                let last = output.saturating_sub(1).checked_mul(stride).ok_or_else(overflow)?;
                let total = last.checked_add(reach).ok_or_else(overflow)?.saturating_sub(input);
                let less = total / 2;
                let (before, after) = match self.padding {
                    Padding::Same => (less, total - less),
                    _ => (total - less, less),
                };
                (before, after, Some(output))
            }
        };
        match output {
            Some(output) if output > 0 => {
                Ok(Slide { input, kernel, stride, dilation, before, after, output })
            }
            _ => Err(format!(
                "no window of {reach} elements fits into the {input} of spatial axis {axis} with {before} before and {after} after"
            )),
        }
    }

    fn windows(&self, axis: usize, input: usize, total: usize, padded: usize, reach: usize) -> Option<usize> {
        let stride = self.strides[axis];
        if !self.ceil {
            return Some(padded.checked_sub(reach)? / stride + 1);
        }
        let output = padded.checked_add(stride - 1)?.checked_sub(reach)? / stride + 1;
        let starts_in_padding = (output - 1).checked_mul(stride)? >= input + total / 2 && total > 0;
        Some(if starts_in_padding { output - 1 } else { output })
    }

    /// The windows along every spatial axis of a call whose sizes are all known, or the failure `code`.
    pub(crate) fn slides(
        &self,
        code: &'static str,
        input: &[usize],
        kernel: &[usize],
    ) -> Result<[Slide; 3], Failure> {
        let fail = |message: String| Failure::new(code, message);
        if input.len() != kernel.len() || input.len() != self.strides.len() || input.len() > 3 {
            return Err(fail(format!(
                "{} spatial axes and a window of {} do not fit",
                input.len(),
                kernel.len()
            )));
        }
        let mut slides = [Slide::UNIT; 3];
        for axis in 0..input.len() {
            slides[3 - input.len() + axis] = self.slide(axis, input[axis], kernel[axis]).map_err(fail)?;
        }
        Ok(slides)
    }
}

fn steps(args: &impl Args, name: &'static str, spatial: usize) -> Result<Vec<usize>, Wrong> {
    if !args.given(name) {
        return Ok(vec![1; spatial]);
    }
    let listed = args.get_ints(name).unwrap_or_default();
    if listed.len() != spatial || listed.iter().any(|&s| s < 1) {
        return Err(Wrong::new(
            name,
            format!("`{name}` is {listed:?} but x has {spatial} spatial axes"),
            format!("give {spatial} steps of 1 or more, one for each spatial axis"),
        ));
    }
    Ok(listed.into_iter().map(|s| s as usize).collect())
}

fn ceil_fits(padding: Padding, pad: &[(usize, usize)]) -> Result<(), Wrong> {
    if pad.len() > 2 {
        return Err(Wrong::new(
            "ceil_mode",
            format!("`ceil_mode` is true with {} spatial axes", pad.len()),
            "ceil_mode works for 1 and 2 spatial axes",
        ));
    }
    if padding == Padding::Same {
        return Err(Wrong::new(
            "ceil_mode",
            "`ceil_mode` is true with pad_type \"same\"".to_owned(),
            "leave ceil_mode out: \"same\" already keeps every window",
        ));
    }
    match pad.iter().find(|(before, after)| before != after) {
        Some((before, after)) => Err(Wrong::new(
            "pad",
            format!("`pad` has {before} before and {after} after an axis with ceil_mode"),
            "pad both sides alike, or leave ceil_mode out",
        )),
        None => Ok(()),
    }
}

/// The windows along one axis, all sizes known: window `o` covers the inputs `o * stride + k * dilation - before`
/// for `k` in `0..kernel`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slide {
    /// Elements of the axis.
    pub(crate) input: usize,
    /// Elements of a window.
    pub(crate) kernel: usize,
    /// Steps between windows.
    pub(crate) stride: usize,
    /// Steps between elements of a window.
    pub(crate) dilation: usize,
    /// Elements added before.
    pub(crate) before: usize,
    /// Elements added after.
    pub(crate) after: usize,
    /// Number of windows.
    pub(crate) output: usize,
}

impl Slide {
    /// One window of one element over one element: an axis that is not there.
    pub(crate) const UNIT: Slide =
        Slide { input: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, output: 1 };

    /// The input under element `k` of window `o`, unless that is padding.
    pub(crate) fn source(&self, o: usize, k: usize) -> Option<usize> {
        (o * self.stride + k * self.dilation).checked_sub(self.before).filter(|&at| at < self.input)
    }

    /// How many elements of window `o` are over the input or its padding: all but those that `ceil_mode` lets hang
    /// over the end.
    pub(crate) fn covered(&self, o: usize) -> usize {
        let padded = self.before + self.input + self.after;
        (0..self.kernel).filter(|k| o * self.stride + k * self.dilation < padded).count()
    }
}

/// Calls `f` with the windows in the form `mil-kernels` takes, as many as [`Slide::output`] says.
pub(crate) fn with_kernel_window<R>(slides: &[Slide; 3], f: impl FnOnce(&WindowSpec<'_>) -> R) -> R {
    // What is needed after the input for exactly this many windows, however the padding was stated.
    let after = slides.map(|s| {
        let end = (s.output - 1) * s.stride + (s.kernel - 1) * s.dilation + 1;
        end.saturating_sub(s.before + s.input)
    });
    f(&WindowSpec {
        input: &slides.map(|s| s.input),
        kernel: &slides.map(|s| s.kernel),
        stride: &slides.map(|s| s.stride),
        dilation: &slides.map(|s| s.dilation),
        before: &slides.map(|s| s.before),
        after: &after,
        ceil: false,
    })
}

/// The slugs under which an op reports wrong windows.
pub(crate) struct WindowSlugs {
    /// A parameter has a wrong length or value.
    pub(crate) arguments: &'static str,
    /// There is no window at all.
    pub(crate) fits: &'static str,
    /// `same_lower` in an op set without it.
    pub(crate) same_lower: &'static str,
}

/// Sizes of the spatial axes of the output, from those of the input and of the window.
pub(crate) fn infer_windows(
    cx: &mut Infer<'_>,
    slugs: &WindowSlugs,
    input: &[Dim],
    kernel: &[Dim],
) -> Result<Vec<Dim>, Refused> {
    let args = match WindowArgs::read(&cx.view(), input.len()) {
        Ok(args) => args,
        Err(wrong) => return Err(cx.refuse(slugs.arguments, wrong.argument, wrong.message, wrong.help)),
    };
    if args.padding == Padding::SameLower && Opset::parse(&cx.view().function.opset) == Some(Opset::Ios15) {
        cx.report(
            slugs.same_lower,
            "pad_type",
            "pad_type \"same_lower\" does not exist in ios15",
            "target ios16 or later, or use \"custom\" with the pads written out",
        );
    }
    let mut output = Vec::with_capacity(input.len());
    for (axis, (&size, &window)) in input.iter().zip(kernel).enumerate() {
        output.push(match (size, window, args.padding) {
            (Dim::Known(size), Dim::Known(window), _) => match args.slide(axis, size, window) {
                Ok(slide) => Dim::Known(slide.output),
                Err(message) => {
                    return Err(cx.refuse(
                        slugs.fits,
                        "x",
                        message,
                        "use a smaller window, less dilation or more padding",
                    ));
                }
            },
            (Dim::Known(size), _, Padding::Same | Padding::SameLower) => {
                Dim::Known(size.div_ceil(args.strides[axis]))
            }
            (size, _, Padding::Same | Padding::SameLower) if args.strides[axis] == 1 => size,
            (size, Dim::Known(1), Padding::Valid) if args.strides[axis] == 1 => size,
            _ => Dim::Unknown,
        });
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(padding: Padding, stride: usize, pad: (usize, usize), ceil: bool) -> WindowArgs {
        WindowArgs { padding, strides: vec![stride], dilations: vec![1], pad: vec![pad], ceil }
    }

    #[test]
    fn output_sizes_and_pads() {
        let cases = [
            (args(Padding::Valid, 2, (0, 0), false), 7, 3, (0, 0, 3)),
            (args(Padding::Same, 2, (0, 0), false), 7, 2, (0, 1, 4)),
            (args(Padding::SameLower, 2, (0, 0), false), 7, 2, (1, 0, 4)),
            (args(Padding::Custom, 1, (2, 3), false), 4, 3, (2, 3, 7)),
            (args(Padding::Valid, 2, (0, 0), true), 6, 3, (0, 0, 3)),
            (args(Padding::Custom, 3, (1, 1), true), 6, 2, (1, 1, 3)),
            (args(Padding::Custom, 4, (1, 1), true), 3, 1, (1, 1, 1)),
        ];
        for (args, input, kernel, (before, after, output)) in cases {
            let slide = args.slide(0, input, kernel).unwrap();
            assert_eq!(
                (slide.before, slide.after, slide.output),
                (before, after, output),
                "{args:?} {input}"
            );
        }
        assert!(args(Padding::Valid, 1, (0, 0), false).slide(0, 2, 3).is_err());
        assert!(args(Padding::Custom, 1, (usize::MAX, 1), false).slide(0, 2, 3).is_err());
    }

    #[test]
    fn a_window_that_hangs_over_counts_only_what_is_there() {
        let slide = args(Padding::Valid, 2, (0, 0), true).slide(0, 6, 3).unwrap();
        assert_eq!([0, 1, 2].map(|o| slide.covered(o)), [3, 3, 2]);
        assert_eq!([0, 1, 2].map(|k| slide.source(2, k)), [Some(4), Some(5), None]);
    }
}
