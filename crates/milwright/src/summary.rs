//! A tensor at a glance.

use mil_base::Tensor;

/// What a person wants to know of a tensor first.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// Lowest number that is neither NaN nor infinite.
    pub min: Option<f64>,
    /// Highest such number.
    pub max: Option<f64>,
    /// Mean of those numbers.
    pub mean: Option<f64>,
    /// Elements that are NaN.
    pub nans: usize,
    /// Elements that are infinite.
    pub infinities: usize,
    /// The first elements as text, at most eight.
    pub first: Vec<String>,
    /// Are there more than those?
    pub more: bool,
}

/// Elements shown.
const SHOWN: usize = 8;

impl Summary {
    /// The summary of a tensor.
    pub fn of(tensor: &Tensor) -> Summary {
        let values = tensor.to_f64();
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let n = finite().count();
        let first = if tensor.strings().is_empty() {
            let float = tensor.dtype().is_float();
            values
                .iter()
                .take(SHOWN)
                .map(|v| if float { format!("{v:.5}") } else { format!("{v}") })
                .collect()
        } else {
            tensor.strings().iter().take(SHOWN).map(|s| format!("{s:?}")).collect()
        };
        Summary {
            min: finite().reduce(f64::min),
            max: finite().reduce(f64::max),
            mean: (n > 0).then(|| finite().sum::<f64>() / n as f64),
            nans: values.iter().filter(|v| v.is_nan()).count(),
            infinities: values.iter().filter(|v| v.is_infinite()).count(),
            first,
            more: tensor.count() > SHOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::DType;

    #[test]
    fn what_is_not_finite_is_counted_apart() {
        let t = Tensor::from_f64(DType::Fp32, &[4], &[1.0, f64::NAN, f64::INFINITY, 3.0]).unwrap();
        let s = Summary::of(&t);
        assert_eq!((s.min, s.max, s.mean), (Some(1.0), Some(3.0), Some(2.0)));
        assert_eq!((s.nans, s.infinities, s.more), (1, 1, false));
    }
}
