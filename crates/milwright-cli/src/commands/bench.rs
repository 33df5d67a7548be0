//! `milwright bench`.

use crate::args::Bench;
use crate::commands::load::{self, Loading};
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use milwright::{Measured, StepShare};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

pub(crate) fn run(args: Bench, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let Loading::Done(model) = load::model(&args.source, &args.machine, terminal) else {
        return Ok(Outcome::Wrong);
    };
    let made = load::inputs(&model, &args.inputs)?;
    let budget = Duration::try_from_secs_f64(args.seconds).unwrap_or(Duration::from_secs(3));
    let measured = terminal.during("measuring", || {
        let measured = milwright::bench(&model, &made.tensors, budget)?;
        let steps =
            if args.by_op { milwright::bench_steps(&model, &made.tensors, budget)? } else { Vec::new() };
        Ok((measured, steps))
    });
    let (measured, steps) = match measured {
        Ok(measured) => measured,
        Err(error) => {
            terminal.run_error(&model, &error, args.inputs.inputs.as_deref());
            return Ok(Outcome::Wrong);
        }
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&document(model.runtime(), &measured, &steps))?)?;
        return Ok(Outcome::Fine);
    }
    if let Some(seed) = made.seed {
        writeln!(out, "{}", terminal.faint(&format!("random inputs from --seed {seed}")))?;
    }
    let ms = |d: Duration| format!("{:.3} ms", d.as_secs_f64() * 1e3);
    let rate = measured.gflops().map_or_else(String::new, |g| format!(", {g:.1} GFLOP/s"));
    writeln!(
        out,
        "{}: median {} (p10 {}, p90 {}) over {} runs{rate}; first run {}",
        model.runtime(),
        terminal.strong(&ms(measured.median)),
        ms(measured.p10),
        ms(measured.p90),
        measured.runs,
        ms(measured.first)
    )?;
    if let Some(peak) = measured.peak_memory {
        writeln!(out, "peak memory of this process {}", milwright::format_bytes(peak as usize))?;
    }
    if args.by_op {
        table(&mut out, terminal, &steps)?;
    }
    Ok(Outcome::Fine)
}

fn table(out: &mut impl Write, terminal: &Terminal, steps: &[StepShare]) -> std::io::Result<()> {
    let total: Duration = steps.iter().map(|s| s.median).sum();
    writeln!(out, "{}", terminal.strong("      ms   share  GFLOP/s  step"))?;
    for step in steps {
        let share = step.median.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        let rate = step.gflops().map_or_else(String::new, |g| format!("{g:.1}"));
        writeln!(
            out,
            "{:8.4} {:6.1}% {rate:>8}  {} {}",
            step.median.as_secs_f64() * 1e3,
            share * 100.0,
            step.ops.join(" + "),
            terminal.faint(&step.output)
        )?;
    }
    Ok(())
}

fn document(runtime: &str, m: &Measured, steps: &[StepShare]) -> Value {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    json!({
        "runtime": runtime,
        "median_ms": ms(m.median),
        "p10_ms": ms(m.p10),
        "p90_ms": ms(m.p90),
        "first_ms": ms(m.first),
        "runs": m.runs,
        "gflops": m.gflops(),
        "peak_memory": m.peak_memory,
        "steps": steps.iter().map(|s| json!({
            "ops": s.ops, "output": s.output, "median_ms": ms(s.median), "flops": s.flops, "gflops": s.gflops(),
        })).collect::<Vec<_>>(),
    })
}
