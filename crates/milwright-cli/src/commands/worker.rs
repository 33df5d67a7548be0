//! `milwright worker`: predictions over stdin and stdout. The protocol is that of `../shared/conformance/README.md`.
//!
//! A frame is a little-endian `u32` header length, a `u64` payload length, a JSON header and a payload (an `.npz` archive or
//! nothing). Each request gets one reply, in order, until stdin ends. Diagnostics go to stderr.

use crate::args::Machine;
use crate::commands::load;
use crate::outcome::Outcome;
use anyhow::{Context, anyhow, bail};
use milwright::npz::{self, Arrays};
use milwright::{Model, SaveOptions, Session};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// The protocol's version.
const PROTOCOL: u64 = 1;
/// No request header is longer.
const MAX_HEADER: u32 = 16 << 20;
/// No payload is longer.
const MAX_PAYLOAD: u64 = 8 << 30;

pub(crate) fn run(machine: Machine) -> anyhow::Result<Outcome> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let machine = Machine { threads: machine.threads.or(Some(1)), ..machine };
    let mut worker = Worker { machine, next: 0, models: HashMap::new(), states: HashMap::new() };
    while let Some((header, payload)) = read_frame(&mut input)? {
        let id = header.get("id").cloned().unwrap_or(Value::Null);
        let (mut reply, payload) = match worker.answer(&header, payload) {
            Ok((mut reply, payload)) => {
                reply["ok"] = json!(true);
                (reply, payload)
            }
            Err(refusal) => (json!({"ok": false, "kind": refusal.kind, "error": refusal.error}), Vec::new()),
        };
        reply["id"] = id;
        write_frame(&mut output, &reply, &payload)?;
    }
    Ok(Outcome::Fine)
}

fn read_frame(input: &mut impl Read) -> anyhow::Result<Option<(Value, Vec<u8>)>> {
    let mut lengths = [0; 12];
    match input.read_exact(&mut lengths) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other.context("cannot read a frame from stdin")?,
    }
    let header = u32::from_le_bytes([lengths[0], lengths[1], lengths[2], lengths[3]]);
    let payload = u64::from_le_bytes(lengths[4..].try_into().context("a frame's length has 8 bytes")?);
    if header > MAX_HEADER || payload > MAX_PAYLOAD {
        bail!("stdin does not hold frames of this protocol (header of {header}, payload of {payload} bytes)");
    }
    let header = take(input, u64::from(header))?;
    let payload = take(input, payload)?;
    Ok(Some((serde_json::from_slice(&header).context("the header of a frame is not JSON")?, payload)))
}

/// Exactly `n` bytes; memory grows with what arrives, not with what was announced.
fn take(input: &mut impl Read, n: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.by_ref().take(n).read_to_end(&mut bytes).context("cannot read a frame from stdin")?;
    if bytes.len() as u64 != n {
        bail!("stdin ended within a frame");
    }
    Ok(bytes)
}

fn write_frame(output: &mut impl Write, header: &Value, payload: &[u8]) -> anyhow::Result<()> {
    let header = serde_json::to_vec(header)?;
    output.write_all(&u32::try_from(header.len())?.to_le_bytes())?;
    output.write_all(&(payload.len() as u64).to_le_bytes())?;
    output.write_all(&header)?;
    output.write_all(payload)?;
    output.flush()?;
    Ok(())
}

/// A request that was not met.
struct Refusal {
    kind: &'static str,
    error: String,
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        Refusal { kind: "runtime", error: one_line(&format!("{error:#}")) }
    }
}

impl From<milwright::Failure> for Refusal {
    fn from(failure: milwright::Failure) -> Refusal {
        let kind = if failure.is_unsupported() { "unsupported" } else { "runtime" };
        Refusal { kind, error: one_line(&failure.to_string()) }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" | ")
}

type Answer = Result<(Value, Vec<u8>), Refusal>;

/// Loaded models and their states, by the numbers given out.
struct Worker {
    /// How every model is loaded.
    machine: Machine,
    next: u64,
    models: HashMap<u64, Entry>,
    states: HashMap<u64, Session>,
}

struct Entry {
    model: Arc<Model>,
    /// Predictions without a state use this session, with its state back at zero each time.
    session: Session,
}

impl Worker {
    fn answer(&mut self, request: &Value, payload: Vec<u8>) -> Answer {
        let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("cmd") {
            "hello" => Ok((
                json!({"name": "milwright", "version": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL}),
                Vec::new(),
            )),
            "ping" => Ok((json!({}), Vec::new())),
            "load" => self.load(Path::new(text("path")), text("function")),
            "predict" => self.predict(request, payload),
            "new_state" => {
                let session = self.entry(request)?.model.session().map_err(|e| anyhow!("{e}"))?;
                let number = self.number();
                self.states.insert(number, session);
                Ok((json!({"state": number}), Vec::new()))
            }
            "read_state" => {
                let name = text("name");
                let states = self.state(request)?.states();
                let found = states.iter().find(|(n, _)| n.as_str() == name);
                let (_, value) = found.ok_or_else(|| anyhow!("the model has no state `{name}`"))?;
                Ok((json!({}), npz::to_bytes([(name, value)]).map_err(anyhow::Error::from)?))
            }
            "write_state" => {
                let name = text("name");
                let (_, value) =
                    arrays(payload)?.into_iter().next().ok_or_else(|| anyhow!("write_state has no array"))?;
                self.state(request)?.write_state(name, &value).map_err(|e| anyhow!("{e}"))?;
                Ok((json!({}), Vec::new()))
            }
            "compile" => {
                let opened = milwright::open(text("path"))?;
                milwright::save(text("out"), &opened.program, &SaveOptions::of(&opened))?;
                Ok((json!({}), Vec::new()))
            }
            "free" => {
                if let Some(model) = request.get("model").and_then(Value::as_u64) {
                    self.models.remove(&model);
                }
                if let Some(state) = request.get("state").and_then(Value::as_u64) {
                    self.states.remove(&state);
                }
                Ok((json!({}), Vec::new()))
            }
            other => {
                Err(Refusal { kind: "unsupported", error: format!("this worker has no command `{other}`") })
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn load(&mut self, path: &Path, function: &str) -> Answer {
        let options = load::options((!function.is_empty()).then_some(function), &self.machine);
        let model = Arc::new(Model::load(path, &options)?);
        let number = self.number();
        let session = model.session().map_err(|e| anyhow!("{e}"))?;
        let reply = json!({"model": number, "runtime": model.runtime()});
        self.models.insert(number, Entry { session, model });
        Ok((reply, Vec::new()))
    }

    fn entry(&mut self, request: &Value) -> Result<&mut Entry, Refusal> {
        let number = request.get("model").and_then(Value::as_u64);
        let found = number.and_then(|n| self.models.get_mut(&n));
        found.ok_or_else(|| anyhow!("there is no model {number:?}").into())
    }

    fn state(&mut self, request: &Value) -> Result<&mut Session, Refusal> {
        let number = request.get("state").and_then(Value::as_u64);
        let found = number.and_then(|n| self.states.get_mut(&n));
        found.ok_or_else(|| anyhow!("there is no state {number:?}").into())
    }

    fn predict(&mut self, request: &Value, payload: Vec<u8>) -> Answer {
        let inputs = arrays(payload)?;
        let session = if request.get("state").is_some_and(|s| !s.is_null()) {
            self.state(request)?
        } else {
            let entry = self.entry(request)?;
            entry.session.reset().map_err(|e| anyhow!("{e}"))?;
            &mut entry.session
        };
        // Core ML's own words come first: scripts written for it look for them.
        let outputs = session.run(&inputs).map_err(|e| anyhow!("Error computing NN outputs: {e}"))?;
        let payload =
            npz::to_bytes(outputs.iter().map(|(n, t)| (n.as_str(), t))).map_err(anyhow::Error::from)?;
        Ok((json!({}), payload))
    }
}

fn arrays(payload: Vec<u8>) -> Result<Arrays, Refusal> {
    npz::read("the request's payload", &payload.into()).map_err(|d| anyhow!("{}", d.message).into())
}
