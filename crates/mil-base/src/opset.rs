//! The op sets of Core ML, by the system that introduced them.

use std::fmt;

/// An op set. Text spells it `ios17`, the protobuf `CoreML7` (`facts/mil-blob-format.md` section 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Opset {
    /// iOS 15, `CoreML5`, specification version 6. Ops that coremltools dates to iOS 13 or 14 start here.
    Ios15,
    /// iOS 16, `CoreML6`, specification version 7.
    Ios16,
    /// iOS 17, `CoreML7`, specification version 8.
    Ios17,
    /// iOS 18, `CoreML8`, specification version 9.
    Ios18,
    /// iOS 26, `CoreML9`, specification version 10.
    Ios26,
}

impl Opset {
    /// Every op set, oldest first.
    pub const ALL: &'static [Opset] = &[Opset::Ios15, Opset::Ios16, Opset::Ios17, Opset::Ios18, Opset::Ios26];

    /// The spelling in MIL text.
    pub const fn text(self) -> &'static str {
        match self {
            Opset::Ios15 => "ios15",
            Opset::Ios16 => "ios16",
            Opset::Ios17 => "ios17",
            Opset::Ios18 => "ios18",
            Opset::Ios26 => "ios26",
        }
    }

    /// The spelling in the protobuf.
    pub const fn core_ml(self) -> &'static str {
        match self {
            Opset::Ios15 => "CoreML5",
            Opset::Ios16 => "CoreML6",
            Opset::Ios17 => "CoreML7",
            Opset::Ios18 => "CoreML8",
            Opset::Ios26 => "CoreML9",
        }
    }

    /// The specification version of a model that needs this op set.
    pub const fn specification_version(self) -> i32 {
        self as i32 + 6
    }

    /// The op set spelled `text`, in either spelling.
    pub fn parse(text: &str) -> Option<Opset> {
        Opset::ALL.iter().copied().find(|o| o.text() == text || o.core_ml() == text)
    }
}

impl fmt::Display for Opset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
