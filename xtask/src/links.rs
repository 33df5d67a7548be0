//! Links between the repository's pages: each leads to a file, and to a heading where it names one.

use std::path::{Path, PathBuf};

/// The folders whose pages are read, from the root; the root's own pages are read too, without its other folders.
const FOLDERS: [&str; 3] = ["docs", "benches", "examples"];

/// Every link of the pages under `root` that leads nowhere, one line each.
pub fn broken(root: &Path) -> std::io::Result<Vec<String>> {
    let mut pages = pages(root, false)?;
    for folder in FOLDERS.iter().map(|f| root.join(f)).filter(|f| f.is_dir()) {
        pages.extend(self::pages(&folder, true)?);
    }
    let mut found = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page)?;
        let name = page.strip_prefix(root).unwrap_or(&page).display().to_string();
        for (line, target) in links(&text) {
            if !leads_somewhere(&page, &text, target) {
                found.push(format!("{name}:{line}: the link `{target}` leads nowhere"));
            }
        }
    }
    Ok(found)
}

fn pages(folder: &Path, deep: bool) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && deep {
            found.extend(pages(&path, true)?);
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The lines of a page that are not in a fenced block, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number + 1, line))
    })
}

/// The targets of the links `[words](target)`, with their lines. A target with spaces or none at all (a draft chapter of the book) is no link.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Every second piece between backticks is code.
        for piece in line.split('`').step_by(2) {
            let targets = piece.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found
                .extend(targets.map(|(t, _)| (number, t)).filter(|(_, t)| !t.is_empty() && !t.contains(' ')));
        }
    }
    found
}

fn leads_somewhere(page: &Path, text: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let other = page.parent().unwrap_or(Path::new("")).join(file);
    if file.is_empty() {
        return headings(text).any(|h| h == heading);
    }
    match (heading.is_empty(), std::fs::read_to_string(&other)) {
        (true, _) => other.exists(),
        (false, Ok(text)) => headings(&text).any(|h| h == heading),
        (false, Err(_)) => false,
    }
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_to_files_and_headings() {
        let root = std::env::temp_dir().join(format!("milwright-links-{}", std::process::id()));
        std::fs::create_dir_all(root.join("docs")).unwrap();
        let a = "# A page\n[b](docs/b.md) [b](docs/b.md#two-words) [self](#a-page) [out](https://x.y/z) `[code](no)`\n\
                 [no](gone.md) [no](docs/b.md#one) [no](#b)\n```\n[fenced](no.md)\n```\n";
        std::fs::write(root.join("A.md"), a).unwrap();
        std::fs::write(root.join("docs/b.md"), "## Two `words`\n[up](../A.md) [draft]()\n[no](A.md)\n")
            .unwrap();
        let mut found = broken(&root).unwrap();
        found.sort();
        let expected = [
            "A.md:3: the link `#b` leads nowhere",
            "A.md:3: the link `docs/b.md#one` leads nowhere",
            "A.md:3: the link `gone.md` leads nowhere",
            "docs/b.md:3: the link `A.md` leads nowhere",
        ];
        assert_eq!(found, expected);
        std::fs::remove_dir_all(root).unwrap();
    }
}
