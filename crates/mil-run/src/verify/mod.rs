//! Is the cpu runtime as exact as its cards say? Every step is compared with the reference of its ops, given the very
//! inputs that the step had, so that an error is found where it is made and not where it shows.

mod compare;

pub use compare::{Compared, Incomparable, TRIES, compare_steps};

use crate::cpu::{CpuSession, LoadedCpu};
use crate::error::RunError;
use crate::reference::Reference;
use crate::runtime::{Named, Runtime, Session};
use compare::step_name;
use mil_base::{DType, Name, Tensor};
use mil_check::Checked;
use mil_ir::{FunctionId, OpId};
use mil_ops::contract::{Accuracy, RefData, RefTensor};
use std::collections::HashMap;

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    /// One entry a step that ran, the worst first.
    pub steps: Vec<StepCheck>,
    /// How far the outputs of a whole run are from those of the reference; errors add up, so there is no bound.
    pub outputs: Vec<OutputCheck>,
    /// What the cpu runtime gave.
    pub results: Vec<Named>,
    /// Steps that could not be compared, with the reason. Not empty means not verified.
    pub failures: Vec<Incomparable>,
}

/// A step against the reference of its ops.
#[derive(Clone, Debug)]
pub struct StepCheck {
    /// The ops, one or several fused.
    pub ops: Vec<OpId>,
    /// Their kinds, `conv + relu`.
    pub kinds: String,
    /// The name of the last op's first output.
    pub name: Name,
    /// The element that is worst in proportion to what is allowed, of all runs of the step.
    pub worst: Deviation,
}

/// One element.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Deviation {
    /// What the cpu runtime gave.
    pub got: f64,
    /// What the reference gives.
    pub want: f64,
    /// The largest difference that the cards allow there.
    pub allowed: f64,
}

impl Deviation {
    /// The difference.
    pub fn difference(&self) -> f64 {
        if self.got == self.want { 0.0 } else { (self.got - self.want).abs() }
    }

    /// The difference as a part of what is allowed; at most 1 is inside.
    pub fn ratio(&self) -> f64 {
        match self.difference() {
            0.0 => 0.0,
            d if d.is_nan() => f64::INFINITY,
            d => d / self.allowed,
        }
    }
}

/// An output of a whole run.
#[derive(Clone, Debug)]
pub struct OutputCheck {
    /// Its name.
    pub name: Name,
    /// The largest difference of an element.
    pub difference: f64,
    /// The largest magnitude of the reference.
    pub largest: f64,
}

impl Report {
    /// Is every step inside what its cards state?
    pub fn holds(&self) -> bool {
        self.failures.is_empty() && self.steps.iter().all(|s| s.worst.ratio() <= 1.0)
    }

    /// The step nearest to its bound, or furthest beyond.
    pub fn worst(&self) -> Option<&StepCheck> {
        self.steps.first()
    }
}

/// Runs `session` once on `inputs` and compares every step, then the outputs with a run of the reference that starts
/// from the same states.
pub fn verify(
    loaded: &LoadedCpu,
    session: &mut CpuSession,
    function: Option<&str>,
    inputs: &[Named],
) -> Result<Report, RunError> {
    let checked = loaded.checked();
    let id = crate::ports::find_function(checked, function)?;
    let mut reference = Reference.load(checked.clone(), &Default::default())?.session(function)?;
    for (name, state) in &session.states() {
        reference.set_state(name, state)?;
    }
    let mut found: HashMap<Vec<OpId>, StepCheck> = HashMap::new();
    let mut each = |step: &Compared<'_>| {
        let fresh = || StepCheck::new(checked, id, step.ops);
        let check = found.entry(step.ops.to_vec()).or_insert_with(fresh);
        let worst = worst(checked, id, step);
        if worst.ratio() > check.worst.ratio() {
            check.worst = worst;
        }
    };
    // Both are slow and neither needs the other.
    let (compared, wanted) = std::thread::scope(|scope| {
        let whole = scope.spawn(|| reference.run(inputs));
        let compared = compare_steps(loaded, session, function, inputs, &mut each);
        (compared, whole.join().unwrap_or_else(|_| Err(RunError::internal("the reference panicked"))))
    });
    let ((results, failures), wanted) = (compared?, wanted?);
    let outputs = results.iter().zip(&wanted).map(|((name, got), (_, want))| {
        let (got, want) = (got.to_f64(), want.to_f64());
        let differs =
            |(g, w): (&f64, &f64)| if g == w || (g.is_nan() && w.is_nan()) { 0.0 } else { (g - w).abs() };
        let worse = |a: f64, b: f64| if b.is_nan() || b > a { b } else { a };
        OutputCheck {
            name: name.clone(),
            difference: got.iter().zip(&want).map(differs).fold(0.0, worse),
            largest: want.iter().fold(0.0, |m, v| m.max(v.abs())),
        }
    });
    let outputs = outputs.collect();
    let mut steps: Vec<StepCheck> = found.into_values().collect();
    steps.sort_by(|a, b| b.worst.ratio().total_cmp(&a.worst.ratio()).then_with(|| a.ops.cmp(&b.ops)));
    Ok(Report { steps, outputs, results, failures })
}

impl StepCheck {
    fn new(checked: &Checked, function: FunctionId, ops: &[OpId]) -> StepCheck {
        let f = &checked.program().functions[function];
        let kinds: Vec<&str> = ops.iter().map(|&op| f.ops[op].name.as_str()).collect();
        let worst = Deviation::default();
        StepCheck { ops: ops.to_vec(), kinds: kinds.join(" + "), name: step_name(f, ops), worst }
    }
}

/// The worst element of a step. What the moving of inputs excuses is worked out only where it is needed.
fn worst(checked: &Checked, function: FunctionId, step: &Compared<'_>) -> Deviation {
    let of = |moved: &[Vec<f64>]| {
        let each = step.want.iter().zip(step.got).enumerate().map(|(i, (want, got))| {
            let allowed = step.allowed.get(i).map_or(&[][..], Vec::as_slice);
            deviation(want, got, allowed, moved.get(i).map_or(&[], Vec::as_slice))
        });
        each.reduce(|a, b| if b.ratio() > a.ratio() { b } else { a }).unwrap_or_default()
    };
    let worst = of(&[]);
    let cancels = |&op: &OpId| checked.card(function, op).is_some_and(|c| c.def.accuracy.cancels);
    if worst.ratio() > 1.0 && step.ops.iter().any(cancels) { of(&step.moved()) } else { worst }
}

/// The worst element of one output. `moved` excuses more, as the cards of ops whose terms cancel say.
fn deviation(want: &RefTensor, got: &Tensor, allowed: &[f64], moved: &[f64]) -> Deviation {
    if want.shape != got.shape() || want.dtype != got.dtype() {
        return Deviation { got: f64::NAN, want: 0.0, allowed: 0.0 };
    }
    if got.dtype() == DType::String {
        let same = matches!(&want.data, RefData::Text(t) if t.as_slice() == got.strings());
        return Deviation { got: if same { 0.0 } else { f64::NAN }, want: 0.0, allowed: 0.0 };
    }
    // A value that the dtype cannot hold rounds to infinity, and that is what the kernel should give.
    let rounded = want.to_tensor().map(|t| t.to_f64()).unwrap_or_default();
    let mut worst = Deviation::default();
    for (i, (got, want)) in got.to_f64().into_iter().zip(want.f64s()).enumerate() {
        if rounded.get(i) == Some(&got) || (got.is_nan() && want.is_nan()) {
            continue;
        }
        let part = |of: &[f64]| of.get(i).copied().unwrap_or(0.0);
        let here = Deviation { got, want, allowed: part(allowed) + Accuracy::MOVED * part(moved) };
        if here.ratio() > worst.ratio() {
            worst = here;
        }
    }
    worst
}
