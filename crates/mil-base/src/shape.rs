//! Dimensions, shapes and the types of MIL values.

use crate::dtype::DType;
use std::fmt;

/// A dimension that is not known before the program is bound to inputs. Two equal ids are the same size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SymbolicDim(pub u32);

/// One dimension of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dim {
    /// Known size.
    Known(usize),
    /// Unknown, but equal to every other dimension with the same symbol. Made by the checker; text has `?` only.
    Symbol(SymbolicDim),
    /// Unknown: `?`.
    Unknown,
}

impl Dim {
    /// The size, if known.
    pub fn known(self) -> Option<usize> {
        match self {
            Dim::Known(n) => Some(n),
            _ => None,
        }
    }

    /// False only if the two can never be equal.
    pub fn may_equal(self, other: Dim) -> bool {
        match (self, other) {
            (Dim::Known(a), Dim::Known(b)) => a == b,
            _ => true,
        }
    }

    /// The better known of two dimensions that are equal.
    pub fn merge(self, other: Dim) -> Dim {
        match (self, other) {
            (Dim::Known(_), _) => self,
            (_, Dim::Known(_)) => other,
            (Dim::Symbol(_), _) => self,
            _ => other,
        }
    }

    /// Applies `f` to a known size; anything else, and overflow (`None`), becomes unknown.
    pub fn map(self, f: impl FnOnce(usize) -> Option<usize>) -> Dim {
        self.known().and_then(f).map_or(Dim::Unknown, Dim::Known)
    }
}

impl From<usize> for Dim {
    fn from(n: usize) -> Self {
        Dim::Known(n)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Known(n) => write!(f, "{n}"),
            Dim::Symbol(_) | Dim::Unknown => f.write_str("?"),
        }
    }
}

/// The dimensions of a tensor, outermost first. Rank 0 is a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(pub Vec<Dim>);

impl Shape {
    /// A shape of known sizes.
    pub fn known(sizes: &[usize]) -> Shape {
        Shape(sizes.iter().map(|&n| Dim::Known(n)).collect())
    }

    /// The shape of a scalar.
    pub fn scalar() -> Shape {
        Shape(Vec::new())
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The sizes, if every one is known.
    pub fn sizes(&self) -> Option<Vec<usize>> {
        self.0.iter().map(|d| d.known()).collect()
    }

    /// Number of elements, if every size is known and the product fits.
    pub fn count(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |n, d| n.checked_mul(d.known()?))
    }

    /// False only if the two shapes can never be equal.
    pub fn may_equal(&self, other: &Shape) -> bool {
        self.rank() == other.rank() && self.0.iter().zip(&other.0).all(|(a, b)| a.may_equal(*b))
    }
}

impl std::ops::Deref for Shape {
    type Target = [Dim];
    fn deref(&self) -> &[Dim] {
        &self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, dim) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

/// A tensor's element type and shape; rank 0 is MIL's scalar.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TensorType {
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Shape,
}

impl TensorType {
    /// The type with this element type and shape.
    pub fn new(dtype: DType, shape: Shape) -> Self {
        TensorType { dtype, shape }
    }

    /// The scalar type of `dtype`.
    pub fn scalar(dtype: DType) -> Self {
        TensorType { dtype, shape: Shape::scalar() }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shape.rank() == 0 {
            write!(f, "{}", self.dtype)
        } else {
            write!(f, "tensor<{}, {}>", self.dtype, self.shape)
        }
    }
}

/// The type of a MIL value. `tensor<T, []>` and `T` are the same type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// A tensor or scalar.
    Tensor(TensorType),
    /// A tensor of which not even the rank is known before the program runs: `tensor<fp32, ?>`.
    Unranked(DType),
    /// A list of values of one type; the length may be unknown.
    List(Box<Type>, Dim),
    /// A fixed sequence of types.
    Tuple(Vec<Type>),
    /// A dictionary from one type to another.
    Dict(Box<Type>, Box<Type>),
    /// Memory that lives from one prediction to the next.
    State(Box<Type>),
}

impl Type {
    /// A tensor type of known or unknown dimensions.
    pub fn tensor(dtype: DType, shape: Shape) -> Type {
        Type::Tensor(TensorType::new(dtype, shape))
    }

    /// The scalar type of `dtype`.
    pub fn scalar(dtype: DType) -> Type {
        Type::Tensor(TensorType::scalar(dtype))
    }

    /// The element type of a tensor, of known rank or not.
    pub fn element(&self) -> Option<DType> {
        match self {
            Type::Tensor(t) => Some(t.dtype),
            Type::Unranked(dtype) => Some(*dtype),
            _ => None,
        }
    }

    /// The tensor type, if it is one whose rank is known.
    pub fn as_tensor(&self) -> Option<&TensorType> {
        match self {
            Type::Tensor(t) => Some(t),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Tensor(t) => write!(f, "{t}"),
            Type::Unranked(dtype) => write!(f, "tensor<{dtype}, ?>"),
            Type::List(t, n) => write!(f, "list<{t}, {n}>"),
            Type::Tuple(ts) => {
                f.write_str("tuple<")?;
                for (i, t) in ts.iter().enumerate() {
                    write!(f, "{}{t}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(">")
            }
            Type::Dict(k, v) => write!(f, "dict<{k}, {v}>"),
            Type::State(t) => write!(f, "state<{t}>"),
        }
    }
}
