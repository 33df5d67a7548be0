//! `cargo xtask new-card FAMILY NAME`: a card and its page to start from.

use crate::cards;
use std::path::{Path, PathBuf};

/// Writes `NAME.rs` and `NAME.md` into the family's folder under `root`; gives their paths.
///
/// The card compiles and its examples pass as they are: it hands its input on. Errors: a name that is no MIL name, a
/// card that exists.
pub fn new_card(root: &Path, family: &str, name: &str) -> Result<[PathBuf; 2], String> {
    for word in [family, name] {
        let start = word.starts_with(|c: char| c.is_ascii_lowercase());
        if !start || !word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Err(format!("`{word}` is no name: lower-case letters, digits and underscores"));
        }
    }
    let folder = root.join(cards::OPS.folder).join(family);
    let paths = [folder.join(format!("{name}.rs")), folder.join(format!("{name}.md"))];
    if let Some(path) = paths.iter().find(|p| p.exists()) {
        return Err(format!("{} exists", path.display()));
    }
    let write = |path: &Path, template: &str| {
        let text = template.replace("NAME", &name.to_uppercase()).replace("name_of_op", name);
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    write(&paths[0], CARD)?;
    write(&paths[1], PAGE)?;
    Ok(paths)
}

/// The card. `NAME` and `name_of_op` stand for the name.
const CARD: &str = r#"//! `name_of_op`: what it does, in one line.

use crate::contract::*;
use mil_base::{Opset, Type};

/// The card of `name_of_op`.
pub static NAME: OpDef = OpDef {
    name: "name_of_op",
    doc: Doc::page(include_str!("name_of_op.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::FLOAT).group("T")])],
    constraints: &[Constraint { slug: "name_of_op/has-axes", rule: "x has at least one axis" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("the kernel is not written yet"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| Some(op.ty("x")?.shape.count()? as u64),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    if x.shape.rank() == 0 {
        return Err(cx.refuse("name_of_op/has-axes", "x", "x is a scalar", "give it a tensor with at least one axis"));
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    Ok(vec![x.clone()])
}
"#;

/// The page.
const PAGE: &str = r#"# name_of_op

What `name_of_op` computes, as a formula. What its arguments mean where that is not obvious, and what surprises.

## Examples

```example ios15
in tensor<fp32, [3]> x = [-1.0, 0.0, 2.0];
tensor<fp32, [3]> y = name_of_op(x = x);
out y = [-1.0, 0.0, 2.0];
```

```fails name_of_op/has-axes
in fp32 x;
fp32 y = name_of_op(x = x);
```
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_card_is_found_by_the_index_and_never_overwritten() {
        let root = std::env::temp_dir().join(format!("milwright-new-card-{}", std::process::id()));
        let [card, page] = new_card(&root, "activation", "bent_identity").unwrap();
        let text = std::fs::read_to_string(card).unwrap();
        assert!(text.contains("pub static BENT_IDENTITY: OpDef") && !text.contains("name_of_op"));
        assert!(std::fs::read_to_string(page).unwrap().contains("```fails bent_identity/has-axes"));
        let index = cards::index(&root, &cards::OPS).unwrap();
        assert!(index.text.contains("activation::bent_identity::BENT_IDENTITY"));
        assert!(new_card(&root, "activation", "bent_identity").unwrap_err().contains("exists"));
        assert!(new_card(&root, "activation", "../evil").is_err());
        std::fs::remove_dir_all(root).unwrap();
    }
}
