//! What the scatter ops do with an element and its update.

use crate::contract::{Failure, RefData, RefTensor};

/// How an update changes an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The update takes its place.
    Update,
    /// `x + u`.
    Add,
    /// `x - u`.
    Sub,
    /// `x * u`.
    Mul,
    /// `x / u`; integers round toward zero.
    Div,
    /// The larger.
    Max,
    /// The smaller.
    Min,
}

/// The rule every scatter op states about its mode.
pub const RULE: &str = "mode is add, div, max, min, mul, sub or update";
/// The remedy for a wrong mode.
pub const MODES: &str = "use add, div, max, min, mul, sub or update";

impl Mode {
    /// The mode of that name.
    pub fn parse(text: &str) -> Option<Mode> {
        Some(match text {
            "update" => Mode::Update,
            "add" => Mode::Add,
            "sub" => Mode::Sub,
            "mul" => Mode::Mul,
            "div" => Mode::Div,
            "max" => Mode::Max,
            "min" => Mode::Min,
            _ => return None,
        })
    }

    fn float(self, x: f64, u: f64) -> f64 {
        match self {
            Mode::Update => u,
            Mode::Add => x + u,
            Mode::Sub => x - u,
            Mode::Mul => x * u,
            Mode::Div => x / u,
            Mode::Max => x.max(u),
            Mode::Min => x.min(u),
        }
    }

    /// Nothing where an integer is divided by 0.
    fn int(self, x: i64, u: i64) -> Option<i64> {
        Some(match self {
            Mode::Update => u,
            Mode::Add => x.wrapping_add(u),
            Mode::Sub => x.wrapping_sub(u),
            Mode::Mul => x.wrapping_mul(u),
            Mode::Div => x.checked_div(u)?,
            Mode::Max => x.max(u),
            Mode::Min => x.min(u),
        })
    }
}

/// `data` with its element at each of `targets` changed by the update at the same place, in order; updates without a target are
/// ignored.
pub fn updated(
    mode: Mode,
    data: &RefTensor,
    targets: &[Option<usize>],
    updates: &RefTensor,
) -> Result<RefTensor, Failure> {
    let pairs = || targets.iter().enumerate().filter_map(|(i, at)| Some((i, (*at)?)));
    if let RefData::Float(values) = &data.data {
        let (mut values, updates) = (values.clone(), updates.f64s());
        for (i, at) in pairs() {
            values[at] = mode.float(values[at], updates[i]);
        }
        return Ok(RefTensor::floats(data.dtype, &data.shape, values));
    }
    let (mut values, updates) = (data.i64s(), updates.i64s());
    for (i, at) in pairs() {
        values[at] = mode
            .int(values[at], updates[i])
            .ok_or_else(|| Failure::new("op/integer-division-by-zero", "an integer is divided by 0"))?;
    }
    Ok(RefTensor::ints(data.dtype, &data.shape, values))
}
