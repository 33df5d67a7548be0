//! Tokens. There are no keywords: whether a word is a type, an op or a name is decided by where it stands.

use mil_base::Span;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `[A-Za-z_][A-Za-z0-9_@]*`.
    Word,
    /// Anything that starts like a number, well-formed or not, and `-` with the word after it.
    Number,
    /// `"…"`.
    String,
    /// A string that its line does not end.
    OpenString,
    LParen,
    RParen,
    LBracket,
    RBracket,
    LBrace,
    RBrace,
    Less,
    Greater,
    Comma,
    Semicolon,
    Equals,
    Question,
    Arrow,
    /// `// …` to the end of the line; only [`Lexer::next_with_comments`] gives it.
    Comment,
    /// Characters that start no token.
    Junk,
    /// The end of the text.
    End,
}

impl Kind {
    /// The spelling of a token that has only one.
    pub(crate) fn spelling(self) -> Option<&'static str> {
        Some(match self {
            Kind::LParen => "(",
            Kind::RParen => ")",
            Kind::LBracket => "[",
            Kind::RBracket => "]",
            Kind::LBrace => "{",
            Kind::RBrace => "}",
            Kind::Less => "<",
            Kind::Greater => ">",
            Kind::Comma => ",",
            Kind::Semicolon => ";",
            Kind::Equals => "=",
            Kind::Question => "?",
            Kind::Arrow => "->",
            _ => return None,
        })
    }
}

/// A token and its place.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// Walks a text of at most 4 GiB. Copy it to look ahead.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    /// The byte after the last token; always a character border.
    pub(crate) at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mark = '\u{feff}';
        Lexer { text, at: if text.starts_with(mark) { mark.len_utf8() } else { 0 } }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Moves to the end of the line.
    pub(crate) fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    }

    /// The next token that is not a comment.
    pub(crate) fn next(&mut self) -> Token {
        loop {
            let token = self.next_with_comments();
            if token.kind != Kind::Comment {
                return token;
            }
        }
    }

    /// The next token.
    pub(crate) fn next_with_comments(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        let rest = &bytes[at..];
        let (kind, length) = match rest.first() {
            None => (Kind::End, 0),
            Some(b) => match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => (Kind::Word, word_length(rest)),
                b'0'..=b'9' | b'.' => (Kind::Number, number_length(rest)),
                b'"' => string(rest),
                b'(' => (Kind::LParen, 1),
                b')' => (Kind::RParen, 1),
                b'[' => (Kind::LBracket, 1),
                b']' => (Kind::RBracket, 1),
                b'{' => (Kind::LBrace, 1),
                b'}' => (Kind::RBrace, 1),
                b'<' => (Kind::Less, 1),
                b'>' => (Kind::Greater, 1),
                b',' => (Kind::Comma, 1),
                b';' => (Kind::Semicolon, 1),
                b'=' => (Kind::Equals, 1),
                b'?' => (Kind::Question, 1),
                b'-' if rest.get(1) == Some(&b'>') => (Kind::Arrow, 2),
                b'-' if rest.get(1).is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'.') => {
                    (Kind::Number, number_length(rest))
                }
                b'/' if rest.get(1) == Some(&b'/') => {
                    (Kind::Comment, rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()))
                }
                _ => (Kind::Junk, junk_length(&self.text[at..])),
            },
        };
        self.at = at + length;
        Token { kind, span: Span::new(at as u32, self.at as u32) }
    }
}

/// Can this byte continue a name?
pub(crate) fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'@'
}

fn word_length(rest: &[u8]) -> usize {
    rest.iter().position(|&b| !continues_word(b)).unwrap_or(rest.len())
}

/// A run of word bytes and points, with a sign where an exponent may have one.
pub(crate) fn number_length(rest: &[u8]) -> usize {
    let hex = matches!(rest, [b'0', b'x' | b'X', ..] | [b'-', b'0', b'x' | b'X', ..]);
    let mut n = 1;
    while let Some(&b) = rest.get(n) {
        let sign = matches!(b, b'+' | b'-')
            && match rest[n - 1] {
                b'p' | b'P' => hex,
                b'e' | b'E' => !hex,
                _ => false,
            };
        if !(continues_word(b) || b == b'.' || sign) {
            break;
        }
        n += 1;
    }
    n
}

fn string(rest: &[u8]) -> (Kind, usize) {
    let mut n = 1;
    while let Some(&b) = rest.get(n) {
        match b {
            b'"' => return (Kind::String, n + 1),
            b'\n' => break,
            // The escaped byte is skipped so that `\"` does not end the string; a line break still does.
            b'\\' if rest.get(n + 1).is_some_and(|&b| b != b'\n') => n += 2,
            _ => n += 1,
        }
    }
    (Kind::OpenString, n.min(rest.len()))
}

fn junk_length(rest: &str) -> usize {
    let mut chars = rest.chars();
    let first = chars.next().map_or(0, char::len_utf8);
    if rest.is_char_boundary(1) {
        return first;
    }
    first + chars.take_while(|c| !c.is_ascii()).map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(text: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text);
        let mut all = Vec::new();
        loop {
            let token = lexer.next_with_comments();
            if token.kind == Kind::End {
                return all;
            }
            all.push((token.kind, &text[token.span.range()]));
        }
    }

    #[test]
    fn numbers_keep_their_sign_and_exponent() {
        use Kind::*;
        let cases: &[(&str, &[(Kind, &str)])] = &[
            ("-0x1.8p-3,1", &[(Number, "-0x1.8p-3"), (Comma, ","), (Number, "1")]),
            ("1e-5-> x", &[(Number, "1e-5"), (Arrow, "->"), (Word, "x")]),
            ("-inf]", &[(Number, "-inf"), (RBracket, "]")]),
            ("0x1e-5", &[(Number, "0x1e"), (Number, "-5")]),
            (".5", &[(Number, ".5")]),
            ("a@b_1//c\n-", &[(Word, "a@b_1"), (Comment, "//c"), (Junk, "-")]),
            ("\"a\\\"b\" \"c\n", &[(String, "\"a\\\"b\""), (OpenString, "\"c")]),
            ("äö%x", &[(Junk, "äö"), (Junk, "%"), (Word, "x")]),
            ("\"ab\\é\"", &[(String, "\"ab\\é\"")]),
            ("\"\\", &[(OpenString, "\"\\")]),
        ];
        for (text, expected) in cases {
            assert_eq!(spellings(text), *expected, "{text}");
        }
    }
}
