//! Is the cpu runtime as exact as its cards say? Every step is compared with the reference of its ops, given the very
//! inputs that the step had, so that an error is found where it is made and not where it shows.

use crate::codes;
use crate::cpu::{CpuSession, LoadedCpu};
use crate::error::RunError;
use crate::observe::{Observer, StepView};
use crate::plan::Plan;
use crate::reference::{Reference, Value, run_rule};
use crate::runtime::{Named, Runtime, Session};
use mil_base::{DType, Name, Tensor};
use mil_check::Checked;
use mil_ir::{Def, FunctionId, OpId, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Failure, RefData, RefTensor};
use std::collections::HashMap;
use std::sync::Arc;

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
    pub failures: Vec<(Name, String)>,
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
    let mut verifier = Verifier::new(checked);
    // Both are slow and neither needs the other.
    let (results, wanted) = std::thread::scope(|scope| {
        let whole = scope.spawn(|| reference.run(inputs));
        let results = session.run_observed(inputs, &mut verifier);
        (results, whole.join().unwrap_or_else(|_| Err(RunError::internal("the reference panicked"))))
    });
    let (results, wanted) = (results?, wanted?);
    if let Some(plan) = session.plan() {
        verifier.folded(plan, id);
    }
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
    let mut steps: Vec<StepCheck> = verifier.steps.into_values().collect();
    steps.sort_by(|a, b| b.worst.ratio().total_cmp(&a.worst.ratio()).then_with(|| a.ops.cmp(&b.ops)));
    Ok(Report { steps, outputs, results, failures: verifier.failures })
}

/// Compares every step as it runs.
struct Verifier<'a> {
    checked: &'a Checked,
    /// The operands of the step that is running.
    operands: HashMap<ValueId, Value>,
    steps: HashMap<Vec<OpId>, StepCheck>,
    failures: Vec<(Name, String)>,
}

impl Observer for Verifier<'_> {
    fn before(&mut self, step: &StepView<'_>, operand: &dyn Fn(ValueId) -> Option<Tensor>) {
        self.operands.clear();
        let f = &self.checked.program().functions[step.function];
        for &op in step.ops {
            for binding in f.ops[op].args.iter().flat_map(|(_, a)| &a.0) {
                if let mil_ir::Binding::Value(v) = binding
                    && let Some(tensor) = operand(*v)
                {
                    self.operands.insert(*v, Arc::new(RefTensor::of(&tensor)));
                }
            }
        }
    }

    fn after(&mut self, step: &StepView<'_>, outputs: &dyn Fn() -> Vec<Tensor>) {
        let operands = std::mem::take(&mut self.operands);
        self.compare(step, operands, outputs());
    }
}

/// The reference values of an op's outputs, and how far each element may be off.
struct Wanted {
    values: Vec<Value>,
    /// By output and element; empty for what must be exact.
    allowed: Vec<Vec<f64>>,
}

impl<'a> Verifier<'a> {
    fn new(checked: &'a Checked) -> Verifier<'a> {
        Verifier { checked, operands: HashMap::new(), steps: HashMap::new(), failures: Vec::new() }
    }

    fn compare(&mut self, step: &StepView<'_>, operands: HashMap<ValueId, Value>, got: Vec<Tensor>) {
        let f = &self.checked.program().functions[step.function];
        let Some(&last) = step.ops.last() else { return };
        let name =
            f.ops[last].outputs.first().map_or(f.ops[last].name.clone(), |&v| f.values[v].name.clone());
        match self.wanted(step, operands) {
            Err(failure) => self.failures.push((name, failure.to_string())),
            Ok(wanted) if wanted.values.len() != got.len() => {
                self.failures.push((name, "the number of outputs differs".to_owned()));
            }
            Ok(wanted) => {
                let mut worst = Deviation::default();
                for (i, (want, got)) in wanted.values.iter().zip(&got).enumerate() {
                    let here = deviation(want, got, wanted.allowed.get(i).map_or(&[], Vec::as_slice));
                    if here.ratio() > worst.ratio() || i == 0 {
                        worst = here;
                    }
                }
                let kinds: Vec<&str> = step.ops.iter().map(|&op| f.ops[op].name.as_str()).collect();
                let fresh = StepCheck { ops: step.ops.to_vec(), kinds: kinds.join(" + "), name, worst };
                let check = self.steps.entry(step.ops.to_vec()).or_insert_with(|| fresh);
                if worst.ratio() > check.worst.ratio() {
                    check.worst = worst;
                }
            }
        }
    }

    /// Compares what was worked out while planning. Expanded weights that no step reads any more are left to the steps
    /// that keep them in another form.
    fn folded(&mut self, plan: &Plan, function: FunctionId) {
        let types = &plan.types;
        for &op in plan.folded() {
            let step = StepView { function, ops: &[op], types: &types.types, known: &types.known };
            let outputs = &self.checked.program().functions[function].ops[op].outputs;
            let made: Option<Vec<Tensor>> = outputs.iter().map(|v| types.known[v.index()].clone()).collect();
            if let Some(made) = made {
                self.compare(&step, HashMap::new(), made);
            }
        }
    }

    /// The reference of all ops of a step in a row. What an earlier op may be off is carried through the later ones by
    /// evaluating them at both ends; each adds its own bound.
    fn wanted(&self, step: &StepView<'_>, mut operands: HashMap<ValueId, Value>) -> Result<Wanted, Failure> {
        let mut wanted = Wanted { values: Vec::new(), allowed: Vec::new() };
        let mut before: Option<(ValueId, Vec<f64>)> = None;
        for &op in step.ops {
            let view = self.view(step, step.function, op)?;
            let find = |v: ValueId, operands: &HashMap<ValueId, Value>| {
                operands.get(&v).cloned().or_else(|| self.constant(step, v))
            };
            let values = run_rule(&view, &|v| find(v, &operands))?;
            let mut allowed: Vec<Vec<f64>> = values.iter().map(|t| own_bound(&view, t)).collect();
            if let Some((value, error)) = &before {
                for sign in [-1.0, 1.0] {
                    let moved = operands.get(value).map(|t| shifted(t, error, sign));
                    let ends =
                        run_rule(&view, &|v| if v == *value { moved.clone() } else { find(v, &operands) })?;
                    for ((end, middle), allowed) in ends.iter().zip(&values).zip(&mut allowed) {
                        let carried = end.f64s().into_iter().zip(middle.f64s()).map(|(a, b)| (a - b).abs());
                        let own = own_bound(&view, middle);
                        for ((allowed, carried), own) in allowed.iter_mut().zip(carried).zip(own) {
                            *allowed = allowed.max(own + carried);
                        }
                    }
                }
            }
            let outputs = &view.op().outputs;
            wanted = Wanted { values: values.into_iter().map(Arc::new).collect(), allowed };
            outputs.iter().zip(&wanted.values).for_each(|(&v, t)| {
                operands.insert(v, t.clone());
            });
            before = match (outputs.as_slice(), wanted.allowed.as_slice()) {
                ([v], [allowed]) => Some((*v, allowed.clone())),
                _ => None,
            };
        }
        Ok(wanted)
    }

    fn view<'s>(
        &'s self,
        step: &'s StepView<'_>,
        function: FunctionId,
        op: OpId,
    ) -> Result<OpView<'s>, Failure> {
        let view = self.checked.view(function, op);
        let view = view.ok_or_else(|| Failure::new(codes::INTERNAL, "an op has no card"))?;
        Ok(OpView { types: step.types, known: step.known, ..view })
    }

    /// A value known beforehand, or a compressed one expanded again by its definition.
    fn constant(&self, step: &StepView<'_>, value: ValueId) -> Option<Value> {
        if let Some(tensor) = step.known.get(value.index()).and_then(Option::as_ref) {
            return Some(Arc::new(RefTensor::of(tensor)));
        }
        let f = &self.checked.program().functions[step.function];
        let mut found: HashMap<ValueId, Value> = HashMap::new();
        let mut wanted = vec![value];
        // A chain of constants is expanded from its far end, with a list instead of recursion.
        while let Some(&v) = wanted.last() {
            let Def::Output(op, _) = f.values[v].def else { return None };
            let op_of = &f.ops[op];
            if !op_of.name.starts_with("constexpr_") || wanted.len() > f.ops.len() {
                return None;
            }
            let args = op_of.args.iter().flat_map(|(_, a)| &a.0).filter_map(|b| match b {
                mil_ir::Binding::Value(v) => Some(*v),
                mil_ir::Binding::Constant(_) => None,
            });
            let known = |v: &ValueId| step.known.get(v.index()).is_some_and(Option::is_some);
            let open: Vec<ValueId> = args.filter(|v| !known(v) && !found.contains_key(v)).collect();
            if !open.is_empty() {
                wanted.extend(open);
                continue;
            }
            let view = self.view(step, step.function, op).ok()?;
            let of = |v: ValueId| {
                let known = step.known.get(v.index()).and_then(Option::as_ref);
                known.map(|t| Arc::new(RefTensor::of(t))).or_else(|| found.get(&v).cloned())
            };
            let made = run_rule(&view, &of).ok()?;
            op_of.outputs.iter().zip(made).for_each(|(&v, t)| {
                // Expanded weights have the declared dtype before anything else sees them.
                let rounded = t.to_tensor().map(|t| RefTensor::of(&t)).unwrap_or(t);
                found.insert(v, Arc::new(rounded));
            });
            wanted.pop();
        }
        found.remove(&value)
    }
}

/// What the op's card allows for each element; empty for what must be exact.
fn own_bound(view: &OpView<'_>, value: &RefTensor) -> Vec<f64> {
    let RefData::Float(values) = &value.data else { return Vec::new() };
    let bound = view.def.accuracy.bound(value.dtype);
    let finite = values.iter().filter(|v| v.is_finite());
    let largest = finite.fold(0.0, |m: f64, v| m.max(v.abs()));
    values.iter().map(|&v| bound.allows(v, largest)).collect()
}

/// Every element moved by what it may be off.
fn shifted(value: &RefTensor, error: &[f64], sign: f64) -> Value {
    match &value.data {
        RefData::Float(v) => {
            let moved = v.iter().zip(error).map(|(v, e)| v + sign * e).collect();
            Arc::new(RefTensor::floats(value.dtype, &value.shape, moved))
        }
        _ => Arc::new(value.clone()),
    }
}

/// The worst element of one output.
fn deviation(want: &RefTensor, got: &Tensor, allowed: &[f64]) -> Deviation {
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
        let here = Deviation { got, want, allowed: allowed.get(i).copied().unwrap_or(0.0) };
        if here.ratio() > worst.ratio() {
            worst = here;
        }
    }
    worst
}
