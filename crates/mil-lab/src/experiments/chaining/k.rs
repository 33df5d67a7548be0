//! K: types of the chaining calls.

use crate::card::{Experiment, Risk, steps};

/// The card of K.
pub static K: Experiment = Experiment {
    id: "K",
    title: "types of the chaining calls",
    page: include_str!("k.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let methods = [
            ("factory", "_ANEChainingRequest", "chainingRequestWithInputs:"),
            ("prepare", "_ANEClient", " prepareChainingWithModel:"),
        ];
        for (name, class, selector) in methods {
            let lines = probe::dump(class)?;
            let line = lines.iter().find(|l| l.contains(selector));
            let types = line.and_then(|l| l.rsplit_once("] ")).map(|(_, types)| probe::normal(types));
            bench.found(name, types.unwrap_or_else(|| "no such method".to_owned()));
        }
        Ok(())
    }
}
