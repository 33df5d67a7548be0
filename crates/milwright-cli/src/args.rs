//! The command line: every command, option and default. `--help` is made from the comments here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The toolchain and runtime for MIL, the language of Core ML's ML Programs.
///
/// PROGRAM is MIL text (.mil), a package (.mlpackage), a model (.mlmodel) or a compiled bundle (.mlmodelc).
///
/// Exit status: 0 fine; 1 the program or its inputs are wrong; 2 wrong usage; 3 verification failed.
#[derive(Parser)]
#[command(name = "milwright", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = When::Auto, global = true, value_name = "WHEN")]
    pub(crate) color: When,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a program and show its outputs.
    Run(Run),
    /// Say everything that is wrong with programs.
    Check(Check),
    /// Format MIL text in place, keeping comments.
    Fmt(Fmt),
    /// Convert between text, packages, models and compiled bundles; `-` as OUT prints text.
    Convert(Convert),
    /// Compile a package or model to the .mlmodelc bundle that Core ML loads.
    Compile(Compile),
    /// Join programs into one, so that a chain of them takes one dispatch.
    ///
    /// Programs are given in the order in which they run. An input is fed by the latest earlier output of its name, or as
    /// --bind says; what nothing feeds stays an input, and inputs of one name and type are one. States stay apart. The
    /// outputs are those of the last program and those of the others that feed nothing.
    ///
    /// A port is NAME, or PROGRAM:NAME where PROGRAM is a file without folder and ending or its position: `encoder:y`, `2:x`.
    /// Where two things want one name, the later one is called NAME_2, after the position of its program.
    Link(Link),
    /// Show what is in a program: functions, ops, weights, FLOPs, memory.
    Inspect(Inspect),
    /// Explain an op, a diagnostic's code, a lint, or an error or constraint of the Neural Engine.
    Explain(Explain),
    /// Time a program.
    Bench(Bench),
    /// Predict from an .npz file to an .npz file, for scripts.
    Predict(Predict),
    /// Serve predictions over stdin and stdout, for other programs.
    #[command(mut_arg("threads", |a| a.help("Threads to compute with [default: 1, so that workers can share a machine]")))]
    Worker(Machine),
    /// Repeat the research's experiments, on a Mac or against the doubles.
    #[command(subcommand)]
    Lab(Lab),
    /// Call Apple's frameworks for another process of this program.
    #[command(hide = true)]
    AppleWorker,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Which runtime computes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeName {
    /// Planned, threaded, SIMD: fp16 ops compute in fp32 and round their result, fp32 ops compute in fp32.
    Cpu,
    /// f64 throughout, plain and slow: the definition.
    Reference,
    /// On a Mac: the public framework Core ML.
    Coreml,
    /// On a Mac: Core ML's own engine for ML Programs, from text.
    Mle5,
    /// On a Mac: the C interface beneath Core ML, held to the Neural Engine by its device mask.
    E5rt,
    /// On a Mac: the Neural Engine's own framework, in memory.
    Ane,
}

/// How compressed weights are held.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WeightsName {
    /// As they are stored; each is expanded in every run, when its turn comes. Takes the least memory.
    Compressed,
    /// Expanded once. Takes as much memory as weights that were never compressed, and less time for a few rows.
    Expanded,
}

#[derive(Args)]
pub(crate) struct Machine {
    /// Which runtime computes.
    #[arg(long, value_enum, default_value_t = RuntimeName::Cpu, value_name = "RUNTIME")]
    pub(crate) runtime: RuntimeName,
    /// Threads to compute with [default: one a core].
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Refuse programs that need more memory than this many MiB [default: what the machine has free].
    #[arg(long, value_name = "MIB")]
    pub(crate) memory_limit: Option<u64>,
    /// How the cpu runtime holds compressed weights; results are the same.
    #[arg(long, value_enum, default_value_t = WeightsName::Compressed, value_name = "HOW")]
    pub(crate) weights: WeightsName,
    /// Call Apple's frameworks in this process, which dies if they crash, and not in one of their own.
    #[arg(long)]
    pub(crate) in_process: bool,
}

#[derive(Args)]
pub(crate) struct Source {
    /// The program: .mil, .mlpackage, .mlmodel or .mlmodelc.
    #[arg(value_name = "PROGRAM")]
    pub(crate) path: PathBuf,
    /// The function to use [default: main, or the only one].
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
}

#[derive(Args)]
pub(crate) struct Inputs {
    /// An input: a .npy file, a .png or .jpg file for an image, `random`, `zeros`, `ones` or a number. May be given once for
    /// each input.
    #[arg(long = "input", value_name = "NAME=VALUE")]
    pub(crate) input: Vec<String>,
    /// Inputs by name from an .npz file.
    #[arg(long, value_name = "FILE.npz")]
    pub(crate) inputs: Option<PathBuf>,
    /// Stretch images to the size the model takes [default: refuse those of another size].
    #[arg(long)]
    pub(crate) resize: bool,
    /// Size of an input with flexible shape, `NAME=1x128` [default: the program's own default, or 1 for each open size].
    #[arg(long = "shape", value_name = "NAME=SIZES")]
    pub(crate) shape: Vec<String>,
    /// Seed of random inputs [default: from the clock, and printed].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) machine: Machine,
    /// Write the outputs to an .npz file, or one of them to a .npy file, or to a .png file if it is an image:
    /// `NAME=FILE.png`.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Vec<String>,
    /// How many classes of a classifier to show.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) top: usize,
    /// Compare every step with the reference runtime [default on a terminal].
    #[arg(long, overrides_with = "no_verify")]
    pub(crate) verify: bool,
    /// Do not compare with the reference runtime [default when not on a terminal].
    #[arg(long)]
    pub(crate) no_verify: bool,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The programs.
    #[arg(required = true, value_name = "PROGRAM")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// How to print diagnostics.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the source.
    Text,
    /// For programs: one JSON document.
    Json,
}

#[derive(Args)]
pub(crate) struct Fmt {
    /// The texts; `-` reads stdin and writes stdout.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; say which files are not formatted, and exit with 1 if there are any.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args)]
pub(crate) struct Convert {
    /// The program to read.
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// Where to write it: .mil, .mlpackage, .mlmodel or .mlmodelc; `-` prints text.
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Replace OUT if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args)]
pub(crate) struct Compile {
    /// The program to read.
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// The bundle to write; by default beside IN, under its name.
    #[arg(value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace OUT if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args)]
pub(crate) struct Link {
    /// The programs, in the order in which they run.
    #[arg(required = true, num_args = 2.., value_name = "PROGRAM")]
    pub(crate) programs: Vec<PathBuf>,
    /// Where to write the joined program: .mil, .mlpackage, .mlmodel or .mlmodelc; `-` prints text.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Feed an input from an output. Without a program, OUT is the latest of that name before the input, and IN that input
    /// of every later program: `--bind y=x` chains any number of blocks.
    #[arg(long, value_name = "OUT=IN")]
    pub(crate) bind: Vec<String>,
    /// The function to take of a program with several [default: main, or the only one].
    #[arg(long, value_name = "[PROGRAM:]NAME")]
    pub(crate) function: Vec<String>,
    /// Keep an output although it feeds an input.
    #[arg(long, value_name = "PORT", conflicts_with = "outputs")]
    pub(crate) keep: Vec<String>,
    /// The outputs, all and in this order.
    #[arg(long, value_name = "PORTS", value_delimiter = ',')]
    pub(crate) outputs: Option<Vec<String>>,
    /// Keep an input alone: no output of its name feeds it, and no other input of its name shares it.
    #[arg(long, value_name = "PORT")]
    pub(crate) separate: Vec<String>,
    /// Insert a `cast` where float types differ, or integer types.
    #[arg(long)]
    pub(crate) cast: bool,
    /// Run the joined program and the chain of its parts on random inputs, and compare every bit.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Seed of the random inputs [default: from the clock, and printed].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Replace OUT, and its weights, if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Size of an input with flexible shape, `NAME=1x128`.
    #[arg(long = "shape", value_name = "NAME=SIZES")]
    pub(crate) shape: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// An op (`layer_norm`), a code (`layer_norm/epsilon-dtype`), a lint, an error (`ane/error-15`) or constraint (`ane/S03`) of
    /// the Neural Engine. Without it, everything there is.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) machine: Machine,
    /// How long to measure.
    #[arg(long, default_value_t = 3.0, value_name = "SECONDS")]
    pub(crate) seconds: f64,
    /// Time every op.
    #[arg(long)]
    pub(crate) by_op: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Predict {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The inputs.
    #[arg(long, value_name = "IN.npz")]
    pub(crate) input: PathBuf,
    /// Where to write the outputs.
    #[arg(long, value_name = "OUT.npz")]
    pub(crate) output: PathBuf,
    /// State to start from [default: zeros].
    #[arg(long, value_name = "S.npz")]
    pub(crate) state_in: Option<PathBuf>,
    /// Where to write the state afterwards.
    #[arg(long, value_name = "S.npz")]
    pub(crate) state_out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: Machine,
}

#[derive(Subcommand)]
pub(crate) enum Lab {
    /// List the experiments.
    List,
    /// Show an experiment: its question, what the research saw, what later work corrected, what counts as repeated.
    Show {
        /// The experiment, such as `Z1`.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Run experiments, each in a process of its own.
    ///
    /// Exit status 3 if one is not repeated.
    Run(LabRun),
    /// Make a report of evidence: tables and plots.
    Report(LabReport),
    /// Run every experiment that is safe, and write one file with all evidence: the first thing to do on a Mac.
    Confirm(LabConfirm),
    /// Run one experiment in this process and print its record as JSON.
    #[command(hide = true)]
    Step {
        /// The experiment.
        id: String,
        #[command(flatten)]
        how: LabHow,
    },
}

#[derive(Args)]
pub(crate) struct LabHow {
    /// Seed of random inputs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Milliseconds for each measurement of time.
    #[arg(long, value_name = "MS", default_value_t = 300)]
    pub(crate) budget: u64,
    /// Seconds after which an experiment counts as hanging.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) limit: u64,
}

#[derive(Args)]
pub(crate) struct LabRun {
    /// The experiments.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// Every experiment, also those that may crash or hang.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    /// Write the evidence to a file.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) json: Option<PathBuf>,
    /// Print everything that was found, not only the verdicts.
    #[arg(long)]
    pub(crate) findings: bool,
    #[command(flatten)]
    pub(crate) how: LabHow,
}

#[derive(Args)]
pub(crate) struct LabReport {
    /// Evidence, as `run --json` and `confirm` write it.
    #[arg(value_name = "FILE.json", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write it: .md (plots in .svg files beside it) or .html.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct LabConfirm {
    /// Where to write the evidence.
    #[arg(short, long, value_name = "FILE.json", default_value = "milwright-evidence.json")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) how: LabHow,
}
