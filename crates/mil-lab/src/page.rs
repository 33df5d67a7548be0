//! The page of an experiment: Markdown with fixed headings, two of which hold tables that are data.

/// A page, read. Missing parts are empty; a test holds every card to having all of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// The question.
    pub question: String,
    /// What is done.
    pub steps: String,
    /// What the research saw, in words.
    pub saw_words: String,
    /// Its figures.
    pub saw: Vec<Saw>,
    /// What later work corrected.
    pub corrected: String,
    /// What must be found for it to count as repeated.
    pub repeated: Vec<Row>,
    /// How sure we are, and why.
    pub sure: String,
    /// Where all this is known from.
    pub sources: Vec<String>,
    /// Rows of a table that could not be read, and headings nobody knows.
    pub strange: Vec<String>,
}

/// A figure of the research.
#[derive(Clone, PartialEq, Debug)]
pub struct Saw {
    /// What it is, in the words of our figures where we have the same.
    pub figure: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
}

/// A finding that is required.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The finding; its name without the runtime where `each` is set.
    pub finding: String,
    /// Is it required of each of the four runtimes?
    pub each: bool,
    /// What it must be.
    pub is: Is,
    /// Where it must be so.
    pub at: Where,
}

/// What a finding must be.
#[derive(Clone, PartialEq, Debug)]
pub enum Is {
    /// This text.
    Text(String),
    /// A text with this in it.
    Contains(String),
    /// A number no larger.
    AtMost(f64),
    /// A number no smaller.
    AtLeast(f64),
    /// Anything: it must have been looked for.
    Any,
}

/// Where a requirement holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    /// On every ground.
    Everywhere,
    /// Against the doubles only: of a machine it is not known, or known to differ.
    Double,
    /// On a machine only.
    Machine,
}

/// Stands for each of the four runtimes at the beginning of a finding's name.
const EACH: &str = "each ";

impl Page {
    /// Reads a page.
    pub fn read(text: &str) -> Page {
        let mut page = Page::default();
        let mut parts = text.split("\n## ");
        parts.next();
        for part in parts {
            let (heading, body) = part.split_once('\n').unwrap_or((part, ""));
            let body = body.trim();
            match heading.trim() {
                "Question" => page.question = body.to_owned(),
                "Steps" => page.steps = body.to_owned(),
                "What the research saw" => {
                    page.saw_words = lines(body, |l| !l.starts_with('|')).trim().to_owned();
                    for cells in table(body) {
                        match saw(&cells) {
                            Some(saw) => page.saw.push(saw),
                            None => page.strange.push(cells.join(" | ")),
                        }
                    }
                }
                "What later work corrected" => page.corrected = body.to_owned(),
                "What counts as repeated" => {
                    for cells in table(body) {
                        match row(&cells) {
                            Some(row) => page.repeated.push(row),
                            None => page.strange.push(cells.join(" | ")),
                        }
                    }
                }
                "How sure we are" => page.sure = body.to_owned(),
                "Sources" => {
                    let items = body.lines().filter_map(|l| l.strip_prefix("- "));
                    page.sources = items.map(str::to_owned).collect();
                }
                other => page.strange.push(format!("a heading `{other}`")),
            }
        }
        page
    }
}

fn lines(body: &str, keep: impl Fn(&str) -> bool) -> String {
    body.lines().filter(|l| keep(l)).map(|l| format!("{l}\n")).collect()
}

/// The rows of the table in a text, without its head.
fn table(body: &str) -> Vec<Vec<String>> {
    let rows = body.lines().filter_map(|l| l.trim().strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.map(|r| r.split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>());
    cells.skip(2).collect()
}

fn saw(cells: &[String]) -> Option<Saw> {
    let [figure, value, unit] = cells else { return None };
    Some(Saw { figure: figure.clone(), value: value.parse().ok()?, unit: unit.clone() })
}

fn row(cells: &[String]) -> Option<Row> {
    let [finding, is, at] = cells else { return None };
    let at = match at.as_str() {
        "" => Where::Everywhere,
        "double" => Where::Double,
        "machine" => Where::Machine,
        _ => return None,
    };
    let (finding, each) = match finding.strip_prefix(EACH) {
        Some(rest) => (rest, true),
        None => (finding.as_str(), false),
    };
    Some(Row { finding: finding.to_owned(), each, is: parse(is)?, at })
}

fn parse(is: &str) -> Option<Is> {
    let quoted = |s: &str| Some(s.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned());
    if let Some(rest) = is.strip_prefix("contains ") {
        return quoted(rest).map(Is::Contains);
    }
    if let Some(rest) = is.strip_prefix("at most ") {
        return rest.trim().parse().ok().map(Is::AtMost);
    }
    if let Some(rest) = is.strip_prefix("at least ") {
        return rest.trim().parse().ok().map(Is::AtLeast);
    }
    if is == "any" { Some(Is::Any) } else { quoted(is).map(Is::Text) }
}

impl Row {
    /// The names of the findings that must be so.
    pub fn findings(&self) -> Vec<String> {
        match self.each {
            true => mil_apple::Kind::ALL.iter().map(|kind| format!("{kind} {}", self.finding)).collect(),
            false => vec![self.finding.clone()],
        }
    }
}

impl std::fmt::Display for Is {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Is::Text(text) => write!(f, "\"{text}\""),
            Is::Contains(text) => write!(f, "something with \"{text}\""),
            Is::AtMost(n) => write!(f, "at most {n}"),
            Is::AtLeast(n) => write!(f, "at least {n}"),
            Is::Any => f.write_str("anything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# T: title\n\n## Question\n\nIs it?\n\n## What the research saw\n\nThis.\n\n| figure | value | unit |\n|---|---|---|\n| time | 0.2 | ms |\n\n## What counts as repeated\n\n| finding | must be | where |\n|---|---|---|\n| validate | `NO` | |\n| each x | at most 1e-3 | double |\n| y | contains `15` | machine |\n| bad | perhaps | |\n\n## Sources\n\n- a\n- b\n\n## Other\n";

    #[test]
    fn tables_are_data() {
        let page = Page::read(PAGE);
        assert_eq!(page.question, "Is it?");
        assert_eq!(page.saw_words, "This.");
        assert_eq!(page.saw, [Saw { figure: "time".into(), value: 0.2, unit: "ms".into() }]);
        assert_eq!(page.repeated.len(), 3);
        assert_eq!(page.repeated[1].findings()[0], "coreml x");
        assert_eq!(page.repeated[1].findings().len(), 4);
        assert_eq!(page.repeated[1].is, Is::AtMost(1e-3));
        assert_eq!(page.repeated[2].at, Where::Machine);
        assert_eq!(page.sources, ["a", "b"]);
        assert_eq!(page.strange, ["bad | perhaps | ", "a heading `Other`"]);
    }
}
