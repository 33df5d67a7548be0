//! Declared types against inferred ones.

use mil_base::{Dim, Shape, Type};

/// Could a value of the one type be of the other? Unknown dimensions agree with every size.
pub(crate) fn agree(declared: &Type, inferred: &Type) -> bool {
    match (declared, inferred) {
        (Type::Tensor(a), Type::Tensor(b)) => a.dtype == b.dtype && a.shape.may_equal(&b.shape),
        // Every rank agrees with one that is not known.
        (Type::Unranked(a), Type::Unranked(b)) => a == b,
        (Type::Unranked(a), Type::Tensor(b)) | (Type::Tensor(b), Type::Unranked(a)) => *a == b.dtype,
        (Type::List(a, n), Type::List(b, m)) => agree(a, b) && n.may_equal(*m),
        (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b)),
        (Type::Dict(k, v), Type::Dict(l, w)) => agree(k, l) && agree(v, w),
        (Type::State(a), Type::State(b)) => agree(a, b),
        _ => false,
    }
}

/// The one exception of `facts/mil-text-grammar.md` section 4: a scalar that the function returns is declared with one
/// element, because model descriptions have no scalars.
pub(crate) fn scalar_output(declared: &Type, inferred: &Type) -> bool {
    match (declared, inferred) {
        (Type::Tensor(a), Type::Tensor(b)) => {
            a.dtype == b.dtype && b.shape.rank() == 0 && a.shape.count() == Some(1)
        }
        _ => false,
    }
}

/// The better known dimensions of two types that agree.
pub(crate) fn merge(declared: &Type, inferred: &Type) -> Type {
    match (declared, inferred) {
        (Type::Tensor(a), Type::Tensor(b)) => {
            let dims = a.shape.iter().zip(b.shape.iter()).map(|(a, b)| a.merge(*b));
            Type::tensor(b.dtype, Shape(dims.collect()))
        }
        (Type::Tensor(_), Type::Unranked(_)) => declared.clone(),
        (Type::List(a, n), Type::List(b, m)) => Type::List(Box::new(merge(a, b)), n.merge(*m)),
        _ => inferred.clone(),
    }
}

/// Calls `f` on every dimension of a tensor type (or of the tensor in a state).
pub(crate) fn dims_mut(ty: &mut Type, f: &mut impl FnMut(&mut Dim)) {
    match ty {
        Type::Tensor(t) => t.shape.0.iter_mut().for_each(f),
        Type::State(t) => dims_mut(t, f),
        _ => {}
    }
}
