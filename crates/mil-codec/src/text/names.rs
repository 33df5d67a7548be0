//! Names that the text can hold. Protobuf allows any string; text allows identifiers.

use mil_base::Name;
use mil_ir::{BlockId, Function, ValueId};
use std::collections::HashSet;

/// Is `name` an identifier of MIL text (`facts/mil-text-grammar.md` section 1)?
pub(super) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'@')
}

/// `name` with everything that an identifier cannot hold replaced by `_`, as Apple's compiler does.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '@') { c } else { '_' })
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        out.insert(0, '_');
    }
    out
}

/// The printed names of a function's values, by value index: see [`scoped_names`].
pub(super) fn value_names(function: &Function) -> Vec<Name> {
    scoped_names(function, is_identifier, identifier)
}

/// Names of a function's values, by value index, that mean one value wherever they are seen.
///
/// Names that are `fine` stay as they are unless an enclosing scope or the same scope already uses them; others are
/// rewritten, and a number is appended where that makes them meet another name of the function.
pub(crate) fn scoped_names(
    function: &Function,
    fine: fn(&str) -> bool,
    rewrite: fn(&str) -> String,
) -> Vec<Name> {
    let values = function.values.iter();
    let mut taken: HashSet<Name> = values.map(|(_, v)| v.name.clone()).filter(|name| fine(name)).collect();
    let mut names: Vec<Name> = vec![Name::new(""); function.values.len()];
    // Blocks are walked with the names of the blocks around them; siblings do not see each other.
    let mut visible: HashSet<Name> = HashSet::new();
    enum Step {
        Enter(BlockId),
        Op(mil_ir::OpId),
        Define(ValueId),
        Forget(usize),
    }
    let mut defined: Vec<Name> = Vec::new();
    let mut steps = vec![Step::Enter(function.body)];
    while let Some(step) = steps.pop() {
        match step {
            Step::Enter(id) => {
                let Some(block) = function.blocks.get(id) else { continue };
                steps.push(Step::Forget(defined.len()));
                steps.extend(block.ops.iter().rev().map(|&op| Step::Op(op)));
                steps.extend(block.params.iter().rev().map(|&v| Step::Define(v)));
            }
            Step::Op(id) => {
                let Some(op) = function.ops.get(id) else { continue };
                steps.extend(op.outputs.iter().rev().map(|&v| Step::Define(v)));
                steps.extend(op.blocks.iter().rev().map(|&b| Step::Enter(b)));
            }
            Step::Define(id) => {
                let Some(value) = function.values.get(id) else { continue };
                let name = if fine(&value.name) && !visible.contains(&value.name) {
                    value.name.clone()
                } else {
                    fresh(&rewrite(&value.name), &taken)
                };
                taken.insert(name.clone());
                visible.insert(name.clone());
                defined.push(name.clone());
                names[id.index()] = name;
            }
            Step::Forget(length) => {
                for name in defined.drain(length..) {
                    visible.remove(&name);
                }
            }
        }
    }
    names
}

/// `base`, or `base_0`, `base_1` and so on: the first that is not taken.
fn fresh(base: &str, taken: &HashSet<Name>) -> Name {
    if !taken.contains(base) {
        return Name::new(base);
    }
    (0u64..)
        .map(|n| format!("{base}_{n}"))
        .find(|name| !taken.contains(name.as_str()))
        .map_or_else(|| Name::new(base), Name::from)
}
