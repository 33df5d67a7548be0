//! Reports as Markdown, with plots in files beside it.

use super::model::{Block, Report};
use super::{Files, plot};
use std::fmt::Write;

pub(super) fn render(report: &Report, stem: &str) -> Files {
    let (mut text, mut beside) = (String::new(), Vec::new());
    let mut first = true;
    for block in &report.blocks {
        match block {
            Block::Heading(heading) => {
                let _ = writeln!(text, "{} {heading}\n", if first { "#" } else { "##" });
                first = false;
            }
            Block::Text(words) => {
                let _ = writeln!(text, "{words}\n");
            }
            Block::Table { head, rows } => {
                let _ = writeln!(text, "| {} |", head.join(" | "));
                let _ = writeln!(text, "|{}", "---|".repeat(head.len()));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|c| cell(c)).collect();
                    let _ = writeln!(text, "| {} |", cells.join(" | "));
                }
                text.push('\n');
            }
            Block::Plot { name, title, axis, places, series } => {
                let Some(svg) = plot::svg(title, axis, places, series) else { continue };
                let file = format!("{stem}-{name}.svg");
                let _ = writeln!(text, "![{title}]({file})\n");
                beside.push((file, svg));
            }
        }
    }
    Files { text: text.trim_end().to_owned() + "\n", beside }
}

/// A cell cannot hold a bar or a line break.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
