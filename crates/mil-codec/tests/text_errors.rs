//! Mistakes about names: which code, where, and what the help says. Each text is the body of `main(fp32 x)`.

use mil_codec::text::{codes, read};
use mil_syntax::codes as syntax;

/// Body, then for each diagnostic its code, the text it marks and a part of its help.
type Case = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const CASES: &[Case] = &[
    ("fp32 y = relu(x = x);", &[]),
    ("fp32 y = relu(x = z);", &[(codes::UNDEFINED_NAME, "z", "did you mean `x`?")]),
    (
        "fp32 y = relu(x = weight); fp32 weight = relu(x = x);",
        &[(codes::UNDEFINED_NAME, "weight", "before this one")],
    ),
    ("fp32 hidden = relu(x = x); fp32 y = relu(x = hiden);", &[(codes::UNDEFINED_NAME, "hiden", "`hidden`")]),
    ("fp32 y = relu(x = y);", &[(codes::UNDEFINED_NAME, "y", "")]),
    ("fp32 y = relu(x = x); fp32 y = relu(x = x);", &[(codes::DUPLICATE_NAME, "y", "another name")]),
    ("fp32 x = relu(x = x); fp32 y = relu(x = x);", &[(codes::DUPLICATE_NAME, "x", "assigned once")]),
    ("fp32 a, fp32 a = f(); fp32 y = relu(x = x);", &[(codes::DUPLICATE_NAME, "a", "")]),
    ("fp32 y = relu(x = x, x = x);", &[(codes::DUPLICATE_ARGUMENT, "x = x", "remove one")]),
    (
        "fp32 y = relu(x = x)[name = string(\"a\"), name = string(\"b\")];",
        &[(codes::DUPLICATE_ARGUMENT, "name", "remove one")],
    ),
    // A block sees what is around it, and nothing sees into it.
    ("fp32 y = cond(p = x) () { fp32 a = relu(x = x); } -> (a) () { } -> (x);", &[]),
    (
        "fp32 y = cond(p = x) () { fp32 a = relu(x = x); } -> (a) () { } -> (inner); fp32 z = f(x = a);",
        &[(codes::UNDEFINED_NAME, "inner", ""), (codes::UNDEFINED_NAME, "a", "")],
    ),
    ("fp32 y = cond(p = x) (fp32 x) { } -> (x);", &[]),
    // What a broken statement would have defined is not called undefined.
    ("fp32 a = relu(x = ); fp32 y = relu(x = a);", &[(syntax::EXPECTED_TOKEN, ")", "")]),
    ("flot a = relu(x = x); fp32 y = relu(x = a);", &[(syntax::UNKNOWN_TYPE, "flot", "")]),
    (
        "int32 i = const()[val = int32(0.5)]; fp32 y = relu(x = i, z = q);",
        &[(syntax::WRONG_LITERAL, "0.5", ""), (codes::UNDEFINED_NAME, "q", "")],
    ),
];

#[test]
fn mistakes_are_named_with_place_and_remedy() {
    let mut seen = vec![codes::DUPLICATE_FUNCTION];
    for (body, expected) in CASES {
        let text = format!("program(1.3) {{ func main<ios17>(fp32 x) {{ {body} }} -> (y); }}");
        let found = read(&text).diagnostics;
        let shown: Vec<_> = found
            .iter()
            .map(|d| (d.code, &text[d.labels[0].span.unwrap().range()], d.help.as_deref().unwrap()))
            .collect();
        assert_eq!(shown.len(), expected.len(), "{body}: {shown:?}");
        for (got, want) in shown.iter().zip(*expected) {
            assert_eq!((got.0, got.1), (want.0, want.1), "{body}");
            assert!(got.2.contains(want.2), "{body}: {}", got.2);
            seen.push(got.0);
        }
    }
    for (code, _) in codes::ALL {
        assert!(seen.contains(code), "no case reports {code}");
    }
}

#[test]
fn a_second_function_of_one_name_is_left_out() {
    let f = "func main<ios17>(fp32 x) { } -> (x);";
    let read = read(&format!("program(1.3) {{ {f} {f} }}"));
    assert_eq!(read.diagnostics.len(), 1);
    assert_eq!(read.diagnostics[0].code, codes::DUPLICATE_FUNCTION);
    assert_eq!(read.diagnostics[0].labels.len(), 2);
    assert_eq!(read.program.functions.len(), 1);
}

#[test]
fn origins_point_at_the_parts() {
    let text =
        "program(1.3) { func main<ios17>(fp32 x) { fp32 y = relu(x = x)[name = string(\"n\")]; } -> (y); }";
    let read = read(text);
    let (id, function) = read.program.functions.iter().next().unwrap();
    let op = function.blocks[function.body].ops[0];
    let at = |span: Option<mil_base::Span>| span.map(|s| &text[s.range()]);
    assert_eq!(at(read.origins.op(id, op)), Some("relu"));
    assert_eq!(at(read.origins.arg(id, op, "x")), Some("x = x"));
    assert_eq!(at(read.origins.arg(id, op, "name")), Some("name = string(\"n\")"));
    assert_eq!(at(read.origins.value(id, function.outputs()[0])), Some("y"));
    assert_eq!(at(read.origins.value(id, function.params()[0])), Some("x"));
}

#[test]
fn thousands_of_mistakes_are_counted_in_good_time() {
    let defined: String = (0..5_000).map(|i| format!("fp32 value_{i} = f();")).collect();
    let wrong: String = (0..5_000).map(|i| format!("fp32 y_{i} = relu(x = valu_{i});")).collect();
    let long = format!("fp32 z = relu(x = {});", "l".repeat(1 << 20));
    let started = std::time::Instant::now();
    let read = read(&format!("program(1.3) {{ func main<ios17>() {{ {defined} {wrong} {long} }} -> (); }}"));
    assert!((500..600).contains(&read.diagnostics.len()));
    assert!(read.diagnostics[0].help.as_deref().is_some_and(|h| h.contains("value_0")));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
