//! Programs, functions and bodies.

use super::Parser;
use crate::codes;
use crate::token::Kind;
use crate::tree::{Attributes, Block, Body, Function, Program, Version};
use mil_base::{Diagnostic, Label, Span};

impl<'t> Parser<'t> {
    pub(super) fn program(&mut self) -> Program<'t> {
        let mut program = Program::default();
        if self.word() == "program" {
            self.bump();
            program.version = self.version();
            if self.at(Kind::LBracket) {
                program.attributes = self.attributes().unwrap_or_default();
            }
        } else {
            self.missing_header();
        }
        self.skip_to_functions();
        program.open = self.token.span.start;
        let opened = self.eat(Kind::LBrace);
        loop {
            if self.at_function() {
                program.functions.extend(self.function());
            } else if self.at(Kind::RBrace) || self.at(Kind::End) {
                break;
            } else {
                self.expected(
                    "a function or the `}` that ends the program",
                    "functions look like `func main<ios17>(…) { … } -> (…);`",
                );
                self.skip_to_function();
            }
        }
        program.close = self.token.span.start;
        if !self.eat(Kind::RBrace) && opened {
            self.unclosed("the program", Span::at(program.open));
        }
        if !self.at(Kind::End) {
            let label = Label::span(self.token.span, "the program has ended before this");
            self.report(
                Diagnostic::error(codes::TRAILING_TEXT, format!("{} follows the program", self.found()))
                    .label(label)
                    .help("remove it, or remove the `}` that ends the program too early"),
            );
        }
        program
    }

    fn missing_header(&mut self) {
        let message = format!("a MIL text starts with `program(1.3)`, not with {}", self.found());
        self.report(
            Diagnostic::error(codes::MISSING_HEADER, message)
                .label(Label::span(self.token.span, "the header should stand before this"))
                .help("write `program(1.3) { … }` around the functions"),
        );
    }

    /// `(1.3)`.
    fn version(&mut self) -> Option<Version> {
        let help = "write `program(1.3)`";
        self.expect(Kind::LParen, help)?;
        if !self.at(Kind::Number) {
            self.expected("the version", help);
            return None;
        }
        let span = self.bump().span;
        let text = self.text(span);
        let version = text
            .split_once('.')
            .and_then(|(major, minor)| Some((whole_number(major)?, whole_number(minor)?)))
            .map(|(major, minor)| Version { major, minor, span });
        if version.is_none() {
            self.report(
                Diagnostic::error(codes::BAD_VERSION, format!("`{text}` is not a version"))
                    .label(Label::span(span, "two numbers with a point between them"))
                    .help("compilers write `program(1.0)` and `program(1.3)`"),
            );
        }
        self.expect(Kind::RParen, help)?;
        version
    }

    /// Moves to the `{` after a header that could not be read, or to the first function.
    fn skip_to_functions(&mut self) {
        if self.at(Kind::LBrace) || self.at(Kind::End) || self.at_function() {
            return;
        }
        let reported = !self.diagnostics.is_empty();
        if !reported {
            self.expected("`{`", "the functions of a program stand in braces");
        }
        while !self.at(Kind::End) && !self.at_function() {
            // The brace before the first function is the program's; others belong to attributes.
            if self.at(Kind::LBrace) {
                let mut ahead = self.lexer;
                let next = ahead.next();
                if self.text(next.span) == "func" || next.kind == Kind::RBrace {
                    return;
                }
            }
            self.bump();
        }
    }

    fn skip_to_function(&mut self) {
        let mut open = 0usize;
        while !self.at(Kind::End) && !self.at_function() {
            match self.token.kind {
                Kind::LBrace => open += 1,
                Kind::RBrace if open == 0 => return,
                Kind::RBrace => open -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    /// `func name<opset>(params) [attributes] body;`
    fn function(&mut self) -> Option<Function<'t>> {
        let start = self.bump().span.start;
        let help = "functions look like `func main<ios17>(…)`";
        let Some(name) = self.ident("the name of the function", help) else {
            self.skip_to_function();
            return None;
        };
        let mut function = Function {
            name,
            opset: None,
            params: Vec::new(),
            attributes: Attributes::default(),
            body: Body::default(),
            span: name.span,
        };
        let sound = self.signature(&mut function).is_some();
        if !sound {
            self.skip_to_body();
        }
        function.body = self.body("the function").unwrap_or(Body { damaged: true, ..Body::default() });
        function.body.damaged |= !sound;
        function.span = Span::new(start, self.previous_end);
        if !self.eat(Kind::Semicolon) && !function.body.damaged {
            self.report(
                Diagnostic::warning(codes::MISSING_SEMICOLON, "the function does not end with `;`")
                    .label(Label::span(Span::at(function.span.end), "`;` is missing here"))
                    .help("add `;` after the results, as Core ML's compiler writes it"),
            );
        }
        Some(function)
    }

    fn signature(&mut self, function: &mut Function<'t>) -> Option<()> {
        let help = "the op set follows the name: `func main<ios17>(…)`";
        self.expect(Kind::Less, help)?;
        function.opset = Some(self.ident("the op set", help)?);
        self.expect(Kind::Greater, help)?;
        self.expect(Kind::LParen, "the inputs follow in parentheses: `(tensor<fp32, [1, 4]> x)`")?;
        function.params = self.list(Kind::RParen, |p| p.variable("the name of the input"))?;
        if self.at(Kind::LBracket) {
            function.attributes = self.attributes()?;
        }
        Some(())
    }

    /// Moves to the `{` of a body: one that a name or `}` follows, unlike those of dictionaries.
    fn skip_to_body(&mut self) {
        while !self.at(Kind::End) && !self.at_function() {
            if self.at(Kind::LBrace) && matches!(self.peek(), Kind::Word | Kind::RBrace) {
                return;
            }
            self.bump();
        }
    }

    /// `{ statements } -> (results)`. `owner` is named in messages.
    fn body(&mut self, owner: &str) -> Option<Body<'t>> {
        let open = self.expect(Kind::LBrace, "statements stand in braces: `{ … } -> (y)`")?.span;
        let mut body = Body { open: open.start, ..Body::default() };
        while !self.at(Kind::RBrace) {
            if self.at(Kind::End) || self.at_function() {
                body.close = self.token.span.start;
                body.damaged = true;
                self.unclosed(owner, open);
                return Some(body);
            }
            match self.statement() {
                Some(statement) => body.statements.push(statement),
                None => {
                    body.damaged = true;
                    self.skip_statement();
                }
            }
        }
        body.close = self.bump().span.start;
        if !self.at(Kind::Arrow) {
            body.damaged = true;
            self.report(
                Diagnostic::error(codes::MISSING_RESULTS, format!("{owner} does not say what it gives back"))
                    .label(Label::span(Span::new(body.close, body.close + 1), "`-> (…)` should follow"))
                    .help("write `} -> (y)` with the names of the results"),
            );
            return Some(body);
        }
        self.bump();
        match self.results() {
            Some(results) => body.results = results,
            None => {
                body.damaged = true;
                self.skip_results();
            }
        }
        Some(body)
    }

    fn results(&mut self) -> Option<Vec<crate::tree::Ident<'t>>> {
        let help = "the results are names in parentheses: `-> (y)`";
        self.expect(Kind::LParen, help)?;
        self.list(Kind::RParen, |p| p.ident("the name of a result", help))
    }

    /// Moves past results that could not be read.
    fn skip_results(&mut self) {
        loop {
            match self.token.kind {
                Kind::RParen => {
                    self.bump();
                    return;
                }
                Kind::End | Kind::Semicolon | Kind::RBrace | Kind::LBrace => return,
                _ if self.at_function() => return,
                _ => self.bump(),
            };
        }
    }

    /// `(params) body`: a nested block of a statement.
    pub(super) fn block(&mut self) -> Option<Block<'t>> {
        self.nested(|p| {
            let start = p.bump().span.start;
            let params = p.list(Kind::RParen, |p| p.variable("the name of the parameter"))?;
            let body = p.body("the block")?;
            Some(Block { params, body, span: Span::new(start, p.previous_end) })
        })
    }

    fn unclosed(&mut self, owner: &str, open: Span) {
        self.report(
            Diagnostic::error(codes::UNCLOSED_BODY, format!("the `}}` of {owner} is missing"))
                .label(Label::span(self.token.span, "`}` should stand before this"))
                .label(Label::span(open, "opened here"))
                .help("close it with `}`"),
        );
    }
}

fn whole_number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}
