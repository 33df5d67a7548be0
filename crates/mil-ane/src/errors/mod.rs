//! What the numbers of the Neural Engine's errors mean: cause and remedy of each, with source and confidence.
//!
//! Apple documents none of them. Meanings are those that sources read from binaries or saw happen; the remedies are ours. No entry was
//! confirmed by us on hardware.

mod daemon;
mod lower;
mod page;

pub use page::page;

use crate::Confidence;
use std::fmt;

/// Who counts the code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Domain {
    /// `NSError` domain `com.apple.appleneuralengine`, made by `_ANEErrors`.
    Ane,
    /// `NSError` domain `com.apple.appleneuralengine.compiler`.
    Compiler,
    /// `NSError` domain `com.apple.appleneuralengine.espresso`.
    Espresso,
    /// `status=` in the description of a failed request.
    Status,
    /// `statusType=` in the description of a failed request.
    StatusType,
    /// The return value of the C function `ANECCompile`.
    Anec,
    /// A kernel return value (IOKit), as 32 bits without sign.
    Kernel,
    /// The `int` that `e5rt_*` functions return.
    E5rt,
}

impl Domain {
    /// The domain that an `NSError` names.
    pub fn named(name: &str) -> Option<Domain> {
        match name.strip_prefix("com.apple.appleneuralengine")? {
            "" => Some(Domain::Ane),
            ".compiler" => Some(Domain::Compiler),
            ".espresso" => Some(Domain::Espresso),
            _ => None,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Domain::Ane => "com.apple.appleneuralengine",
            Domain::Compiler => "com.apple.appleneuralengine.compiler",
            Domain::Espresso => "com.apple.appleneuralengine.espresso",
            Domain::Status => "status of a request",
            Domain::StatusType => "statusType of a request",
            Domain::Anec => "ANECCompile",
            Domain::Kernel => "IOKit",
            Domain::E5rt => "e5rt",
        })
    }
}

/// One code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorEntry {
    /// What `milwright explain` calls it, `ane/error-15`.
    pub slug: &'static str,
    /// Who counts it.
    pub domain: Domain,
    /// The code.
    pub code: i64,
    /// Its meaning in a few words.
    pub name: &'static str,
    /// What leads to it, as far as is known.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where the meaning and the cause are from.
    pub source: &'static str,
    /// How sure they are.
    pub confidence: Confidence,
}

impl ErrorEntry {
    /// The code as its domain writes it: `15`, `0x1d`.
    pub fn number(&self) -> String {
        match self.domain {
            Domain::Status | Domain::StatusType => format!("{:#x}", self.code),
            Domain::Kernel => format!("{:#010x}", self.code),
            _ => self.code.to_string(),
        }
    }

    /// The manual page, in Markdown.
    pub fn page(&self) -> String {
        format!(
            "# {}\n\n`{}` code {}: {}.\n\n{}\n\n**Remedy.** {}\n\nSource: {}. Confidence: {}. Not confirmed by us on hardware.\n",
            self.slug,
            self.domain,
            self.number(),
            self.name,
            self.cause,
            self.remedy,
            self.source,
            self.confidence
        )
    }
}

/// Every entry, by domain, then code.
pub fn all() -> impl Iterator<Item = &'static ErrorEntry> {
    daemon::ENTRIES.iter().chain(lower::ENTRIES)
}

/// The entry of a code.
pub fn lookup(domain: Domain, code: i64) -> Option<&'static ErrorEntry> {
    // Kernel codes have their highest bit set and arrive with or without a sign.
    let code = if domain == Domain::Kernel { code & 0xffff_ffff } else { code };
    all().find(|e| e.domain == domain && e.code == code)
}

/// The entries of the codes that a description mentions, `status=0x1d : statusType=0x9`, and of kernel codes in it.
///
/// Numbers are hexadecimal with `0x`, else decimal.
pub fn mentioned(description: &str) -> Vec<&'static ErrorEntry> {
    let mut found: Vec<&'static ErrorEntry> = Vec::new();
    for word in description.split(|c: char| !(c.is_ascii_alphanumeric() || c == '=' || c == '-')) {
        let entry = match word.rsplit_once('=') {
            Some(("status", code)) => number(code).and_then(|n| lookup(Domain::Status, n)),
            Some(("statusType", code)) => number(code).and_then(|n| lookup(Domain::StatusType, n)),
            _ => number(word).filter(|n| *n >= 0xe000_0000).and_then(|n| lookup(Domain::Kernel, n)),
        };
        if let Some(entry) = entry
            && !found.contains(&entry)
        {
            found.push(entry);
        }
    }
    found
}

fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

/// Rows of a table of [`ErrorEntry`].
macro_rules! entries {
    ($($domain:ident $code:literal $slug:literal $name:literal, $cause:literal, $remedy:literal, $source:literal $confidence:ident;)*) => {
        &[$(ErrorEntry {
            slug: $slug,
            domain: Domain::$domain,
            code: $code,
            name: $name,
            cause: $cause,
            remedy: $remedy,
            source: $source,
            confidence: Confidence::$confidence,
        }),*]
    };
}
use entries;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_domain() {
        let chaining = lookup(Domain::named("com.apple.appleneuralengine").unwrap(), 15).unwrap();
        assert_eq!(chaining.slug, "ane/error-15");
        assert!(chaining.page().contains("link"));
        assert_eq!(lookup(Domain::Kernel, -536_870_174).unwrap().number(), "0xe00002e2");
        assert!(lookup(Domain::Ane, 30).is_none() && Domain::named("NSCocoaErrorDomain").is_none());
        assert!((1..=29).all(|code| lookup(Domain::Ane, code).is_some()));
        assert!((0..=6).all(|code| lookup(Domain::E5rt, code).is_some()));
    }

    #[test]
    fn a_description_is_searched_for_codes() {
        let text = "ANEProgramProcessRequestDirect() Failed with status=0x1d : statusType=0x9: Program Inference error";
        let slugs = |text: &str| mentioned(text).iter().map(|e| e.slug).collect::<Vec<_>>();
        assert_eq!(slugs(text), ["ane/status-0x1d", "ane/status-type-0x9"]);
        assert_eq!(slugs("kernel said (0xe00002c7), twice 0xe00002c7"), ["iokit/0xe00002c7"]);
        assert_eq!(slugs("status=0xffffffffffffffffffff =0x 3758097095"), ["iokit/0xe00002c7"]);
        assert!(slugs("").is_empty());
    }

    #[test]
    fn entries_are_whole_sentences_and_unique() {
        let entries: Vec<_> = all().collect();
        for (i, e) in entries.iter().enumerate() {
            assert!(e.cause.ends_with('.') && e.remedy.ends_with('.'), "{}", e.slug);
            assert!(!e.name.ends_with('.') && !e.source.is_empty(), "{}", e.slug);
            assert!(
                entries[..i].iter().all(|o| o.slug != e.slug && (o.domain, o.code) != (e.domain, e.code)),
                "{}",
                e.slug
            );
            assert_eq!(lookup(e.domain, e.code), Some(*e));
        }
        assert!(entries.windows(2).all(|w| (w[0].domain, w[0].code) < (w[1].domain, w[1].code)));
    }
}
