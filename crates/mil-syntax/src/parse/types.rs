//! Types. A type whose scalar or constructor is not known is reported and survived as `TypeNode { ty: None, .. }`.

use super::Parser;
use crate::codes;
use crate::token::Kind;
use crate::tree::TypeNode;
use mil_base::{DType, Diagnostic, Dim, Label, Shape, Span, Type};

/// The words that build types out of others.
const CONSTRUCTORS: [&str; 5] = ["tensor", "list", "tuple", "dict", "state"];

/// A type, or `None` inside when it was reported.
type Known = Option<Type>;

impl<'t> Parser<'t> {
    pub(super) fn type_node(&mut self) -> Option<TypeNode> {
        let start = self.token.span.start;
        let ty = self.type_()?;
        Some(TypeNode { ty, span: Span::new(start, self.previous_end) })
    }

    fn type_(&mut self) -> Option<Known> {
        let word = self.ident("a type", "types are `fp32`, `tensor<fp32, [1, 4]>`, `state<…>` and so on")?;
        if !self.at(Kind::Less) {
            let scalar = DType::parse(word.text).map(Type::scalar);
            if scalar.is_none() {
                self.unknown_type(word.text, word.span);
            }
            return Some(scalar);
        }
        self.nested(|p| p.constructed(word.text, word.span))
    }

    /// `word<…>`, the `<` being looked at.
    fn constructed(&mut self, word: &str, span: Span) -> Option<Known> {
        self.bump();
        match word {
            "tensor" => self.tensor_type(),
            "list" => {
                let item = self.type_()?;
                self.expect(Kind::Comma, "a list has an item type and a length: `list<int32, ?>`")?;
                let length = self.dim()?;
                self.close()?;
                Some(item.zip(length).map(|(item, length)| Type::List(Box::new(item), length)))
            }
            "tuple" => {
                let items = self.list(Kind::Greater, Self::type_)?;
                Some(items.into_iter().collect::<Types>().map(Type::Tuple))
            }
            "dict" => {
                let key = self.type_()?;
                self.expect(Kind::Comma, "a dictionary has a key and a value type: `dict<string, int32>`")?;
                let value = self.type_()?;
                self.close()?;
                Some(key.zip(value).map(|(key, value)| Type::Dict(Box::new(key), Box::new(value))))
            }
            "state" => {
                let inner = self.type_()?;
                self.close()?;
                Some(inner.map(|inner| Type::State(Box::new(inner))))
            }
            _ => {
                self.unknown_type(word, span);
                self.skip_type_arguments();
                Some(None)
            }
        }
    }

    /// `scalar, [dims]>`, or `scalar, ?>` where the rank is not known.
    fn tensor_type(&mut self) -> Option<Known> {
        let help = "a tensor type is `tensor<fp32, [1, 4]>`";
        let scalar = self.ident("the element type", help)?;
        let dtype = DType::parse(scalar.text);
        if dtype.is_none() {
            self.unknown_type(scalar.text, scalar.span);
        }
        self.expect(Kind::Comma, help)?;
        if self.eat(Kind::Question) {
            self.close()?;
            return Some(dtype.map(Type::Unranked));
        }
        self.expect(Kind::LBracket, help)?;
        let dims: Option<Vec<Dim>> = self.list(Kind::RBracket, Self::dim)?.into_iter().collect();
        self.close()?;
        Some(dtype.zip(dims).map(|(dtype, dims)| Type::tensor(dtype, Shape(dims))))
    }

    fn close(&mut self) -> Option<()> {
        self.expect(Kind::Greater, "close the type with `>`").map(|_| ())
    }

    /// A dimension; `Some(None)` if it was reported.
    fn dim(&mut self) -> Option<Option<Dim>> {
        if self.eat(Kind::Question) {
            return Some(Some(Dim::Unknown));
        }
        if !matches!(self.token.kind, Kind::Number | Kind::Word) {
            self.expected("a dimension", "dimensions are whole numbers, or `?` where the size is not known");
            return None;
        }
        let span = self.bump().span;
        let text = self.text(span);
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        // Sizes that no tensor can have would only overflow later.
        let size = text.parse::<u32>().ok().filter(|_| digits).map(|n| n as usize);
        if size.is_none() {
            let message = if digits {
                format!("the dimension {} is too large", super::shortened(text))
            } else {
                format!("`{}` is not a dimension", super::shortened(text))
            };
            self.report(
                Diagnostic::error(codes::BAD_DIMENSION, message)
                    .label(Label::span(span, "a whole number below 2^32, or `?`"))
                    .help("write the size, or `?` where it is not known"),
            );
        }
        Some(size.map(Dim::Known))
    }

    fn unknown_type(&mut self, word: &str, span: Span) {
        let (message, help) = if CONSTRUCTORS.contains(&word) {
            (format!("`{word}` needs to say of what"), format!("write {}", example(word)))
        } else {
            let nearest = nearest(word);
            let help = match nearest {
                Some(name) => format!("did you mean `{name}`?"),
                None => "scalars are bool, string, fp16, fp32, int32, …; others are `tensor<fp32, [1, 4]>`, \
                         `list`, `tuple`, `dict` and `state`"
                    .to_owned(),
            };
            (format!("there is no type `{}`", super::shortened(word)), help)
        };
        self.report(
            Diagnostic::error(codes::UNKNOWN_TYPE, message).label(Label::span(span, "not a type")).help(help),
        );
    }

    /// Skips to the `>` that closes a type whose `<` has been taken.
    fn skip_type_arguments(&mut self) {
        let mut open = 1usize;
        loop {
            match self.token.kind {
                Kind::Less => open += 1,
                Kind::Greater => open -= 1,
                Kind::End | Kind::Semicolon | Kind::LBrace | Kind::RBrace | Kind::LParen | Kind::RParen => {
                    return;
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

/// All types of a list, or nothing if one is unknown.
type Types = Option<Vec<Type>>;

fn example(word: &str) -> &'static str {
    match word {
        "list" => "`list<int32, ?>`",
        "tuple" => "`tuple<string, int32>`",
        "dict" => "`dict<string, int32>`",
        "state" => "`state<tensor<fp16, [1, 4]>>`",
        _ => "`tensor<fp32, [1, 4]>`",
    }
}

/// The type name that `word` was probably meant to be.
fn nearest(word: &str) -> Option<&'static str> {
    let common: &[(&str, &str)] = &[
        ("float", "fp32"),
        ("float16", "fp16"),
        ("half", "fp16"),
        ("float32", "fp32"),
        ("double", "fp64"),
        ("float64", "fp64"),
        ("bfloat16", "bf16"),
        ("int", "int32"),
        ("str", "string"),
        ("boolean", "bool"),
    ];
    let lower = word.get(..16).unwrap_or(word).to_ascii_lowercase();
    if let Some((_, name)) = common.iter().find(|(other, _)| *other == lower) {
        return Some(name);
    }
    let names = DType::ALL.iter().map(|d| d.name()).chain(CONSTRUCTORS);
    names
        .map(|name| (strsim::damerau_levenshtein(&lower, name), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
