//! e5rt-stream: several operations in one e5rt stream.

use crate::card::{Experiment, Risk, steps};

/// The card of e5rt-stream.
pub static E5RT_STREAM: Experiment = Experiment {
    id: "e5rt-stream",
    title: "several operations in one e5rt stream",
    page: include_str!("e5rt_stream.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use mil_apple::e5rt::{self, Api, Devices, Draft};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let api = Api::load()?;
        let ops =
            ["mul(x = x, y = fp16(1.5))", "relu(x = x)", "add(x = x, y = fp16(0.25))", "mul(x = x, y = x)"];
        let mut programs = Vec::new();
        for op in ops {
            programs.push(layer::op(op, 256)?);
        }
        let mut compiled = Vec::new();
        for program in &programs {
            compiled.push(e5rt::Program::compile(&api, program.checked().clone(), Devices::NeuralEngine)?);
        }
        let mut draft = Draft::new(&api);
        let ids = compiled.iter().map(|p| draft.add(p, None)).collect::<Result<Vec<_>, _>>()?;
        for pair in ids.windows(2) {
            draft.connect((pair[0], "y"), (pair[1], "x"))?;
        }
        let mut stream = draft.encode()?;
        let Some(((_, x), (first, last))) = programs[0].inputs().first().zip(ids.first().zip(ids.last()))
        else {
            return Err(Stop::wrong("the stream is empty"));
        };
        stream.write(*first, "x", x)?;
        stream.run()?;
        let got = vec![("y".into(), stream.read(*last, "y")?)];
        let mut cpu = vec![("x".into(), x.clone())];
        for program in &programs {
            cpu = program.cpu_of(&[("x".into(), cpu[0].1.clone())])?;
        }
        bench.found("stream result", "computed");
        bench.compare("stream", &got, &cpu, "");
        bench.placed("stream", &Devices::NeuralEngine.placement());
        bench.time("latency", "one stream of four", "", || Ok(stream.run()?))?;
        let mut single = Vec::new();
        for program in &compiled {
            let mut draft = Draft::new(&api);
            draft.add(program, None)?;
            single.push(draft.encode()?);
        }
        bench.time("latency", "four streams of one", "", || {
            Ok(single.iter_mut().try_for_each(|s| s.run())?)
        })?;
        state(bench, &api)
    }

    /// A counter whose output is its own input.
    fn state(bench: &mut Bench, api: &std::sync::Arc<Api>) -> Result<(), Stop> {
        let program = layer::op("add(x = x, y = fp16(1.0))", 64)?;
        let compiled = e5rt::Program::compile(api, program.checked().clone(), Devices::NeuralEngine)?;
        let mut draft = Draft::new(api);
        let id = draft.add(&compiled, None)?;
        draft.connect((id, "y"), (id, "x"))?;
        let mut stream = draft.encode()?;
        for _ in 0..5 {
            stream.run()?;
        }
        let values = stream.read(id, "y")?.to_f64();
        let same = values.iter().all(|v| values.first() == Some(v));
        let text = values.first().filter(|_| same).map_or_else(|| "uneven".to_owned(), |v| v.to_string());
        bench.found("state after five runs", text);
        Ok(())
    }
}
