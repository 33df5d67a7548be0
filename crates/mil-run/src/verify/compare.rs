//! Every step beside the reference of its ops, given the very inputs that the step had.

use crate::codes;
use crate::cpu::{CpuSession, LoadedCpu};
use crate::error::RunError;
use crate::observe::{Observer, StepView};
use crate::plan::Plan;
use crate::reference::{Value, run_rule};
use crate::runtime::Named;
use mil_base::{Name, Tensor};
use mil_check::Checked;
use mil_ir::{Def, Function, FunctionId, OpId, ValueId};
use mil_ops::OpView;
use mil_ops::contract::{Accuracy, Failure, RefData, RefTensor};
use mil_ops::support::stream::Stream;
use std::collections::HashMap;
use std::sync::Arc;

/// What one step made, beside what the reference of its ops makes of the very same inputs.
pub struct Compared<'a> {
    /// The ops, one or several fused; the outputs are those of the last.
    pub ops: &'a [OpId],
    /// The reference's outputs, floats not rounded.
    pub want: &'a [Arc<RefTensor>],
    /// What the runtime made.
    pub got: &'a [Tensor],
    /// By output and element, the largest difference that the cards allow; empty for what must be exact.
    pub allowed: &'a [Vec<f64>],
    shake: &'a dyn Fn() -> Vec<Vec<f64>>,
}

impl Compared<'_> {
    /// By output and element, how far the reference moves when the last digit (of fp32) of every float input does: the
    /// largest of [`TRIES`] tries. It costs as many evaluations.
    pub fn moved(&self) -> Vec<Vec<f64>> {
        (self.shake)()
    }
}

/// How often [`Compared::moved`] moves the inputs.
pub const TRIES: u64 = 16;

/// A step that could not be compared, by its name, and why.
pub type Incomparable = (Name, String);

/// Is told of every step that was compared.
type Each<'a> = dyn FnMut(&Compared<'_>) + Send + 'a;

/// Runs `session` once on `inputs`, tells `each` of every step, constants worked out beforehand included, and gives the
/// steps that could not be compared, by name and with the reason.
pub fn compare_steps(
    loaded: &LoadedCpu,
    session: &mut CpuSession,
    function: Option<&str>,
    inputs: &[Named],
    each: &mut Each<'_>,
) -> Result<(Vec<Named>, Vec<Incomparable>), RunError> {
    let checked = loaded.checked();
    let id = crate::ports::find_function(checked, function)?;
    let rules = Rules { checked };
    let mut comparer = Comparer { rules, operands: HashMap::new(), each, failures: Vec::new() };
    let results = session.run_observed(inputs, &mut comparer)?;
    if let Some(plan) = session.plan() {
        let made =
            checked.program().functions[id].outputs().iter().copied().zip(results.iter().map(|r| &r.1));
        comparer.folded(plan, id, &made.collect());
    }
    Ok((results, comparer.failures))
}

/// Compares every step as it runs.
struct Comparer<'a, 'e> {
    rules: Rules<'a>,
    /// The operands of the step that is running.
    operands: HashMap<ValueId, Value>,
    each: &'e mut Each<'e>,
    failures: Vec<Incomparable>,
}

impl Observer for Comparer<'_, '_> {
    fn before(&mut self, step: &StepView<'_>, operand: &dyn Fn(ValueId) -> Option<Tensor>) {
        self.operands.clear();
        let f = &self.rules.checked.program().functions[step.function];
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

impl Comparer<'_, '_> {
    fn compare(&mut self, step: &StepView<'_>, operands: HashMap<ValueId, Value>, got: Vec<Tensor>) {
        let name = || step_name(&self.rules.checked.program().functions[step.function], step.ops);
        let rules = self.rules;
        match rules.wanted(step, operands.clone()) {
            Err(failure) => self.failures.push((name(), failure.to_string())),
            Ok(wanted) if wanted.values.len() != got.len() => {
                self.failures.push((name(), "the number of outputs differs".to_owned()));
            }
            Ok(wanted) => {
                let shake = || rules.moved(step, &operands, &wanted.values);
                let (want, allowed) = (&wanted.values, &wanted.allowed);
                (self.each)(&Compared { ops: step.ops, want, got: &got, allowed, shake: &shake });
            }
        }
    }

    /// Compares what was worked out while planning. Expanded weights that no step reads any more, and that are no result,
    /// are left to the steps that keep them in another form.
    fn folded(&mut self, plan: &Plan, function: FunctionId, results: &HashMap<ValueId, &Tensor>) {
        let types = &plan.types;
        for &op in plan.folded() {
            let step = StepView { function, ops: &[op], types: &types.types, known: &types.known };
            let outputs = &self.rules.checked.program().functions[function].ops[op].outputs;
            let of =
                |v: &ValueId| types.known[v.index()].clone().or_else(|| results.get(v).map(|&t| t.clone()));
            let made: Option<Vec<Tensor>> = outputs.iter().map(of).collect();
            if let Some(made) = made {
                self.compare(&step, HashMap::new(), made);
            }
        }
    }
}

/// The reference values of an op's outputs, and how far each element may be off.
struct Wanted {
    values: Vec<Value>,
    /// By output and element; empty for what must be exact.
    allowed: Vec<Vec<f64>>,
}

/// The name of the last op's first output.
pub(super) fn step_name(f: &Function, ops: &[OpId]) -> Name {
    let Some(&last) = ops.last() else { return Name::new("") };
    f.ops[last].outputs.first().map_or(f.ops[last].name.clone(), |&v| f.values[v].name.clone())
}

/// The definitions of the ops of a program.
#[derive(Clone, Copy)]
struct Rules<'a> {
    checked: &'a Checked,
}

impl<'a> Rules<'a> {
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

    /// See [`Compared::moved`].
    fn moved(
        &self,
        step: &StepView<'_>,
        operands: &HashMap<ValueId, Value>,
        values: &[Value],
    ) -> Vec<Vec<f64>> {
        let mut most: Vec<Vec<f64>> = values.iter().map(|t| vec![0.0; t.f64s().len()]).collect();
        for attempt in 0..TRIES {
            let Ok(other) = self.values(step, operands, attempt) else { continue };
            for ((most, value), other) in most.iter_mut().zip(values).zip(&other) {
                for ((m, a), b) in most.iter_mut().zip(value.f64s()).zip(other.f64s()) {
                    *m = m.max(if (a - b).is_finite() { (a - b).abs() } else { 0.0 });
                }
            }
        }
        most
    }

    /// What the reference makes of operands whose last digits are moved at random.
    fn values(
        &self,
        step: &StepView<'_>,
        operands: &HashMap<ValueId, Value>,
        attempt: u64,
    ) -> Result<Vec<Value>, Failure> {
        let mut made: HashMap<ValueId, Value> = HashMap::new();
        let mut values = Vec::new();
        for &op in step.ops {
            let view = self.view(step, step.function, op)?;
            let given = |v: ValueId| {
                let value = operands.get(&v).cloned().or_else(|| self.constant(step, v))?;
                Some(shaken(&value, attempt ^ ((v.index() as u64) << 32)))
            };
            values = run_rule(&view, &|v| made.get(&v).cloned().or_else(|| given(v)))?;
            made.extend(view.op().outputs.iter().copied().zip(values.iter().cloned().map(Arc::new)));
        }
        Ok(values.into_iter().map(Arc::new).collect())
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

/// Every float moved by up to one unit in the last place of fp32, at random, the same for the same seed.
fn shaken(value: &Value, seed: u64) -> Value {
    let RefData::Float(values) = &value.data else { return value.clone() };
    let stream = Stream::from_state(seed);
    let moved = |(i, v): (u64, &f64)| v * (1.0 + (2.0 * stream.unit(i) - 1.0) * Accuracy::LAST_DIGIT);
    let moved = (0..).zip(values.iter()).map(moved).collect();
    Arc::new(RefTensor::floats(value.dtype, &value.shape, moved))
}
