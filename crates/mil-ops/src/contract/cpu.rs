//! How the CPU runtime computes an op: a kernel chosen once, when the program is planned.

use super::view::OpView;
use super::{Failure, OpDef};
use mil_base::{DType, Tensor, tensor::count};
use mil_kernels::Pool;

/// How the CPU runtime computes an op.
#[derive(Clone, Copy)]
pub enum Cpu {
    /// By a kernel of its own.
    Kernel(CpuRule),
    /// By the reference rule, with the reason.
    Reference(&'static str),
    /// The runtime itself executes it (control flow, state), with what it does in words.
    Runtime(&'static str),
}

impl Cpu {
    /// A kernel that takes no part in fusion.
    pub const fn kernel(plan: PlanFn) -> Cpu {
        Cpu::Kernel(CpuRule { plan, as_post: None, takes_post: false })
    }
}

/// Chooses the kernel for concrete shapes.
pub type PlanFn = fn(&CpuCx<'_>) -> Result<CpuKernel, Failure>;

/// A card's kernel, and its part in fusion.
#[derive(Clone, Copy)]
pub struct CpuRule {
    /// Chooses the kernel.
    pub plan: PlanFn,
    /// The op as a step applied to each element of its producer's result, which is its input `slot`; nothing if it is
    /// not one for these arguments. Extra operands are named by slot in this op's own inputs.
    pub as_post: Option<fn(&CpuCx<'_>, slot: usize) -> Option<PostOp>>,
    /// Does the kernel apply [`CpuCx::post`]? Only then may consumers be fused into it.
    pub takes_post: bool,
}

/// An element-wise step fused into the kernel that makes its input. With fp16 outputs each step rounds its result.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum PostOp {
    /// `max(v, 0)`.
    Relu,
    /// `min(max(v, lo), hi)`.
    Clip {
        /// Lower bound.
        lo: f32,
        /// Upper bound.
        hi: f32,
    },
    /// `v` or, below zero, `alpha * v`.
    LeakyRelu(f32),
    /// `1 / (1 + exp(-v))`.
    Sigmoid,
    /// `tanh(v)`.
    Tanh,
    /// `v * sigmoid(v)`.
    Silu,
    /// `v / 2 * (1 + erf(v / sqrt 2))`.
    GeluExact,
    /// The tanh approximation of gelu.
    GeluTanh,
    /// `v * sigmoid(1.702 v)`.
    GeluSigmoid,
    /// `v + c`.
    AddScalar(f32),
    /// `v * c`.
    MulScalar(f32),
    /// `v + input[slot]`, same shape and dtype as the output.
    Add {
        /// Index into the fused step's inputs.
        slot: usize,
    },
    /// `v * input[slot]`, same shape and dtype as the output.
    Mul {
        /// Index into the fused step's inputs.
        slot: usize,
    },
}

/// Element type and sizes, all known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concrete {
    /// Element type.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
}

impl Concrete {
    /// Number of elements. Shapes that reach a plan fit in memory.
    pub fn count(&self) -> usize {
        count(&self.shape).unwrap_or(usize::MAX)
    }

    /// Bytes of the elements.
    pub fn bytes(&self) -> usize {
        self.dtype.bytes_for(self.count()).unwrap_or(0)
    }
}

/// What a card sees when it chooses a kernel: all shapes are known.
pub struct CpuCx<'a> {
    /// The op, with types and known values.
    pub view: OpView<'a>,
    /// Types of the outputs.
    pub outputs: Vec<Concrete>,
    /// Steps to apply to output 0, in order; empty unless the card takes them. With some, `outputs[0]` is still the
    /// op's own output: every step keeps shape and dtype.
    pub post: &'a [PostOp],
    /// Threads of the pool that will run it.
    pub threads: usize,
}

impl CpuCx<'_> {
    /// The card.
    pub fn def(&self) -> &'static OpDef {
        self.view.def
    }

    /// Type of an argument with one binding.
    pub fn ty(&self, name: &str) -> Result<Concrete, Failure> {
        let ty = self.view.ty(name).and_then(|t| Some(Concrete { dtype: t.dtype, shape: t.shape.sizes()? }));
        ty.ok_or_else(|| self.unplanned(name))
    }

    /// Types of every binding of an argument.
    pub fn tys(&self, name: &str) -> Result<Vec<Concrete>, Failure> {
        let tys = self.view.tys(name);
        tys.into_iter()
            .map(|t| Some(Concrete { dtype: t.dtype, shape: t.shape.sizes()? }))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.unplanned(name))
    }

    /// Where an argument's first binding stands in [`KernelCall`]'s inputs. Inputs are all bindings of all arguments, in the
    /// order of the op's `args`, constants included (strings as empty slices), then attributes other than `name`.
    pub fn slot(&self, name: &str) -> Option<usize> {
        let op = self.view.op();
        let alias = self.view.version.param(name).and_then(|p| p.alias);
        let mut at = 0;
        for (n, arg) in &op.args {
            if n == name || Some(&**n) == alias {
                return (!arg.0.is_empty()).then_some(at);
            }
            at += arg.0.len();
        }
        let attributes = op.attributes.iter().filter(|(n, _)| n != "name");
        attributes.enumerate().find(|(_, (n, _))| n == name).map(|(i, _)| at + i)
    }

    /// The slot of a required argument.
    pub fn need(&self, name: &str) -> Result<usize, Failure> {
        self.slot(name).ok_or_else(|| self.unplanned(name))
    }

    /// Contents of an argument that is known before execution. The bytes may be a mapped weight file: keep the tensor
    /// rather than copy it.
    pub fn tensor(&self, name: &str) -> Option<Tensor> {
        self.view.tensor(name)
    }

    /// The failure of a card that cannot choose a kernel because of one argument.
    pub fn unplanned(&self, name: &str) -> Failure {
        Failure::new(
            "op/not-planned",
            format!("`{}` cannot be planned: `{name}` is not known", self.def().name),
        )
    }
}

/// May the output share memory with an input?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alias {
    /// Never.
    None,
    /// Output 0 may be written over the input at one of the slots that the kernel accepts absent: the runtime picks this
    /// one if it dies here and has the same size. [`KernelCall::input`] then gives `None` for it.
    InPlace(usize),
    /// Output 0 has exactly the bytes of this input: nothing is run, the runtime shares the buffer.
    View(usize),
    /// Output 0 is the bytes of the inputs from slot `first` on, `count` of them, one after another. The runtime may have
    /// them made where they belong and then runs nothing; otherwise it runs the kernel.
    Join {
        /// The first of the inputs.
        first: usize,
        /// How many there are.
        count: usize,
    },
}

/// Executes an op on its buffers.
pub type RunFn = Box<dyn Fn(&mut KernelCall<'_>) -> Result<(), Failure> + Send + Sync>;

/// A kernel with everything it worked out beforehand (parameters, packed weights).
pub struct CpuKernel {
    /// Executes the op. Must not allocate.
    pub run: RunFn,
    /// Bytes of scratch memory it needs.
    pub scratch: usize,
    /// Memory it may share.
    pub alias: Alias,
    /// Input slots it never reads, because it keeps their contents in another form.
    pub unread: Vec<usize>,
    /// Bytes of prepared constants it holds.
    pub prepared: usize,
}

impl CpuKernel {
    /// A kernel without scratch memory or sharing.
    pub fn new(
        run: impl Fn(&mut KernelCall<'_>) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> CpuKernel {
        CpuKernel { run: Box::new(run), scratch: 0, alias: Alias::None, unread: Vec::new(), prepared: 0 }
    }

    /// Output 0 has the bytes of the input at `slot`; nothing is run.
    pub fn view(slot: usize) -> CpuKernel {
        CpuKernel::new(|_| Ok(())).alias(Alias::View(slot))
    }

    /// With this much scratch memory.
    pub fn scratch(mut self, bytes: usize) -> CpuKernel {
        self.scratch = bytes;
        self
    }

    /// With this sharing.
    pub fn alias(mut self, alias: Alias) -> CpuKernel {
        self.alias = alias;
        self
    }

    /// Which keeps the contents of these slots itself, in so many bytes.
    pub fn keeps(mut self, slots: Vec<usize>, bytes: usize) -> CpuKernel {
        self.unread = slots;
        self.prepared = bytes;
        self
    }
}

/// The buffers of one execution. All are 64-byte aligned.
pub struct KernelCall<'a> {
    /// Inputs by slot; `None` for the one that output 0 was laid over.
    pub inputs: &'a [Option<&'a [u8]>],
    /// Outputs; contents undefined before, except in place.
    pub outputs: &'a mut [&'a mut [u8]],
    /// Scratch memory as asked for; contents undefined.
    pub scratch: &'a mut [u8],
    /// Threads to work with.
    pub pool: &'a Pool,
}

impl<'a> KernelCall<'a> {
    /// The input at `slot`, unless output 0 was laid over it.
    pub fn input(&self, slot: usize) -> Option<&'a [u8]> {
        self.inputs.get(slot).copied().flatten()
    }

    /// The input at `slot` of a kernel that never works in place.
    pub fn read(&self, slot: usize) -> Result<&'a [u8], Failure> {
        self.input(slot).ok_or_else(|| Failure::new("op/input-missing", "an input buffer is missing"))
    }
}
