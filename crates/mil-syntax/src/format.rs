//! Canonical layout.

use mil_base::Diagnostic;

/// Lays a text out anew.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let _ = text;
    Err(Vec::new())
}
