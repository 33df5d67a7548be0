//! Types of what nested blocks yield.

use crate::contract::OpView;
use mil_base::{Dim, Shape, Type};
use mil_ir::Block;

/// The types of a block's results, as far as they are known.
pub fn results<'a>(view: OpView<'a>, block: &Block) -> Vec<Option<&'a Type>> {
    block.results.iter().map(|v| view.types.get(v.index()).and_then(Option::as_ref)).collect()
}

/// The type of a value that is one or the other: dimensions that differ are unknown. Nothing if dtype, rank or kind
/// differ.
pub fn joined(a: Option<&Type>, b: Option<&Type>) -> Option<Type> {
    match (a?, b?) {
        (Type::Tensor(a), Type::Tensor(b)) if a.dtype == b.dtype && a.shape.rank() == b.shape.rank() => {
            let dims = a.shape.iter().zip(&*b.shape).map(|(&a, &b)| if a == b { a } else { Dim::Unknown });
            Some(Type::tensor(a.dtype, Shape(dims.collect())))
        }
        (Type::Unranked(dtype), other) | (other, Type::Unranked(dtype))
            if other.element() == Some(*dtype) =>
        {
            Some(Type::Unranked(*dtype))
        }
        (Type::List(a, n), Type::List(b, m)) if a == b => {
            Some(Type::List(a.clone(), if n == m { *n } else { Dim::Unknown }))
        }
        (a, b) if a == b => Some(a.clone()),
        _ => None,
    }
}
