//! Any bytes: the parser survives them, its diagnostics lie inside them, and a sound text has a stable layout and reads
//! back as what it was printed from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mil_codec::text::{Options, lower, print, read};

fuzz_target!(|bytes: &[u8]| {
    let parsed = mil_syntax::parse_bytes(bytes);
    for span in parsed.diagnostics.iter().flat_map(|d| &d.labels).filter_map(|l| l.span) {
        assert!(span.start <= span.end && span.end as usize <= bytes.len());
    }
    let lowered = lower(&parsed.program);
    let printed = print(&lowered.program, &Options::default());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if parsed.has_errors() {
        return;
    }
    let once = mil_syntax::format(text).expect("a text without errors has a layout");
    assert_eq!(mil_syntax::format(&once).as_ref(), Ok(&once));
    if lowered.diagnostics.is_empty() {
        let again = read(&printed);
        assert!(again.diagnostics.iter().all(|d| !d.is_error()), "{:?}\n{printed}", again.diagnostics);
        assert_eq!(print(&again.program, &Options::default()), printed);
    }
});
