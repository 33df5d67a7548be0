//! The errors as a page of the book.

use super::all;
use std::fmt::Write;

/// The page `docs/book/errors.md`.
pub fn page() -> String {
    let mut text = String::from(
        "<!-- Generated from crates/mil-ane/src/errors: do not edit. `BLESS=1 cargo test -p mil-ane --test book` writes it. -->\n\n\
         # Errors of the Neural Engine\n\n\
         Apple documents none of these codes. Meanings are what sources read from binaries or saw happen, the remedies are ours, and nothing was\n\
         confirmed by us on hardware. `milwright explain ane/error-15` prints a row.\n",
    );
    let mut domain = None;
    for e in all() {
        if domain != Some(e.domain) {
            domain = Some(e.domain);
            let _ = write!(
                text,
                "\n## {}\n\n| code | name | meaning | cause | remedy | source | confidence |\n|---|---|---|---|---|---|---|\n",
                e.domain
            );
        }
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} | {} |",
            e.number(),
            e.slug,
            e.name,
            e.cause,
            e.remedy,
            e.source,
            e.confidence
        );
    }
    text
}
