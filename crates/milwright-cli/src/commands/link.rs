//! `milwright link`.

use crate::args::Link;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use anyhow::{anyhow, bail};
use milwright::{Bind, LinkOptions, Opened};
use std::io::Write;

pub(crate) fn run(args: Link, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let options = LinkOptions {
        binds: args.bind.iter().map(|text| bind(text)).collect::<anyhow::Result<_>>()?,
        separate: args.separate.clone(),
        keep: args.keep.clone(),
        outputs: args.outputs.clone(),
        cast: args.cast,
    };
    let printed = args.output.as_os_str() == "-";
    if !printed && args.output.exists() && !args.force {
        bail!("`{}` exists; choose another name, or replace it with --force", args.output.display());
    }
    let Some(opened) = opened(&args, terminal) else { return Ok(Outcome::Wrong) };
    let linked = terminal.during("linking", || milwright::link(opened, &args.function, &options));
    let link = match linked {
        Ok(link) => link,
        Err(reports) => {
            reports.iter().for_each(|report| terminal.report(report));
            return Ok(Outcome::Wrong);
        }
    };
    link.warnings.iter().for_each(|report| terminal.report(report));
    if printed {
        std::io::stdout().lock().write_all(milwright::text(&link.opened.program).as_bytes())?;
    } else {
        match terminal.during("writing", || link.save(&args.output, args.force)) {
            Ok(warnings) => terminal.warnings(&args.output, &warnings),
            Err(failure) => {
                terminal.failure(&failure);
                return Ok(Outcome::Wrong);
            }
        }
    }
    // Beside a program on stdout, what is said about it goes to stderr.
    let mut out: Box<dyn Write> =
        if printed { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout().lock()) };
    if !printed {
        summary(&mut out, &args, terminal, &link)?;
    }
    if args.verify { verify(&mut out, &args, terminal, &link) } else { Ok(Outcome::Fine) }
}

fn bind(text: &str) -> anyhow::Result<Bind> {
    text.parse().map_err(|()| anyhow!("`--bind {text}` is not OUT=IN, such as y=x or encoder:y=2:x"))
}

/// Every program, or the mistakes of those that cannot be read are on stderr.
fn opened(args: &Link, terminal: &Terminal) -> Option<Vec<Opened>> {
    let mut all = Vec::with_capacity(args.programs.len());
    for path in &args.programs {
        match terminal.during("reading", || milwright::open(path)) {
            Ok(opened) => all.push(opened),
            Err(failure) => terminal.failure(&failure),
        }
    }
    (all.len() == args.programs.len()).then_some(all)
}

fn summary(
    out: &mut impl Write,
    args: &Link,
    terminal: &Terminal,
    link: &milwright::Link,
) -> std::io::Result<()> {
    writeln!(out, "{}: {} programs in one", args.output.display(), args.programs.len())?;
    let listed = |name: &str, port: &str| match port.split_once(':') {
        Some((_, own)) if own == name => name.to_owned(),
        _ => format!("{name} ({port})"),
    };
    for (what, ports) in [("inputs", link.inputs()), ("outputs", link.outputs())] {
        let ports: Vec<String> = ports.iter().map(|(name, port)| listed(name, port)).collect();
        writeln!(out, "  {} {}", terminal.strong(what), ports.join(", "))?;
    }
    for wire in link.wires() {
        let cast = wire.cast.map_or_else(String::new, |to| format!(", cast to {to}"));
        writeln!(out, "  {} -> {}{}", wire.output, wire.input, terminal.faint(&cast))?;
    }
    Ok(())
}

/// Compares the joined program with the chain and says how it went.
fn verify(
    out: &mut impl Write,
    args: &Link,
    terminal: &Terminal,
    link: &milwright::Link,
) -> anyhow::Result<Outcome> {
    let seed = args.seed.unwrap_or_else(milwright::fresh_seed);
    if args.seed.is_none() {
        writeln!(out, "{}", terminal.faint(&format!("random inputs from --seed {seed}")))?;
    }
    let checked = terminal.during("comparing with the chain", || link.verify(seed));
    let check = checked.map_err(|error| anyhow!("the programs could not be compared: {error}"))?;
    if check.equal {
        let words = "verified: every bit equals what the programs give one after another (on cpu)";
        writeln!(out, "{}", terminal.good(words))?;
        if check.plans == 1 {
            writeln!(out, "1 plan instead of {}", check.chain_plans)?;
        }
        return Ok(Outcome::Fine);
    }
    for (name, difference) in check.differences.iter().filter(|(_, d)| *d > 0.0) {
        writeln!(out, "  {name}: largest difference from the chain {difference:.3e}")?;
    }
    if check.holds() {
        let words = "verified: every bit equals the chain's when no ops are fused; fused across the seams, rounding differs";
        writeln!(out, "{}", terminal.good(words))?;
        return Ok(Outcome::Fine);
    }
    writeln!(
        out,
        "{}",
        terminal.bad("NOT verified: the joined program gives something else than the chain")
    )?;
    Ok(Outcome::NotVerified)
}
