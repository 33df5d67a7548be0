//! Programs that do not say which compiler wrote them.

use crate::lint::{Level, Lint, LintCx};

/// The lint `missing-build-info`.
pub static MISSING_BUILD_INFO: Lint = Lint {
    code: "lint/missing-build-info",
    summary: "a program without buildInfo",
    level: Level::Allow,
    page: include_str!("missing_build_info.md"),
    run,
};

fn run(cx: &mut LintCx<'_>) {
    if !cx.program().attributes.iter().any(|(name, _)| name == "buildInfo") {
        let help = "write [buildInfo = dict<string, string>({{\"coremlc-version\", \"3520.5.1\"}})] after `program(1.3)`";
        cx.whole("the program has no buildInfo".to_owned(), help);
    }
}
