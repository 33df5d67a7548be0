//! Values: a type, and a literal read as the type says.

use super::Parser;
use crate::codes;
use crate::number;
use crate::token::{Kind, Token};
use crate::tree::{Blob, Literal, Value};
use mil_base::{DType, Diagnostic, Dim, Label, Span, Type};
use std::borrow::Cow;

impl<'t> Parser<'t> {
    /// `type(literal)`.
    pub(super) fn value(&mut self) -> Option<Value> {
        let start = self.token.span.start;
        let ty = self.type_node()?;
        self.expect(Kind::LParen, "a type is followed by its value in parentheses: `fp32(0.5)`")?;
        let literal = self.nested(|p| p.literal(ty.ty.as_ref()))?;
        self.expect(Kind::RParen, "close the value with `)`")?;
        Some(Value { ty, literal, span: Span::new(start, self.previous_end) })
    }

    fn literal(&mut self, ty: Option<&Type>) -> Option<Literal> {
        if self.word() == "BLOBFILE" && self.peek() == Kind::LParen {
            return self.blob();
        }
        match ty {
            Some(Type::Tensor(tensor)) => self.tensor_literal(tensor),
            Some(Type::List(item, length)) => self.list_literal(item, *length),
            Some(Type::Tuple(items)) => self.tuple_literal(items),
            Some(Type::Dict(key, value)) => self.dict_literal(key, value),
            Some(Type::Unranked(_)) => {
                self.wrong_literal(
                    self.token.span,
                    "a literal has a rank, but its type does not say which",
                    "write the type with its dimensions: `tensor<fp32, [2]>([1.0, 2.0])`",
                );
                self.skip_balanced();
                Some(Literal::Invalid)
            }
            Some(Type::State(_)) => {
                self.wrong_literal(
                    self.token.span,
                    "a state has no literal",
                    "states are parameters of a function",
                );
                self.skip_balanced();
                Some(Literal::Invalid)
            }
            None => {
                self.skip_balanced();
                Some(Literal::Invalid)
            }
        }
    }

    fn list_literal(&mut self, item: &Type, length: Dim) -> Option<Literal> {
        let open = self.opening(Kind::LBracket, "a list is written `[…]`")?;
        let Some(open) = open else { return Some(Literal::Invalid) };
        let items = self.list(Kind::RBracket, |p| p.nested(|p| p.literal(Some(item))))?;
        if length.known().is_some_and(|n| n != items.len()) {
            self.wrong_count(open, &length.to_string(), items.len());
        }
        Some(Literal::List(items))
    }

    fn tuple_literal(&mut self, types: &[Type]) -> Option<Literal> {
        let open = self.opening(Kind::LParen, "a tuple is written `(…)`")?;
        let Some(open) = open else { return Some(Literal::Invalid) };
        let mut next = types.iter();
        let items = self.list(Kind::RParen, |p| p.nested(|p| p.literal(next.next())))?;
        if types.len() != items.len() {
            self.wrong_count(open, &types.len().to_string(), items.len());
            return Some(Literal::Invalid);
        }
        Some(Literal::Tuple(items))
    }

    fn dict_literal(&mut self, key: &Type, value: &Type) -> Option<Literal> {
        let open = self.opening(Kind::LBrace, "a dictionary is written `{{key, value}, …}`")?;
        if open.is_none() {
            return Some(Literal::Invalid);
        }
        let help = "a dictionary is pairs in braces: `{{\"a\", 1}, {\"b\", 2}}`";
        let pairs = self.list(Kind::RBrace, |p| {
            p.expect(Kind::LBrace, help)?;
            let key = p.nested(|p| p.literal(Some(key)))?;
            p.expect(Kind::Comma, help)?;
            let value = p.nested(|p| p.literal(Some(value)))?;
            p.expect(Kind::RBrace, help)?;
            Some((key, value))
        })?;
        Some(Literal::Dict(pairs))
    }

    /// Takes the opening bracket of a compound literal. `Some(None)` if another literal stands there, which is reported
    /// and skipped.
    fn opening(&mut self, kind: Kind, help: &str) -> Option<Option<Span>> {
        if self.at(kind) {
            return Some(Some(self.bump().span));
        }
        if matches!(self.token.kind, Kind::RParen | Kind::RBracket | Kind::RBrace | Kind::Comma | Kind::End) {
            self.expected(&format!("`{}`", kind.spelling().unwrap_or("?")), help);
            return None;
        }
        let message = format!("{} does not fit its type", self.found());
        self.wrong_literal(self.token.span, &message, help);
        self.skip_balanced();
        Some(None)
    }

    pub(super) fn wrong_count(&mut self, span: Span, wanted: &str, found: usize) {
        let message = format!("the type says {wanted}, the literal has {found}");
        self.report(
            Diagnostic::error(codes::LITERAL_SHAPE, message)
                .label(Label::span(span, format!("{found} and not {wanted}")))
                .help("change the type or the literal so that they agree"),
        );
    }

    pub(super) fn wrong_literal(&mut self, span: Span, message: &str, help: &str) {
        self.report(
            Diagnostic::error(codes::WRONG_LITERAL, message)
                .label(Label::span(span, "does not fit the type"))
                .help(help),
        );
    }

    /// `BLOBFILE(path = …, offset = …)`.
    fn blob(&mut self) -> Option<Literal> {
        let start = self.bump().span.start;
        self.bump();
        let (mut path, mut offset) = (None, None);
        let fields = self.list(Kind::RParen, |p| {
            let help = "write `BLOBFILE(path = string(\"…\"), offset = uint64(64))`";
            let name = p.ident("`path` or `offset`", help)?;
            p.expect(Kind::Equals, help)?;
            let value = p.nested(Self::value)?;
            let Literal::Tensor(tensor) = &value.literal else { return Some(()) };
            match name.text {
                "path" => path = tensor.item_str().map(str::to_owned),
                "offset" if tensor.dtype() == DType::UInt64 => {
                    offset = <[u8; 8]>::try_from(tensor.bytes()).ok().map(u64::from_le_bytes);
                }
                "offset" if tensor.dtype().is_int() => {
                    offset = tensor.item_i64().and_then(|n| u64::try_from(n).ok());
                }
                _ => {}
            }
            Some(())
        });
        fields?;
        let span = Span::new(start, self.previous_end);
        let (Some(path), Some(offset)) = (path, offset) else {
            self.report(
                Diagnostic::error(codes::BAD_BLOB, "a BLOBFILE needs a path and an offset")
                    .label(Label::span(span, "not a place in a weight file"))
                    .help("write `BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64(64))`"),
            );
            return Some(Literal::Invalid);
        };
        Some(Literal::Blob(Blob { path, offset, span }))
    }

    /// The contents of a string token, escapes resolved.
    pub(super) fn unescaped(&mut self, token: Token) -> Cow<'t, str> {
        let text = self.text(token.span);
        let inner = text.strip_prefix('"').unwrap_or(text);
        let inner = if token.kind == Kind::String { inner.strip_suffix('"').unwrap_or(inner) } else { inner };
        if !inner.contains('\\') {
            return Cow::Borrowed(inner);
        }
        let mut plain = String::with_capacity(inner.len());
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                plain.push(c);
                continue;
            }
            match chars.next() {
                Some((_, c @ ('"' | '\\'))) => plain.push(c),
                Some((_, 'n')) => plain.push('\n'),
                Some((_, 't')) => plain.push('\t'),
                other => {
                    let length = 1 + other.map_or(0, |(_, c)| c.len_utf8());
                    let start = token.span.start + 1 + at as u32;
                    self.report(
                        Diagnostic::error(codes::BAD_ESCAPE, "there is no such escape in MIL")
                            .label(Label::span(Span::new(start, start + length as u32), "unknown escape"))
                            .help("the escapes are `\\\"`, `\\\\`, `\\n` and `\\t`; a backslash itself is `\\\\`"),
                    );
                }
            }
        }
        Cow::Owned(plain)
    }

    /// Reports that `token` is no value of `dtype`, and how to write one.
    pub(super) fn wrong_scalar(&mut self, token: Token, dtype: DType) {
        if self.after_junk {
            return;
        }
        let text = super::shortened(self.text(token.span));
        if token.kind == Kind::Number && !number::is_number(text.as_bytes()) && !dtype.is_float() {
            return self.bad_number(token);
        }
        let help = match dtype {
            DType::Bool => "write `true` or `false`",
            DType::String => "write a string in double quotes",
            _ if dtype.is_int() && token.kind == Kind::Number => "write a whole number, or use a float type",
            _ if dtype.is_int() => "write a whole number",
            _ => "write a number such as `0.5` or `0x1p-1`, `inf`, `-inf` or `nan`",
        };
        let what = if token.kind == Kind::End { self.found() } else { format!("`{text}`") };
        self.wrong_literal(token.span, &format!("{what} is not a value of type {dtype}"), help);
    }

    pub(super) fn bad_number(&mut self, token: Token) {
        let text = super::shortened(self.text(token.span));
        self.report(
            Diagnostic::error(codes::BAD_NUMBER, format!("`{text}` is not a number"))
                .label(Label::span(token.span, "not a number"))
                .help("numbers look like `12`, `-0.5`, `1e-5`, `0x1.8p-3` (the exponent is needed), `inf` and `nan`"),
        );
    }
}
