//! A runtime in a worker.

use super::client::{Answer, Ask, Command, Limits, Worker, strange};
use super::host::shown;
use super::message::{Reply, Request, Where, pack, unpack};
use crate::codes;
use crate::error::BridgeError;
use crate::kind::Kind;
use crate::stage::{self, Stage};
use mil_base::{Name, Tensor};
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_run::{Loaded, Named, Options, Placement, RunError, Runtime, Session};
use std::sync::{Arc, Mutex, PoisonError};

/// A runtime whose programs are loaded and run by a worker.
///
/// After a worker died the next call starts another, which loads the program again. A session with states that were used
/// does not go on: its states are gone, and it says so until all of them are set again.
#[derive(Debug)]
pub struct Isolated {
    kind: Kind,
    worker: Arc<Worker>,
}

impl Isolated {
    /// The runtime of that kind in a worker of that command, with default [`Limits`].
    pub fn new(kind: Kind, command: Command) -> Isolated {
        Isolated::with_limits(kind, command, Limits::default())
    }

    /// The same with other limits.
    pub fn with_limits(kind: Kind, command: Command, limits: Limits) -> Isolated {
        Isolated { kind, worker: Arc::new(Worker::new(command, limits)) }
    }

    /// The worker.
    pub fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }
}

impl Runtime for Isolated {
    fn name(&self) -> &'static str {
        self.kind.runtime_name()
    }

    fn load(&self, checked: Arc<Checked>, _: &Options) -> Result<Arc<dyn Loaded>, RunError> {
        let stage = Stage::new()?;
        stage::files(checked.program())?.write(stage.path())?;
        let program =
            Program { kind: self.kind, worker: self.worker.clone(), checked, stage, there: Mutex::new(None) };
        program.number()?;
        Ok(Arc::new(Remote(Arc::new(program))))
    }
}

/// A program and, if it is loaded there, its number in the worker of a generation.
#[derive(Debug)]
struct Program {
    kind: Kind,
    worker: Arc<Worker>,
    checked: Arc<Checked>,
    stage: Stage,
    there: Mutex<Option<There>>,
}

#[derive(Clone, Debug)]
struct There {
    generation: u64,
    number: u64,
    placement: Where,
}

impl Program {
    /// Its number in the living worker, loaded if need be.
    fn number(&self) -> Result<There, RunError> {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let living = self.worker.living();
        if let Some(there) = there.as_ref().filter(|t| Some(t.generation) == living) {
            return Ok(there.clone());
        }
        // A worker that has compiled as many programs as it may is replaced; what else it had is loaded again when needed.
        let loaded = self.load().or_else(|error| match is_budget(&error) {
            true => {
                self.worker.stop();
                self.load()
            }
            false => Err(error),
        })?;
        *there = Some(loaded.clone());
        Ok(loaded)
    }

    fn load(&self) -> Result<There, RunError> {
        let request =
            Request::Load { kind: self.kind.name().to_owned(), folder: self.stage.path().to_owned() };
        let doing = format!("loading a program with {}", self.kind);
        let ask = Ask { limit: self.worker.limits().load, doing: &doing, generation: None };
        let answer = self.worker.ask(&request, &[], &ask)?;
        match answer.reply {
            Reply::Loaded { program, placement } => {
                Ok(There { generation: answer.generation, number: program, placement })
            }
            other => Err(strange(&other)),
        }
    }

    /// Asks the worker of that generation.
    fn ask(&self, generation: u64, request: &Request, body: &[u8], doing: &str) -> Result<Answer, RunError> {
        let ask = Ask { limit: self.worker.limits().run, doing, generation: Some(generation) };
        self.worker.ask(request, body, &ask)
    }

    /// Tells the worker of that generation; if it is gone, so is what it should forget.
    fn tell(&self, generation: u64, request: &Request) {
        let _ = self.ask(generation, request, &[], "forgetting");
    }
}

fn is_budget(error: &RunError) -> bool {
    matches!(error, RunError::Refused(all) if all.iter().any(|d| d.code == codes::BUDGET))
}

impl Drop for Program {
    fn drop(&mut self) {
        let there = self.there.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(there) = there {
            self.tell(there.generation, &Request::Unload { program: there.number });
        }
    }
}

/// A program loaded in a worker.
#[derive(Debug)]
struct Remote(Arc<Program>);

impl Loaded for Remote {
    fn runtime(&self) -> &'static str {
        self.0.kind.runtime_name()
    }

    fn placement(&self) -> Placement {
        let there = self.0.there.lock().unwrap_or_else(PoisonError::into_inner);
        match there.as_ref() {
            Some(there) => Placement::from(&there.placement),
            None => Placement {
                ground: mil_run::Ground::Double,
                claim: mil_run::Claim::Unproven("the program was never loaded"),
            },
        }
    }

    fn checked(&self) -> &Arc<Checked> {
        &self.0.checked
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let function_id = mil_run::find_function(&self.0.checked, function)?;
        let mut session = RemoteSession {
            program: self.0.clone(),
            function: function.map(Name::new),
            function_id,
            there: None,
            used: false,
            lost: Vec::new(),
        };
        session.place()?;
        Ok(Box::new(session))
    }
}

struct RemoteSession {
    program: Arc<Program>,
    function: Option<Name>,
    function_id: FunctionId,
    /// Generation and number.
    there: Option<(u64, u64)>,
    /// Were its states perhaps changed?
    used: bool,
    /// States that went with a worker and were not set since.
    lost: Vec<Name>,
}

impl RemoteSession {
    /// Generation and number, in a living worker.
    fn place(&mut self) -> Result<(u64, u64), RunError> {
        let program = self.program.number()?;
        if let Some(place) = self.there.filter(|(generation, _)| *generation == program.generation) {
            return Ok(place);
        }
        self.there = None;
        if std::mem::take(&mut self.used) {
            let function = &self.program.checked.program().functions[self.function_id];
            self.lost = mil_run::states(function).map(|(_, name, _)| name.clone()).collect();
        }
        let function = self.function.as_ref().map(Name::to_string);
        let request = Request::Session { program: program.number, function };
        let doing = self.doing("starting a session of");
        match self.program.ask(program.generation, &request, &[], &doing)?.reply {
            Reply::Number(number) => Ok(*self.there.insert((program.generation, number))),
            other => Err(strange(&other)),
        }
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {} with {}", shown(self.function.as_ref()), self.program.kind)
    }
}

impl Session for RemoteSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        // Here already, so that a mistake costs no worker.
        mil_run::match_inputs(&self.program.checked, self.function_id, inputs)?;
        let (generation, session) = self.place()?;
        if !self.lost.is_empty() {
            let names: Vec<String> = self.lost.iter().map(|n| format!("`{n}`")).collect();
            return Err(BridgeError::refused(
                codes::WORKER,
                format!("the worker that kept the state {} died", names.join(", ")),
                "start a new session, or set every state again",
            )
            .into());
        }
        let (heads, body) = pack(inputs);
        let request = Request::Run { session, inputs: heads };
        self.used = true;
        let answer = self.program.ask(generation, &request, &body, &self.doing("running"))?;
        match answer.reply {
            Reply::Tensors(heads) => unpack(&heads, answer.body),
            other => Err(strange(&other)),
        }
    }

    /// None while the worker cannot be asked.
    fn states(&self) -> Vec<Named> {
        let Some((generation, session)) = self.there else { return Vec::new() };
        let doing = self.doing("reading states of");
        match self.program.ask(generation, &Request::States { session }, &[], &doing) {
            Ok(Answer { reply: Reply::Tensors(heads), body, .. }) => unpack(&heads, body).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        let (generation, session) = self.place()?;
        let (mut heads, body) = pack(&[(Name::new(name), value.clone())]);
        let Some(state) = heads.pop() else { return Ok(()) };
        let doing = self.doing("setting a state of");
        self.program.ask(generation, &Request::SetState { session, state }, &body, &doing)?;
        self.used = true;
        self.lost.retain(|n| n.as_str() != name);
        Ok(())
    }
}

impl Drop for RemoteSession {
    fn drop(&mut self) {
        if let Some((generation, session)) = self.there {
            self.program.tell(generation, &Request::End { session });
        }
    }
}
