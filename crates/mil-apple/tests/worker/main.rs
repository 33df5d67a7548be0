//! Programs in a worker that dies, hangs, and uses up its compile budget. The test is its own worker, which is why it has no
//! harness: a harness would read the arguments.

use mil_apple::worker::{self, Command, Isolated, Limits, Task, Worker};
use mil_apple::{Kind, ane};
use mil_check::{Checked, Target};
use mil_codec::text;
use mil_ops::OpSet;
use mil_run::{Cpu, Named, RunError, Runtime};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROLE: &str = "--as-worker";

const TASKS: &[Task] = &[
    Task { name: "echo", perform: |argument| Ok(argument.to_owned()) },
    Task { name: "abort", perform: |_| std::process::abort() },
    Task { name: "leave", perform: |_| std::process::exit(3) },
    Task {
        name: "hang",
        perform: |_| {
            std::thread::sleep(Duration::from_secs(600));
            Ok(String::new())
        },
    },
    Task {
        name: "chatter",
        perform: |argument| {
            println!("a framework prints");
            Ok(argument.to_owned())
        },
    },
    Task { name: "events", perform: |_| events() },
    Task { name: "compiles", perform: |_| Ok(ane::compiles().to_string()) },
];

fn main() {
    if std::env::args().any(|a| a == ROLE) {
        worker::serve_with(TASKS).unwrap();
        return;
    }
    let tests: [(&str, fn()); 9] = [
        ("tasks_are_performed", tasks_are_performed),
        ("a_death_is_told_and_the_next_call_starts_anew", a_death_is_told_and_the_next_call_starts_anew),
        ("a_hang_is_ended", a_hang_is_ended),
        ("what_a_framework_prints_is_no_answer", what_a_framework_prints_is_no_answer),
        ("a_program_runs_there_as_here", a_program_runs_there_as_here),
        ("a_program_survives_its_worker", a_program_survives_its_worker),
        ("a_used_up_budget_is_renewed", a_used_up_budget_is_renewed),
        ("a_request_with_events_hangs_the_worker_only", a_request_with_events_hangs_the_worker_only),
        ("what_a_dead_worker_staged_is_removed", what_a_dead_worker_staged_is_removed),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    for (name, test) in tests {
        if wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str())) {
            println!("test {name}");
            test();
        }
    }
}

fn command() -> Command {
    Command::this(&[ROLE]).unwrap()
}

fn new_worker() -> Worker {
    Worker::new(command(), Limits::default())
}

const SHORT: Duration = Duration::from_secs(30);

fn tasks_are_performed() {
    let worker = new_worker();
    assert_eq!(worker.perform("echo", "größer", SHORT).unwrap(), "größer");
    assert!(matches!(worker.perform("no such", "", SHORT), Err(RunError::Internal(_))));
    assert_eq!(worker.generation(), 1);
}

fn death(error: &RunError) -> String {
    let RunError::Refused(all) = error else { panic!("{error}") };
    assert_eq!(all[0].code, "apple/worker-died");
    all[0].message.clone()
}

fn a_death_is_told_and_the_next_call_starts_anew() {
    let worker = new_worker();
    let aborted = death(&worker.perform("abort", "", SHORT).unwrap_err());
    assert!(aborted.contains("performing `abort`") && aborted.contains("signal: 6"), "{aborted}");
    let left = death(&worker.perform("leave", "", SHORT).unwrap_err());
    assert!(left.contains("exit status: 3"), "{left}");
    assert_eq!(worker.perform("echo", "on", SHORT).unwrap(), "on");
    assert_eq!(worker.generation(), 3);
}

fn a_hang_is_ended() {
    let (worker, start) = (new_worker(), Instant::now());
    let hung = death(&worker.perform("hang", "", Duration::from_millis(300)).unwrap_err());
    assert!(hung.contains("did not answer within 0.3 s"), "{hung}");
    assert!(start.elapsed() < SHORT);
    assert_eq!(worker.perform("echo", "on", SHORT).unwrap(), "on");
}

fn what_a_framework_prints_is_no_answer() {
    let worker = new_worker();
    assert_eq!(worker.perform("chatter", "yes", SHORT).unwrap(), "yes");
    assert_eq!(worker.generation(), 1);
}

fn program(op: &str) -> Arc<Checked> {
    let source = format!(
        "program(1.3)\n{{\nfunc main<ios17>(tensor<fp16, [4]> x, tensor<fp16, [4]> a) {{ {op} }} -> (y);\n}}\n"
    );
    let read = text::read(&source);
    let checked =
        mil_check::check(Arc::new(read.program), &read.origins, &OpSet::standard(), Target::default());
    Arc::new(checked.unwrap_or_else(|d| panic!("{d:?}")))
}

fn given() -> Vec<Named> {
    let tensor = |v: [f64; 4]| mil_base::Tensor::from_f64(mil_base::DType::Fp16, &[4], &v).unwrap();
    vec![
        (mil_base::Name::new("x"), tensor([1.0, -2.0, 0.3, 4.0])),
        (mil_base::Name::new("a"), tensor([0.1, 5.0, 7.0, -1.0])),
    ]
}

const SUB: &str = "tensor<fp16, [4]> y = sub(x = x, y = a);";

fn on_cpu(checked: &Arc<Checked>) -> Vec<Named> {
    let loaded = Cpu.load(checked.clone(), &mil_run::Options::default()).unwrap();
    loaded.session(None).unwrap().run(&given()).unwrap()
}

fn a_program_runs_there_as_here() {
    let runtime = Isolated::new(Kind::Ane, command());
    assert_eq!(runtime.name(), "ane (double)");
    let checked = program(SUB);
    let loaded = runtime.load(checked.clone(), &mil_run::Options::default()).unwrap();
    let here = mil_apple::runtime(Kind::Ane).unwrap();
    let here = here.load(checked.clone(), &mil_run::Options::default()).unwrap();
    assert_eq!(loaded.placement(), here.placement());
    let mut session = loaded.session(None).unwrap();
    assert_eq!(session.run(&given()).unwrap(), on_cpu(&checked));
    assert_eq!(session.states(), []);
    let there = session.run(&given()[..1]).unwrap_err();
    assert_eq!(there, here.session(None).unwrap().run(&given()[..1]).unwrap_err());
    assert!(loaded.session(Some("none")).is_err());
    let state = session.set_state("s", &given()[0].1).unwrap_err();
    assert_eq!(state, here.session(None).unwrap().set_state("s", &given()[0].1).unwrap_err());
}

fn a_program_survives_its_worker() {
    let runtime = Isolated::new(Kind::Ane, command());
    let checked = program(SUB);
    let loaded = runtime.load(checked.clone(), &mil_run::Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    let want = session.run(&given()).unwrap();
    assert!(runtime.worker().perform("abort", "", SHORT).is_err());
    assert_eq!(session.run(&given()).unwrap(), want);
    assert_eq!(runtime.worker().generation(), 2);
    runtime.worker().stop();
    assert_eq!(loaded.session(Some("main")).unwrap().run(&given()).unwrap(), want);
    assert_eq!(session.run(&given()).unwrap(), want);
    assert_eq!(runtime.worker().generation(), 3);
}

fn a_used_up_budget_is_renewed() {
    let runtime = Isolated::new(Kind::Ane, command());
    let options = mil_run::Options::default();
    let budget = ane::Options::default().budget;
    for i in 0..=budget {
        let op = format!(
            "tensor<fp16, [4]> s = sub(x = x, y = a); tensor<fp16, [4]> y = add(x = s, y = fp16({i}));"
        );
        let checked = program(&op);
        let loaded = runtime.load(checked.clone(), &options).unwrap_or_else(|e| panic!("{i}: {e}"));
        if i % 40 == 0 || i == budget {
            assert_eq!(loaded.session(None).unwrap().run(&given()).unwrap(), on_cpu(&checked));
        }
    }
    assert_eq!(runtime.worker().generation(), 2);
    assert_eq!(runtime.worker().perform("compiles", "", SHORT).unwrap(), "1");
}

/// Evaluates a request with shared events, which never returns on record.
fn events() -> Result<String, RunError> {
    let loaded = ane::LoadedAne::new(program(SUB), &ane::Options::default())?;
    let (_, mut request) = loaded.request(None)?;
    let event = ane::SharedEvent::new()?;
    let events = ane::SharedEvents::new(&[ane::SignalEvent::new(1, 0, 0, &event)?], &[])?;
    request.attach_events(events.object())?;
    let call = ane::evaluate(loaded.program().model(), &mut request, ane::Route::Standard, 21)?;
    Ok(call.to_owned())
}

fn a_request_with_events_hangs_the_worker_only() {
    let quick = new_worker().perform("events", "", SHORT).unwrap_err();
    assert!(quick.to_string().contains("com.apple.appleneuralengine 3"), "{quick}");
    let stall = ("MILWRIGHT_DOUBLE_STALL_MS".into(), "600000".into());
    let slow = Worker::new(Command { environment: vec![stall], ..command() }, Limits::default());
    assert!(slow.perform("echo", "", SHORT).is_ok());
    let hung = death(&slow.perform("events", "", Duration::from_secs(1)).unwrap_err());
    assert!(hung.contains("did not answer within 1 s"), "{hung}");
}

/// What a worker staged: folders named by an identifier, each with a mark that names its process.
fn staged() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let owned = entries.filter_map(|e| std::fs::read_to_string(e.path().join("owns")).ok());
    owned.map(|name| std::env::temp_dir().join(name)).collect()
}

fn what_a_dead_worker_staged_is_removed() {
    let runtime = Isolated::new(Kind::Ane, command());
    let checked = program("tensor<fp16, [4]> y = maximum(x = x, y = a);");
    let before = staged();
    let loaded = runtime.load(checked, &mil_run::Options::default()).unwrap();
    let left: Vec<_> = staged().into_iter().filter(|f| !before.contains(f)).collect();
    assert!(left.len() == 1 && left[0].join("model.mil").exists(), "{left:?}");
    assert!(runtime.worker().perform("abort", "", SHORT).is_err());
    assert!(left[0].exists());
    drop(loaded);
    drop(mil_apple::stage::Stage::new().unwrap());
    assert!(!left[0].exists(), "{left:?}");
}
