//! Our end: starts the worker, asks, waits no longer than allowed, and says how it died.

use super::frame;
use super::message::{Reply, Request};
use crate::error::BridgeError;
use mil_run::RunError;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How a worker is started: an executable that calls [`super::serve`] when it is started so.
#[derive(Clone, Debug)]
pub struct Command {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables to set in its environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Command {
    /// This executable with these arguments. Errors: it cannot be found.
    pub fn this(arguments: &[&str]) -> io::Result<Command> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Ok(Command { program: std::env::current_exe()?, arguments, environment: Vec::new() })
    }
}

/// How long the worker may take before it counts as hanging and is ended.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Compiling and loading: 131 s are on record for a large program.
    pub load: Duration,
    /// Everything else.
    pub run: Duration,
}

impl Default for Limits {
    /// Ten minutes and one.
    fn default() -> Limits {
        Limits { load: Duration::from_secs(600), run: Duration::from_secs(60) }
    }
}

/// A worker, started when it is first asked something and again after it died. Calls go one after the other.
#[derive(Debug)]
pub struct Worker {
    command: Command,
    limits: Limits,
    process: Mutex<State>,
}

/// How to ask.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// How long it may take.
    pub(super) limit: Duration,
    /// What the worker is doing then, should it die of it.
    pub(super) doing: &'a str,
    /// The worker that must still be there, as the question has numbers in it that only that one knows.
    pub(super) generation: Option<u64>,
}

/// An answer, with the generation of the worker that gave it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) body: Vec<u8>,
    pub(super) generation: u64,
}

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    /// How many were started.
    generation: u64,
}

#[derive(Debug)]
struct Process {
    child: Child,
    input: ChildStdin,
    replies: Receiver<io::Result<(Reply, Vec<u8>)>>,
}

impl Worker {
    /// A worker of that command, not yet started.
    pub fn new(command: Command, limits: Limits) -> Worker {
        Worker { command, limits, process: Mutex::default() }
    }

    /// Has the worker do a task of [`super::serve_with`].
    ///
    /// Errors: the task's own; `apple/worker-died` if the worker crashed or took longer than `limit`.
    pub fn perform(&self, task: &str, argument: &str, limit: Duration) -> Result<String, RunError> {
        let request = Request::Perform { task: task.to_owned(), argument: argument.to_owned() };
        let ask = Ask { limit, doing: &format!("performing `{task}`"), generation: None };
        match self.ask(&request, &[], &ask)?.reply {
            Reply::Text(text) => Ok(text),
            other => Err(strange(&other)),
        }
    }

    /// The limits.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Ends the worker; the next call starts another.
    pub fn stop(&self) {
        self.state().process = None;
    }

    /// How many workers were started so far. What was loaded in an earlier one is gone.
    pub fn generation(&self) -> u64 {
        self.state().generation
    }

    /// The generation of the worker, if it lives.
    pub(super) fn living(&self) -> Option<u64> {
        let mut state = self.state();
        let alive = state.process.as_mut().is_some_and(|p| matches!(p.child.try_wait(), Ok(None)));
        alive.then_some(state.generation)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks and waits.
    pub(super) fn ask(&self, request: &Request, body: &[u8], ask: &Ask<'_>) -> Result<Answer, RunError> {
        let died =
            |how: String| RunError::from(BridgeError::WorkerDied { during: ask.doing.to_owned(), how });
        let mut state = self.state();
        if ask.generation.is_some_and(|g| g != state.generation || state.process.is_none()) {
            return Err(died("another call ended it".to_owned()));
        }
        let mut process = match state.process.take() {
            Some(process) => process,
            None => {
                state.generation += 1;
                Process::start(&self.command).map_err(|e| died(format!("it did not start: {e}")))?
            }
        };
        if frame::write(&mut process.input, request, body).is_err() {
            return Err(died(process.end()));
        }
        let (reply, body) = match process.replies.recv_timeout(ask.limit) {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(died(process.end())),
            Err(RecvTimeoutError::Timeout) => {
                return Err(died(format!(
                    "it did not answer within {} s and was ended",
                    ask.limit.as_secs_f32()
                )));
            }
        };
        state.process = Some(process);
        match reply {
            Reply::Failed(failure) => Err(failure.into()),
            reply => Ok(Answer { reply, body, generation: state.generation }),
        }
    }
}

/// An answer to another question.
pub(super) fn strange(reply: &Reply) -> RunError {
    RunError::Internal(format!("the worker answered {reply:?}"))
}

impl Process {
    fn start(command: &Command) -> io::Result<Process> {
        let mut child = std::process::Command::new(&command.program)
            .args(&command.arguments)
            .envs(command.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
        let (to, replies) = channel();
        // The thread ends with the pipe, which ends with the process.
        thread::Builder::new().name("worker-replies".to_owned()).spawn(move || {
            let mut output = io::BufReader::new(output);
            loop {
                let reply = match frame::read(&mut output) {
                    Ok(Some(reply)) => Ok(reply),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let last = reply.is_err();
                if to.send(reply).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Process { child, input, replies })
    }

    /// How it ended, once its pipe has.
    fn end(mut self) -> String {
        for _ in 0..100 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.to_string();
            }
            thread::sleep(Duration::from_millis(10));
        }
        "it said something that is no answer and was ended".to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already; waiting takes its last trace from the system's table.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
