//! Rendered diagnostics against `tests/render/*`. `BLESS=1` writes what is rendered now.

use mil_base::render::{Printed, Sources, Style, json, records, summary, text};
use mil_base::{Diagnostic, Label, Place, Span};
use std::path::Path;

const TEXT: &str = "program(1.3)
{
    func main<ios17>(tensor<fp16, [1, 4]> x) {
            tensor<fp16, [1, 4]> y = layer_nrom(axes = tensor<int32, [1]>([2]), x = x);
        } -> (y);
}
";

fn span_of(needle: &str) -> Span {
    let start = TEXT.find(needle).expect("the text has it");
    Span::new(start as u32, (start + needle.len()) as u32)
}

fn place(argument: Option<&str>) -> Place {
    Place {
        function: Some("main".into()),
        op: Some(3),
        op_name: Some("y".into()),
        argument: argument.map(Into::into),
    }
}

fn some() -> Vec<Diagnostic> {
    let span = |needle, remark: &str| Label {
        place: place(None),
        span: Some(span_of(needle)),
        message: remark.into(),
    };
    vec![
        Diagnostic::warning("check/unknown-attribute", "`x` is never used\u{1b}[31m").label(span("x);", "")),
        Diagnostic::error("check/unknown-op", "there is no op `layer_nrom`")
            .label(span("layer_nrom", "not a card"))
            .label(span("func main<ios17>", "in this function"))
            .help("did you mean `layer_norm`?"),
        Diagnostic::error("check/empty", "a program without functions"),
    ]
}

fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, wanted, "{} differs; BLESS=1 writes it", path.display());
}

#[test]
fn text_with_source() {
    golden("source.txt", &text(&some(), &Sources::text("model.mil", TEXT), &Style::default()));
}

#[test]
fn text_with_colours() {
    let style = Style { colour: true, ..Style::default() };
    let rendered = text(&some()[1..2], &Sources::text("model.mil", TEXT), &style);
    golden("colours.txt", &rendered.replace('\u{1b}', "ESC"));
}

#[test]
fn text_with_printed_op() {
    let print = |place: &Place| {
        let text = "tensor<fp16, [1, 4]> y = layer_norm(axes = a, x = x);".to_owned();
        let wanted = place.argument.as_ref().map_or("layer_norm(".to_owned(), |a| format!("{a} ="));
        let start = text.find(&wanted)?;
        Some(Printed { underline: start..start + wanted.len() - 1, text })
    };
    let diagnostics = [
        Diagnostic::error("layer_norm/axes-in-range", "axis 2 is out of range")
            .label(Label::place(place(Some("axes")), "axes of a rank 2 tensor are -2 to 1"))
            .help("name an axis of x"),
        Diagnostic::error("check/op-not-in-opset", "`layer_norm` is in MIL since ios15")
            .label(Label::place(place(None), "")),
        Diagnostic::error("interface/mismatch", "the model describes the input `z`")
            .label(Label::place(Place { function: Some("main".into()), ..Place::default() }, "")),
    ];
    let sources = Sources::program("model.mlpackage", &print);
    golden("op.txt", &text(&diagnostics, &sources, &Style::default()));
}

#[test]
fn json_form() {
    golden("source.json", &json(&records(&some(), &Sources::text("model.mil", TEXT))));
}

#[test]
fn the_rest_is_counted() {
    let style = Style { most: 1, ..Style::default() };
    let rendered = text(&some(), &Sources::text("model.mil", TEXT), &style);
    assert!(rendered.contains("… and 2 more"), "{rendered}");
    assert_eq!(summary(&some()), "2 errors, 1 warning");
}

#[test]
fn spans_of_another_text_do_no_harm() {
    for (start, end) in [(0, 0), (5, 3), (4_000_000_000, 4_000_000_001), (TEXT.len() as u32, u32::MAX)] {
        let diagnostic = Diagnostic::error("a/b", "c").label(Label::span(Span { start, end }, "d"));
        let sources = Sources::text("ä.mil", TEXT);
        assert!(
            text(std::slice::from_ref(&diagnostic), &sources, &Style::default()).contains("error[a/b]: c")
        );
        assert_eq!(records(&[diagnostic], &sources).len(), 1);
    }
}
