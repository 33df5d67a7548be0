//! The pages of the lints: every lint passes the programs it says it passes and warns about the others.

use mil_check::lint::{Level, Levels, lint};
use mil_check::lints::ALL;
use mil_ir::Origins;
use mil_testkit::case::{checked, rendered};

/// The programs of a page under one fence.
fn programs(page: &str, fence: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{fence}") {
            let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            found.push(body.join("\n"));
        }
    }
    found
}

#[test]
fn pages_keep_their_word() {
    let mut failures = Vec::new();
    for card in ALL {
        let (passes, warns) = (programs(card.page, "passes"), programs(card.page, "warns"));
        if passes.is_empty() || warns.is_empty() || !card.page.starts_with("# ") {
            failures.push(format!(
                "{}: the page needs a title, a program that passes and one that does not",
                card.code
            ));
        }
        for (text, expected) in passes.iter().map(|t| (t, false)).chain(warns.iter().map(|t| (t, true))) {
            let checked = match checked(text) {
                Ok(checked) => checked,
                Err(d) => {
                    failures.push(format!("{}:\n{}", card.code, rendered(&d, card.code, text)));
                    continue;
                }
            };
            let found = lint(&checked, &Origins::default(), &Levels::all(Level::Warn));
            if found.iter().any(|d| d.code == card.code) != expected {
                let what = if expected { "finds nothing" } else { "finds something" };
                failures.push(format!("{} {what} in\n{text}\n{found:?}", card.code));
            }
            let all = found.iter().all(|d| d.help.is_some() && !d.message.ends_with('.') && !d.is_error());
            assert!(all, "{found:?}");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn levels_are_obeyed() {
    let card = ALL.iter().find(|l| l.level == Level::Warn).expect("some lint warns");
    let text = &programs(card.page, "warns")[0];
    let checked = checked(text).expect("the page's program is right");
    let mine = |levels: &Levels| {
        lint(&checked, &Origins::default(), levels).into_iter().find(|d| d.code == card.code)
    };
    let mut levels = Levels::new();
    assert!(!mine(&levels).expect("it warns").is_error());
    levels.set(card.code, Level::Deny).expect("its own name");
    assert!(mine(&levels).expect("it is denied").is_error());
    levels.set(card.code.trim_start_matches("lint/"), Level::Allow).expect("its short name");
    assert!(mine(&levels).is_none());
    let near = levels.set("unused-valeu", Level::Warn).expect_err("no such lint");
    assert_eq!(near.first(), Some(&"lint/unused-value"));
}
