//! in-memory-rules: rules of programs in memory.

use crate::card::{Experiment, Risk, steps};

/// The card of in-memory-rules.
pub static IN_MEMORY_RULES: Experiment = Experiment {
    id: "in-memory-rules",
    title: "rules of programs in memory",
    page: include_str!("in_memory.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::Program;
    use crate::bench::kernel::QOS;
    use crate::bench::{Bench, Stop};
    use crate::{layer, mil};
    use mil_apple::ane::{Descriptor, InMemoryModel};
    use mil_apple::stage::{self, Stage};
    use mil_apple::{BridgeError, Kind};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let files = stage::files(layer::op("add(x = x, y = fp16(0.125))", 64)?.checked().program())?;
        let model = InMemoryModel::new(&Descriptor::new(&files)?)?;
        bench.attempt("compile without staged files", model.compile(QOS));
        let other = stage::files(layer::op("relu(x = x)", 64)?.checked().program())?;
        bench.attempt("compile with another text staged", staged(&files, &other));
        bench.attempt("compile with staged files", staged(&files, &files));
        let body = "tensor<int32, [1, 64, 1, 64]> y = add(x = x, y = x);\n";
        let text = mil::main("ios17", "tensor<int32, [1, 64, 1, 64]> x", body, "y");
        let whole = Program::new(&text, Vec::new())?;
        let files = stage::files(whole.checked().program())?;
        bench.attempt("compile with int32 at the boundary", staged(&files, &files));
        against_the_alphabet(bench)
    }

    /// Compiles `files` with `there` in the folder that the framework reads.
    fn staged(files: &stage::Files, there: &stage::Files) -> Result<(), BridgeError> {
        let model = InMemoryModel::new(&Descriptor::new(files)?)?;
        let folder = Stage::named(&model.identifier()?)?;
        there.write(folder.path())?;
        model.compile(QOS)
    }

    fn against_the_alphabet(bench: &mut Bench) -> Result<(), Stop> {
        let t = "tensor<fp16, [1, 64, 1, 64]>";
        let body = format!("{t} y = sub(x = z, y = a);\n{t} b = mul(x = z, y = fp16(0.5));\n");
        let text = mil::main("ios17", &format!("{t} z, {t} a"), &body, "y, b");
        let other = layer::op("relu(x = x)", 64)?;
        let x = other.inputs().first().map(|(_, t)| t.clone()).ok_or_else(|| Stop::wrong("no input"))?;
        let half = other.cpu()?.first().map(|(_, t)| t.clone()).ok_or_else(|| Stop::wrong("no output"))?;
        let program = Program::new(&text, vec![("z", x), ("a", half)])?;
        let loaded =
            mil_apple::runtime(Kind::Ane)?.load(program.checked().clone(), &mil_run::Options::default())?;
        let outputs = loaded.session(None)?.run(program.inputs())?;
        bench.placed("ane against the alphabet", &loaded.placement());
        bench.compare("ane", &outputs, &program.cpu()?, "against the alphabet");
        Ok(())
    }
}
