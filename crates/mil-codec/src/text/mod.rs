//! MIL text to IR ([`read`], [`lower()`]) and back ([`print()`]).
//!
//! The grammar is `facts/mil-text-grammar.md`; reading its tokens is `mil-syntax`'s work. Here names become ids.

pub mod codes;
mod hex;
mod lower;
pub(crate) mod names;
mod print;
mod scope;

pub use lower::{Lowered, lower};
pub use print::{Dialect, Options, print, print_op};

/// Parses and lowers a text: the program as far as it could be read, and everything wrong with it, by place.
///
/// With an error among the diagnostics the program is incomplete and only good for showing.
pub fn read(text: &str) -> Lowered {
    let parsed = mil_syntax::parse(text);
    let mut lowered = lower(&parsed.program);
    lowered.diagnostics.extend(parsed.diagnostics);
    lowered.diagnostics.sort_by_key(|d| d.labels.first().and_then(|l| l.span).map_or(u32::MAX, |s| s.start));
    lowered
}
