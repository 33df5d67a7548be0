//! From an example of a manual page to a checked program with inputs and expected outputs.

use crate::page::{Example, Given, Shows};
use mil_base::render::{Sources, Style, text as render};
use mil_base::{Diagnostic, Name, Tensor, Type};
use mil_check::{Checked, Target, check};
use mil_codec::text::read;
use mil_ir::{FunctionId, Payload};
use mil_ops::OpSet;

/// A program, what is fed to it, and what it must give.
#[derive(Clone, Debug)]
pub struct Case {
    /// The example's name.
    pub name: String,
    /// The program as MIL text.
    pub text: String,
    /// The program, checked.
    pub checked: Checked,
    /// The function that is run.
    pub function: FunctionId,
    /// Inputs by name.
    pub inputs: Vec<(Name, Tensor)>,
    /// States at the start, by name.
    pub states: Vec<(Name, Tensor)>,
    /// Expected outputs by name.
    pub expected: Vec<(Name, Tensor)>,
}

/// The text of an example's program: one function `main` that returns the outputs the example names.
pub fn program_text(example: &Example) -> String {
    let inputs: Vec<String> = example.inputs.iter().map(|i| format!("{} {}", i.ty, i.name)).collect();
    let outputs: Vec<&str> = example.outputs.iter().map(|o| o.name.as_str()).collect();
    let mut body = String::new();
    for line in example.statements.lines() {
        body.push_str(&format!("            {line}\n"));
    }
    format!(
        "program(1.3)\n{{\n    func main<{}>({}) {{\n{body}        }} -> ({});\n}}",
        example.opset,
        inputs.join(", "),
        outputs.join(", ")
    )
}

/// Reads and checks a text; every diagnostic of either stage if there is an error.
pub fn checked(text: &str) -> Result<Checked, Vec<Diagnostic>> {
    let read = read(text);
    if read.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(read.diagnostics);
    }
    check(read.program, &read.origins, &OpSet::standard(), Target::default())
}

/// Diagnostics of a text, for the message of a failing test.
pub fn rendered(diagnostics: &[Diagnostic], name: &str, text: &str) -> String {
    render(diagnostics, &Sources::text(name, text), &Style::default())
}

/// The case of an example that shows values, or why there is none.
pub fn build(example: &Example) -> Result<Case, String> {
    debug_assert_eq!(example.shows, Shows::Values);
    let text = program_text(example);
    let checked =
        checked(&text).map_err(|d| format!("{}:\n{}", example.name, rendered(&d, &example.name, &text)))?;
    let function = checked.program().default_function().ok_or("no function")?;
    let f = &checked.program().functions[function];
    let (mut inputs, mut states) = (Vec::new(), Vec::new());
    for (given, &param) in example.inputs.iter().zip(f.params()) {
        let value = literal(&f.values[param].ty, given).map_err(|e| format!("{}: {e}", example.name))?;
        let list = if matches!(f.values[param].ty, Type::State(_)) { &mut states } else { &mut inputs };
        list.push((Name::new(&given.name), value));
    }
    let mut expected = Vec::new();
    for (given, &output) in example.outputs.iter().zip(f.outputs()) {
        let ty = checked.ty(function, output).ok_or("no type")?;
        let value = literal(ty, given).map_err(|e| format!("{}: {e}", example.name))?;
        expected.push((Name::new(&given.name), value));
    }
    Ok(Case { name: example.name.clone(), text, checked, function, inputs, states, expected })
}

/// The tensor that a literal of a page stands for.
fn literal(ty: &Type, given: &Given) -> Result<Tensor, String> {
    let name = &given.name;
    let ty = match ty {
        Type::State(inner) => inner,
        other => other,
    };
    let literal = given.literal.as_ref().ok_or_else(|| format!("`{name}` has no value"))?;
    let text = format!("program(1.3)\n[value = {ty}({literal})]\n{{\n}}");
    let read = read(&text);
    if read.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(format!("the value of `{name}`:\n{}", rendered(&read.diagnostics, name, &text)));
    }
    match read.program.attributes.first().map(|(_, c)| &c.payload) {
        Some(Payload::Tensor(t)) => Ok(t.clone()),
        _ => Err(format!("the value of `{name}` is no tensor")),
    }
}
