//! Statements: outputs, op, arguments, attributes and blocks.

use super::Parser;
use crate::codes;
use crate::token::Kind;
use crate::tree::{
    Arg, Attribute, Attributes, Binding, Bindings, Ident, Statement, TypeNode, Value, Variable,
};
use mil_base::{Diagnostic, Label, Span};

impl<'t> Parser<'t> {
    /// `[outputs =] op(args)[attributes] blocks;`
    pub(super) fn statement(&mut self) -> Option<Statement<'t>> {
        let start = self.token.span.start;
        let outputs = if self.starts_outputs() { self.outputs()? } else { Vec::new() };
        let op = self.ident("the name of an op", "a statement is `type name = op(arguments);`")?;
        self.expect(Kind::LParen, "the arguments follow the op in parentheses: `relu(x = x)`")?;
        let args = self.list(Kind::RParen, Self::arg)?.into_iter().flatten().collect();
        let attributes = if self.at(Kind::LBracket) { self.attributes()? } else { Attributes::default() };
        let mut blocks = Vec::new();
        while self.at(Kind::LParen) {
            blocks.push(self.block()?);
        }
        let span = Span::new(start, self.previous_end);
        self.semicolon()?;
        Some(Statement { outputs, op, args, attributes, blocks, span })
    }

    fn starts_outputs(&self) -> bool {
        match self.token.kind {
            Kind::Word => matches!(self.peek(), Kind::Word | Kind::Less | Kind::Equals | Kind::Comma),
            Kind::LParen | Kind::LBracket => true,
            _ => false,
        }
    }

    /// The `;`, or a report that it is missing when the next statement follows.
    fn semicolon(&mut self) -> Option<()> {
        if self.eat(Kind::Semicolon) {
            return Some(());
        }
        if !matches!(self.token.kind, Kind::Word | Kind::RBrace | Kind::End) {
            self.expected("`;`", "every statement ends with `;`");
            return None;
        }
        if !self.after_junk {
            self.report(
                Diagnostic::error(codes::MISSING_SEMICOLON, format!("expected `;` before {}", self.found()))
                    .label(Label::span(Span::at(self.previous_end), "`;` is missing here"))
                    .help("end the statement with `;`"),
            );
        }
        Some(())
    }

    /// `type name, type name =`, also in the parentheses that Core ML refuses.
    fn outputs(&mut self) -> Option<Vec<Variable<'t>>> {
        let open = self.token;
        let close = match open.kind {
            Kind::LParen => Some(Kind::RParen),
            Kind::LBracket => Some(Kind::RBracket),
            _ => None,
        };
        let outputs = match close {
            Some(close) => {
                self.bump();
                let outputs = self.list(close, |p| p.variable("the name of the output"))?;
                let span = Span::new(open.span.start, self.previous_end);
                self.report(
                    Diagnostic::error(codes::PARENTHESISED_OUTPUTS, "outputs stand without parentheses")
                        .label(Label::span(span, "Core ML's loader refuses these"))
                        .help("write `T a, T b = op(…);`"),
                );
                outputs
            }
            None => {
                let mut outputs = vec![self.variable("the name of the output")?];
                while self.eat(Kind::Comma) {
                    outputs.push(self.variable("the name of the output")?);
                }
                outputs
            }
        };
        self.expect(Kind::Equals, "outputs are followed by `=` and the op")?;
        Some(outputs)
    }

    /// `type name`. A missing type is reported and survived.
    pub(super) fn variable(&mut self, what: &str) -> Option<Variable<'t>> {
        let lone = self.at(Kind::Word)
            && matches!(self.peek(), Kind::Equals | Kind::Comma | Kind::RParen | Kind::RBracket);
        if !lone {
            let ty = self.type_node()?;
            let name = self.ident(what, "a type is followed by a name")?;
            return Some(Variable { ty, name });
        }
        let name = self.ident(what, "")?;
        self.report(
            Diagnostic::error(codes::MISSING_TYPE, format!("`{}` has no type", name.text))
                .label(Label::span(name.span, "the type should stand before the name"))
                .help(format!("write it as `tensor<fp32, [1, 4]> {}`", name.text)),
        );
        Some(Variable { ty: TypeNode { ty: None, span: name.span }, name })
    }

    /// `name = binding`. `Some(None)` is an argument that was reported and left out.
    fn arg(&mut self) -> Option<Option<Arg<'t>>> {
        let start = self.token.span.start;
        if self.at(Kind::Word) && self.peek() == Kind::Equals {
            let token = self.bump();
            let name = Ident { text: self.text(token.span), span: token.span };
            self.bump();
            let bindings = self.bindings()?;
            return Some(Some(Arg { name, bindings, span: Span::new(start, self.previous_end) }));
        }
        if matches!(self.token.kind, Kind::RParen | Kind::Comma | Kind::End | Kind::Semicolon) {
            self.expected("an argument", "an argument is `name = value`; remove a comma that none follows");
            return None;
        }
        let before = self.diagnostics.len();
        self.bindings()?;
        if self.diagnostics.len() == before {
            let span = Span::new(start, self.previous_end);
            let text = super::shortened(self.text(span));
            self.report(
                Diagnostic::error(codes::MISSING_ARGUMENT_NAME, format!("the argument `{text}` has no name"))
                    .label(Label::span(span, "`name =` should stand before this"))
                    .help(format!("write `x = {text}` with the name of the op's parameter")),
            );
        }
        Some(None)
    }

    fn bindings(&mut self) -> Option<Bindings<'t>> {
        if self.at(Kind::LParen) {
            self.bump();
            return Some(Bindings::Many(self.list(Kind::RParen, Self::binding)?));
        }
        Some(Bindings::One(self.binding()?))
    }

    fn binding(&mut self) -> Option<Binding<'t>> {
        let start = self.token.span.start;
        match self.token.kind {
            Kind::Word if matches!(self.peek(), Kind::LParen | Kind::Less) => {
                Some(Binding::Value(self.value()?))
            }
            Kind::Word if !matches!(self.word(), "true" | "false") => {
                Some(Binding::Name(self.ident("a name", "")?))
            }
            Kind::Word | Kind::Number | Kind::String | Kind::LBracket | Kind::LBrace => {
                self.untyped_value();
                self.skip_balanced();
                Some(Binding::Invalid(Span::new(start, self.previous_end)))
            }
            _ => {
                self.expected("a value", "pass a name, or a value with its type such as `fp32(0.5)`");
                None
            }
        }
    }

    fn untyped_value(&mut self) {
        let text = super::shortened(self.text(self.token.span));
        let typed = match self.token.kind {
            Kind::String | Kind::OpenString => format!("string({text})"),
            Kind::Word => format!("bool({text})"),
            Kind::Number if crate::number::integer(text.as_bytes()).is_some() => {
                format!("int32({text})` or `fp32({text})")
            }
            Kind::Number => format!("fp32({text})` or `fp16({text})"),
            Kind::LBrace => "dict<string, string>({…})".to_owned(),
            _ => "tensor<int32, [2]>([…])".to_owned(),
        };
        self.report(
            Diagnostic::error(codes::UNTYPED_VALUE, format!("{} has no type", self.found()))
                .label(Label::span(self.token.span, "a value carries its type"))
                .help(format!("write `{typed}`")),
        );
    }

    /// `[name = value, …]`, the bracket being looked at.
    pub(super) fn attributes(&mut self) -> Option<Attributes<'t>> {
        let start = self.bump().span.start;
        let items = self.list(Kind::RBracket, Self::attribute)?.into_iter().flatten().collect();
        Some(Attributes { items, span: Some(Span::new(start, self.previous_end)) })
    }

    /// `name = value`. `Some(None)` is an attribute that was reported and left out.
    fn attribute(&mut self) -> Option<Option<Attribute<'t>>> {
        let help = "an attribute is `name = value`: `name = string(\"relu\")`";
        let name = self.ident("the name of an attribute", help)?;
        self.expect(Kind::Equals, help)?;
        if self.at(Kind::Word) && matches!(self.peek(), Kind::LParen | Kind::Less) {
            let value: Value = self.value()?;
            return Some(Some(Attribute { name, value }));
        }
        match self.token.kind {
            Kind::Word if !matches!(self.word(), "true" | "false") => {
                let message = format!("the attribute `{}` refers to a name", name.text);
                let label = Label::span(self.token.span, "a value with its type is wanted");
                self.bump();
                self.report(
                    Diagnostic::error(codes::UNTYPED_VALUE, message)
                        .label(label)
                        .help("write the value itself, `int32(0)`, or pass the name as an argument in `(…)`"),
                );
            }
            Kind::Word | Kind::Number | Kind::String | Kind::LBracket | Kind::LBrace => {
                self.untyped_value();
                self.skip_balanced();
            }
            _ => {
                self.expected("a value", help);
                return None;
            }
        }
        Some(None)
    }
}
