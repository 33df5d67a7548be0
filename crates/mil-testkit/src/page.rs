//! The examples of a manual page, as written.

use mil_base::Opset;
use mil_ops::OpDef;

/// What an example shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shows {
    /// The program gives these values.
    Values,
    /// The program is refused by this constraint alone.
    Refusal(String),
}

/// A value that a page gives, in MIL spelling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The type, of inputs; empty for outputs, whose type the program has.
    pub ty: String,
    /// The name of the input or output.
    pub name: String,
    /// The literal, if there is one.
    pub literal: Option<String>,
}

/// One example of a manual page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The op, and the number of the example in its page: `relu#2`.
    pub name: String,
    /// The op set of the function.
    pub opset: Opset,
    /// What it shows.
    pub shows: Shows,
    /// Inputs of the function, and states.
    pub inputs: Vec<Given>,
    /// The statements, as MIL text.
    pub statements: String,
    /// What the function returns.
    pub outputs: Vec<Given>,
}

/// The op set of failing examples that name none.
pub const USUAL: Opset = Opset::Ios17;

/// The examples of a card's page or section, or what is wrong with the page.
pub fn examples(def: &OpDef) -> Result<Vec<Example>, String> {
    parse(def.name, def.doc.text())
}

/// The examples in a Markdown text: blocks fenced with `example OPSET` or `fails SLUG [OPSET]`.
pub fn parse(op: &str, text: &str) -> Result<Vec<Example>, String> {
    let mut examples = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.trim_start().strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|l| !l.trim_start().starts_with("```")).collect();
        let words: Vec<&str> = fence.split_whitespace().collect();
        let name = format!("{op}#{}", examples.len() + 1);
        let (shows, opset) = match words.as_slice() {
            ["example", opset] => (Shows::Values, Some(*opset)),
            ["fails", slug] => (Shows::Refusal((*slug).to_owned()), None),
            ["fails", slug, opset] => (Shows::Refusal((*slug).to_owned()), Some(*opset)),
            ["example" | "fails", ..] => return Err(format!("{name}: `{fence}` is no known fence")),
            _ => continue,
        };
        let opset = match opset {
            None => USUAL,
            Some(text) => Opset::parse(text).ok_or_else(|| format!("{name}: `{text}` is no op set"))?,
        };
        examples.push(body_of(name, opset, shows, &body)?);
    }
    Ok(examples)
}

fn body_of(name: String, opset: Opset, shows: Shows, lines: &[&str]) -> Result<Example, String> {
    let mut example =
        Example { name, opset, shows, inputs: Vec::new(), statements: String::new(), outputs: Vec::new() };
    let mut open = String::new();
    for line in lines {
        let first = line.trim_start();
        if open.is_empty() && !first.starts_with("in ") && !first.starts_with("out ") {
            example.statements.push_str(line);
            example.statements.push('\n');
            continue;
        }
        open.push_str(line.trim());
        open.push(' ');
        let Some(given) = open.trim().strip_suffix(';') else { continue };
        let given = given.to_owned();
        open.clear();
        if let Some(input) = given.strip_prefix("in ") {
            example.inputs.push(input_of(input).ok_or_else(|| format!("{}: `{given}`", example.name))?);
        } else if let Some((name, literal)) = given.trim_start_matches("out ").split_once('=') {
            let literal = Some(literal.trim().to_owned());
            example.outputs.push(Given { ty: String::new(), name: name.trim().to_owned(), literal });
        } else {
            return Err(format!("{}: `{given}` gives no value", example.name));
        }
    }
    if !open.is_empty() {
        return Err(format!("{}: `{}` has no `;`", example.name, open.trim()));
    }
    if example.shows == Shows::Values && example.outputs.is_empty() {
        return Err(format!("{}: it says nothing about an output", example.name));
    }
    Ok(example)
}

/// `TYPE NAME` or `TYPE NAME = LITERAL`.
fn input_of(text: &str) -> Option<Given> {
    let (declaration, literal) = match text.split_once('=') {
        Some((declaration, literal)) => (declaration, Some(literal.trim().to_owned())),
        None => (text, None),
    };
    let (ty, name) = declaration.trim().rsplit_once(' ')?;
    Some(Given { ty: ty.trim().to_owned(), name: name.to_owned(), literal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_and_taken_apart() {
        let text = "# op\n\n```example ios17\nin tensor<fp32, [2]> x = [1.0,\n  2.0];\ntensor<fp32, [2]> y = relu(x = x);\n\
                    out y = [1.0, 2.0];\n```\n\n```fails op/rule\nin tensor<fp32, [2]> x;\ny();\n```\n\n```\nno example\n```\n";
        let found = parse("op", text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].inputs[0].literal.as_deref(), Some("[1.0, 2.0]"));
        assert_eq!(found[0].inputs[0].ty, "tensor<fp32, [2]>");
        assert_eq!(found[0].outputs[0].name, "y");
        assert_eq!(found[1].shows, Shows::Refusal("op/rule".to_owned()));
        assert_eq!(found[1].inputs[0].literal, None);
        assert!(parse("op", "```example ios99\n```").is_err());
        assert!(parse("op", "```example ios17\nin fp32 x = 1.0;\n```").is_err());
    }
}
