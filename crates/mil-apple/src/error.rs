//! What can go wrong on the way to Apple's frameworks and back.

use crate::codes;
use mil_ane::errors::{self, Domain, ErrorEntry};
use mil_base::Diagnostic;
use mil_run::RunError;
use std::fmt;

/// A call that did not do what was asked, with everything known about why.
#[derive(Clone, PartialEq, Debug)]
pub enum BridgeError {
    /// Neither a Mac nor the doubles are here.
    NotHere {
        /// The runtime or service asked for.
        wanted: &'static str,
    },
    /// A framework did not load.
    Framework {
        /// Its path.
        path: String,
        /// The loader's words.
        why: String,
        /// The system, with its version.
        system: String,
    },
    /// No class of that name.
    MissingClass {
        /// The class.
        class: String,
        /// The system, with its version.
        system: String,
    },
    /// No such method.
    MissingSelector {
        /// The class.
        class: String,
        /// The selector, with `+` or `-`.
        selector: String,
        /// The system, with its version.
        system: String,
    },
    /// The method has other types than we know.
    Encoding {
        /// The class.
        class: String,
        /// The selector, with `+` or `-`.
        selector: String,
        /// The types we know.
        expected: String,
        /// The types it has.
        found: String,
        /// The system, with its version.
        system: String,
    },
    /// No such C function.
    MissingSymbol {
        /// The library.
        library: String,
        /// The function.
        symbol: String,
        /// The system, with its version.
        system: String,
    },
    /// An `NSError`.
    Cocoa {
        /// The call that gave it.
        call: &'static str,
        /// Its domain.
        domain: String,
        /// Its code.
        code: i64,
        /// Its description, with the underlying errors' descriptions.
        description: String,
    },
    /// An Objective-C exception, caught.
    Exception {
        /// The call that threw.
        call: &'static str,
        /// Its name.
        name: String,
        /// Its reason.
        reason: String,
    },
    /// Nothing, and no error either.
    Null {
        /// The call.
        call: &'static str,
    },
    /// A status of the e5rt interface.
    Status {
        /// The function.
        call: &'static str,
        /// What it answered.
        status: i32,
        /// The library's last error message, if it has one.
        text: String,
    },
    /// An output that nothing was written to.
    Untouched {
        /// The output.
        output: String,
        /// The call that reported success.
        call: &'static str,
    },
    /// The user's program or wish does not fit this path.
    Refused(Box<Diagnostic>),
    /// The program could not be staged.
    Stage {
        /// The file or folder.
        path: String,
        /// What happened.
        why: String,
    },
    /// The process that made the call died.
    WorkerDied {
        /// What it was doing.
        during: String,
        /// How it ended.
        how: String,
    },
}

impl BridgeError {
    /// A refusal with a remedy.
    pub fn refused(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> BridgeError {
        BridgeError::Refused(Box::new(Diagnostic::error(code, message.into()).help(help.into())))
    }

    /// Its code in [`codes`].
    pub fn code(&self) -> &'static str {
        match self {
            BridgeError::NotHere { .. } => codes::NOT_HERE,
            BridgeError::Framework { .. } => codes::FRAMEWORK,
            BridgeError::MissingClass { .. } => codes::MISSING_CLASS,
            BridgeError::MissingSelector { .. } => codes::MISSING_SELECTOR,
            BridgeError::Encoding { .. } => codes::ENCODING,
            BridgeError::MissingSymbol { .. } => codes::MISSING_SYMBOL,
            BridgeError::Cocoa { .. } => codes::COCOA,
            BridgeError::Exception { .. } => codes::EXCEPTION,
            BridgeError::Null { .. } => codes::NULL,
            BridgeError::Status { .. } => codes::STATUS,
            BridgeError::Untouched { .. } => codes::UNTOUCHED,
            BridgeError::Refused(d) => d.code,
            BridgeError::Stage { .. } => codes::STAGE,
            BridgeError::WorkerDied { .. } => codes::WORKER,
        }
    }

    /// As a diagnostic: message and remedy.
    pub fn diagnostic(&self) -> Diagnostic {
        if let BridgeError::Refused(d) = self {
            return (**d).clone();
        }
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// What is known of the numbers in it, the most telling first: those its description mentions, then its own.
    pub fn decoded(&self) -> Vec<&'static ErrorEntry> {
        match self {
            BridgeError::Cocoa { domain, code, description, .. } => {
                let own = Domain::named(domain).and_then(|domain| errors::lookup(domain, *code));
                errors::mentioned(description).into_iter().chain(own).collect()
            }
            BridgeError::Status { status, .. } => {
                errors::lookup(Domain::E5rt, i64::from(*status)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn help(&self) -> Option<String> {
        if let Some(entry) = self.decoded().first() {
            let ErrorEntry { name, remedy, slug, .. } = entry;
            return Some(format!("{name}. {remedy} More: `milwright explain {slug}`"));
        }
        Some(match self {
            BridgeError::NotHere { .. } => {
                "run on a Mac, use `--runtime cpu`, or build with `--features doubles` to try the path itself".into()
            }
            BridgeError::MissingClass { .. }
            | BridgeError::MissingSelector { .. }
            | BridgeError::Encoding { .. }
            | BridgeError::MissingSymbol { .. }
            | BridgeError::Framework { .. } => {
                "another runtime may work here (`coreml` needs public interfaces only); please report it with the system's version".into()
            }
            BridgeError::Untouched { .. } => {
                "the result is not believed; please report it with the program and the system's version".into()
            }
            _ => return None,
        })
    }
}

impl fmt::Display for BridgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BridgeError::NotHere { wanted } => write!(f, "`{wanted}` needs a Mac, and this is not one"),
            BridgeError::Framework { path, why, system } => {
                write!(f, "{system} did not load `{path}`: {why}")
            }
            BridgeError::MissingClass { class, system } => write!(f, "{system} has no class `{class}`"),
            BridgeError::MissingSelector { class, selector, system } => {
                write!(f, "`{class}` has no `{selector}` in {system}")
            }
            BridgeError::Encoding { class, selector, expected, found, system } => write!(
                f,
                "`{selector}` of `{class}` has the types {found} in {system}, where {expected} was expected"
            ),
            BridgeError::MissingSymbol { library, symbol, system } => {
                write!(f, "`{library}` exports no `{symbol}` in {system}")
            }
            BridgeError::Cocoa { call, domain, code, description } => {
                write!(f, "{call} failed: {description} ({domain} {code})")
            }
            BridgeError::Exception { call, name, reason } => write!(f, "{call} threw {name}: {reason}"),
            BridgeError::Null { call } => write!(f, "{call} returned nothing and no error"),
            BridgeError::Status { call, status, text } if text.is_empty() => {
                write!(f, "{call} answered with status {status}")
            }
            BridgeError::Status { call, status, text } => {
                write!(f, "{call} answered with status {status}: {text}")
            }
            BridgeError::Untouched { output, call } => {
                write!(f, "nothing was written to `{output}`, though {call} reported success")
            }
            BridgeError::Refused(d) => f.write_str(&d.message),
            BridgeError::Stage { path, why } => write!(f, "cannot stage the program in `{path}`: {why}"),
            BridgeError::WorkerDied { during, how } => {
                write!(f, "the worker process died while {during}: {how}")
            }
        }
    }
}

impl std::error::Error for BridgeError {}

impl From<BridgeError> for RunError {
    fn from(error: BridgeError) -> RunError {
        RunError::Refused(vec![error.diagnostic()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cocoa(domain: &str, code: i64, description: &str) -> BridgeError {
        let (domain, description) = (domain.to_owned(), description.to_owned());
        BridgeError::Cocoa { call: "evaluate", domain, code, description }
    }

    #[test]
    fn codes_are_decoded_to_a_remedy() {
        let slugs = |e: &BridgeError| e.decoded().iter().map(|e| e.slug).collect::<Vec<_>>();
        let failed = cocoa("com.apple.appleneuralengine", 8, "Failed with status=0x1d : statusType=0x9");
        assert_eq!(slugs(&failed), ["ane/status-0x1d", "ane/status-type-0x9", "ane/error-8"]);
        let help = failed.diagnostic().help.unwrap_or_default();
        assert!(help.contains("milwright explain ane/status-0x1d"), "{help}");
        assert_eq!(
            slugs(&cocoa("com.apple.appleneuralengine.compiler", 1, "ANECCompile() FAILED")),
            ["ane-compiler/error-1"]
        );
        assert_eq!(slugs(&cocoa("NSCocoaErrorDomain", 4, "no such file")), <[&str; 0]>::default());
        let status = BridgeError::Status { call: "e5rt_buffer_object_alloc", status: 5, text: String::new() };
        assert_eq!(slugs(&status), ["e5rt/status-5"]);
    }
}
