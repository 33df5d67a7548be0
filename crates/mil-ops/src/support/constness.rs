//! Which arguments are fixed when a program is compiled.

use crate::contract::{BoundArg, OpView};
use mil_ir::{Binding, Def, ValueId};

/// Is the argument written, and computed from constants only (`const`, `constexpr_*`, and ops on those)?
///
/// Unlike a known value, this holds even when the weight file is absent.
pub(crate) fn is_constant(view: &OpView<'_>, name: &str) -> bool {
    let bindings = view.bindings(name);
    let values = bindings.iter().filter_map(|b| match b {
        BoundArg::Value(v) => Some(*v),
        BoundArg::Constant(_) => None,
    });
    !bindings.is_empty() && all_constant(view, values.collect())
}

fn all_constant(view: &OpView<'_>, mut open: Vec<ValueId>) -> bool {
    let mut seen = vec![false; view.function.values.len()];
    while let Some(value) = open.pop() {
        if std::mem::replace(&mut seen[value.index()], true) {
            continue;
        }
        let Def::Output(op, _) = view.function.values[value].def else { return false };
        let op = &view.function.ops[op];
        if !op.blocks.is_empty() || matches!(&*op.name, "read_state" | "coreml_update_state") {
            return false;
        }
        if op.name.starts_with("random_") {
            return false;
        }
        let bindings = op.args.iter().flat_map(|(_, arg)| &arg.0);
        open.extend(bindings.filter_map(|b| match b {
            Binding::Value(v) => Some(*v),
            Binding::Constant(_) => None,
        }));
    }
    true
}
