//! What the tests share: programs from text, inputs from a fixed seed, comparison of runtimes.
#![allow(dead_code, unreachable_pub, missing_docs)]

pub mod cards;

use mil_base::{DType, Tensor, Type};
use mil_check::{Checked, Target, check};
use mil_ops::OpSet;
use mil_run::{Cpu, Named, Options, Reference, Runtime, Session};
use std::sync::Arc;

/// A checked program from the statements of `main` and what it returns.
pub fn program(inputs: &str, body: &str, outputs: &str) -> Arc<Checked> {
    with(inputs, body, outputs, &cards::ops())
}

/// As [`program`], with other ops.
pub fn with(inputs: &str, body: &str, outputs: &str, ops: &OpSet) -> Arc<Checked> {
    let text = format!("program(1.3)\n{{\n func main<ios18>({inputs}) {{\n{body}\n }} -> ({outputs});\n}}\n");
    checked(&text, ops)
}

/// A checked program from its whole text.
pub fn whole(text: &str) -> Arc<Checked> {
    checked(text, &cards::ops())
}

fn checked(text: &str, ops: &OpSet) -> Arc<Checked> {
    let lowered = mil_codec::text::read(text);
    assert!(lowered.diagnostics.is_empty(), "{text}\n{:#?}", lowered.diagnostics);
    match check(lowered.program, &lowered.origins, ops, Target::default()) {
        Ok(checked) => Arc::new(checked),
        Err(found) => panic!("{text}\n{found:#?}"),
    }
}

pub fn options(threads: usize, fusion: bool) -> Options {
    Options { threads, fusion, ..Options::default() }
}

pub fn cpu(checked: &Arc<Checked>, options: &Options) -> Box<dyn Session> {
    Cpu.load(checked.clone(), options).unwrap().session(None).unwrap()
}

pub fn reference(checked: &Arc<Checked>) -> Box<dyn Session> {
    Reference.load(checked.clone(), &Options::default()).unwrap().session(None).unwrap()
}

/// Numbers from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n as u64) as usize
    }

    pub fn tensor(&mut self, dtype: DType, shape: &[usize]) -> Tensor {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = (0..count).map(|_| self.below(2001) as f64 / 500.0 - 2.0).collect();
        Tensor::from_f64(dtype, shape, &values).unwrap()
    }

    /// An input for each parameter of the default function.
    pub fn inputs(&mut self, checked: &Checked) -> Vec<Named> {
        let program = checked.program();
        let f = &program.functions[program.default_function().unwrap()];
        let inputs = mil_run::inputs(f).map(|(_, name, ty)| {
            let Type::Tensor(ty) = ty else { panic!("{name} is no tensor") };
            (name.clone(), self.tensor(ty.dtype, &ty.shape.sizes().unwrap()))
        });
        inputs.collect()
    }
}

/// Largest difference, relative to the largest magnitude wanted.
pub fn difference(got: &[Named], want: &[Named]) -> f64 {
    assert_eq!(got.len(), want.len());
    let mut worst: f64 = 0.0;
    for ((name, g), (other, w)) in got.iter().zip(want) {
        assert_eq!(name, other);
        assert_eq!(g.ty(), w.ty(), "{name}");
        let largest = w.to_f64().iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
        for (g, w) in g.to_f64().into_iter().zip(w.to_f64()) {
            if g != w && !(g.is_nan() && w.is_nan()) {
                worst = worst.max(if (g - w).is_nan() { f64::INFINITY } else { (g - w).abs() / largest });
            }
        }
    }
    worst
}

/// The outputs of both runtimes, fused and not, on one and two threads, agree; gives those of the reference.
pub fn agree(checked: &Arc<Checked>, inputs: &[Named], tolerance: f64) -> Vec<Named> {
    let want = reference(checked).run(inputs).unwrap();
    for threads in [1, 2] {
        for fusion in [false, true] {
            let mut session = cpu(checked, &options(threads, fusion));
            for turn in 0..2 {
                let got = session.run(inputs).unwrap();
                let far = difference(&got, &want);
                assert!(far <= tolerance, "{far} with {threads} threads, fusion {fusion}, turn {turn}");
            }
        }
    }
    want
}
