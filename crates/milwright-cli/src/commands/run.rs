//! `milwright run`.

use crate::args::{Run, RuntimeName};
use crate::commands::load::{self, Loading};
use crate::commands::output::Target;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use milwright::{Comparison, Deviation, Model, Ranking, Summary, Tensor};
use std::io::Write;
use std::time::Instant;

pub(crate) fn run(args: Run, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let Loading::Done(model) = load::model(&args.source, &args.machine, terminal) else {
        return Ok(Outcome::Wrong);
    };
    let targets = args.output.iter().map(|text| Target::parse(&model, text));
    let targets = targets.collect::<anyhow::Result<Vec<_>>>()?;
    let made = load::inputs(&model, &args.inputs)?;
    let mut out = std::io::stdout().lock();
    if let Some(seed) = made.seed {
        writeln!(out, "{}", terminal.faint(&format!("random inputs from --seed {seed}")))?;
    }
    let ran = terminal.during("running", || {
        let mut session = model.session()?;
        let begun = Instant::now();
        let outputs = session.run(&made.tensors)?;
        let first = begun.elapsed();
        Ok((outputs, first))
    });
    let (outputs, time) = match ran {
        Ok(ran) => ran,
        Err(error) => {
            terminal.run_error(&model, &error, args.inputs.inputs.as_deref());
            return Ok(Outcome::Wrong);
        }
    };
    for (name, tensor) in &made.tensors {
        writeln!(out, "{} {}", terminal.strong(name), terminal.faint(&format!("{} (input)", tensor.ty())))?;
    }
    let rankings = Ranking::all(&outputs);
    for ranking in &rankings {
        rank(&mut out, terminal, ranking, args.top)?;
    }
    for (name, tensor) in outputs.iter().filter(|(name, _)| rankings.iter().all(|r| !r.holds(name))) {
        show(&mut out, terminal, name, tensor)?;
    }
    writeln!(
        out,
        "ran on {} in {:.3} ms (first run, planning included)",
        model.runtime(),
        time.as_secs_f64() * 1e3
    )?;
    let elsewhere = !matches!(args.machine.runtime, RuntimeName::Cpu | RuntimeName::Reference);
    if elsewhere {
        writeln!(out, "where it ran: {}", model.placement())?;
    }
    for target in &targets {
        let path = target.write(&model, &outputs)?;
        writeln!(out, "wrote {path}")?;
    }
    if args.verify || (terminal.interactive && !args.no_verify) {
        if elsewhere {
            return compare(&mut out, terminal, &model, &made.tensors, &outputs);
        }
        return verify(&mut out, terminal, &model, &made.tensors);
    }
    Ok(Outcome::Fine)
}

/// The classes of a classifier, the most probable first.
fn rank(out: &mut impl Write, terminal: &Terminal, ranking: &Ranking, top: usize) -> std::io::Result<()> {
    let count = ranking.classes.len();
    writeln!(out, "{} {}", terminal.strong(&ranking.name), terminal.faint(&format!("{count} classes")))?;
    for (label, probability) in ranking.classes.iter().take(top) {
        writeln!(out, "  {probability:.6}  {label}")?;
    }
    match count.saturating_sub(top) {
        0 => Ok(()),
        more => writeln!(out, "  {}", terminal.faint(&format!("{more} more; --top N shows more"))),
    }
}

fn show(out: &mut impl Write, terminal: &Terminal, name: &str, tensor: &Tensor) -> std::io::Result<()> {
    let s = Summary::of(tensor);
    writeln!(out, "{} {}", terminal.strong(name), tensor.ty())?;
    if let (Some(min), Some(max), Some(mean)) = (s.min, s.max, s.mean) {
        writeln!(out, "  range {min:.6} to {max:.6}, mean {mean:.6}")?;
    }
    if s.nans + s.infinities > 0 {
        writeln!(out, "  {}", terminal.bad(&format!("{} NaN, {} infinite", s.nans, s.infinities)))?;
    }
    if tensor.count() == 0 {
        return writeln!(out, "  empty");
    }
    let more = if s.more { ", …" } else { "" };
    writeln!(out, "  first {}{more}", s.first.join(", "))
}

/// Compares every step with the reference and says how it went.
fn verify(
    out: &mut impl Write,
    terminal: &Terminal,
    model: &Model,
    inputs: &[(String, Tensor)],
) -> anyhow::Result<Outcome> {
    let verification = match terminal.during("verifying against the reference", || model.verify(inputs)) {
        Ok(verification) => verification,
        Err(error) => {
            terminal.run_error(model, &error, None);
            return Ok(Outcome::Wrong);
        }
    };
    for o in &verification.outputs {
        let (difference, largest) = (o.difference, o.largest);
        writeln!(
            out,
            "  {}: largest difference from the reference {difference:.3e} (of values up to {largest:.3e})",
            o.name
        )?;
    }
    for (step, reason) in &verification.failures {
        writeln!(out, "  `{step}` could not be compared: {reason}")?;
    }
    for step in verification.steps.iter().filter(|s| s.worst.ratio() > 1.0).take(SHOWN) {
        let Deviation { got, want, allowed } = step.worst;
        writeln!(
            out,
            "  {} at `{}`: {got} where the reference has {want}; {allowed:.3e} is allowed",
            step.kinds, step.name
        )?;
    }
    if verification.holds() {
        if let Some(worst) = verification.worst() {
            let (n, share) = (verification.steps.len(), worst.worst.ratio());
            writeln!(
                out,
                "  {n} steps compared; the worst, {} at `{}`, uses {share:.2} of its allowance",
                worst.kinds, worst.name
            )?;
        }
        writeln!(out, "{}", terminal.good("verified: every step is within the accuracy its card states"))?;
        return Ok(Outcome::Fine);
    }
    writeln!(out, "{}", terminal.bad("NOT verified: a step is outside the accuracy its card states"))?;
    Ok(Outcome::NotVerified)
}

/// Compares the outputs of a runtime whose steps cannot be seen with the reference's.
fn compare(
    out: &mut impl Write,
    terminal: &Terminal,
    model: &Model,
    inputs: &[(String, Tensor)],
    outputs: &[(String, Tensor)],
) -> anyhow::Result<Outcome> {
    let compared = match terminal.during("comparing with the reference", || model.compare(inputs, outputs)) {
        Ok(compared) => compared,
        Err(error) => {
            terminal.run_error(model, &error, None);
            return Ok(Outcome::Wrong);
        }
    };
    for c in &compared {
        let (difference, largest) = (c.difference, c.largest);
        writeln!(
            out,
            "  {}: largest difference from the reference {difference:.3e} (of values up to {largest:.3e})",
            c.name
        )?;
        writeln!(
            out,
            "    the cpu runtime's is {:.3e}; up to {:.3e} is taken for rounding",
            c.cpu_difference, c.allowed
        )?;
    }
    if compared.iter().all(Comparison::holds) {
        let text = "verified: the outputs agree with the reference within rounding";
        writeln!(out, "{}", terminal.good(text))?;
        return Ok(Outcome::Fine);
    }
    let text = "NOT verified: an output differs from the reference by more than rounding";
    writeln!(out, "{}", terminal.bad(text))?;
    Ok(Outcome::NotVerified)
}

/// Steps outside their bounds that are listed.
const SHOWN: usize = 10;
