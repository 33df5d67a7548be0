//! Where each element of a resized axis reads the original axis.

use mil_base::Dim;

/// How positions of the result are laid over an axis of the input; MIL's `sampling_mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sampling {
    /// First and last elements coincide; a single one is the first.
    StrictAlignCorners,
    /// First and last elements coincide; a single one is the middle.
    AlignCorners,
    /// First elements coincide, `input / output` apart.
    Default,
    /// Centres of equal parts of the distance from the first to the last element.
    OffsetCorners,
    /// Centres of pixels: `(o + 0.5) * input / output - 0.5`.
    UnalignCorners,
}

impl Sampling {
    /// The mode with that name.
    pub(super) fn parse(name: &str) -> Option<Sampling> {
        Some(match name {
            "STRICT_ALIGN_CORNERS" => Sampling::StrictAlignCorners,
            "ALIGN_CORNERS" => Sampling::AlignCorners,
            "DEFAULT" => Sampling::Default,
            "OFFSET_CORNERS" => Sampling::OffsetCorners,
            "UNALIGN_CORNERS" => Sampling::UnalignCorners,
            _ => return None,
        })
    }

    /// The names, for messages.
    pub(super) const NAMES: &'static str =
        "\"STRICT_ALIGN_CORNERS\", \"ALIGN_CORNERS\", \"DEFAULT\", \"OFFSET_CORNERS\" or \"UNALIGN_CORNERS\"";

    /// The coordinate that element `o` of `output` reads, of an axis of `input` elements; within the axis.
    pub(super) fn at(self, o: usize, input: usize, output: usize) -> f64 {
        let (i, last) = (o as f64, input.saturating_sub(1) as f64);
        let ratio = input as f64 / output as f64;
        let spread = |alone: f64| if output > 1 { i * last / (output - 1) as f64 } else { alone };
        let at = match self {
            Sampling::StrictAlignCorners => spread(0.0),
            Sampling::AlignCorners => spread(last / 2.0),
            Sampling::Default => i * ratio,
            Sampling::OffsetCorners => (i + 0.5) * last.max(1.0) / output as f64,
            Sampling::UnalignCorners => (i + 0.5) * ratio - 0.5,
        };
        at.clamp(0.0, last)
    }

    /// The element nearest to what `o` of `output` reads, halves upwards.
    pub(super) fn nearest(self, o: usize, input: usize, output: usize) -> usize {
        let last = input.saturating_sub(1);
        match self {
            // Exact, where a product of rounded numbers might fall short of a half.
            Sampling::Default => {
                let (o, input, output) = (o as u128, input as u128, output.max(1) as u128);
                ((2 * o * input + output) / (2 * output)).min(last as u128) as usize
            }
            _ => ((self.at(o, input, output) + 0.5).floor() as usize).min(last),
        }
    }

    /// The two neighbours of `o` and the weight of the second.
    pub(super) fn linear(self, o: usize, input: usize, output: usize) -> (usize, usize, f64) {
        let at = self.at(o, input, output);
        let low = at.floor() as usize;
        (low, (low + 1).min(input.saturating_sub(1)), at - at.floor())
    }
}

/// The last element at or before `o * input / output`.
pub(super) fn before(o: usize, input: usize, output: usize) -> usize {
    (o as u128 * input as u128 / output.max(1) as u128) as usize
}

/// `floor(size * scale)` as coremltools computes it, with the scale and the product in fp32.
pub(super) fn scaled(size: Dim, scale: f64) -> Dim {
    size.map(|n| {
        let product = (n as f32 * scale as f32).floor();
        (0.0..9e15).contains(&product).then_some(product as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_elements_become_five_and_six() {
        let cases: &[(Sampling, usize, &[f64])] = &[
            (Sampling::UnalignCorners, 5, &[0.0, 0.1, 0.5, 0.9, 1.0]),
            (Sampling::StrictAlignCorners, 5, &[0.0, 0.25, 0.5, 0.75, 1.0]),
            (Sampling::AlignCorners, 1, &[0.5]),
            (Sampling::StrictAlignCorners, 1, &[0.0]),
            (Sampling::Default, 5, &[0.0, 0.4, 0.8, 1.0, 1.0]),
            (Sampling::OffsetCorners, 5, &[0.1, 0.3, 0.5, 0.7, 0.9]),
            (Sampling::Default, 6, &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0]),
        ];
        for (mode, output, wanted) in cases {
            for (o, want) in wanted.iter().enumerate() {
                assert!((mode.at(o, 2, *output) - want).abs() < 1e-12, "{mode:?} {o} of {output}");
            }
        }
        assert_eq!([0, 1, 2].map(|o| Sampling::Default.nearest(o, 2, 3)), [0, 1, 1]);
        assert_eq!([0, 1, 2].map(|o| before(o, 2, 3)), [0, 0, 1]);
        assert_eq!(before(1, 3, 2), 1);
    }
}
