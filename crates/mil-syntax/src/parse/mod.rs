//! The parser: recursive descent that reports, mends what it can, and goes on at the next statement.
//!
//! A function that gives `None` has reported why. Statements catch that: they skip to the next `;`, closing brace or
//! function ([`Parser::skip_statement`]), so one mistake costs one statement. Nesting is bounded by [`MAX_DEPTH`].

mod literal;
mod program;
mod rows;
mod statement;
mod types;

use crate::codes;
use crate::token::{Kind, Lexer, Token};
use crate::tree::{Ident, Program};
use mil_base::{Diagnostic, Label, Span};

/// How deep types, literals and blocks may nest in one another.
pub const MAX_DEPTH: u32 = 100;

/// After this many diagnostics the rest is counted, not listed.
const MAX_DIAGNOSTICS: usize = 500;

/// What [`parse`] gives: as much of the tree as could be read, and everything wrong, in the order of the text.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Parsed<'t> {
    /// The tree; parts that could not be read are missing or marked.
    pub program: Program<'t>,
    /// Codes are those of [`crate::codes`].
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed<'_> {
    /// Is any of the diagnostics an error?
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads MIL text. Never fails and never panics.
pub fn parse(text: &str) -> Parsed<'_> {
    if u32::try_from(text.len()).is_err() {
        let too_large = Diagnostic::error(codes::TOO_LARGE, format!("the text is {} bytes long", text.len()))
            .help("move large constants to a weight file (`BLOBFILE`)");
        return Parsed { program: Program::default(), diagnostics: vec![too_large] };
    }
    let mut parser = Parser::new(text);
    let program = parser.program();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| d.labels.first().and_then(|l| l.span).map_or(0, |s| s.start));
    if parser.unlisted > 0 {
        diagnostics.push(
            Diagnostic::new(
                mil_base::Severity::Note,
                codes::TOO_MANY_ERRORS,
                format!("{} more mistakes are not listed", parser.unlisted),
            )
            .label(Label::span(parser.token.span, ""))
            .help("mend the first ones and look again"),
        );
    }
    Parsed { program, diagnostics }
}

/// [`parse`] for bytes of unknown origin: what is not UTF-8 is one diagnostic, with the place, and an empty tree.
pub fn parse_bytes(bytes: &[u8]) -> Parsed<'_> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return parse(text),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    let line = 1 + bytes[..at].iter().filter(|&&b| b == b'\n').count();
    let column = at - bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1) + 1;
    let place = u32::try_from(at).unwrap_or(u32::MAX);
    let message = format!("byte {at} (line {line}, column {column}) is not UTF-8");
    let diagnostic = Diagnostic::error(codes::NOT_UTF8, message)
        .label(Label::span(Span::new(place, place.saturating_add(1)), "here the text stops being UTF-8"))
        .help("MIL text is UTF-8; if this is a package or a weight file, open it as one");
    Parsed { program: Program::default(), diagnostics: vec![diagnostic] }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that is looked at; the lexer stands right after it.
    token: Token,
    /// End of the token before it.
    previous_end: u32,
    /// Something unreadable stood between the two and has been reported, so what seems to be missing here may not be.
    after_junk: bool,
    depth: u32,
    diagnostics: Vec<Diagnostic>,
    /// An error is among them.
    failed: bool,
    unlisted: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let mut parser = Parser {
            lexer: Lexer::new(text),
            token: Token { kind: Kind::End, span: Span::at(0) },
            previous_end: 0,
            after_junk: false,
            depth: 0,
            diagnostics: Vec::new(),
            failed: false,
            unlisted: 0,
        };
        parser.bump();
        parser
    }

    /// Takes the token that is looked at and moves to the next one that can be used.
    fn bump(&mut self) -> Token {
        let taken = self.token;
        self.previous_end = taken.span.end;
        self.after_junk = taken.kind == Kind::OpenString;
        loop {
            self.token = self.lexer.next();
            match self.token.kind {
                Kind::Junk => {
                    self.after_junk = true;
                    self.unexpected_character();
                    if self.text(self.token.span) == "#" {
                        self.lexer.skip_line();
                    }
                }
                Kind::OpenString => {
                    let label = Label::span(self.token.span, "its closing `\"` is missing");
                    self.report(
                        Diagnostic::error(codes::UNTERMINATED_STRING, "a string does not end on its line")
                            .label(label)
                            .help("close it with `\"`; a line break in a string is written `\\n`"),
                    );
                    break;
                }
                _ => break,
            }
        }
        taken
    }

    fn unexpected_character(&mut self) {
        let text = self.text(self.token.span);
        let help = match text {
            "'" => "strings stand in double quotes: `\"…\"`",
            "#" => "comments start with `//`",
            "%" => "this looks like coremltools' printout; MIL text names values without `%`",
            ":" => "MIL text writes the type before the name: `fp32 x`",
            _ => "names are made of ASCII letters, digits, `_` and `@`",
        };
        let message = format!("`{}` is not part of any MIL token", shortened(text));
        self.report(
            Diagnostic::error(codes::UNEXPECTED_CHARACTER, message)
                .label(Label::span(self.token.span, "not expected"))
                .help(help),
        );
    }

    /// The kind of the token after the one that is looked at.
    fn peek(&self) -> Kind {
        self.lexer.clone().next().kind
    }

    fn text(&self, span: Span) -> &'t str {
        self.lexer.text().get(span.range()).unwrap_or("")
    }

    fn word(&self) -> &'t str {
        if self.token.kind == Kind::Word { self.text(self.token.span) } else { "" }
    }

    fn at(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Takes a token of one spelling, or reports that it is missing and what to do.
    fn expect(&mut self, kind: Kind, help: &str) -> Option<Token> {
        if self.at(kind) {
            return Some(self.bump());
        }
        let spelling = kind.spelling().unwrap_or("?");
        self.expected(&format!("`{spelling}`"), help);
        None
    }

    fn ident(&mut self, what: &str, help: &str) -> Option<Ident<'t>> {
        if !self.at(Kind::Word) {
            self.expected(what, help);
            return None;
        }
        let token = self.bump();
        Some(Ident { text: self.text(token.span), span: token.span })
    }

    /// Reports `syntax/expected-token` at the token that is looked at.
    fn expected(&mut self, what: &str, help: &str) {
        if self.after_junk {
            return;
        }
        let message = format!("expected {what}, found {}", self.found());
        self.report(
            Diagnostic::error(codes::EXPECTED_TOKEN, message)
                .label(Label::span(self.token.span, format!("expected {what}")))
                .help(help),
        );
    }

    /// The token that is looked at, for a message.
    fn found(&self) -> String {
        let text = self.text(self.token.span);
        match self.token.kind {
            Kind::End => "the end of the text".to_owned(),
            Kind::String | Kind::OpenString => format!("the string {}", shortened(text)),
            _ => format!("`{}`", shortened(text)),
        }
    }

    /// Lists a diagnostic, or counts it when there are many. The first error is always listed, so that many warnings cannot
    /// make a text look sound.
    fn report(&mut self, diagnostic: Diagnostic) {
        let first_error = diagnostic.is_error() && !self.failed;
        self.failed |= diagnostic.is_error();
        if first_error || self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        } else {
            self.unlisted += 1;
        }
    }

    /// Runs `read` one level deeper, or reports that this is too deep.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            self.report(
                Diagnostic::error(codes::TOO_DEEP, message)
                    .label(Label::span(self.token.span, "this level is one too many"))
                    .help("bind inner parts to names of their own, or move nested blocks to functions"),
            );
            return None;
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `item, item, … close`, the opening token being taken already. Reports and gives `None` at the first bad item.
    fn list<T>(&mut self, close: Kind, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(close) {
                return Some(items);
            }
            if !self.at(Kind::Comma) {
                let spelling = close.spelling().unwrap_or("?");
                self.expected(&format!("`,` or `{spelling}`"), "separate items with `,` and close the list");
                return None;
            }
            self.bump();
        }
    }

    /// Does a function start here? Two tokens decide, because `func` may also be a name.
    fn at_function(&self) -> bool {
        self.word() == "func" && matches!(self.peek(), Kind::Word | Kind::Less)
    }

    /// Skips a statement that could not be read: past its `;`, or up to a closing brace or the next function.
    fn skip_statement(&mut self) {
        let mut open = 0usize;
        loop {
            match self.token.kind {
                Kind::End => return,
                Kind::LBrace => open += 1,
                Kind::RBrace if open == 0 => return,
                Kind::RBrace => open -= 1,
                Kind::Semicolon if open == 0 => {
                    self.bump();
                    return;
                }
                Kind::Word if self.at_function() => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// Skips what is in brackets of any kind, the opening one being looked at; or one token.
    fn skip_balanced(&mut self) {
        let mut open = 0usize;
        loop {
            match self.token.kind {
                Kind::End | Kind::Semicolon => return,
                Kind::LParen | Kind::LBracket | Kind::LBrace => open += 1,
                Kind::RParen | Kind::RBracket | Kind::RBrace => {
                    if open == 0 {
                        return;
                    }
                    open -= 1;
                }
                _ => {}
            }
            self.bump();
            if open == 0 {
                return;
            }
        }
    }
}

/// At most 40 characters of `text`, on one line.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
