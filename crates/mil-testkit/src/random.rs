//! Random inputs, examples with other sizes, and programs chained from examples.
//!
//! Everything follows from a seed, so a failure can be repeated.

use crate::case::Case;
use mil_base::{DType, Dim, Name, Tensor, Type};
use mil_check::{Checked, Target, check};
use mil_ir::{Arg, Binding, BlockId, Builder, Constant, Function, Origins, Payload, Program, ValueId};
use mil_ops::OpSet;
use std::collections::{HashMap, HashSet};

/// A small generator of random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How large random floats are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spread {
    /// Uniform between -1 and 1, as normalised activations are.
    Unit,
    /// Uniform between -8 and 8, where the tails of activations are.
    Tails,
    /// Positive, from a thousandth to a thousand.
    Positive,
    /// Uniform between -100 and 100, where exponentials leave the range of their dtype.
    Wide,
    /// Uniform between 0 and 2, as parameters may be: slopes, scales, small additions.
    Parameter,
}

impl Spread {
    /// Those of inputs.
    pub const ALL: [Spread; 4] = [Spread::Unit, Spread::Tails, Spread::Positive, Spread::Wide];
}

/// Which sizes [`resized`] gives.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// One of these is what a size greater than 1 becomes.
    pub choices: &'static [usize],
    /// The most elements of all inputs and outputs together.
    pub most: usize,
    /// Weights, which are constants of floats, get other sizes and contents too.
    pub weights: bool,
}

impl Sizes {
    /// Remainders of vector loops, and several of them.
    pub const SMALL: Sizes = Sizes { choices: &[2, 3, 5, 8, 17, 33], most: 1 << 16, weights: false };
}

/// A tensor like `like`, of these sizes: random floats and bools; integers drawn from those of `like`, because they may
/// be indices.
pub fn tensor(rng: &mut Rng, like: &Tensor, shape: &[usize], spread: Spread) -> Tensor {
    let count: usize = shape.iter().product();
    let dtype = like.dtype();
    let made = if dtype.is_float() {
        let float = |rng: &mut Rng| match spread {
            Spread::Unit => rng.unit() * 2.0 - 1.0,
            Spread::Tails => rng.unit() * 16.0 - 8.0,
            Spread::Positive => 10f64.powf(rng.unit() * 6.0 - 3.0),
            Spread::Wide => rng.unit() * 200.0 - 100.0,
            Spread::Parameter => rng.unit() * 2.0,
        };
        Tensor::from_f64(dtype, shape, &(0..count).map(|_| float(rng)).collect::<Vec<_>>())
    } else if dtype == DType::String || like.count() == 0 {
        Ok(like.clone())
    } else {
        let from = if dtype == DType::Bool { vec![0, 1] } else { like.to_i64() };
        Tensor::from_i64(dtype, shape, &(0..count).map(|_| from[rng.below(from.len())]).collect::<Vec<_>>())
    };
    made.unwrap_or_else(|_| like.clone())
}

/// The example with other sizes: each size greater than 1 of an input becomes another one, the same wherever it stands.
/// Nothing if the program is not right with the new sizes.
pub fn resized(rng: &mut Rng, case: &Case, to: &Sizes) -> Option<Case> {
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    let mut program = case.checked.program().clone();
    let function = &mut program.functions[case.function];
    let params: Vec<ValueId> = function.params().to_vec();
    let choice = |rng: &mut Rng| to.choices[rng.below(to.choices.len())];
    for id in function.values.ids() {
        let Type::Tensor(ty) = &mut function.values[id].ty else { return None };
        for dim in &mut ty.shape.0 {
            *dim = match *dim {
                Dim::Known(n) if params.contains(&id) && n > 1 => {
                    Dim::Known(*sizes.entry(n).or_insert_with(|| choice(rng)))
                }
                known if params.contains(&id) => known,
                _ => Dim::Unknown,
            };
        }
    }
    if to.weights {
        let mut grown = 0usize;
        each_constant(function, None, &mut |constant| {
            let Payload::Tensor(t) = &mut constant.payload else { return };
            if !t.dtype().is_float() || t.shape().is_empty() {
                return;
            }
            let size = |&n: &usize| if n > 1 { *sizes.entry(n).or_insert_with(|| choice(rng)) } else { n };
            let shape: Vec<usize> = t.shape().iter().map(size).collect();
            let count = shape.iter().product::<usize>();
            grown += count;
            if grown <= to.most {
                *t = tensor(rng, t, &shape, Spread::Unit);
                constant.ty = Type::Tensor(t.ty());
            }
        });
        if grown > to.most {
            return None;
        }
    }
    let checked = check(program, &Origins::default(), &OpSet::standard(), Target::default()).ok()?;
    let function = &checked.program().functions[case.function];
    let total = function
        .params()
        .iter()
        .chain(function.outputs())
        .map(|&p| Some(checked.ty(case.function, p)?.as_tensor()?.shape.count().unwrap_or(0)));
    if total.sum::<Option<usize>>()? > to.most {
        return None;
    }
    Some(Case { checked, expected: Vec::new(), ..case.clone() })
}

/// The example with other contents in the constants of one op: floats at random, integers drawn from those that are
/// there. Nothing if the program is not right with them.
pub fn varied(rng: &mut Rng, case: &Case, op: &str, spread: Spread) -> Option<Case> {
    let mut program = case.checked.program().clone();
    each_constant(&mut program.functions[case.function], Some(op), &mut |constant| {
        if let Payload::Tensor(t) = &mut constant.payload
            && t.dtype() != DType::Bool
        {
            *t = tensor(rng, t, t.shape(), spread);
        }
    });
    let checked = check(program, &Origins::default(), &OpSet::standard(), Target::default()).ok()?;
    Some(Case { checked, expected: Vec::new(), ..case.clone() })
}

/// The example with every result of an op among its outputs; as it was where that is not right.
pub fn exposed(case: &Case, op: &str) -> Case {
    let mut program = case.checked.program().clone();
    let function = &mut program.functions[case.function];
    let body = function.body;
    for id in function.blocks[body].ops.clone() {
        let made = function.ops[id].outputs.clone();
        if function.ops[id].name == op {
            let results = &mut function.blocks[body].results;
            let new: Vec<ValueId> = made.into_iter().filter(|v| !results.contains(v)).collect();
            results.extend(new);
        }
    }
    match check(program, &Origins::default(), &OpSet::standard(), Target::default()) {
        Ok(checked) => Case { checked, expected: Vec::new(), ..case.clone() },
        Err(_) => case.clone(),
    }
}

/// Calls `change` on the constants of the ops of this name, or of all.
fn each_constant(function: &mut Function, op: Option<&str>, change: &mut dyn FnMut(&mut Constant)) {
    let ids: Vec<_> =
        function.ops.ids().filter(|&id| op.is_none_or(|op| function.ops[id].name == op)).collect();
    for id in ids {
        let op = &mut function.ops[id];
        for binding in op.args.iter_mut().flat_map(|(_, a)| &mut a.0) {
            if let Binding::Constant(constant) = binding {
                change(constant);
            }
        }
        op.attributes.iter_mut().for_each(|(_, constant)| change(constant));
    }
}

/// Random inputs for a case, of the sizes its function declares (or those of its own inputs where it leaves them open).
pub fn inputs(rng: &mut Rng, case: &Case, spread: Spread) -> Vec<(Name, Tensor)> {
    let function = &case.checked.program().functions[case.function];
    let input = |(name, like): &(Name, Tensor)| {
        let param = function.params().iter().find(|&&p| function.values[p].name == *name);
        let declared = param.and_then(|&p| function.values[p].ty.as_tensor()?.shape.sizes());
        let shape = declared.unwrap_or_else(|| like.shape().to_vec());
        (name.clone(), tensor(rng, like, &shape, spread))
    };
    case.inputs.iter().map(input).collect()
}

/// What an input of a step is.
#[derive(Clone, PartialEq, Debug)]
pub enum Feed {
    /// A new input of the function, with these contents.
    Input(Tensor),
    /// An output of an earlier step, by the step's key and the output's index.
    Step(u32, usize),
}

/// One example in a chain. Steps are known by key, so that others can be taken out.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Unique in the chain.
    pub key: u32,
    /// Which example.
    pub template: usize,
    /// Its inputs, in the order of the example's.
    pub feeds: Vec<Feed>,
}

/// Chains `length` examples of one op set: where an earlier result has the type an example wants, it often gets it.
pub fn chain(rng: &mut Rng, templates: &[Case], length: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut pool: Vec<(DType, Vec<usize>, Feed)> = Vec::new();
    for key in 0..length as u32 {
        let template = rng.below(templates.len());
        let case = &templates[template];
        let mut feeds = Vec::new();
        for (_, like) in &case.inputs {
            let fits: Vec<&Feed> = pool
                .iter()
                .filter(|(d, s, _)| like.dtype().is_float() && *d == like.dtype() && s == like.shape())
                .map(|(.., f)| f)
                .collect();
            feeds.push(match fits.len() {
                0 => Feed::Input(tensor(rng, like, like.shape(), Spread::Unit)),
                n => match rng.below(n + 1) {
                    i if i < n => fits[i].clone(),
                    _ => Feed::Input(tensor(rng, like, like.shape(), Spread::Unit)),
                },
            });
        }
        for (index, (_, expected)) in case.expected.iter().enumerate() {
            pool.push((expected.dtype(), expected.shape().to_vec(), Feed::Step(key, index)));
        }
        steps.push(Step { key, template, feeds });
    }
    steps
}

/// The program of a chain with its inputs; it returns every result that no step uses.
pub fn assemble(steps: &[Step], templates: &[Case], opset: &str) -> (Program, Vec<(Name, Tensor)>) {
    let mut builder = Builder::new("main", opset);
    let mut inputs = Vec::new();
    let mut results: HashMap<(u32, usize), ValueId> = HashMap::new();
    let mut used = HashSet::new();
    for step in steps {
        for (index, feed) in step.feeds.iter().enumerate() {
            if let Feed::Input(t) = feed {
                let name: Name = format!("in_{}_{index}", step.key).into();
                results.insert(
                    (step.key, usize::MAX - index),
                    builder.param(name.clone(), Type::Tensor(t.ty())),
                );
                inputs.push((name, t.clone()));
            }
        }
    }
    let mut order = Vec::new();
    for step in steps {
        let case = &templates[step.template];
        let source = &case.checked.program().functions[case.function];
        let mut map: HashMap<ValueId, ValueId> = HashMap::new();
        for (index, (&param, feed)) in source.params().iter().zip(&step.feeds).enumerate() {
            let key = match feed {
                Feed::Input(_) => (step.key, usize::MAX - index),
                Feed::Step(key, output) => {
                    used.insert((*key, *output));
                    (*key, *output)
                }
            };
            map.insert(param, results[&key]);
        }
        copy(source, source.body, &mut builder, &mut map, step.key);
        for (index, output) in source.outputs().iter().enumerate() {
            results.insert((step.key, index), map[output]);
            order.push((step.key, index));
        }
    }
    let mut seen = HashSet::new();
    let returned = order.iter().filter(|key| !used.contains(key)).map(|key| results[key]);
    let returned = returned.filter(|v| seen.insert(*v)).collect();
    let mut program = Program { version: (1, 3), ..Program::default() };
    program.functions.push(builder.finish(returned));
    (program, inputs)
}

/// Copies the ops of a block, nested blocks included, with names of their own.
fn copy(
    source: &Function,
    block: BlockId,
    builder: &mut Builder,
    map: &mut HashMap<ValueId, ValueId>,
    key: u32,
) {
    let renamed = |v: ValueId| -> Name { format!("s{key}_{}", source.values[v].name).into() };
    for &id in &source.blocks[block].ops {
        let op = &source.ops[id];
        let bind = |b: &Binding| match b {
            Binding::Value(v) => Binding::Value(map[v]),
            constant => constant.clone(),
        };
        let args = op.args.iter().map(|(n, a)| (n.clone(), Arg(a.0.iter().map(bind).collect()))).collect();
        let outputs = op.outputs.iter().map(|&v| (renamed(v), source.values[v].ty.clone())).collect();
        let new = builder.op(op.name.clone(), args, op.attributes.clone(), outputs);
        for &nested in &op.blocks {
            builder.open_block(new);
            for &param in &source.blocks[nested].params {
                map.insert(param, builder.param(renamed(param), source.values[param].ty.clone()));
            }
            copy(source, nested, builder, map, key);
            let results = source.blocks[nested].results.iter().map(|v| map[v]).collect();
            builder.close_block(results);
        }
        let made = builder.function().ops[new].outputs.clone();
        map.extend(op.outputs.iter().copied().zip(made));
    }
}

/// The shortest chain found that still `fails`, by taking steps out; what they gave becomes an input.
pub fn shrink(steps: Vec<Step>, templates: &[Case], fails: &mut dyn FnMut(&[Step]) -> bool) -> Vec<Step> {
    let mut steps = steps;
    let mut at = steps.len();
    while at > 0 {
        at -= 1;
        let gone = steps[at].key;
        let mut fewer = steps.clone();
        let removed = fewer.remove(at);
        let given = &templates[removed.template].expected;
        for feed in fewer.iter_mut().flat_map(|s| &mut s.feeds) {
            if let Feed::Step(key, output) = feed
                && *key == gone
            {
                *feed = Feed::Input(given[*output].1.clone());
            }
        }
        if !fewer.is_empty() && fails(&fewer) {
            steps = fewer;
        }
    }
    steps
}

/// A case around a checked program.
pub fn case_of(checked: Checked, text: String, inputs: Vec<(Name, Tensor)>) -> Option<Case> {
    let function = checked.program().default_function()?;
    let name = "random".to_owned();
    Some(Case { name, text, checked, function, inputs, states: Vec::new(), expected: Vec::new() })
}
