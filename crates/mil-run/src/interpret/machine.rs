//! The machine: a stack of blocks being executed, so that deep nesting takes heap and not stack.

use super::{Dense, Engine, Held, List, Order, Table};
use crate::error::RunError;
use mil_base::{DType, Tensor};
use mil_ir::{Binding, BlockId, Function, Op, OpId, Program, ValueId};
use mil_ops::contract::Failure;

/// The contents of a function's states, by number.
pub(crate) type States<T> = Vec<T>;

/// One function being run.
pub(crate) struct Machine<'a, E: Engine> {
    pub(crate) program: &'a Program,
    pub(crate) function: &'a Function,
    pub(crate) order: &'a Order,
    /// Contents known before execution, by value index.
    pub(crate) known: &'a [Option<Tensor>],
    pub(crate) engine: E,
}

/// A block being executed, and what to do with its results.
struct Frame<T> {
    block: BlockId,
    at: usize,
    then: Then<T>,
}

enum Then<T> {
    /// They are the function's.
    Return,
    /// They are the outputs of this `cond`.
    Cond(OpId),
    /// They say whether this `while_loop`, with these variables, goes on.
    Test(OpId, Vec<Held<T>>),
    /// They are the next variables of this `while_loop`.
    Body(OpId),
}

impl<'a, E: Engine> Machine<'a, E> {
    /// Runs the function: `inputs` by value, states by number in the order of the parameters.
    pub(crate) fn run(
        &mut self,
        inputs: Vec<(ValueId, E::Value)>,
        states: &mut States<E::Value>,
    ) -> Result<Vec<E::Value>, RunError> {
        let function = self.function;
        let mut table = Table::new(function.values.len());
        inputs.into_iter().for_each(|(v, t)| table.set(v, Held::Dense(t)));
        for (number, (value, _, _)) in crate::ports::states(function).enumerate() {
            table.set(value, Held::State(number));
        }
        let mut frames = vec![Frame { block: function.body, at: 0, then: Then::Return }];
        while let Some(frame) = frames.last_mut() {
            if let Some(&op) = self.order.blocks[frame.block.index()].get(frame.at) {
                frame.at += 1;
                let next = self.step(op, &mut table, states);
                match next.map_err(|f| RunError::op(f, function.place(op)))? {
                    Some(frame) => frames.push(frame),
                    None => self.free(op, &mut table),
                }
                continue;
            }
            let results = &function.blocks[frame.block].results;
            let mut held = Vec::with_capacity(results.len());
            for &v in results {
                held.push(self.fetch(v, &mut table)?);
            }
            let Some(Frame { then, .. }) = frames.pop() else { break };
            match then {
                Then::Return => return dense(held),
                Then::Cond(op) => {
                    self.set_outputs(op, held, &mut table);
                    self.free(op, &mut table);
                }
                Then::Test(op, vars) => {
                    let on = held.first().and_then(truth).ok_or_else(|| no_bool(function, op))?;
                    if on {
                        frames.push(self.enter(op, 1, vars, &mut table, |_| Then::Body(op)));
                    } else {
                        self.set_outputs(op, vars, &mut table);
                        self.free(op, &mut table);
                    }
                }
                Then::Body(op) => frames.push(self.enter(op, 0, held, &mut table, |v| Then::Test(op, v))),
            }
        }
        Err(RunError::internal("the function ended without results"))
    }

    /// Binds the parameters of a loop's block to the variables.
    fn enter(
        &self,
        op: OpId,
        which: usize,
        vars: Vec<Held<E::Value>>,
        table: &mut Table<E::Value>,
        then: impl FnOnce(Vec<Held<E::Value>>) -> Then<E::Value>,
    ) -> Frame<E::Value> {
        let block = self.function.ops[op].blocks[which];
        for (&param, var) in self.function.blocks[block].params.iter().zip(&vars) {
            table.set(param, var.clone());
        }
        Frame { block, at: 0, then: then(vars) }
    }

    fn set_outputs(&self, op: OpId, held: Vec<Held<E::Value>>, table: &mut Table<E::Value>) {
        for (&out, value) in self.function.ops[op].outputs.iter().zip(held) {
            table.set(out, value);
        }
    }

    fn free(&self, op: OpId, table: &mut Table<E::Value>) {
        self.order.dies[op.index()].iter().for_each(|&v| table.free(v));
    }

    /// A value, made from its known contents if this is its first use.
    fn fetch(&self, value: ValueId, table: &mut Table<E::Value>) -> Result<Held<E::Value>, RunError> {
        self.load(value, table);
        table.get(value).cloned().ok_or_else(|| {
            let name = &self.function.values[value].name;
            RunError::internal(format!("value `{name}` is used where it is not alive"))
        })
    }

    fn load(&self, value: ValueId, table: &mut Table<E::Value>) {
        if table.get(value).is_none()
            && let Some(tensor) = self.known.get(value.index()).and_then(Option::as_ref)
        {
            table.set(value, Held::Dense(E::Value::of(tensor)));
        }
    }

    /// Runs one op, or gives the block to enter.
    fn step(
        &mut self,
        id: OpId,
        table: &mut Table<E::Value>,
        states: &mut States<E::Value>,
    ) -> Result<Option<Frame<E::Value>>, Failure> {
        let op = &self.function.ops[id];
        for binding in op.args.iter().flat_map(|(_, a)| &a.0) {
            if let Binding::Value(v) = binding {
                self.load(*v, table);
            }
        }
        let args = Args { program: self.program, op, table };
        let made = match &*op.name {
            "cond" => {
                let pred = args.each("pred").next().flatten();
                let which = usize::from(!pred.as_ref().and_then(truth).ok_or_else(|| args.bad("pred"))?);
                let block = *op.blocks.get(which).ok_or_else(|| args.bad("pred"))?;
                return Ok(Some(Frame { block, at: 0, then: Then::Cond(id) }));
            }
            "while_loop" => {
                let vars = args.all("loop_vars")?;
                return Ok(Some(self.enter(id, 0, vars, table, |v| Then::Test(id, v))));
            }
            "read_state" => {
                let number = args.state("input").or_else(|_| args.state("state"))?;
                Held::Dense(states.get(number).cloned().ok_or_else(|| args.bad("input"))?)
            }
            "write_state" | "coreml_update_state" => {
                let number = args.state("input").or_else(|_| args.state("state"))?;
                let value = args.dense("data").or_else(|_| args.dense("value"))?;
                *states.get_mut(number).ok_or_else(|| args.bad("input"))? = value.clone();
                Held::Dense(value)
            }
            "make_list" => Held::List(args.make_list()?),
            "list_length" => {
                let length = args.list("ls")?.len() as i64;
                let tensor = Tensor::from_i64(DType::Int32, &[], &[length]).map_err(|_| args.bad("ls"))?;
                Held::Dense(E::Value::of(&tensor))
            }
            "list_read" => Held::Dense(args.list("ls")?.read(args.int("index")?)?),
            "list_write" => Held::List(args.list("ls")?.write(args.int("index")?, args.dense("value")?)?),
            "list_gather" => Held::Dense(args.list("ls")?.gather(&args.dense("indices")?.ints())?),
            "list_scatter" => {
                Held::List(args.list("ls")?.scatter(&args.dense("indices")?.ints(), &args.dense("value")?)?)
            }
            "identity" if args.list("x").is_ok() => Held::List(args.list("x")?.clone()),
            _ => {
                let outs = self.engine.compute(id, table)?;
                self.set_outputs(id, outs.into_iter().map(Held::Dense).collect(), table);
                return Ok(None);
            }
        };
        self.set_outputs(id, vec![made], table);
        Ok(None)
    }
}

fn dense<T>(held: Vec<Held<T>>) -> Result<Vec<T>, RunError> {
    let each = held.into_iter().map(|h| match h {
        Held::Dense(t) => Ok(t),
        _ => Err(RunError::internal("a function returns a list or state")),
    });
    each.collect()
}

fn truth<T: Dense>(held: &Held<T>) -> Option<bool> {
    match held {
        Held::Dense(t) => t.ints().first().map(|&v| v != 0),
        _ => None,
    }
}

fn no_bool(function: &Function, op: OpId) -> RunError {
    let failure = Failure::new("while_loop/condition", "the condition block gives no bool");
    RunError::op(failure, function.place(op))
}

/// The arguments of an op that the machine executes itself.
struct Args<'a, T> {
    program: &'a Program,
    op: &'a Op,
    table: &'a Table<T>,
}

impl<T: Dense> Args<'_, T> {
    fn bad(&self, name: &str) -> Failure {
        let message = format!("`{}` cannot read its argument `{name}`", self.op.name);
        Failure::new("op/argument-unreadable", message)
    }

    fn each(&self, name: &str) -> impl Iterator<Item = Option<Held<T>>> {
        let bindings = self.op.arg(name).map_or(&[][..], |a| &a.0);
        bindings.iter().map(|binding| match binding {
            Binding::Value(v) => self.table.get(*v).cloned(),
            Binding::Constant(c) => self.program.tensor(c).map(|t| Held::Dense(T::of(&t))),
        })
    }

    fn held(&self, name: &str) -> Option<&Held<T>> {
        match self.op.arg(name)?.single()? {
            Binding::Value(v) => self.table.get(*v),
            Binding::Constant(_) => None,
        }
    }

    fn all(&self, name: &str) -> Result<Vec<Held<T>>, Failure> {
        self.each(name).collect::<Option<Vec<_>>>().ok_or_else(|| self.bad(name))
    }

    fn dense(&self, name: &str) -> Result<T, Failure> {
        match self.each(name).next() {
            Some(Some(Held::Dense(t))) => Ok(t),
            _ => Err(self.bad(name)),
        }
    }

    fn int(&self, name: &str) -> Result<i64, Failure> {
        self.dense(name)?.ints().first().copied().ok_or_else(|| self.bad(name))
    }

    fn list(&self, name: &str) -> Result<&List<T>, Failure> {
        match self.held(name) {
            Some(Held::List(list)) => Ok(list),
            _ => Err(self.bad(name)),
        }
    }

    fn state(&self, name: &str) -> Result<usize, Failure> {
        match self.held(name) {
            Some(Held::State(number)) => Ok(*number),
            _ => Err(self.bad(name)),
        }
    }

    fn make_list(&self) -> Result<List<T>, Failure> {
        let given = |name: &str| self.op.arg(name).is_some();
        let length = if given("init_length") { self.int("init_length")? } else { 1 };
        let dynamic = if given("dynamic_length") { self.int("dynamic_length")? != 0 } else { true };
        let mut shape = Vec::new();
        for item in self.all("elem_shape")? {
            match item {
                // A dimension given by name (a symbol of the source model) is a string: not known here.
                Held::Dense(t) if t.dtype() == DType::String => shape.push(-1),
                Held::Dense(t) => shape.extend(t.ints()),
                _ => return Err(self.bad("elem_shape")),
            }
        }
        let dtype = match self.each("dtype").next() {
            Some(Some(Held::Dense(t))) => {
                let tensor = t.to_tensor()?;
                tensor.item_str().and_then(DType::parse).ok_or_else(|| self.bad("dtype"))?
            }
            _ => DType::Fp32,
        };
        List::new(length, dynamic, &shape, dtype)
    }
}
