//! `milwright predict`: from .npz to .npz, nothing on stdout.

use crate::args::Predict;
use crate::commands::load::{self, Loading};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::Context;

pub(crate) fn run(args: Predict, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let Loading::Done(model) = load::model(&args.source, &args.machine, terminal) else {
        return Ok(Outcome::Wrong);
    };
    let inputs = milwright::npz::load(&args.input)?;
    let mut session = model.session()?;
    if let Some(path) = &args.state_in {
        for (name, value) in milwright::npz::load(path)? {
            session
                .write_state(&name, &value)
                .with_context(|| format!("state `{name}` of `{}`", path.display()))?;
        }
    }
    let outputs = match session.run(&inputs) {
        Ok(outputs) => outputs,
        Err(error) => {
            terminal.run_error(&model, &error, Some(&args.input));
            return Ok(Outcome::Wrong);
        }
    };
    milwright::npz::save(&args.output, outputs.iter().map(|(n, t)| (n.as_str(), t)))?;
    if let Some(path) = &args.state_out {
        let states = session.states();
        milwright::npz::save(path, states.iter().map(|(n, t)| (n.as_str(), t)))?;
    }
    Ok(Outcome::Fine)
}
