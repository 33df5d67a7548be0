//! Programs joined into one: `tests/link/*.mil` hold several programs, each after a line `//# NAME`, and options in lines
//! `//! --bind y=x`. Beside each stands what comes out, the joined program or what is wrong (`BLESS=1` rewrites). Every
//! joined program is run on random inputs beside the chain of its parts, and must give the same bits.

use mil_base::render::{Sources, Style, text as render};
use mil_base::{Diagnostic, Name, Tensor, Type};
use mil_check::{Checked, locate};
use mil_codec::text::{Options, print, read};
use mil_ir::{FunctionId, Origins};
use mil_ops::ops::ALL;
use mil_ops::{OpSet, contract};
use mil_passes::link::program_of;
use mil_passes::{Feed, LinkOptions, Linked, Part, Problem, codes, link};
use mil_run::{Cpu, Options as RunOptions, Runtime, Session};
use mil_testkit::case::{Case, build};
use mil_testkit::golden;
use mil_testkit::page::{Shows, examples};
use mil_testkit::random::{Feed as StepFeed, Rng, Spread, Step, assemble, chain, tensor};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// One program of a case.
struct Program {
    name: String,
    text: String,
    origins: Origins,
    checked: Checked,
}

/// The programs and options of a case file.
fn parse(source: &str) -> (Vec<Program>, LinkOptions) {
    let mut options = LinkOptions::default();
    for line in source.lines().filter_map(|l| l.strip_prefix("//! ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["--bind", bind] => options.binds.push(bind.parse().expect("OUT=IN")),
            ["--separate", name] => options.separate.push((*name).to_owned()),
            ["--keep", name] => options.keep.push((*name).to_owned()),
            ["--outputs", names @ ..] => {
                options.outputs = Some(names.iter().map(|n| (*n).to_owned()).collect());
            }
            ["--cast"] => options.cast = true,
            _ => {}
        }
    }
    let programs = source.split("//# ").skip(1).map(|section| {
        let (name, text) = section.split_once('\n').expect("a name on a line");
        let lowered = read(text);
        let shown = |d: &[Diagnostic]| render(d, &Sources::text(name, text), &Style::default());
        assert!(lowered.diagnostics.is_empty(), "{}", shown(&lowered.diagnostics));
        let origins = lowered.origins;
        let checked = mil_check::check(lowered.program, &origins, &OpSet::standard(), Default::default())
            .unwrap_or_else(|d| panic!("{}", shown(&d)));
        Program { name: name.to_owned(), text: text.to_owned(), origins, checked }
    });
    (programs.collect(), options)
}

fn parts<'a>(programs: &'a [Program], files: &'a [String]) -> Vec<Part<'a>> {
    let part = |(p, file): (&'a Program, &'a String)| Part {
        name: &p.name,
        file,
        checked: &p.checked,
        function: p.checked.program().default_function().expect("a default function"),
    };
    programs.iter().zip(files).map(part).collect()
}

fn shown(problems: &[Problem], programs: &[Program], files: &[String]) -> String {
    let mut out = String::new();
    for Problem { part, diagnostic } in problems {
        let (program, mut found) = (&programs[*part], [diagnostic.clone()]);
        locate(&mut found, program.checked.program(), &program.origins);
        out.push_str(&render(&found, &Sources::text(&files[*part], &program.text), &Style::default()));
    }
    out
}

#[test]
fn programs_are_joined_as_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/link");
    let (mut failures, mut seen) = (Vec::new(), HashSet::new());
    for path in golden::cases(&folder, "mil") {
        let source = std::fs::read_to_string(&path).expect("the case is readable");
        let (programs, options) = parse(&source);
        let files: Vec<String> = programs.iter().map(|p| format!("{}.mil", p.name)).collect();
        let parts = parts(&programs, &files);
        let out = match link(&parts, &options) {
            Ok(linked) => {
                seen.extend(linked.warnings.iter().map(|p| p.diagnostic.code));
                if let Err(error) = equal_to_the_chain(&parts, &linked, 7) {
                    failures.push(format!("{}: {error}", path.display()));
                }
                let text = print(linked.checked.program(), &Options::default());
                format!("{}{text}\n", shown(&linked.warnings, &programs, &files))
            }
            Err(problems) => {
                seen.extend(problems.iter().map(|p| p.diagnostic.code));
                shown(&problems, &programs, &files)
            }
        };
        failures.extend(golden::compare(&path.with_extension("txt"), &out).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let missing: Vec<&str> = codes::ALL.iter().map(|(code, _)| *code).filter(|c| !seen.contains(c)).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// A session of a function on the cpu runtime. Without fusion, so that both sides run the same kernels.
fn session(checked: &Checked, function: FunctionId) -> Result<Box<dyn Session>, String> {
    let options = RunOptions { fusion: false, ..RunOptions::default() };
    let name = checked.program().functions[function].name.clone();
    let loaded = Cpu.load(Arc::new(checked.clone()), &options).map_err(|e| e.to_string())?;
    loaded.session(Some(&name)).map_err(|e| e.to_string())
}

/// A random tensor of a parameter's type, unknown sizes being 3.
fn random(rng: &mut Rng, ty: &Type) -> Tensor {
    let ty = ty.as_tensor().expect("inputs are tensors");
    let sizes: Vec<usize> = ty.shape.iter().map(|d| d.known().unwrap_or(3)).collect();
    let like = Tensor::from_i64(ty.dtype, &[2], &[0, 1]).expect("numbers");
    tensor(rng, &like, &sizes, Spread::Unit)
}

/// Runs the joined program and its parts one after another, twice, so that states are seen to live on.
fn equal_to_the_chain(parts: &[Part<'_>], linked: &Linked, seed: u64) -> Result<(), String> {
    let mut rng = Rng(seed);
    let function = linked.checked.program().default_function().expect("main");
    let f = &linked.checked.program().functions[function];
    let inputs: Vec<(Name, Tensor)> = f
        .params()
        .iter()
        .filter(|&&p| !matches!(f.values[p].ty, Type::State(_)))
        .map(|&p| (f.values[p].name.clone(), random(&mut rng, &f.values[p].ty)))
        .collect();
    compare(parts, linked, &inputs)
}

fn compare(parts: &[Part<'_>], linked: &Linked, inputs: &[(Name, Tensor)]) -> Result<(), String> {
    let function = linked.checked.program().default_function().expect("main");
    let f = &linked.checked.program().functions[function];
    let mut whole = session(&linked.checked, function)?;
    let mut chain: Vec<Box<dyn Session>> =
        parts.iter().map(|p| session(p.checked, p.function)).collect::<Result<_, _>>()?;
    for round in 0..2 {
        let mut given: Vec<Vec<Tensor>> = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let function = &part.checked.program().functions[part.function];
            let mut own = Vec::new();
            for (&param, feed) in function.params().iter().zip(&linked.feeds[number]) {
                let value = &function.values[param];
                let tensor = match feed {
                    _ if matches!(value.ty, Type::State(_)) => continue,
                    Feed::Output(at, cast) => {
                        let tensor = &given[at.part][at.port];
                        match cast {
                            Some(to) => {
                                Tensor::from_f64(*to, tensor.shape(), &tensor.to_f64()).expect("a cast")
                            }
                            None => tensor.clone(),
                        }
                    }
                    Feed::Param(index) => {
                        let name = &f.values[f.params()[*index]].name;
                        inputs.iter().find(|(n, _)| n == name).expect("an input").1.clone()
                    }
                };
                own.push((value.name.clone(), tensor));
            }
            let outputs = chain[number].run(&own).map_err(|e| format!("{}: {e}", part.file))?;
            given.push(outputs.into_iter().map(|(_, t)| t).collect());
        }
        let got = whole.run(inputs).map_err(|e| format!("linked: {e}"))?;
        assert_eq!(got.len(), linked.outputs.len());
        for ((name, got), at) in got.iter().zip(&linked.outputs) {
            let want = &given[at.part][at.port];
            if want.ty() != got.ty() || want.bytes() != got.bytes() {
                return Err(format!("round {round}: `{name}` is {got:?} but the chain gives {want:?}"));
            }
        }
    }
    let states = |sessions: &[Box<dyn Session>]| -> Vec<Vec<u8>> {
        sessions.iter().flat_map(|s| s.states()).map(|(_, t)| t.bytes().to_vec()).collect()
    };
    let same = states(&chain) == states(&[whole]);
    same.then_some(()).ok_or_else(|| "the states differ from the chain's".to_owned())
}

/// The examples that can be chained: as in `random_programs.rs`, with numbers only.
fn templates(opset: mil_base::Opset) -> Vec<Case> {
    let numbers = |c: &Case| {
        let all = c.inputs.iter().chain(&c.expected);
        all.into_iter().all(|(_, t)| t.dtype() != mil_base::DType::String)
    };
    let all = ALL.iter().flat_map(|def: &&contract::OpDef| examples(def).unwrap_or_default());
    let usable = all.filter(|e| e.opset == opset && e.shows == Shows::Values);
    let cases = usable.filter_map(|e| build(&e).ok());
    cases.filter(|c| c.states.is_empty() && c.inputs.len() < 8 && numbers(c)).collect()
}

/// Something that goes from the first half to the second: the key and output of a step, the key and input of another.
type Crossing = (u32, usize, u32, usize);

/// Cuts a chain in two: what the second half takes from the first becomes an input of it, and a binding.
fn cut(steps: &[Step], at: usize, templates: &[Case]) -> (Vec<Step>, Vec<Step>, Vec<Crossing>) {
    let (first, second) = (steps[..at].to_vec(), steps[at..].to_vec());
    let mut crossing = Vec::new();
    let template: HashMap<u32, usize> = first.iter().map(|s| (s.key, s.template)).collect();
    let mut second = second;
    for step in &mut second {
        for (index, feed) in step.feeds.iter_mut().enumerate() {
            if let StepFeed::Step(key, output) = *feed
                && let Some(&t) = template.get(&key)
            {
                crossing.push((key, output, step.key, index));
                *feed = StepFeed::Input(templates[t].expected[output].1.clone());
            }
        }
    }
    (first, second, crossing)
}

/// Random programs cut in two, or put one after another, and joined: the same bits as the chain.
#[test]
fn random_programs_cut_in_two_and_joined_are_the_chain() {
    let n = mil_testkit::scale("MILWRIGHT_PROGRAMS", 60);
    let start = mil_testkit::scale("MILWRIGHT_SEED", 0);
    let sets =
        [mil_base::Opset::Ios15, mil_base::Opset::Ios17, mil_base::Opset::Ios18].map(|o| (o, templates(o)));
    let (mut wires, mut compared) = (0, 0);
    for seed in start..start + n {
        let mut rng = Rng(seed as u64);
        let (opset, templates) = &sets[rng.below(sets.len())];
        let length = 2 + rng.below(16);
        let steps = chain(&mut rng, templates, length);
        // Where most goes from one half to the other.
        let cuts = (1..steps.len()).map(|at| cut(&steps, at, templates));
        let (first, second, crossing) = cuts.max_by_key(|(.., c)| c.len()).expect("two steps or more");
        let (a, mut inputs) = assemble(&first, templates, opset.text());
        let (b, more) = assemble(&second, templates, opset.text());
        let program = |program: mil_ir::Program| {
            mil_check::check(program, &Origins::default(), &OpSet::standard(), Default::default())
        };
        let (Ok(a), Ok(b)) = (program(a), program(b)) else { panic!("seed {seed}: a half is refused") };
        let file = ["a.mil".to_owned(), "b.mil".to_owned()];
        let part = |checked, name, file| Part { name, file, checked, function: FunctionId::from_index(0) };
        let parts = [part(&a, "a", &file[0]), part(&b, "b", &file[1])];
        let outputs = parts[0].checked.program().functions[parts[0].function].outputs();
        let made = |key: u32, output: usize| {
            let step = first.iter().find(|s| s.key == key).expect("a step");
            let case = &templates[step.template];
            let source = &case.checked.program().functions[case.function];
            let value = source.outputs()[output];
            let f = &parts[0].checked.program().functions[parts[0].function];
            let name = format!("s{key}_{}", source.values[value].name);
            outputs.iter().any(|&v| f.values[v].name == *name).then_some(name)
        };
        let mut options = LinkOptions::default();
        let mut bound = HashSet::new();
        for (key, output, to, index) in crossing {
            if let Some(name) = made(key, output) {
                options.binds.push(format!("{name}=2:in_{to}_{index}").parse().expect("a binding"));
                bound.insert(format!("in_{to}_{index}"));
            }
        }
        wires += options.binds.len();
        let linked = link(&parts, &options).unwrap_or_else(|problems| {
            panic!("seed {seed}: {:?}", problems.iter().map(|p| &p.diagnostic).collect::<Vec<_>>())
        });
        inputs.extend(more.into_iter().filter(|(name, _)| !bound.contains(name.as_str())));
        match compare(&parts, &linked, &inputs) {
            Ok(()) => compared += 1,
            // A half that its own values make fail says nothing about linking, as long as both sides fail.
            Err(error) if error.contains(".mil: ") => {
                let mut whole = session(&linked.checked, FunctionId::from_index(0)).expect("a session");
                assert!(whole.run(&inputs).is_err(), "seed {seed}: only the chain fails: {error}");
            }
            Err(error) => {
                let text = |c: &Checked| print(c.program(), &Options::default());
                panic!("seed {seed}: {error}\n{}\n{}\n{}", text(&a), text(&b), text(&linked.checked));
            }
        }
    }
    println!("{compared} of {n} pairs compared, joined by {wires} wires");
    assert!(compared * 2 > n && wires > 0, "{compared} of {n} compared, {wires} wires");
}

#[test]
fn programs_are_named_the_same_for_ports_and_functions() {
    assert_eq!(program_of(&["a", "b"], "b:prefill"), Ok((Some(1), "prefill")));
}
