//! The f64 reference: what an op means, written to be read.

use super::signature::{Default, Need, Version};
use super::{Failure, OpDef};
use mil_base::{DType, Tensor, TensorError, TensorType, tensor::count};

/// How the reference of an op is given.
#[derive(Clone, Copy)]
pub enum Reference {
    /// A pure function of the arguments.
    Rule(fn(&RefCall<'_>) -> Result<Vec<RefTensor>, Failure>),
    /// The runtime itself executes the op (control flow, state), with what it does in words.
    Runtime(&'static str),
}

/// The elements of a [`RefTensor`].
#[derive(Clone, PartialEq, Debug)]
pub enum RefData {
    /// Any float dtype: exact in f64, never rounded to the dtype except by `cast`.
    Float(Vec<f64>),
    /// Any integer dtype: exact.
    Int(Vec<i64>),
    /// Bools.
    Bool(Vec<bool>),
    /// Strings.
    Text(Vec<String>),
}

/// A tensor of the reference runtime: the declared dtype, with f64 for every float.
#[derive(Clone, PartialEq, Debug)]
pub struct RefTensor {
    /// The declared dtype.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Elements in row-major order.
    pub data: RefData,
}

impl RefTensor {
    /// A float tensor. The elements must be as many as the shape says.
    pub fn floats(dtype: DType, shape: &[usize], data: Vec<f64>) -> RefTensor {
        debug_assert_eq!(count(shape), Some(data.len()));
        RefTensor { dtype, shape: shape.to_vec(), data: RefData::Float(data) }
    }

    /// An integer tensor; values wrap to the dtype.
    pub fn ints(dtype: DType, shape: &[usize], data: Vec<i64>) -> RefTensor {
        debug_assert_eq!(count(shape), Some(data.len()));
        let data = data.into_iter().map(|v| wrap(dtype, v)).collect();
        RefTensor { dtype, shape: shape.to_vec(), data: RefData::Int(data) }
    }

    /// A bool tensor.
    pub fn bools(shape: &[usize], data: Vec<bool>) -> RefTensor {
        debug_assert_eq!(count(shape), Some(data.len()));
        RefTensor { dtype: DType::Bool, shape: shape.to_vec(), data: RefData::Bool(data) }
    }

    /// The tensor of `dtype` nearest to these f64 values: floats as they are, integers truncated and wrapped, bool "not zero".
    pub fn from_f64(dtype: DType, shape: &[usize], data: Vec<f64>) -> RefTensor {
        if dtype.is_float() {
            return RefTensor::floats(dtype, shape, data);
        }
        if dtype == DType::Bool {
            return RefTensor::bools(shape, data.into_iter().map(|v| v != 0.0).collect());
        }
        RefTensor::ints(dtype, shape, data.into_iter().map(|v| v as i64).collect())
    }

    /// The exact contents of a tensor.
    pub fn of(tensor: &Tensor) -> RefTensor {
        let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
        let data = match dtype {
            DType::String => RefData::Text(tensor.strings().to_vec()),
            DType::Bool => RefData::Bool(tensor.to_i64().into_iter().map(|v| v != 0).collect()),
            d if d.is_float() => RefData::Float(tensor.to_f64()),
            _ => RefData::Int(tensor.to_i64()),
        };
        RefTensor { dtype, shape, data }
    }

    /// The tensor in its declared dtype: floats rounded once.
    pub fn to_tensor(&self) -> Result<Tensor, TensorError> {
        match &self.data {
            RefData::Float(v) => Tensor::from_f64(self.dtype, &self.shape, v),
            RefData::Int(v) => Tensor::from_i64(self.dtype, &self.shape, v),
            RefData::Bool(v) => Tensor::from_i64(
                self.dtype,
                &self.shape,
                &v.iter().map(|&b| i64::from(b)).collect::<Vec<_>>(),
            ),
            RefData::Text(v) => Tensor::from_strings(&self.shape, v.clone()),
        }
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Every element as f64 (bool as 0 and 1); empty for strings.
    pub fn f64s(&self) -> Vec<f64> {
        match &self.data {
            RefData::Float(v) => v.clone(),
            RefData::Int(v) => v.iter().map(|&v| v as f64).collect(),
            RefData::Bool(v) => v.iter().map(|&v| f64::from(u8::from(v))).collect(),
            RefData::Text(_) => Vec::new(),
        }
    }

    /// Every element as i64 (floats truncate); empty for strings.
    pub fn i64s(&self) -> Vec<i64> {
        match &self.data {
            RefData::Float(v) => v.iter().map(|&v| v as i64).collect(),
            RefData::Int(v) => v.clone(),
            RefData::Bool(v) => v.iter().map(|&v| i64::from(v)).collect(),
            RefData::Text(_) => Vec::new(),
        }
    }

    /// The same dtype with the elements at these row-major positions, in another shape. For ops that only move elements.
    pub fn select(&self, shape: &[usize], from: &[usize]) -> RefTensor {
        fn pick<T: Clone>(data: &[T], from: &[usize]) -> Vec<T> {
            from.iter().map(|&i| data[i].clone()).collect()
        }
        let data = match &self.data {
            RefData::Float(v) => RefData::Float(pick(v, from)),
            RefData::Int(v) => RefData::Int(pick(v, from)),
            RefData::Bool(v) => RefData::Bool(pick(v, from)),
            RefData::Text(v) => RefData::Text(pick(v, from)),
        };
        RefTensor { dtype: self.dtype, shape: shape.to_vec(), data }
    }
}

fn wrap(dtype: DType, v: i64) -> i64 {
    match dtype {
        DType::Int64 | DType::UInt64 => v,
        d if d.is_int() => {
            let bits = d.bits() as u32;
            let raw = v & ((1i64 << bits) - 1);
            if d.is_signed_int() && raw >> (bits - 1) != 0 { raw - (1i64 << bits) } else { raw }
        }
        _ => v,
    }
}

/// The arguments of one execution of an op by the reference runtime.
pub struct RefCall<'a> {
    /// The card.
    pub def: &'static OpDef,
    /// The signature in force.
    pub version: &'static Version,
    /// Arguments by name (attributes included), each with its bindings.
    pub args: Vec<(&'a str, Vec<&'a RefTensor>)>,
    /// Declared types of the outputs; dimensions may be unknown.
    pub outputs: Vec<TensorType>,
}

impl<'a> RefCall<'a> {
    /// The bindings of an argument; empty if it was left out.
    pub fn all(&self, name: &str) -> &[&'a RefTensor] {
        let alias = self.version.param(name).and_then(|p| p.alias);
        let found = self.args.iter().find(|(n, _)| *n == name || Some(*n) == alias);
        found.map_or(&[], |(_, bindings)| bindings.as_slice())
    }

    /// An argument, if given.
    pub fn get(&self, name: &str) -> Option<&'a RefTensor> {
        self.all(name).first().copied()
    }

    /// A required argument.
    pub fn arg(&self, name: &str) -> Result<&'a RefTensor, Failure> {
        self.get(name).ok_or_else(|| self.unreadable(name))
    }

    fn unreadable(&self, name: &str) -> Failure {
        Failure::new(
            "op/argument-unreadable",
            format!("`{}` cannot read its argument `{name}`", self.def.name),
        )
    }

    fn default(&self, name: &str) -> Result<Default, Failure> {
        match self.version.param(name).map(|p| p.need) {
            Some(Need::Optional(default)) => Ok(default),
            _ => Err(self.unreadable(name)),
        }
    }

    /// An integer, or its default.
    pub fn int(&self, name: &str) -> Result<i64, Failure> {
        match self.get(name) {
            Some(t) => t.i64s().first().copied().ok_or_else(|| self.unreadable(name)),
            None => match self.default(name)? {
                Default::Int(v) => Ok(v),
                _ => Err(self.unreadable(name)),
            },
        }
    }

    /// A float, or its default.
    pub fn float(&self, name: &str) -> Result<f64, Failure> {
        match self.get(name) {
            Some(t) => t.f64s().first().copied().ok_or_else(|| self.unreadable(name)),
            None => match self.default(name)? {
                Default::Float(v) => Ok(v),
                Default::Int(v) => Ok(v as f64),
                _ => Err(self.unreadable(name)),
            },
        }
    }

    /// A bool, or its default.
    pub fn bool(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            Some(t) => t.i64s().first().map(|&v| v != 0).ok_or_else(|| self.unreadable(name)),
            None => match self.default(name)? {
                Default::Bool(v) => Ok(v),
                _ => Err(self.unreadable(name)),
            },
        }
    }

    /// A string, or its default.
    pub fn str(&self, name: &str) -> Result<String, Failure> {
        match self.get(name).map(|t| &t.data) {
            Some(RefData::Text(v)) => v.first().cloned().ok_or_else(|| self.unreadable(name)),
            Some(_) => Err(self.unreadable(name)),
            None => match self.default(name)? {
                Default::Str(v) => Ok(v.to_owned()),
                _ => Err(self.unreadable(name)),
            },
        }
    }

    /// Integers, or their default.
    pub fn ints(&self, name: &str) -> Result<Vec<i64>, Failure> {
        match self.get(name) {
            Some(t) => Ok(t.i64s()),
            None => match self.default(name)? {
                Default::Ints(v) => Ok(v.to_vec()),
                Default::Int(v) => Ok(vec![v]),
                _ => Err(self.unreadable(name)),
            },
        }
    }
}
