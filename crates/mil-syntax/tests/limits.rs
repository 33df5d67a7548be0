//! Inputs made to hurt: deep nesting, endless mistakes, mutated texts.

use mil_syntax::{codes, format, parse, parse_bytes};

/// A text with something of everything in the grammar.
const SAMPLE: &str = include_str!("format/literals.mil");
const NESTED: &str = include_str!("format/nested.mil");
const COMMENTS: &str = include_str!("format/odd_comments.mil");

fn codes_of(text: &str) -> Vec<&'static str> {
    parse(text).diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn nesting_is_bounded_everywhere() {
    let n = 100_000;
    let body = |statement: String| format!("program(1.3) {{ func main<ios17>() {{ {statement} }} -> (); }}");
    let cases = [
        format!("fp32 y = f(x = {}fp32{}(0));", "list<".repeat(n), ", ?>".repeat(n)),
        format!("fp32 y = f(x = {}fp32(0){});", "tuple<".repeat(n), ">".repeat(n)),
        body(format!("fp32 y = {}", "cond(p = p) () { fp32 z = ".repeat(n))),
        body(format!("fp32 y = f(x = {}fp32{}(1));", "state<".repeat(n), ">".repeat(n))),
        body(format!("fp32 y = f(x = fp32(BLOBFILE(path = {}", "string(BLOBFILE(path = ".repeat(n))),
    ];
    for case in &cases[2..] {
        assert!(codes_of(case).contains(&codes::TOO_DEEP), "{}", &case[..80]);
    }
    for case in &cases[..2] {
        assert!(codes_of(&body(case.clone())).contains(&codes::TOO_DEEP));
    }
    for bracket in ["[", "(", "{", "<", "((", "[(", "tensor<fp32, [", "x = (", "func a<b>(", "a b = c(d = "] {
        let parsed = parse_bytes(bracket.repeat(n).as_bytes()).has_errors();
        assert!(parsed);
        assert!(parse(&body(bracket.repeat(n))).has_errors());
        assert!(
            parse(&body(format!("fp32 y = f(x = tensor<fp32, [1, 1]>({}));", bracket.repeat(n))))
                .has_errors()
        );
    }
}

#[test]
fn endless_mistakes_are_counted_not_listed() {
    let text =
        format!("program(1.3) {{ func main<ios17>() {{ {} }} -> (); }}", "fp32 y = f(x = 1);".repeat(5000));
    let parsed = parse(&text);
    assert!(parsed.diagnostics.len() < 1000);
    let last = parsed.diagnostics.last().unwrap();
    assert_eq!(last.code, codes::TOO_MANY_ERRORS);
    assert!(last.message.starts_with("4500 "), "{}", last.message);
}

#[test]
fn an_error_after_many_warnings_is_listed() {
    let warnings = "fp16 w = f(x = fp16(1e9));".repeat(1000);
    let text = format!("program(1.3) {{ func main<ios17>() {{ {warnings} fp32 y = f(x = 1); }} -> (); }}");
    let parsed = parse(&text);
    assert!(parsed.has_errors() && format(&text).is_err());
}

#[test]
fn sizes_in_types_allocate_nothing() {
    let shapes = "[4294967295, 4294967295, 4294967295]";
    let text = format!(
        "program(1.3) {{ func main<ios17>() {{ fp32 y = f(x = tensor<fp32, {shapes}>([[[1]]])); }} -> (); }}"
    );
    assert_eq!(codes_of(&text), [codes::LITERAL_SHAPE; 3]);
    let empty =
        "program(1.3) { func main<ios17>() { fp32 y = f(x = tensor<fp32, [4000000000, 0]>([])); } -> (); }";
    assert_eq!(codes_of(empty), [""; 0]);
}

/// A small generator (splitmix64), so that a failure is repeatable from its number.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % n.max(1) as u64) as usize
    }
}

/// Changes a few bytes or tokens of `text`.
fn mutate(text: &str, random: &mut Random) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        "=",
        "?",
        "->",
        "//",
        "\"",
        "\\",
        "func ",
        "tensor<fp32, [",
        "0x1p-3",
        "-inf",
        "BLOBFILE(",
        "é",
        "\n",
        "99999999999999999999",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
            2 => drop(bytes.splice(at..end, PIECES[random.below(PIECES.len())].bytes())),
            3 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            _ => {
                let from = random.below(bytes.len() + 1);
                let piece = bytes[from..(from + random.below(60)).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
        }
    }
    bytes
}

/// Thousands of damaged texts: none makes the parser panic, every diagnostic lies inside the text, and what is still
/// sound has a stable layout. `MIL_MUTATIONS=100000` widens it.
#[test]
fn mutated_texts_are_survived() {
    let count = std::env::var("MIL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let mut laid_out = 0;
    for seed in 0..count {
        let mut random = Random(seed);
        let bytes = mutate([SAMPLE, NESTED, COMMENTS][seed as usize % 3], &mut random);
        let parsed = parse_bytes(&bytes);
        for diagnostic in &parsed.diagnostics {
            assert!(
                !diagnostic.labels.is_empty() && diagnostic.help.is_some(),
                "seed {seed}: {diagnostic:?}"
            );
            for span in diagnostic.labels.iter().filter_map(|l| l.span) {
                assert!(
                    span.start <= span.end && span.end as usize <= bytes.len(),
                    "seed {seed}: {diagnostic:?}"
                );
            }
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        if let Ok(once) = format(text) {
            laid_out += 1;
            assert_eq!(format(&once).as_ref(), Ok(&once), "seed {seed}\n{text}");
            assert_eq!(tokens(&once), tokens(text), "seed {seed}: the layout changed more than spaces");
        }
    }
    assert!(laid_out > count / 100, "only {laid_out} of {count} mutated texts were still sound");
}

/// The text without spaces, line breaks and the `;` that the layout may add after functions.
fn tokens(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.chars().filter(|c| !c.is_ascii_whitespace() && *c != ';').collect()
}
