//! MIL text: formatting it, and printing programs.

use crate::failure::Failure;
use mil_ir::Program;
use std::path::Path;

/// A text and its formatted form. `path` is what messages call it.
///
/// Errors: everything wrong with the text; one that cannot be parsed is not formatted.
pub fn format(path: impl AsRef<Path>, bytes: Vec<u8>) -> Result<(String, String), Failure> {
    let fail =
        |source: Option<String>, diagnostics| Failure { path: path.as_ref().into(), source, diagnostics };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let parsed = mil_syntax::parse_bytes(error.as_bytes()).diagnostics;
            return Err(fail(None, parsed));
        }
    };
    match mil_syntax::format(&text) {
        Ok(formatted) => Ok((text, formatted)),
        Err(diagnostics) => Err(fail(Some(text), diagnostics)),
    }
}

/// The program as MIL text, as Apple's compiler prints it.
pub fn text(program: &Program) -> String {
    mil_codec::text::print(program, &mil_codec::text::Options::default())
}

/// Writes a text over a file: beside it first, then renamed, so that it is never half written.
pub fn write_text(path: impl AsRef<Path>, text: &str) -> Result<(), Failure> {
    let path = path.as_ref();
    crate::save::replace_file(path, |out| out.write_all(text.as_bytes())).map_err(|d| Failure::one(path, d))
}
