//! `milwright inspect`.

use crate::args::Inspect;
use crate::commands::load;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use milwright::{Colors, FunctionInfo, LoadOptions, Report};
use serde_json::{Value, json};
use std::io::Write;

pub(crate) fn run(args: Inspect, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let Some(opened) = load::opened(&args.source, terminal) else { return Ok(Outcome::Wrong) };
    let shapes = load::shapes(&args.shape)?;
    let (report, checked) = terminal.during("checking", || Report::check(opened.clone()));
    terminal.report(&report);
    let Some(checked) = checked else { return Ok(Outcome::Wrong) };
    let infos = milwright::inspect(&opened, &checked);
    if let Some(name) = &args.source.function
        && !infos.iter().any(|i| *i.name == *name.as_str())
    {
        let names: Vec<&str> = infos.iter().map(|i| i.name.as_str()).collect();
        let path = args.source.path.display();
        anyhow::bail!("`{path}` has no function `{name}`; its functions are {}", names.join(", "));
    }
    let chosen: Vec<&FunctionInfo> = infos
        .iter()
        .filter(|i| args.source.function.as_ref().is_none_or(|n| *i.name == *n.as_str()))
        .collect();
    for (name, _) in &shapes {
        let inputs: Vec<&str> = chosen.iter().flat_map(|i| &i.inputs).map(|p| &*p.name).collect();
        if !inputs.contains(&name.as_str()) {
            let path = args.source.path.display();
            anyhow::bail!(
                "`--shape {name}=...`: `{path}` has no such input; its inputs are {}",
                inputs.join(", ")
            );
        }
    }
    let mut out = std::io::stdout().lock();
    let mut all = Vec::new();
    let mut outcome = Outcome::Fine;
    for info in chosen {
        let options = LoadOptions { function: Some(info.name.to_string()), ..LoadOptions::default() };
        let memory = milwright::memory(&opened, &checked, &options, &shapes);
        if memory.is_err() && !shapes.is_empty() {
            outcome = Outcome::Wrong;
        }
        if args.json {
            all.push(document(info, memory.as_ref().ok().and_then(Option::as_ref)));
            continue;
        }
        text(&mut out, terminal, info)?;
        match memory {
            Ok(None) => writeln!(out, "  memory: known only when it runs, since sizes depend on data")?,
            Ok(Some(m)) => writeln!(
                out,
                "  memory of one run on cpu: {} (states {} of it, at most {} alive), constants {} ({} not in its files), prepared constants {}",
                bytes(m.arena),
                bytes(m.states),
                bytes(m.alive),
                bytes(m.constants),
                bytes(m.owned),
                bytes(m.prepared)
            )?,
            Err(error) => writeln!(out, "  memory: not planned: {error}")?,
        }
    }
    if args.json {
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&json!({"path": args.source.path, "functions": all}))?
        )?;
    }
    Ok(outcome)
}

fn text(out: &mut impl Write, terminal: &Terminal, info: &FunctionInfo) -> std::io::Result<()> {
    writeln!(out, "{} {}", terminal.strong(&format!("function {}", info.name)), terminal.faint(&info.opset))?;
    for port in &info.inputs {
        let usual: Vec<String> = port.usual_shape.iter().map(usize::to_string).collect();
        let flexible = if port.ty.shape.sizes().is_none() {
            format!("  (usually [{}])", usual.join(", "))
        } else {
            String::new()
        };
        let optional = port.default.map_or_else(String::new, |v| format!("  (optional, default {v})"));
        let image = image(info, &port.name);
        writeln!(out, "  input  {}: {}{flexible}{optional}{image}", port.name, port.ty)?;
    }
    for (name, ty) in &info.states {
        writeln!(out, "  state  {name}: {ty}")?;
    }
    for (name, ty) in &info.outputs {
        writeln!(out, "  output {name}: {ty}{}", image(info, name))?;
    }
    let total: usize = info.ops.iter().map(|(_, n)| n).sum();
    let ops: Vec<String> = info.ops.iter().map(|(name, n)| format!("{name} {n}")).collect();
    writeln!(out, "  {total} ops: {}", ops.join(", "))?;
    writeln!(out, "  {} parameters", grouped(info.parameters()))?;
    for w in &info.weights {
        writeln!(
            out,
            "    {:9} {:>5} constants, {:>14} elements, {}",
            w.dtype.name(),
            w.tensors,
            grouped(w.elements),
            bytes(w.bytes)
        )?;
    }
    match info.flops {
        Some(flops) => writeln!(out, "  {} a run", operations(flops)),
        None => writeln!(out, "  FLOPs: not counted, {} ops have open sizes or run in loops", info.uncounted),
    }
}

/// `  (image, 224 x 224 RGB)`; nothing for what is no image.
fn image(info: &FunctionInfo, name: &str) -> String {
    let found = info.images.iter().find(|(n, _)| **n == *name);
    found.map_or_else(String::new, |(_, image)| {
        let colors = match image.colors {
            Colors::Rgb => " RGB",
            Colors::Bgr => " BGR",
            Colors::Grayscale => " grey",
            Colors::GrayscaleFp16 => " grey fp16",
            Colors::Unknown => "",
        };
        format!("  (image, {} x {}{colors})", image.width, image.height)
    })
}

fn document(info: &FunctionInfo, memory: Option<&milwright::PlanMemory>) -> Value {
    let ports = info.inputs.iter().map(|p| {
        json!({"name": p.name.as_str(), "type": p.ty.to_string(), "usual_shape": p.usual_shape, "default": p.default})
    });
    let named = |list: &[(milwright::Name, milwright::Type)]| -> Vec<Value> {
        list.iter().map(|(n, t)| json!({"name": n.as_str(), "type": t.to_string()})).collect()
    };
    let ops: serde_json::Map<String, Value> =
        info.ops.iter().map(|(n, c)| (n.to_string(), json!(c))).collect();
    let weights = info.weights.iter().map(|w| {
        json!({"dtype": w.dtype.name(), "constants": w.tensors, "elements": w.elements, "bytes": w.bytes})
    });
    let memory = memory.map(|m| {
        json!({"values": m.arena, "alive": m.alive, "states": m.states, "constants": m.constants, "owned": m.owned, "prepared": m.prepared})
    });
    json!({
        "name": info.name.as_str(),
        "opset": info.opset.as_str(),
        "inputs": ports.collect::<Vec<_>>(),
        "states": named(&info.states),
        "outputs": named(&info.outputs),
        "ops": ops,
        "parameters": info.parameters(),
        "weights": weights.collect::<Vec<_>>(),
        "flops": info.flops,
        "memory": memory,
    })
}

/// `1.25 GFLOP`.
fn operations(flops: u64) -> String {
    let units = [(1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP")];
    let unit = units.iter().find(|(size, _)| flops as f64 >= *size);
    unit.map_or_else(|| format!("{flops} FLOP"), |(size, name)| format!("{:.2} {name}", flops as f64 / size))
}

/// `1 234 567`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|c| std::str::from_utf8(c).unwrap_or_default()).collect();
    groups.join(" ")
}

fn bytes(n: usize) -> String {
    milwright::format_bytes(n)
}
