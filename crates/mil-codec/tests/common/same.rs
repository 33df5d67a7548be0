//! Structural equality of programs: what they say, not in which order their arenas hold it.

use mil_ir::{Binding, BlockId, Constant, Function, NamedConstant, OpId, Payload, Program, ValueId};
use std::collections::HashMap;

/// Panics at the first difference. The order of arguments and attributes does not count.
pub(crate) fn assert_same(a: &Program, b: &Program) {
    assert_eq!(a.version, b.version, "version");
    let pair = Pair { a, b };
    pair.attributes(&a.attributes, &b.attributes, "the program");
    assert_eq!(a.functions.len(), b.functions.len(), "number of functions");
    for ((_, fa), (_, fb)) in a.functions.iter().zip(b.functions.iter()) {
        assert_eq!((&fa.name, &fa.opset), (&fb.name, &fb.opset));
        pair.attributes(&fa.attributes, &fb.attributes, &fa.name);
        let mut values = Values { a: fa, b: fb, matched: HashMap::new() };
        pair.block(&mut values, fa.body, fb.body);
    }
}

struct Pair<'p> {
    a: &'p Program,
    b: &'p Program,
}

/// Which value of the second function each value of the first is.
struct Values<'f> {
    a: &'f Function,
    b: &'f Function,
    matched: HashMap<ValueId, ValueId>,
}

impl Values<'_> {
    fn define(&mut self, a: &[ValueId], b: &[ValueId]) {
        assert_eq!(a.len(), b.len(), "number of values");
        for (&x, &y) in a.iter().zip(b) {
            let (va, vb) = (&self.a.values[x], &self.b.values[y]);
            assert_eq!((&va.name, &va.ty), (&vb.name, &vb.ty));
            self.matched.insert(x, y);
        }
    }

    fn same(&self, a: &[ValueId], b: &[ValueId]) {
        assert_eq!(a.iter().map(|v| self.matched[v]).collect::<Vec<_>>(), b, "values");
    }
}

impl Pair<'_> {
    fn block(&self, values: &mut Values<'_>, a: BlockId, b: BlockId) {
        let (ba, bb) = (&values.a.blocks[a], &values.b.blocks[b]);
        values.define(&ba.params, &bb.params);
        assert_eq!(ba.ops.len(), bb.ops.len(), "number of ops");
        for (&x, &y) in ba.ops.iter().zip(&bb.ops) {
            self.op(values, x, y);
        }
        values.same(&ba.results, &bb.results);
    }

    fn op(&self, values: &mut Values<'_>, a: OpId, b: OpId) {
        let (oa, ob) = (&values.a.ops[a], &values.b.ops[b]);
        assert_eq!(oa.name, ob.name);
        assert_eq!(oa.args.len(), ob.args.len(), "arguments of {}", oa.name);
        for (name, arg) in &oa.args {
            let other = ob.arg(name).unwrap_or_else(|| panic!("{} has no argument {name}", ob.name));
            assert_eq!(arg.0.len(), other.0.len(), "bindings of {name}");
            for bindings in arg.0.iter().zip(&other.0) {
                match bindings {
                    (Binding::Value(x), Binding::Value(y)) => values.same(&[*x], &[*y]),
                    (Binding::Constant(x), Binding::Constant(y)) => self.constant(x, y, name),
                    _ => panic!("{name} is a value in one and a constant in the other"),
                }
            }
        }
        self.attributes(&oa.attributes, &ob.attributes, &oa.name);
        assert_eq!(oa.blocks.len(), ob.blocks.len(), "blocks of {}", oa.name);
        for (&x, &y) in oa.blocks.iter().zip(&ob.blocks) {
            self.block(values, x, y);
        }
        values.define(&oa.outputs, &ob.outputs);
    }

    fn attributes(&self, a: &[NamedConstant], b: &[NamedConstant], of: &str) {
        assert_eq!(a.len(), b.len(), "attributes of {of}");
        for (name, constant) in a {
            let other = b.iter().find(|(n, _)| n == name);
            let (_, other) = other.unwrap_or_else(|| panic!("{of} has no attribute {name}"));
            self.constant(constant, other, name);
        }
    }

    fn constant(&self, a: &Constant, b: &Constant, of: &str) {
        assert_eq!(a.ty, b.ty, "type of {of}");
        self.payload(&a.payload, &b.payload, of);
    }

    fn payload(&self, a: &Payload, b: &Payload, of: &str) {
        match (a, b) {
            (Payload::Blob(x), Payload::Blob(y)) => assert_eq!(self.a.blobs[*x], self.b.blobs[*y], "{of}"),
            (Payload::List(x), Payload::List(y)) | (Payload::Tuple(x), Payload::Tuple(y)) => {
                assert_eq!(x.len(), y.len(), "{of}");
                x.iter().zip(y).for_each(|(x, y)| self.payload(x, y, of));
            }
            (Payload::Dict(x), Payload::Dict(y)) => {
                assert_eq!(x.len(), y.len(), "{of}");
                for ((ka, va), (kb, vb)) in x.iter().zip(y) {
                    self.payload(ka, kb, of);
                    self.payload(va, vb, of);
                }
            }
            _ => assert_eq!(a, b, "{of}"),
        }
    }
}
