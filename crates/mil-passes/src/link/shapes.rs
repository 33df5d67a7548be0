//! The shapes that the linked program's inputs may have: the attributes `FlexibleShapeInformation` of the programs in one
//! (`facts/mil-text-grammar.md` section 5).

use mil_base::{Dim, Name, Shape, Tensor, Type};
use mil_ir::{Constant, Function, Payload};
use std::collections::HashMap;

/// The name of the attribute.
pub(super) const FLEXIBLE_SHAPES: &str = "FlexibleShapeInformation";

/// The part of the attribute that lists shapes allowed together.
const ENUMERATED: &str = "EnumeratedShapes";

/// What the programs say, so far.
#[derive(Default)]
pub(super) struct Shapes {
    sections: Vec<Section>,
}

/// One pair of the attribute: `("RangeDims", {{"x", …}})`.
struct Section {
    key: Payload,
    ty: Type,
    entries: Vec<(Payload, Payload)>,
}

impl Shapes {
    /// Adds what a function says about those of its inputs that stay inputs, under their new names. False if its
    /// enumerated shapes were left out, because another function has such already.
    pub(super) fn add(&mut self, function: &Function, inputs: &HashMap<Name, Name>) -> bool {
        let attribute = function.attributes.iter().find(|(name, _)| name == FLEXIBLE_SHAPES);
        let Some((_, Constant { ty: Type::Tuple(types), payload: Payload::Tuple(pairs) })) = attribute else {
            return true;
        };
        let mut whole = true;
        for (ty, pair) in types.iter().zip(pairs) {
            let Payload::Tuple(pair) = pair else { continue };
            let [key, Payload::Dict(entries)] = pair.as_slice() else { continue };
            let enumerated = text(key) == Some(ENUMERATED);
            let mut kept = Vec::new();
            for entry in entries {
                let renamed = if enumerated { set(entry, inputs) } else { one(entry, inputs) };
                kept.extend(renamed.filter(|entry| !kept.iter().any(|(_, v)| enumerated && *v == entry.1)));
            }
            if kept.is_empty() {
                continue;
            }
            match self.sections.iter_mut().find(|s| s.key == *key) {
                Some(_) if enumerated => whole = false,
                Some(section) => {
                    section.ty = widened(&section.ty, ty);
                    section.entries.extend(kept);
                }
                None => self.sections.push(Section { key: key.clone(), ty: ty.clone(), entries: kept }),
            }
        }
        whole
    }

    /// The attribute; nothing if no input is flexible.
    pub(super) fn attribute(self) -> Option<Constant> {
        let (mut types, mut pairs) = (Vec::new(), Vec::new());
        for Section { key, ty, entries } in self.sections {
            types.push(ty);
            pairs.push(Payload::Tuple(vec![key, Payload::Dict(entries)]));
        }
        let payload = Payload::Tuple(pairs);
        (!types.is_empty()).then_some(Constant { ty: Type::Tuple(types), payload })
    }
}

fn text(payload: &Payload) -> Option<&str> {
    match payload {
        Payload::Tensor(t) => t.item_str(),
        _ => None,
    }
}

/// What is said about one input, if it stays one.
fn one((name, value): &(Payload, Payload), inputs: &HashMap<Name, Name>) -> Option<(Payload, Payload)> {
    let new = inputs.get(text(name)?)?;
    let name = Tensor::from_strings(&[], vec![new.to_string()]).ok()?;
    Some((Payload::Tensor(name), value.clone()))
}

/// A set of shapes without the inputs that are fed.
fn set((key, shapes): &(Payload, Payload), inputs: &HashMap<Name, Name>) -> Option<(Payload, Payload)> {
    let Payload::Dict(shapes) = shapes else { return None };
    let kept: Vec<_> = shapes.iter().filter_map(|entry| one(entry, inputs)).collect();
    (!kept.is_empty()).then(|| (key.clone(), Payload::Dict(kept)))
}

/// A type that values of both have: sizes that differ are unknown.
fn widened(a: &Type, b: &Type) -> Type {
    let both = |x: &[Type], y: &[Type]| x.iter().zip(y).map(|(x, y)| widened(x, y)).collect();
    let dim = |x: Dim, y: Dim| if x == y { x } else { Dim::Unknown };
    match (a, b) {
        (Type::Tensor(x), Type::Tensor(y)) => {
            let dims = x.shape.iter().zip(y.shape.iter()).map(|(x, y)| dim(*x, *y));
            Type::tensor(x.dtype, Shape(dims.collect()))
        }
        (Type::List(x, n), Type::List(y, m)) => Type::List(Box::new(widened(x, y)), dim(*n, *m)),
        (Type::Dict(k, v), Type::Dict(l, w)) => Type::Dict(Box::new(widened(k, l)), Box::new(widened(v, w))),
        (Type::Tuple(x), Type::Tuple(y)) => Type::Tuple(both(x, y)),
        _ => a.clone(),
    }
}
