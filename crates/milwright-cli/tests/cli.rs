//! The program as a user meets it: exit statuses, messages, pipes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn milwright(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_milwright"))
        .args(args)
        .current_dir(root())
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder that goes away with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("milwright-cli-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn examples() -> Vec<String> {
    let files = std::fs::read_dir(root().join("examples")).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<String> = files
        .filter(|p| p.extension().is_some_and(|e| e == "mil"))
        .map(|p| format!("examples/{}", p.file_name().unwrap().to_string_lossy()))
        .collect();
    all.sort();
    all
}

#[test]
fn every_example_is_clean_and_verified_and_formatted() {
    let examples = examples();
    assert!(examples.len() >= 9, "{examples:?}");
    for example in &examples {
        let check = milwright(&["check", example]);
        assert!(
            check.status.success() && !text(&check.stdout).contains("warning"),
            "{}",
            text(&check.stdout)
        );
        let run = milwright(&["run", example, "--verify", "--seed", "7"]);
        let out = text(&run.stdout);
        assert_eq!(run.status.code(), Some(0), "{example}: {out}{}", text(&run.stderr));
        assert!(out.contains("verified: every step") && out.contains("ran on cpu"), "{out}");
    }
    let args: Vec<&str> = ["fmt", "--check"].into_iter().chain(examples.iter().map(String::as_str)).collect();
    let fmt = milwright(&args);
    assert!(fmt.status.success(), "{}", text(&fmt.stderr));
}

#[test]
fn a_seed_gives_the_same_numbers_again() {
    let run = |seed| text(&milwright(&["run", "examples/softmax.mil", "--seed", seed, "--no-verify"]).stdout);
    let numbers = |out: String| {
        out.lines().filter(|l| l.starts_with("  first ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(numbers(run("3")), numbers(run("3")));
    assert_ne!(numbers(run("3")), numbers(run("4")));
}

#[test]
fn mistakes_have_their_statuses_places_and_remedies() {
    let scratch = Scratch::new("mistakes");
    let bad = scratch.file("bad.mil");
    let program = "program(1.3)\n{\n    func main<ios17>(tensor<fp32, [2]> x) {\n            tensor<fp32, [3]> y = relu(x = x);\n        } -> (y);\n}\n";
    std::fs::write(&bad, program).unwrap();
    let check = milwright(&["check", &bad]);
    assert_eq!(check.status.code(), Some(1));
    let out = text(&check.stdout);
    assert!(
        out.contains("check/declared-type") && out.contains("bad.mil:4:") && out.contains("help"),
        "{out}"
    );

    let missing = milwright(&["run", "no/such/file.mil"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("file/not-found"));

    assert_eq!(milwright(&["run"]).status.code(), Some(2));
    assert_eq!(milwright(&["frobnicate"]).status.code(), Some(2));

    for (args, wanted) in [
        (["--input", "q=1"], "its inputs are x"),
        (["--input", "x=2 apples"], "random, zeros, ones or a number"),
        (["--shape", "x=3x"], "NAME=SIZES"),
        (["--shape", "x=2x2"], "run/input-shape"),
        (["--inputs", "no.npz"], "no.npz"),
    ] {
        let run = milwright(&["run", "examples/relu.mil", args[0], args[1]]);
        assert_eq!(run.status.code(), Some(1), "{args:?}");
        assert!(text(&run.stderr).contains(wanted), "{args:?}: {}", text(&run.stderr));
    }
    let memory = milwright(&["run", "examples/transformer_block.mil", "--memory-limit", "0"]);
    assert_eq!(memory.status.code(), Some(1));
    assert!(text(&memory.stderr).contains("run/memory"), "{}", text(&memory.stderr));
}

#[test]
fn json_is_json_and_names_the_place() {
    let scratch = Scratch::new("json");
    let bad = scratch.file("bad.mil");
    std::fs::write(&bad, "program(1.3) { func main<ios17>(fp32 x) { fp32 y = relux(x = x); } -> (y); }")
        .unwrap();
    let out = milwright(&["check", "--format", "json", &bad]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json[0]["code"], "check/unknown-op");
    assert_eq!(json[0]["labels"][0]["file"], bad.as_str());
    assert!(json[0]["labels"][0]["line"].is_u64());
    let inspect = milwright(&["inspect", "--json", "examples/linear.mil"]);
    let json: serde_json::Value = serde_json::from_slice(&inspect.stdout).unwrap();
    assert_eq!(json["functions"][0]["parameters"], 64 * 64 + 64);
    assert_eq!(json["functions"][0]["ops"]["linear"], 1);
}

#[test]
fn conversions_there_and_back_keep_the_program() {
    let scratch = Scratch::new("convert");
    let (package, again) = (scratch.file("block.mlpackage"), scratch.file("again.mil"));
    for (from, to) in [("examples/transformer_block.mil", &package), (package.as_str(), &again)] {
        let convert = milwright(&["convert", from, to]);
        assert!(convert.status.success(), "{from}: {}", text(&convert.stderr));
    }
    let print = |path: &str| text(&milwright(&["convert", path, "-"]).stdout);
    assert_eq!(print(&package), print(&again));
    let twice = milwright(&["convert", "examples/transformer_block.mil", &package]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(text(&twice.stderr).contains("--force"));
    let outputs = |path: &str| {
        let file = scratch.file("out.npz");
        let run = milwright(&["run", path, "--seed", "1", "--output", &file]);
        assert!(run.status.success(), "{}", text(&run.stderr));
        std::fs::read(file).unwrap()
    };
    assert_eq!(outputs("examples/transformer_block.mil"), outputs(&package));
    assert_eq!(outputs(&package), outputs(&again));
}

#[test]
fn output_goes_through_pipes() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_milwright"))
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let messy = "program(1.3){func main<ios17>(fp32 x){fp32 y=relu(x=x);}->(y);}";
    child.stdin.take().unwrap().write_all(messy.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let formatted = text(&out.stdout);
    assert!(formatted.contains("fp32 y = relu(x = x);"), "{formatted}");
    assert!(!formatted.contains('\u{1b}'), "no colours in a pipe");

    // A reader that goes away is no error.
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_milwright")).arg("explain").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The headers with which `milwright worker ARGS` answers the headers given.
fn worker(args: &[&str], requests: &[&str]) -> Vec<serde_json::Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_milwright"))
        .arg("worker")
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for request in requests {
        stdin.write_all(&(request.len() as u32).to_le_bytes()).unwrap();
        stdin.write_all(&0u64.to_le_bytes()).unwrap();
        stdin.write_all(request.as_bytes()).unwrap();
    }
    drop(stdin);
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let (mut rest, mut replies) = (out.stdout.as_slice(), Vec::new());
    while !rest.is_empty() {
        let header = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
        let payload = u64::from_le_bytes(rest[4..12].try_into().unwrap()) as usize;
        replies.push(serde_json::from_slice::<serde_json::Value>(&rest[12..12 + header]).unwrap());
        rest = &rest[12 + header + payload..];
    }
    replies
}

#[test]
fn the_worker_answers_in_order_and_survives_nonsense() {
    let replies = worker(
        &[],
        &[
            r#"{"id":1,"cmd":"hello","protocol":1}"#,
            r#"{"id":2,"cmd":"load","path":"examples/relu.mil","function":""}"#,
            r#"{"id":3,"cmd":"load","path":"no.mlpackage","function":""}"#,
            r#"{"id":4,"cmd":"dance"}"#,
            r#"{"id":5,"cmd":"predict","model":77}"#,
            r#"{"id":6,"cmd":"ping"}"#,
        ],
    );
    let oks: Vec<bool> = replies.iter().map(|r| r["ok"].as_bool().unwrap()).collect();
    assert_eq!(oks, [true, true, false, false, false, true]);
    assert_eq!(replies.iter().map(|r| r["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(replies[2]["error"].as_str().unwrap().contains("no.mlpackage"));
}

#[test]
fn a_worker_loads_for_the_runtime_it_was_started_with_and_says_which() {
    let load = r#"{"id":1,"cmd":"load","path":"examples/relu.mil","function":""}"#;
    for (args, runtime) in [(&[][..], "cpu"), (&["--runtime", "reference"][..], "reference")] {
        assert_eq!(worker(args, &[load])[0]["runtime"], runtime);
    }
}

#[test]
fn the_worker_compiles_what_it_then_loads() {
    let scratch = Scratch::new("worker-compile");
    let bundle = scratch.file("relu.mlmodelc");
    let compile = serde_json::json!({"cmd": "compile", "path": "examples/relu.mil", "out": bundle});
    let load = serde_json::json!({"cmd": "load", "path": bundle, "function": ""});
    let replies = worker(&[], &[&compile.to_string(), &load.to_string()]);
    assert!(replies.iter().all(|r| r["ok"] == true), "{replies:?}");
}

#[test]
fn the_lab_shows_its_cards_and_says_what_running_needs() {
    let list = milwright(&["lab", "list"]);
    assert!(list.status.success() && text(&list.stdout).contains("  Z1 "), "{list:?}");
    let z1 = text(&milwright(&["lab", "show", "z1"]).stdout);
    assert!(
        z1.contains("It almost surely ran on the CPU") && z1.contains("which fits sequential fp16"),
        "{z1}"
    );
    let unknown = milwright(&["lab", "show", "Z"]);
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("did you mean Z1"), "{unknown:?}");
    if cfg!(feature = "doubles") || cfg!(target_os = "macos") {
        return;
    }
    let run = milwright(&["lab", "run", "Z1"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).contains("--features doubles"), "{run:?}");
}

#[cfg(feature = "doubles")]
#[test]
fn an_experiment_runs_in_a_process_of_its_own_and_is_reported() {
    let scratch = Scratch::new("lab");
    let (json, report) = (scratch.file("e.json"), scratch.file("r.md"));
    let run = milwright(&["lab", "run", "P", "v2-9", "--budget", "1", "--json", &json, "--findings"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(text(&run.stdout).contains("buffersReady: NO, without an error"), "{run:?}");
    assert!(milwright(&["lab", "report", &json, "-o", &report]).status.success());
    let report = std::fs::read_to_string(&report).unwrap();
    assert!(report.contains("| P |") && report.contains("double (on "), "{report}");
}

/// `docs/cli.md` is what `--help` says; `BLESS=1` writes it.
#[test]
fn the_manual_says_what_help_says() {
    let mut manual = String::from(
        "# The command line\n\nWhat `milwright --help` and the help of each command say. Written by `BLESS=1 cargo test -p milwright-cli`.\n",
    );
    let commands = [
        "",
        "run",
        "check",
        "fmt",
        "convert",
        "link",
        "inspect",
        "explain",
        "bench",
        "predict",
        "worker",
        "lab",
        "lab run",
        "lab report",
        "lab confirm",
        "completions",
    ];
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = milwright(&args);
        assert!(help.status.success());
        let name = format!("milwright {command}");
        let help = text(&help.stdout);
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        manual.push_str(&format!("\n## {}\n\n```text\n{}\n```\n", name.trim(), lines.join("\n").trim_end()));
    }
    let path = root().join("docs/cli.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &manual).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), manual, "run it again with BLESS=1");
}

#[test]
fn programs_are_linked_verified_and_told_what_is_wrong() {
    let scratch = Scratch::new("link");
    let out = scratch.file("affine_relu.mil");
    let program = |name: &str, op: &str| {
        let path = scratch.file(name);
        let text = format!(
            "program(1.3)\n{{\n    func main<ios17>(tensor<fp16, [2, 4]> x) {{\n            tensor<fp16, [2, 4]> y = {op}(x = x);\n        }} -> (y);\n}}\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let (a, b) = (program("a.mil", "relu"), program("b.mil", "tanh"));
    let link = milwright(&["link", &a, &b, "--bind", "y=x", "-o", &out, "--verify", "--seed", "3"]);
    let said = text(&link.stdout);
    assert_eq!(link.status.code(), Some(0), "{said}{}", text(&link.stderr));
    assert!(said.contains("a:y -> b:x") && said.contains("1 plan instead of 2"), "{said}");
    assert!(milwright(&["check", &out]).status.success());

    let again = milwright(&["link", &a, &b, "--bind", "y=x", "-o", &out]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("--force"));
    let forced = milwright(&["link", &a, &b, "--bind", "y=x", "-o", &out, "--force"]);
    assert!(forced.status.success(), "{}", text(&forced.stderr));

    let printed = milwright(&["link", &a, &b, "--bind", "y=x", "-o", "-"]);
    assert_eq!(text(&printed.stdout), std::fs::read_to_string(&out).unwrap());

    let unbound = milwright(&["link", &a, &b, "-o", "-"]);
    assert!(unbound.status.success() && text(&unbound.stderr).contains("--bind 1:y=2:x"));
    for (bind, wanted) in
        [("z=x", "link/unknown-output"), ("y", "is not OUT=IN"), ("y=b:z", "link/unknown-input")]
    {
        let refused = milwright(&["link", &a, &b, "--bind", bind, "-o", "-"]);
        assert_eq!(refused.status.code(), Some(1), "{bind}");
        assert!(text(&refused.stderr).contains(wanted), "{bind}: {}", text(&refused.stderr));
    }
    assert_eq!(milwright(&["link", &a, "-o", "-"]).status.code(), Some(2));
}

/// A bundle that turns a photo of this size into its negative.
fn negative(scratch: &Scratch, name: &str, width: usize, height: usize) -> String {
    let folder = scratch.0.join(format!("{name}.mlmodelc"));
    std::fs::create_dir_all(&folder).unwrap();
    let image = |name: &str| {
        format!(
            r#"[{{"name": "{name}", "type": "Image", "width": "{width}", "height": "{height}", "colorspace": "RGB"}}]"#
        )
    };
    let metadata = format!(
        r#"[{{"specificationVersion": 8, "inputSchema": {}, "outputSchema": {}}}]"#,
        image("photo"),
        image("negative")
    );
    std::fs::write(folder.join("metadata.json"), metadata).unwrap();
    let ty = format!("tensor<fp32, [1, 3, {height}, {width}]>");
    let program = format!(
        "program(1.3)\n{{\n    func main<ios17>({ty} photo) {{\n            {ty} negative = sub(x = fp32(255.0), \
         y = photo);\n        }} -> (negative);\n}}\n"
    );
    std::fs::write(folder.join("model.mil"), program).unwrap();
    folder.display().to_string()
}

#[test]
fn images_go_in_and_out_as_files() {
    let scratch = Scratch::new("images");
    let (small, large) = (negative(&scratch, "small", 3, 2), negative(&scratch, "large", 6, 4));
    let (white, black) = (scratch.file("white.png"), scratch.file("black.png"));
    let run = |model: &str, from: &str, to: &str, more: &[&str]| {
        let (from, to) = (format!("photo={from}"), format!("negative={to}"));
        let args = [&["run", model, "--no-verify", "--input", &from, "--output", &to], more].concat();
        let out = milwright(&args);
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    let shown = text(&milwright(&["inspect", &small]).stdout);
    assert!(shown.contains("photo: tensor<fp32, [1, 3, 2, 3]>  (image, 3 x 2 RGB)"), "{shown}");
    let (status, out) = run(&small, "zeros", &white, &[]);
    assert!(status == Some(0) && out.contains("range 255.000000 to 255.000000"), "{out}");
    let (status, out) = run(&small, &white, &black, &[]);
    assert!(status == Some(0) && out.contains("range 0.000000 to 0.000000"), "{out}");

    let (status, out) = run(&large, &white, &black, &[]);
    assert!(status == Some(1) && out.contains("3 x 2") && out.contains("6 x 4"), "{out}");
    let (status, out) = run(&large, &white, &black, &["--resize"]);
    assert!(status == Some(0) && out.contains("range 0.000000 to 0.000000"), "{out}");
    let (status, out) = run(&large, "README.md.png", &black, &[]);
    assert!(status == Some(1) && out.contains("no file"), "{out}");
}

#[test]
fn outputs_go_where_their_names_say_or_are_refused_before_the_run() {
    let scratch = Scratch::new("outputs");
    let small = negative(&scratch, "small", 3, 2);
    let run = |to: &str| {
        let out = milwright(&["run", &small, "--no-verify", "--input", "photo=zeros", "--output", to]);
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    let file = |name: &str| scratch.file(name);
    let (status, out) = run(&format!("negative={}", file("y.npy")));
    assert!(status == Some(0) && Path::new(&file("y.npy")).is_file(), "{out}");
    let (status, out) = run(&format!("negative={}", file("y.PNG")));
    assert!(status == Some(0) && std::fs::read(file("y.PNG")).unwrap().starts_with(b"\x89PNG"), "{out}");
    for (to, wanted) in [
        (file("z.png"), "NAME is negative"),
        (file("z.npy"), "NAME is negative"),
        (format!("negative={}", file("z.jpg")), "written as .png"),
        (format!("nobody={}", file("z.png")), "the outputs are negative"),
        (format!("negative={}", file("z.npz")), "would hold all"),
    ] {
        let (status, out) = run(&to);
        assert!(status == Some(1) && out.contains(wanted), "{to}: {out}");
        assert!(!out.contains("ran on"), "{to}: refused before the run: {out}");
    }
    let left = std::fs::read_dir(&scratch.0).unwrap().count();
    assert_eq!(left, 3, "the bundle, y.npy and y.PNG");

    let npz = file("in.npz");
    let made = milwright(&["run", "examples/relu.mil", "--no-verify", "--output", &npz]);
    assert!(made.status.success());
    for command in ["predict", "run"] {
        let inputs = if command == "run" { "--inputs" } else { "--input" };
        let out = milwright(&[command, "examples/softmax.mil", inputs, &npz, "--output", &file("out.npz")]);
        assert!(text(&out.stderr).contains(&format!("(inputs from `{npz}`)")), "{}", text(&out.stderr));
    }
    let out = milwright(&["inspect", "examples/relu.mil", "--function", "nobody"]);
    assert!(text(&out.stderr).contains("its functions are main"), "{}", text(&out.stderr));
    let out = milwright(&["inspect", "examples/relu.mil", "--shape", "q=2x3"]);
    assert!(text(&out.stderr).contains("its inputs are x"), "{}", text(&out.stderr));
    let out = milwright(&["inspect", "examples/relu.mil", "--shape", "x=2x3"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stdout).contains("is declared [1, 16]"), "{}", text(&out.stdout));
}

#[test]
fn a_classifier_shows_its_best_classes() {
    let scratch = Scratch::new("classes");
    let program = scratch.file("insects.mil");
    let source = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [3]> odds) {
            list<string, 3> names = const()[val = list<string, 3>(["ant", "bee", "cat"])];
            string label, dict<string, fp64> p = classify(classes = names, probabilities = odds);
        } -> (label, p);
}
"#;
    std::fs::write(&program, source).unwrap();
    let out = milwright(&["run", &program, "--no-verify", "--input", "odds=ones", "--top", "2"]);
    let shown = text(&out.stdout);
    assert!(out.status.success() && shown.contains("\"ant\""), "{shown}{}", text(&out.stderr));
    assert!(shown.contains("p 3 classes\n  1.000000  ant\n  1.000000  bee\n  1 more"), "{shown}");
}
