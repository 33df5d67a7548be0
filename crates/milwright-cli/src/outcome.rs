//! How the program ends.

use std::io::ErrorKind;
use std::process::ExitCode;

/// What a command came to; the exit status says it to scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Status 0.
    Fine,
    /// Status 1: the program or its inputs are wrong.
    Wrong,
    /// Status 3: the numbers differ from the reference by more than stated.
    NotVerified,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Wrong => 1,
            Outcome::NotVerified => 3,
        })
    }
}

/// Did the reader of our output go away (`milwright explain | head`)? That is no error.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|e| e.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == ErrorKind::BrokenPipe)
}
