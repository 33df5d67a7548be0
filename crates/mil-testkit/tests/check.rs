//! Whole programs and what the check says about them: `tests/check/*.mil` with `*.txt` beside them (`BLESS=1` rewrites).

use mil_base::render::{Sources, Style, text as render};
use mil_base::{Diagnostic, Dim, Name};
use mil_check::{Checked, Feature, Interface, Target, check, codes, interface, specialise};
use mil_ops::OpSet;
use mil_testkit::case::checked;
use mil_testkit::golden;
use std::path::Path;

/// Errors, or the warnings of a program that is right.
fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let read = mil_codec::text::read(text);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    match check(read.program, &read.origins, &OpSet::standard(), Target::default()) {
        Ok(checked) => checked.warnings().to_vec(),
        Err(diagnostics) => diagnostics,
    }
}

#[test]
fn programs_are_told_what_is_wrong_with_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check");
    let (mut failures, mut seen) = (Vec::new(), Vec::new());
    for path in golden::cases(&folder, "mil") {
        let text = std::fs::read_to_string(&path).expect("the case is readable");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = diagnostics(&text);
        seen.extend(found.iter().map(|d| d.code));
        let shown = render(&found, &Sources::text(&name, &text), &Style::default());
        failures.extend(golden::compare(&path.with_extension("txt"), &shown).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Text has its names resolved when it is read, so only the codes of the check itself can occur here.
    let missing = codes::ALL.iter().map(|(code, _)| *code).filter(|c| c.starts_with("check/"));
    let missing: Vec<&str> = missing.filter(|c| !seen.contains(c) && *c != codes::OPSET_TOO_NEW).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn a_target_refuses_newer_op_sets() {
    let read = mil_codec::text::read("program(1.3)\n{ func main<ios18>() { } -> (); }");
    let old = Target { newest: Some(mil_base::Opset::Ios16) };
    let found = check(read.program, &read.origins, &OpSet::standard(), old).unwrap_err();
    assert_eq!(found[0].code, codes::OPSET_TOO_NEW);
    assert_eq!(found[0].labels[0].span.map(|s| s.start), Some(20));
}

fn right(text: &str) -> Checked {
    checked(text).unwrap_or_else(|d| panic!("{}", mil_testkit::case::rendered(&d, "test", text)))
}

/// The declared and inferred shape of a value of `main` by name.
fn shape(checked: &Checked, name: &str) -> String {
    let f = checked.program().default_function().expect("main");
    let function = &checked.program().functions[f];
    let value = function.values.ids().find(|v| function.values[*v].name == *name).expect("the value");
    format!("{}", checked.ty(f, value).expect("a type"))
}

#[test]
fn shape_arithmetic_is_known_before_execution() {
    let text = "program(1.3)\n{ func main<ios17>(tensor<fp32, [2, 3, 4]> x) {
        tensor<int32, [3]> s = shape(x = x);
        int32 a = gather(axis = int32(0), batch_dims = int32(0), indices = int32(0), validate_indices = bool(false), x = s);
        int32 b = gather(axis = int32(0), batch_dims = int32(0), indices = int32(2), validate_indices = bool(false), x = s);
        int32 n = mul(x = a, y = b);
        tensor<int32, [1]> first = expand_dims(axes = tensor<int32, [1]>([0]), x = n);
        tensor<int32, [2]> wanted = concat(axis = int32(0), interleave = bool(false), values = (first, tensor<int32, [1]>([-1])));
        tensor<fp32, [?, ?]> y = reshape(shape = wanted, x = x);
    } -> (y); }";
    assert_eq!(shape(&right(text), "y"), "tensor<fp32, [8, 3]>");
}

#[test]
fn specialising_makes_every_shape_known_and_keeps_to_the_ranges() {
    let text = |info: &str| {
        format!(
            "program(1.3)\n{{ func main<ios17>(tensor<fp32, [1, ?]> x) {info} {{
        tensor<int32, [2]> s = shape(x = x);
        tensor<fp32, [?, ?]> y = reshape(shape = s, x = x);
        tensor<fp32, [?, ?]> z = concat(axis = int32(1), interleave = bool(false), values = (x, y));
    }} -> (z); }}"
        )
    };
    let ranges = "[FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, \
                  dict<string, list<tensor<int32, [2]>, ?>>>>(((\"DefaultShapes\", {{\"x\", [1, 8]}}), (\"RangeDims\", {{\"x\", [[1, 1], [2, 64]]}})))]";
    let sets = "[FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, \
                dict<string, dict<string, tensor<int32, [?]>>>>>(((\"DefaultShapes\", {{\"x\", [1, 8]}}), \
                (\"EnumeratedShapes\", {{\"00000001\", {{\"x\", [1, 8]}}}, {\"00000002\", {{\"x\", [1, 16]}}}})))]";
    let z = |text: &str, given: Option<usize>| {
        let checked = right(text);
        let f = checked.program().default_function().expect("main");
        let inputs: Vec<(Name, Vec<usize>)> = given.map(|n| ("x".into(), vec![1, n])).into_iter().collect();
        let z = checked.program().functions[f].outputs()[0];
        specialise(&checked, f, &inputs)
            .map(|s| s.types[z.index()].as_ref().expect("a type").to_string())
            .map_err(|d| d[0].code)
    };
    assert_eq!(z(&text(""), Some(5)), Ok("tensor<fp32, [1, 10]>".to_owned()));
    assert_eq!(z(&text(""), None), Err(codes::INPUT_MISSING));
    assert_eq!(z(&text(ranges), None), Ok("tensor<fp32, [1, 16]>".to_owned()));
    assert_eq!(z(&text(ranges), Some(64)), Ok("tensor<fp32, [1, 128]>".to_owned()));
    assert_eq!(z(&text(ranges), Some(65)), Err(codes::INPUT_SHAPE));
    assert_eq!(z(&text(ranges), Some(1)), Err(codes::INPUT_SHAPE));
    assert_eq!(z(&text(sets), Some(16)), Ok("tensor<fp32, [1, 32]>".to_owned()));
    assert_eq!(z(&text(sets), Some(9)), Err(codes::INPUT_SHAPE));
}

#[test]
fn loops_keep_the_dimensions_that_no_turn_changes() {
    let text = |body: &str| {
        format!("program(1.3)\n{{ func main<ios17>(tensor<fp32, [?, 4]> x) {{
        int32 zero = const()[val = int32(0)];
        int32 last, tensor<fp32, [?, 4]> y = while_loop(loop_vars = (zero, x))
            (int32 i, tensor<fp32, [?, 4]> v) {{ bool more = less(x = i, y = int32(3)); }} -> (more)
            (int32 j, tensor<fp32, [?, 4]> w) {{ int32 next = add(x = j, y = int32(1)); {body} }} -> (next, o);
        tensor<fp32, [?, 4]> sum = add(x = x, y = y);
    }} -> (sum); }}")
    };
    let same = right(&text("tensor<fp32, [?, 4]> o = relu(x = w);"));
    let grows = right(&text(
        "tensor<fp32, [?, 4]> o = concat(axis = int32(0), interleave = bool(false), values = (w, w));",
    ));
    let first = |c: &Checked, name: &str| {
        let f = c.program().default_function().expect("main");
        let function = &c.program().functions[f];
        let value = function.values.ids().find(|v| function.values[*v].name == *name).expect("the value");
        c.ty(f, value).and_then(|t| Some(t.as_tensor()?.shape[0])).expect("a tensor")
    };
    assert_eq!(first(&same, "x"), first(&same, "y"));
    assert_ne!(first(&grows, "x"), first(&grows, "y"));
    assert!(matches!(first(&grows, "y"), Dim::Symbol(_)));
}

#[test]
fn a_description_that_disagrees_is_found_out() {
    let checked = right(
        "program(1.3)\n{ func main<ios17>(tensor<fp32, [1, ?]> x) { tensor<fp32, [1, ?]> y = relu(x = x); } -> (y); }",
    );
    let f = checked.program().default_function().expect("main");
    let feature = |name: &str, dims: &[usize]| Feature {
        name: name.into(),
        ty: Some(mil_base::Type::tensor(mil_base::DType::Fp32, mil_base::Shape::known(dims))),
        optional: false,
    };
    let described = |input, output| Interface { inputs: vec![input], outputs: vec![output] };
    let good = interface(&checked, f, &described(feature("x", &[1, 7]), feature("y", &[1, 7])));
    assert!(good.is_empty(), "{good:?}");
    let renamed = interface(&checked, f, &described(feature("x", &[1, 7]), feature("Y", &[1, 7])));
    assert_eq!(renamed.len(), 2);
    let reshaped = interface(&checked, f, &described(feature("x", &[2, 7]), feature("y", &[1, 7])));
    assert_eq!((reshaped.len(), reshaped[0].code), (1, codes::INTERFACE));
}
