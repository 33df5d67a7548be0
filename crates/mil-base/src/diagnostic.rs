//! What Milwright tells a user about a program: one type for every front, stage and format.

use crate::name::Name;
use crate::span::Span;

/// How serious a [`Diagnostic`] is. Ordered: `Note < Warning < Error`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably a mistake; the program still runs.
    Warning,
    /// The program, or its input, is wrong.
    Error,
}

/// Where in a program something is: function, op, argument, as far as they are known.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Place {
    /// The function's name.
    pub function: Option<Name>,
    /// Index of the op in the function's arena of ops.
    pub op: Option<u32>,
    /// A name for people: the op's first output, or its kind when it has none.
    pub op_name: Option<Name>,
    /// The argument, attribute, parameter or output within it.
    pub argument: Option<Name>,
}

/// A place with a remark; the first label of a diagnostic is where it is reported.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// Where in the program.
    pub place: Place,
    /// Where in the text, when the program was read from text.
    pub span: Option<Span>,
    /// The remark, without a final stop. May be empty.
    pub message: String,
}

impl Label {
    /// A label on a range of the source text.
    pub fn span(span: Span, message: impl Into<String>) -> Label {
        Label { place: Place::default(), span: Some(span), message: message.into() }
    }

    /// A label on a place of a program that may have no text.
    pub fn place(place: Place, message: impl Into<String>) -> Label {
        Label { place, span: None, message: message.into() }
    }
}

/// One remark about a program or an input.
///
/// `code` is a readable slug path such as `syntax/expected-token` or `layer_norm/axes-in-range`. It is never a
/// number and never reused for something else; `milwright explain CODE` tells more.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// The slug path.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// One sentence, no final stop.
    pub message: String,
    /// Places, the main one first.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without places yet.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message)
    }

    /// A warning without places yet.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message)
    }

    /// A remark of the given severity.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Adds a label.
    pub fn label(mut self, label: Label) -> Diagnostic {
        self.labels.push(label);
        self
    }

    /// Says what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Is it an error?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts by place: by span where there is one, else by function, op and argument; errors first at one place.
pub fn sort_by_place(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_cached_key(|d| {
        let label = d.labels.first();
        let place = label.map(|l| l.place.clone()).unwrap_or_default();
        let span = label.and_then(|l| l.span).map_or((0, 0), |s| (s.start, s.end));
        let severity = std::cmp::Reverse(d.severity);
        (span, place.function, place.op, place.argument, severity, d.code, d.message.clone())
    });
}
