//! What an experiment is.

use crate::bench::{Bench, Stop};
use crate::page::Page;

/// A card. Its words and figures are on its page; here is what a page cannot hold.
#[derive(Debug)]
pub struct Experiment {
    /// The research's name for it, `Z1`; ours where it gave none.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// The page: question, steps, what was seen, what counts as repeated, sources.
    pub page: &'static str,
    /// What may go wrong with the process that runs it.
    pub risk: Risk,
    /// What is done. Nothing where there is neither a Mac nor the doubles.
    pub steps: Option<Steps>,
}

/// The steps of an experiment: they write down what they find. An error ends them; what was found until then stays.
pub type Steps = fn(&mut Bench) -> Result<(), Stop>;

/// What may go wrong with the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Risk {
    /// Nothing known.
    Safe,
    /// It may end, for this reason.
    MayCrash(&'static str),
    /// It may wait for ever, for this reason.
    MayHang(&'static str),
}

impl Risk {
    /// Of an experiment that sends the frameworks objects of kinds they do not expect.
    pub const WRONG_OBJECTS: Risk = Risk::MayCrash(
        "it sends objects of wrong kinds; exceptions are caught here, but what they do to the daemon is not known",
    );

    /// Of an experiment that puts operations of its own into Core ML's streams.
    pub const OWN_OPERATIONS: Risk =
        Risk::MayCrash("it hands operations of its own to Core ML's streams, which may end the process");

    /// Does `confirm` run it?
    pub fn is_safe(self) -> bool {
        self == Risk::Safe
    }
}

/// The steps where there is something to run them against.
macro_rules! steps {
    ($f:expr) => {{
        #[cfg(bridge)]
        let steps: Option<$crate::card::Steps> = Some($f);
        #[cfg(not(bridge))]
        let steps: Option<$crate::card::Steps> = None;
        steps
    }};
}
pub(crate) use steps;

impl Experiment {
    /// Its page, read.
    pub fn page(&self) -> Page {
        Page::read(self.page)
    }

    /// Its family: the folder it lies in.
    pub fn family(&self) -> &'static str {
        let all = crate::experiments::ALL.iter().zip(crate::experiments::FAMILIES);
        all.into_iter().find(|(e, _)| e.id == self.id).map_or("", |(_, family)| family)
    }
}

/// The experiment of that name, whatever its case; or the names that are near.
pub fn find(id: &str) -> Result<&'static Experiment, Vec<&'static str>> {
    let same = |e: &&&Experiment| e.id.eq_ignore_ascii_case(id);
    if let Some(found) = crate::experiments::ALL.iter().find(same) {
        return Ok(found);
    }
    let near = |e: &&&Experiment| {
        let (a, b) = (e.id.to_ascii_lowercase(), id.to_ascii_lowercase());
        !b.is_empty() && (a.starts_with(&b) || b.starts_with(&a))
    };
    Err(crate::experiments::ALL.iter().filter(near).map(|e| e.id).collect())
}

/// Every experiment, family by family in the order of the research.
pub fn in_order() -> Vec<&'static Experiment> {
    const FAMILIES: [&str; 5] = ["probes", "chaining", "e5", "programs", "timing"];
    let place = |e: &Experiment| FAMILIES.iter().position(|f| *f == e.family());
    let mut all: Vec<&'static Experiment> = crate::experiments::ALL.to_vec();
    all.sort_by_key(|e| (place(e), natural(e.id)));
    all
}

/// A key that puts `v2-10` after `v2-9`, and `v1` before `E`.
fn natural(id: &str) -> (bool, String, u32, String) {
    let digits = |s: &str| s.chars().take_while(char::is_ascii_digit).count();
    let (head, rest) = match id.split_once('-') {
        Some((head, rest)) if rest.starts_with(|c: char| c.is_ascii_digit()) => (head.to_owned() + "-", rest),
        _ => (id.to_owned(), ""),
    };
    let n = digits(rest);
    (!id.starts_with('v'), head, rest[..n].parse().unwrap_or_default(), rest[n..].to_owned())
}
