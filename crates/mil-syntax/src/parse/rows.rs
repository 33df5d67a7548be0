//! Tensor literals: nested rows, packed as they are read.
//!
//! Rows of numbers are scanned straight from the bytes; whatever the scan does not take (comments, strings, mistakes)
//! goes through the lexer, which reports it. Nothing is allocated by declared sizes, only by what the text holds.

use super::Parser;
use crate::codes;
use crate::number::{self, Integer};
use crate::token::{Kind, Token};
use crate::tree::Literal;
use bytes::Bytes;
use mil_base::{DType, Diagnostic, Dim, Label, Span, Tensor, TensorType};

/// The elements read so far, in their own layout; packed types take eight bytes each until the end.
struct Elements {
    dtype: DType,
    bytes: Vec<u8>,
    strings: Vec<String>,
    /// Every element fitted.
    sound: bool,
}

/// What is known about one level of brackets.
struct Level {
    /// The declared size, or that of the first row at this level.
    size: Option<usize>,
    /// The size is the type's.
    declared: bool,
    /// Items in the row that is being read.
    count: usize,
    /// Where that row opened.
    open: Span,
}

impl<'t> Parser<'t> {
    /// A scalar or nested rows of type `ty`; elements and sizes that do not fit make it `Invalid`.
    pub(super) fn tensor_literal(&mut self, ty: &TensorType) -> Option<Literal> {
        let mut elements = Elements { dtype: ty.dtype, bytes: Vec::new(), strings: Vec::new(), sound: true };
        let shape = if ty.shape.rank() == 0 {
            self.scalar_literal(&mut elements);
            Some(Vec::new())
        } else {
            self.rows(ty, &mut elements)?
        };
        Some(match shape {
            Some(shape) if elements.sound => {
                elements.tensor(&shape).map_or(Literal::Invalid, Literal::Tensor)
            }
            _ => Literal::Invalid,
        })
    }

    fn scalar_literal(&mut self, elements: &mut Elements) {
        if self.at(Kind::LBracket) {
            elements.sound = false;
            self.literal_shape(
                "a scalar is written without brackets",
                "remove the brackets, or declare a tensor type",
            );
            self.skip_balanced();
            return;
        }
        self.element(elements);
    }

    fn literal_shape(&mut self, message: &str, help: &str) {
        self.report(
            Diagnostic::error(codes::LITERAL_SHAPE, message)
                .label(Label::span(self.token.span, "here"))
                .help(help),
        );
    }

    /// Reads rows into `elements` and gives their shape; `Some(None)` if the sizes are wrong but the brackets close.
    fn rows(&mut self, ty: &TensorType, elements: &mut Elements) -> Option<Option<Vec<usize>>> {
        let rank = ty.shape.rank();
        if !self.at(Kind::LBracket) {
            self.literal_shape(
                &format!("a value of type {ty} is written in brackets"),
                &format!("write {rank} level{} of brackets", if rank == 1 { "" } else { "s" }),
            );
            self.skip_balanced();
            return Some(None);
        }
        // The type of a tensor without elements says all there is to say.
        if self.peek() == Kind::RBracket && ty.shape.count() == Some(0) {
            self.bump();
            self.bump();
            return Some(ty.shape.sizes());
        }
        let mut levels: Vec<Level> = ty.shape.iter().map(|dim| Level::new(*dim, self.token.span)).collect();
        let mut depth = 0;
        let mut sound = true;
        loop {
            // Looking at what starts an item of the level `depth`, which is not the innermost.
            if self.at(Kind::LBracket) {
                levels[depth].open = self.token.span;
                levels[depth].count = 0;
                depth += 1;
                if depth == rank {
                    levels[depth - 1].count = self.row(elements)?;
                } else {
                    self.bump();
                    if !self.at(Kind::RBracket) {
                        continue;
                    }
                }
            } else {
                self.literal_shape(
                    &format!("a row is wanted here, {} levels deep, not {}", depth + 1, self.found()),
                    &format!("a value of type {ty} has {rank} levels of brackets"),
                );
                sound = false;
                if matches!(self.token.kind, Kind::RParen | Kind::End | Kind::Semicolon) {
                    return None;
                }
                self.skip_balanced();
                if let Some(level) = depth.checked_sub(1) {
                    levels[level].count += 1;
                }
            }
            // Looking at what follows an item: close levels, then go on with the next item.
            while self.at(Kind::RBracket) {
                depth -= 1;
                sound &= self.close_level(&mut levels[depth]);
                self.bump();
                if depth == 0 {
                    return Some(sound.then(|| shape(&levels)));
                }
                levels[depth - 1].count += 1;
            }
            if !self.at(Kind::Comma) {
                self.expected("`,` or `]`", "separate rows with `,` and close each with `]`");
                return None;
            }
            self.bump();
        }
    }

    /// Compares the items of a finished row with the size of its level.
    fn close_level(&mut self, level: &mut Level) -> bool {
        let Some(size) = level.size else {
            level.size = Some(level.count);
            return true;
        };
        if size == level.count {
            return true;
        }
        let span = Span::new(level.open.start, self.token.span.end);
        if level.declared {
            self.wrong_count(span, &size.to_string(), level.count);
        } else {
            self.report(
                Diagnostic::error(
                    codes::RAGGED_LITERAL,
                    format!("this row is {} long, the rows before it {size}", level.count),
                )
                .label(Label::span(span, format!("its size is {}", level.count)))
                .help("give every row the same number of items"),
            );
        }
        false
    }

    /// The innermost row, its `[` being looked at; afterwards its `]` is. Gives the number of items.
    fn row(&mut self, elements: &mut Elements) -> Option<usize> {
        let mut count = 0;
        loop {
            // The lexer stands after `[` or `,`, so whole elements can be taken from the bytes.
            count += self.scan(elements);
            self.bump();
            if self.at(Kind::RBracket) && count == 0 {
                return Some(0);
            }
            if self.at(Kind::LBracket) {
                self.literal_shape(
                    "there are more levels of brackets than the type has dimensions",
                    "remove the brackets, or change the type",
                );
                elements.sound = false;
                self.skip_balanced();
            } else {
                if matches!(
                    self.token.kind,
                    Kind::RParen | Kind::RBracket | Kind::Comma | Kind::End | Kind::Semicolon
                ) {
                    self.expected("an element", "remove the `,`, or write the element that is missing");
                    return None;
                }
                self.element(elements);
            }
            count += 1;
            if self.at(Kind::RBracket) {
                return Some(count);
            }
            if !self.at(Kind::Comma) {
                self.expected("`,` or `]`", "separate elements with `,` and close the row with `]`");
                return None;
            }
        }
    }

    /// Takes elements that a comma follows straight from the bytes after the token that is looked at, as far as they are
    /// plain numbers that fit; the last element of a row is always left. Gives how many were taken.
    fn scan(&mut self, elements: &mut Elements) -> usize {
        let bytes = self.lexer.text().as_bytes();
        let dtype = elements.dtype;
        let out = &mut elements.bytes;
        let at = &mut self.lexer.at;
        let float = |text: &[u8]| number::float(text, dtype).filter(|f| !f.overflow).map(|f| f.bits);
        match dtype {
            DType::Bool | DType::String => 0,
            DType::Fp64 => scan::<8>(bytes, at, out, |t| Some(float(t)?.to_le_bytes())),
            DType::Fp32 => scan::<4>(bytes, at, out, |t| Some((float(t)? as u32).to_le_bytes())),
            DType::Fp16 | DType::Bf16 => {
                scan::<2>(bytes, at, out, |t| Some((float(t)? as u16).to_le_bytes()))
            }
            DType::Fp8E4M3Fn | DType::Fp8E5M2 => scan::<1>(bytes, at, out, |t| Some([float(t)? as u8])),
            DType::Int8 => scan::<1>(bytes, at, out, |t| short(t)?.try_into().ok().map(i8::to_le_bytes)),
            DType::UInt8 => scan::<1>(bytes, at, out, |t| short(t)?.try_into().ok().map(u8::to_le_bytes)),
            DType::Int16 => scan::<2>(bytes, at, out, |t| short(t)?.try_into().ok().map(i16::to_le_bytes)),
            DType::UInt16 => scan::<2>(bytes, at, out, |t| short(t)?.try_into().ok().map(u16::to_le_bytes)),
            DType::Int32 => scan::<4>(bytes, at, out, |t| short(t)?.try_into().ok().map(i32::to_le_bytes)),
            DType::UInt32 => scan::<4>(bytes, at, out, |t| short(t)?.try_into().ok().map(u32::to_le_bytes)),
            DType::UInt64 => scan::<8>(bytes, at, out, |t| short(t)?.try_into().ok().map(u64::to_le_bytes)),
            DType::Int64 => scan::<8>(bytes, at, out, |t| short(t).map(i64::to_le_bytes)),
            _ => {
                let (low, high) = dtype.int_range().unwrap_or((0, 0));
                let range = low as i64..=high as i64;
                scan::<8>(bytes, at, out, |t| short(t).filter(|n| range.contains(n)).map(i64::to_le_bytes))
            }
        }
    }

    /// One element: the token that is looked at.
    fn element(&mut self, elements: &mut Elements) {
        let token = self.token;
        let text = self.text(token.span);
        let dtype = elements.dtype;
        let taken = match token.kind {
            Kind::String | Kind::OpenString if dtype == DType::String => {
                let string = self.unescaped(token).into_owned();
                elements.strings.push(string);
                elements.sound &= token.kind == Kind::String;
                true
            }
            Kind::Word if dtype == DType::Bool && matches!(text, "true" | "false") => {
                elements.bytes.push(u8::from(text == "true"));
                true
            }
            Kind::Number | Kind::Word if dtype.is_float() => self.float_element(elements, token),
            Kind::Number if dtype.is_int() => self.integer_element(elements, token),
            _ => {
                self.wrong_scalar(token, dtype);
                false
            }
        };
        elements.sound &= taken;
        if matches!(token.kind, Kind::Number | Kind::Word | Kind::String | Kind::OpenString) {
            self.bump();
        } else {
            self.skip_balanced();
        }
    }

    fn float_element(&mut self, elements: &mut Elements, token: Token) -> bool {
        let text = self.text(token.span);
        let dtype = elements.dtype;
        let Some(float) = number::float(text.as_bytes(), dtype) else {
            if token.kind == Kind::Number {
                self.bad_number(token);
            } else {
                self.wrong_scalar(token, dtype);
            }
            return false;
        };
        if float.overflow {
            let message = format!("{} is beyond the largest {dtype}", super::shortened(text));
            self.report(
                Diagnostic::warning(codes::FLOAT_OUT_OF_RANGE, message)
                    .label(Label::span(token.span, "becomes infinite, or not a number"))
                    .help("write `inf` if that is meant, or use a wider type"),
            );
        }
        let size = dtype.size().unwrap_or(8);
        elements.bytes.extend_from_slice(&float.bits.to_le_bytes()[..size]);
        true
    }

    fn integer_element(&mut self, elements: &mut Elements, token: Token) -> bool {
        let dtype = elements.dtype;
        let Some(Integer { negative, magnitude }) = number::integer(self.text(token.span).as_bytes()) else {
            self.wrong_scalar(token, dtype);
            return false;
        };
        let (low, high) = dtype.int_range().unwrap_or((0, 0));
        let value = magnitude.map(|m| if negative { -i128::from(m) } else { i128::from(m) });
        let Some(value) = value.filter(|v| (low..=high).contains(v)) else {
            let text = super::shortened(self.text(token.span));
            self.report(
                Diagnostic::error(codes::INTEGER_OUT_OF_RANGE, format!("{text} does not fit in {dtype}"))
                    .label(Label::span(token.span, format!("{dtype} holds {low} to {high}")))
                    .help("use a wider type, or another value"),
            );
            return false;
        };
        let size = dtype.size().unwrap_or(8);
        elements.bytes.extend_from_slice(&value.to_le_bytes()[..size]);
        true
    }
}

impl Level {
    fn new(dim: Dim, open: Span) -> Level {
        Level { size: dim.known(), declared: dim.known().is_some(), count: 0, open }
    }
}

/// The sizes read; a level that no row reached has none.
fn shape(levels: &[Level]) -> Vec<usize> {
    levels.iter().map(|level| level.size.unwrap_or(0)).collect()
}

impl Elements {
    fn tensor(self, shape: &[usize]) -> Option<Tensor> {
        match self.dtype {
            DType::String => Tensor::from_strings(shape, self.strings).ok(),
            dtype if dtype.is_packed() => {
                let words = self.bytes.chunks_exact(8).map(|c| c.try_into().map_or(0, i64::from_le_bytes));
                Tensor::from_i64(dtype, shape, &words.collect::<Vec<_>>()).ok()
            }
            dtype => Tensor::from_bytes(dtype, shape, Bytes::from(self.bytes)).ok(),
        }
    }
}

/// The bytes that numbers consist of.
const IN_NUMBER: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        table[i] = b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
        i += 1;
    }
    table
};

/// Takes `number ,` again and again from `bytes[*at..]`, up to the first that `read` refuses or that no comma follows
/// (spaces allowed). `*at` stays before the last element and after the comma before it.
fn scan<const N: usize>(
    bytes: &[u8],
    at: &mut usize,
    out: &mut Vec<u8>,
    read: impl Fn(&[u8]) -> Option<[u8; N]>,
) -> usize {
    let mut count = 0;
    loop {
        let mut start = *at;
        while matches!(bytes.get(start), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            start += 1;
        }
        let mut end = start;
        while bytes.get(end).is_some_and(|&b| IN_NUMBER[b as usize]) {
            end += 1;
        }
        if bytes.get(end) != Some(&b',') {
            return count;
        }
        let Some(element) = read(&bytes[start..end]) else { return count };
        out.extend_from_slice(&element);
        *at = end + 1;
        count += 1;
    }
}

/// A short integer; anything longer or odd is left to the lexer.
fn short(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for &b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(b - b'0');
    }
    Some(if negative { -value } else { value })
}
