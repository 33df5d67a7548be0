//! Names that the text can hold. Protobuf allows any string; text allows identifiers.

use mil_base::Name;
use mil_ir::{BlockId, Function, OpId, Program, ValueId};
use std::collections::{HashMap, HashSet};

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

/// The printed names of a program's functions, in their order.
pub(super) fn function_names(program: &Program) -> Vec<Name> {
    let all = program.functions.iter().map(|(_, f)| &f.name);
    let mut names = Names::reserving(all, is_identifier, identifier);
    let mut seen: HashSet<&Name> = HashSet::new();
    program.functions.iter().map(|(_, f)| names.of(&f.name, !seen.insert(&f.name))).collect()
}

/// The printed names of a function's values, by value index: see [`scoped_names`].
pub(super) fn value_names(function: &Function) -> Vec<Name> {
    scoped_names(function, is_identifier, identifier)
}

/// Names of a function's values, by value index, that mean one value wherever they are seen.
///
/// Names that are `fine` stay as they are unless the same or an enclosing scope already uses them; others are
/// rewritten, and a number is appended where that makes them meet another name of the function.
pub(crate) fn scoped_names(
    function: &Function,
    fine: fn(&str) -> bool,
    rewrite: fn(&str) -> String,
) -> Vec<Name> {
    let mut walk = Walk {
        function,
        names: Names::reserving(function.values.iter().map(|(_, v)| &v.name), fine, rewrite),
        visible: HashSet::new(),
        defined: Vec::new(),
        printed: vec![Name::new("_"); function.values.len()],
    };
    let mut steps = vec![Step::Enter(function.body)];
    while let Some(step) = steps.pop() {
        walk.step(step, &mut steps);
    }
    walk.printed
}

/// What is left to do, on a stack: nesting is walked without recursion.
enum Step {
    Enter(BlockId),
    Op(OpId),
    Define(ValueId),
    /// Leave a block: forget what was defined since.
    Forget(usize),
}

struct Walk<'f> {
    function: &'f Function,
    names: Names,
    /// The names that the blocks around the current place define; siblings do not see each other's.
    visible: HashSet<Name>,
    defined: Vec<Name>,
    printed: Vec<Name>,
}

impl Walk<'_> {
    fn step(&mut self, step: Step, next: &mut Vec<Step>) {
        match step {
            Step::Enter(id) => {
                let Some(block) = self.function.blocks.get(id) else { return };
                next.push(Step::Forget(self.defined.len()));
                next.extend(block.ops.iter().rev().map(|&op| Step::Op(op)));
                next.extend(block.params.iter().rev().map(|&v| Step::Define(v)));
            }
            Step::Op(id) => {
                let Some(op) = self.function.ops.get(id) else { return };
                next.extend(op.outputs.iter().rev().map(|&v| Step::Define(v)));
                next.extend(op.blocks.iter().rev().map(|&b| Step::Enter(b)));
            }
            Step::Define(id) => {
                let Some(value) = self.function.values.get(id) else { return };
                let name = self.names.of(&value.name, self.visible.contains(&value.name));
                self.visible.insert(name.clone());
                self.defined.push(name.clone());
                self.printed[id.index()] = name;
            }
            Step::Forget(length) => {
                for name in self.defined.drain(length..) {
                    self.visible.remove(&name);
                }
            }
        }
    }
}

/// The names that are in use, and the rule for new ones.
struct Names {
    taken: HashSet<Name>,
    /// The number to try next for each rewritten name.
    next: HashMap<String, u64>,
    fine: fn(&str) -> bool,
    rewrite: fn(&str) -> String,
}

impl Names {
    /// Rewritten names must not meet those of `all` that stay as they are.
    fn reserving<'n>(
        all: impl Iterator<Item = &'n Name>,
        fine: fn(&str) -> bool,
        rewrite: fn(&str) -> String,
    ) -> Names {
        Names { taken: all.filter(|name| fine(name)).cloned().collect(), next: HashMap::new(), fine, rewrite }
    }

    /// The printed form of `name`: itself if it is fine and not `used`, else a name that nothing has.
    fn of(&mut self, name: &Name, used: bool) -> Name {
        if !used && (self.fine)(name) {
            return name.clone();
        }
        let base = (self.rewrite)(name);
        if self.taken.insert(Name::new(&base)) {
            return Name::from(base);
        }
        let next = self.next.entry(base.clone()).or_insert(0);
        loop {
            let name = Name::from(format!("{base}_{next}"));
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::{DType, Type};
    use mil_ir::Builder;

    #[test]
    fn other_names_are_rewritten_and_stay_unique() {
        let mut builder = Builder::new("main", "ios17");
        for name in ["x/y:0", "x_y_0", "x:y/0", "x/y/0", "1", "", "é", "a@b", "a@b", "_"] {
            builder.param(name, Type::scalar(DType::Fp32));
        }
        let names = value_names(&builder.finish(Vec::new()));
        let expected = ["x_y_0_0", "x_y_0", "x_y_0_1", "x_y_0_2", "_1", "__0", "__1", "a@b", "a@b_0", "_"];
        assert_eq!(names, expected);
    }
}
