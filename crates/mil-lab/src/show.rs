//! Cards as text.

use crate::card::{Experiment, Risk, in_order};
use crate::observation::number;
use crate::page::Where;
use mil_ane::fingerprint::published::{RESEARCH, containing, ranges};
use std::fmt::Write;

/// Every experiment, one line each, under its family.
pub fn list() -> String {
    let all = in_order();
    let width = all.iter().map(|e| e.id.len()).max().unwrap_or_default();
    let (mut text, mut family) = (String::new(), "");
    for card in all {
        if card.family() != family {
            family = card.family();
            let _ = writeln!(text, "{}{family}", if text.is_empty() { "" } else { "\n" });
        }
        let risk = match card.risk {
            Risk::Safe => "",
            Risk::MayCrash(_) => " (may crash its process)",
            Risk::MayHang(_) => " (may hang)",
        };
        let _ = writeln!(text, "  {:width$}  {}{risk}", card.id, card.title);
    }
    text
}

/// The whole of a card.
pub fn show(card: &Experiment) -> String {
    let page = card.page();
    let mut text = format!("# {}: {}\n", card.id, card.title);
    let mut part = |heading: &str, body: &str| {
        if !body.is_empty() {
            let _ = write!(text, "\n## {heading}\n\n{}\n", body.trim_end());
        }
    };
    part("Question", &page.question);
    part("Steps", &page.steps);
    let figures: String =
        page.saw.iter().map(|s| format!("  {}: {} {}\n", s.figure, number(s.value), s.unit)).collect();
    part("What the research saw", &format!("{}\n\n{figures}", page.saw_words));
    part("What later work corrected", &page.corrected);
    part("What arithmetic the figures fit", &arithmetic(card));
    let rows: String = page
        .repeated
        .iter()
        .map(|r| {
            let at = match r.at {
                Where::Everywhere => "",
                Where::Double => " (required of the doubles)",
                Where::Machine => " (required of a machine)",
            };
            let who = if r.each { "each runtime, " } else { "" };
            format!("  {who}{}: {}{at}\n", r.finding, r.is)
        })
        .collect();
    part("What counts as repeated", &rows);
    part("How sure we are", &page.sure);
    let risk = match card.risk {
        Risk::Safe => "Safe.".to_owned(),
        Risk::MayCrash(why) => format!("It may crash its process: {why}. `confirm` leaves it out."),
        Risk::MayHang(why) => format!("It may hang: {why}. `confirm` leaves it out."),
    };
    part("Risk", &risk);
    part("Sources", &page.sources.iter().map(|s| format!("- {s}\n")).collect::<String>());
    text
}

/// Draws of random operands behind each range.
const DRAWS: usize = 6;

/// For the research's matrix products: the largest difference that each candidate gives on operands of the same kind, beside the one
/// published. Computed now, not copied.
fn arithmetic(card: &Experiment) -> String {
    let mut text = String::new();
    for figure in RESEARCH.iter().filter(|f| f.name.split(' ').next() == Some(card.id)) {
        let Ok(ranges) = ranges(&figure.case, DRAWS, 1) else { continue };
        for published in figure.figures {
            let fits: Vec<&str> = containing(&ranges, *published).iter().map(|a| a.name()).collect();
            let fits = if fits.is_empty() { "no candidate".to_owned() } else { fits.join(", ") };
            let _ = writeln!(
                text,
                "  {}: the research saw {}, which fits {fits}",
                figure.name,
                number(*published)
            );
        }
        for r in &ranges {
            let (low, high) = (number(r.min), number(r.max));
            let _ = writeln!(
                text,
                "    {}: {low} to {high} in {DRAWS} draws ({})",
                r.arithmetic,
                r.arithmetic.whose()
            );
        }
    }
    text
}
