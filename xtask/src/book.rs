//! The book's chapter on the experiments: the pages of the lab's cards, one after another.

use crate::{Generated, cards};
use std::path::Path;

/// The families in the order of the chapter, with their headings.
const FAMILIES: [(&str, &str); 5] = [
    ("probes", "Probes"),
    ("chaining", "The Neural Engine's framework and chaining"),
    ("e5", "The E5 engine"),
    ("programs", "Custom programs"),
    ("timing", "Times"),
];

/// The chapter.
pub fn experiments(root: &Path) -> std::io::Result<Generated> {
    let folder = root.join(cards::EXPERIMENTS.folder);
    let mut text = std::fs::read_to_string(folder.join("preface.md")).unwrap_or_default();
    for (family, heading) in FAMILIES {
        let mut pages = Vec::new();
        for entry in std::fs::read_dir(folder.join(family)).into_iter().flatten() {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "md") {
                pages.push((key(&path), std::fs::read_to_string(&path)?));
            }
        }
        pages.sort();
        text.push_str(&format!("\n## {heading}\n"));
        for (_, page) in pages {
            text.push('\n');
            page.lines().for_each(|line| text.push_str(&demoted(line)));
        }
    }
    Ok(Generated { path: "docs/book/experiments.md".into(), text })
}

/// Headings two levels further down.
fn demoted(line: &str) -> String {
    if line.starts_with('#') { format!("##{line}\n") } else { format!("{line}\n") }
}

/// The order of pages: the numbered ones first, numbers as numbers.
fn key(path: &Path) -> (bool, Vec<(String, u32)>) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = stem.starts_with('v') && stem[1..].starts_with(|c: char| c.is_ascii_digit());
    let parts = stem.split('_').map(|part| {
        let number = part.parse().unwrap_or_default();
        (if number == 0 { part.to_owned() } else { String::new() }, number)
    });
    (!numbered, parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order() {
        let mut stems = vec!["e2", "v2_10", "e", "v1", "v2_9"];
        stems.sort_by_key(|s| key(Path::new(s)));
        assert_eq!(stems, ["v1", "v2_9", "v2_10", "e", "e2"]);
        assert_eq!(demoted("# Z1: x"), "### Z1: x\n");
    }
}
