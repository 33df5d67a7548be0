//! Reports as one HTML page that needs nothing else.

use super::model::{Block, Report};
use super::plot;
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#222}table{border-collapse:collapse;font-size:13px;display:block;overflow-x:auto}th,td{text-align:left;vertical-align:top;padding:.25rem .7rem .25rem 0;border-bottom:1px solid #ddd}svg{max-width:100%;height:auto}";

pub(super) fn render(report: &Report) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Lab report</title>\n<style>{STYLE}</style>\n"
    );
    let mut first = true;
    for block in &report.blocks {
        let _ = match block {
            Block::Heading(heading) => {
                let level = if std::mem::take(&mut first) { 1 } else { 2 };
                writeln!(text, "<h{level}>{}</h{level}>", escape(heading))
            }
            Block::Text(words) => writeln!(text, "<p>{}</p>", escape(words)),
            Block::Table { head, rows } => {
                let row = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
                    let cells: String = cells.map(|c| format!("<{tag}>{}</{tag}>", escape(c))).collect();
                    format!("<tr>{cells}</tr>\n")
                };
                text.push_str("<table>\n");
                text.push_str(&row("th", &mut head.iter().copied()));
                for cells in rows {
                    text.push_str(&row("td", &mut cells.iter().map(String::as_str)));
                }
                writeln!(text, "</table>")
            }
            Block::Plot { title, axis, places, series, .. } => {
                writeln!(text, "{}", plot::svg(title, axis, places, series).unwrap_or_default())
            }
        };
    }
    text + "</html>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
