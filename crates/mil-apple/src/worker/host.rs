//! The worker: does what it is told until the pipe closes.

use super::message::{Failure, Reply, Request, Where, pack, unpack};
use super::{frame, stdio};
use crate::kind::{Kind, runtime};
use crate::stage;
use mil_base::{Diagnostic, Name};
use mil_check::{Checked, Target};
use mil_codec::{text, weights};
use mil_ops::OpSet;
use mil_run::{Loaded, Options, RunError, Session};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Something else than running programs that a worker can be asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// What [`super::Worker::perform`] calls it.
    pub name: &'static str,
    /// From an argument to a result, both in a form that the two agree on.
    pub perform: fn(&str) -> Result<String, RunError>,
}

/// Serves over standard input and output until the input ends. The executable does nothing else: what it prints to the
/// standard output otherwise goes to the standard error.
pub fn serve() -> io::Result<()> {
    serve_with(&[])
}

/// As [`serve`], with tasks.
pub fn serve_with(tasks: &[Task]) -> io::Result<()> {
    let mut to = stdio::output()?;
    let mut from = io::BufReader::new(io::stdin());
    let mut host = Host { tasks, ..Host::default() };
    while let Some((request, body)) = frame::read(&mut from)? {
        let (reply, body) = match pooled(|| host.answer(request, body)) {
            Ok(answer) => answer,
            Err(error) => (Reply::Failed(Failure::from(&error)), Vec::new()),
        };
        frame::write(&mut to, &reply, &body)?;
    }
    Ok(())
}

/// What Objective-C leaves for later goes with every answer.
fn pooled<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(bridge)]
    return crate::objc::autoreleasepool(|_| f());
    #[cfg(not(bridge))]
    f()
}

#[derive(Default)]
struct Host<'a> {
    tasks: &'a [Task],
    programs: HashMap<u64, Arc<dyn Loaded>>,
    sessions: HashMap<u64, Box<dyn Session>>,
    numbers: u64,
}

type Answer = Result<(Reply, Vec<u8>), RunError>;

impl Host<'_> {
    fn answer(&mut self, request: Request, body: Vec<u8>) -> Answer {
        let unknown = |what: &str| RunError::Internal(format!("the worker knows no such {what}"));
        match request {
            Request::Load { kind, folder } => self.load(&kind, &folder),
            Request::Unload { program } => {
                self.programs.remove(&program);
                Ok((Reply::Number(program), Vec::new()))
            }
            Request::Session { program, function } => {
                let program = self.programs.get(&program).ok_or_else(|| unknown("program"))?;
                let session = program.session(function.as_deref())?;
                let number = self.number();
                self.sessions.insert(number, session);
                Ok((Reply::Number(number), Vec::new()))
            }
            Request::End { session } => {
                self.sessions.remove(&session);
                Ok((Reply::Number(session), Vec::new()))
            }
            Request::Run { session, inputs } => {
                let session = self.sessions.get_mut(&session).ok_or_else(|| unknown("session"))?;
                let (heads, body) = pack(&session.run(&unpack(&inputs, body)?)?);
                Ok((Reply::Tensors(heads), body))
            }
            Request::States { session } => {
                let session = self.sessions.get(&session).ok_or_else(|| unknown("session"))?;
                let (heads, body) = pack(&session.states());
                Ok((Reply::Tensors(heads), body))
            }
            Request::SetState { session, state } => {
                let found = self.sessions.get_mut(&session).ok_or_else(|| unknown("session"))?;
                for (name, tensor) in unpack(&[state], body)? {
                    found.set_state(&name, &tensor)?;
                }
                Ok((Reply::Number(session), Vec::new()))
            }
            Request::Perform { task, argument } => {
                let task = self.tasks.iter().find(|t| t.name == task).ok_or_else(|| unknown("task"))?;
                Ok((Reply::Text((task.perform)(&argument)?), Vec::new()))
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn load(&mut self, kind: &str, folder: &Path) -> Answer {
        let kind = Kind::ALL.into_iter().find(|k| k.name() == kind);
        let kind = kind.ok_or_else(|| RunError::Internal("the worker knows no such runtime".to_owned()))?;
        let loaded = runtime(kind)?.load(Arc::new(read(folder)?), &Options::default())?;
        let (program, placement) = (self.number(), Where::from(&loaded.placement()));
        self.programs.insert(program, loaded);
        Ok((Reply::Loaded { program, placement }, Vec::new()))
    }
}

/// A staged program.
fn read(folder: &Path) -> Result<Checked, RunError> {
    let fail = |e: io::Error| RunError::Internal(format!("{}: {e}", folder.display()));
    let source = std::fs::read_to_string(folder.join("model.mil")).map_err(fail)?;
    let mut read = text::read(&source);
    errors(read.diagnostics)?;
    errors(weights::attach(&mut read.program, &read.origins, &stage::Disk(folder.to_owned()), ""))?;
    let program = Arc::new(read.program);
    mil_check::check(program, &read.origins, &OpSet::standard(), Target::default()).map_err(RunError::Refused)
}

fn errors(diagnostics: Vec<Diagnostic>) -> Result<(), RunError> {
    let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if errors.is_empty() { Ok(()) } else { Err(RunError::Refused(errors)) }
}

/// The name of a function for messages.
pub(super) fn shown(function: Option<&Name>) -> String {
    function.map_or_else(|| "the default function".to_owned(), |name| format!("`{name}`"))
}
