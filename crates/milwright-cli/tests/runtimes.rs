//! The ways to Apple's frameworks, as a user meets them: against the doubles, or refused.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RUNTIMES: [&str; 4] = ["coreml", "mle5", "e5rt", "ane"];

fn run(arguments: &[&str]) -> Output {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_milwright"));
    command.args(["run", "--seed", "1", "--verify"]).args(arguments).current_dir(root);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is printed of the outputs, without the runtime's name, times and the comparison.
fn outputs(text: &str) -> Vec<&str> {
    text.lines().take_while(|line| !line.starts_with("ran on")).collect()
}

#[cfg(all(feature = "doubles", not(target_os = "macos")))]
#[test]
fn every_runtime_gives_what_cpu_gives_and_says_that_it_is_a_double() {
    for program in ["examples/transformer_block.mil", "examples/attention.mil"] {
        let cpu = text(&run(&[program]).stdout);
        for runtime in RUNTIMES {
            for more in [&[][..], &["--in-process"]] {
                let arguments = [&[program, "--runtime", runtime], more].concat();
                let ran = run(&arguments);
                let (out, err) = (text(&ran.stdout), text(&ran.stderr));
                assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {out}{err}");
                assert_eq!(outputs(&out), outputs(&cpu), "{arguments:?}");
                assert!(out.contains(&format!("ran on {runtime} (double)")), "{out}");
                assert!(out.contains("where it ran: double"), "{out}");
                assert!(!out.contains("Neural Engine"), "{out}");
            }
        }
    }
}

#[cfg(not(any(feature = "doubles", target_os = "macos")))]
#[test]
fn without_a_mac_every_runtime_is_refused_with_a_remedy() {
    for runtime in RUNTIMES {
        let refused = run(&["examples/relu.mil", "--runtime", runtime]);
        let err = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{err}");
        assert!(err.contains(&format!("`{runtime}` needs a Mac")) && err.contains("--runtime cpu"), "{err}");
        assert!(outputs(&text(&refused.stdout)).is_empty());
    }
}
