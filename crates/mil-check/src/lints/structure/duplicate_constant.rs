//! Large constants that are stored twice.

use crate::lint::{Level, Lint, LintCx};
use mil_base::{DType, Tensor};
use mil_ir::ValueId;
use std::collections::HashMap;

/// The lint `duplicate-constant`.
pub static DUPLICATE_CONSTANT: Lint = Lint {
    code: "lint/duplicate-constant",
    summary: "large constants with the same contents",
    level: Level::Warn,
    page: include_str!("duplicate_constant.md"),
    run,
};

/// Constants of fewer bytes are not worth a word.
const SMALLEST: usize = 1024;
/// Bytes at either end of a constant by which candidates are found.
const SAMPLE: usize = 256;

fn run(cx: &mut LintCx<'_>) {
    let program = cx.program();
    for (f, function) in cx.functions() {
        let mut seen: HashMap<Key, Vec<(ValueId, Tensor)>> = HashMap::new();
        for op in mil_ir::ops_in_order(function) {
            let (Some(val), [output]) =
                (function.ops[op].attribute("val"), function.ops[op].outputs.as_slice())
            else {
                continue;
            };
            let Some(tensor) = program.tensor(val).filter(|t| t.bytes().len() >= SMALLEST) else { continue };
            let bytes = tensor.bytes();
            let (head, tail) = (bytes[..SAMPLE].to_vec(), bytes[bytes.len() - SAMPLE..].to_vec());
            let same = seen.entry((tensor.dtype(), tensor.shape().to_vec(), head, tail)).or_default();
            if let Some((first, earlier)) = same.iter().find(|(_, t)| *t == tensor) {
                let (a, b) = (&function.values[*output].name, &function.values[*first].name);
                // Constants that share one place in a weight file are stored once.
                if bytes.as_ptr() != earlier.bytes().as_ptr() {
                    let message = format!("`{a}` holds the same {} bytes as `{b}`", bytes.len());
                    cx.op(f, op, None, message, "use one constant for both");
                }
            } else {
                same.push((*output, tensor));
            }
        }
    }
}

/// By which constants that may be equal are found: type, shape, first and last bytes.
type Key = (DType, Vec<usize>, Vec<u8>, Vec<u8>);
