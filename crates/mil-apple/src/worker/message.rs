//! What the two ends say to each other, and our types as such.

use bytes::Bytes;
use mil_base::{DType, Diagnostic, Label, Name, Place, Severity, Tensor};
use mil_run::{Claim, Device, Evidence, Ground, MemoryNeed, Named, Placement, PlannedOp, RunError, Strength};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// From us to the worker. Each is answered by one [`Reply`].
#[derive(Serialize, Deserialize, Debug)]
pub(super) enum Request {
    /// Loads the program staged in a folder.
    Load { kind: String, folder: PathBuf },
    /// Forgets a program.
    Unload { program: u64 },
    /// Starts a session.
    Session { program: u64, function: Option<String> },
    /// Ends one.
    End { session: u64 },
    /// Runs once; the tensors follow.
    Run { session: u64, inputs: Vec<Head> },
    /// Asks for the states.
    States { session: u64 },
    /// Sets a state; the tensor follows.
    SetState { session: u64, state: Head },
    /// Anything else, by name.
    Perform { task: String, argument: String },
}

/// From the worker to us.
#[derive(Serialize, Deserialize, Debug)]
pub(super) enum Reply {
    /// A program or a session by number.
    Number(u64),
    /// A loaded program and where it says it runs.
    Loaded { program: u64, placement: Where },
    /// Tensors, which follow.
    Tensors(Vec<Head>),
    /// A task's result.
    Text(String),
    /// An error.
    Failed(Failure),
}

/// A tensor but for its bytes.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Head {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    bytes: usize,
}

/// Heads and bytes of tensors.
pub(super) fn pack(tensors: &[Named]) -> (Vec<Head>, Vec<u8>) {
    let mut body = Vec::new();
    let heads = tensors.iter().map(|(name, tensor)| {
        body.extend_from_slice(tensor.bytes());
        Head {
            name: name.to_string(),
            dtype: tensor.dtype().name().to_owned(),
            shape: tensor.shape().to_vec(),
            bytes: tensor.bytes().len(),
        }
    });
    (heads.collect(), body)
}

/// The tensors again.
pub(super) fn unpack(heads: &[Head], body: Vec<u8>) -> Result<Vec<Named>, RunError> {
    let mut rest = Bytes::from(body);
    let wrong = || RunError::Internal("a tensor from the worker does not fit its description".to_owned());
    let mut tensors = Vec::with_capacity(heads.len());
    for head in heads {
        let bytes = if head.bytes <= rest.len() { rest.split_to(head.bytes) } else { return Err(wrong()) };
        let dtype = DType::parse(&head.dtype).ok_or_else(wrong)?;
        let tensor = Tensor::from_bytes(dtype, &head.shape, bytes).map_err(|_| wrong())?;
        tensors.push((Name::new(&head.name), tensor));
    }
    Ok(tensors)
}

/// A [`RunError`].
#[derive(Serialize, Deserialize, Debug)]
pub(super) enum Failure {
    Refused(Vec<Remark>),
    Op(Remark),
    Memory { arena: usize, constants: usize, prepared: usize, limit: usize },
    Internal(String),
}

/// A diagnostic; of its places the names.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Remark {
    code: String,
    severity: u8,
    message: String,
    help: Option<String>,
    ops: Vec<(Option<String>, String)>,
}

impl From<&Diagnostic> for Remark {
    fn from(d: &Diagnostic) -> Remark {
        let op = |l: &Label| (l.place.op_name.as_ref().map(Name::to_string), l.message.clone());
        Remark {
            code: d.code.to_owned(),
            severity: d.severity as u8,
            message: d.message.clone(),
            help: d.help.clone(),
            ops: d.labels.iter().map(op).collect(),
        }
    }
}

impl From<Remark> for Diagnostic {
    fn from(r: Remark) -> Diagnostic {
        let severity = match r.severity {
            0 => Severity::Note,
            1 => Severity::Warning,
            _ => Severity::Error,
        };
        let mut d = Diagnostic::new(severity, kept(&r.code), r.message);
        d.help = r.help;
        for (name, message) in r.ops {
            let place = Place { op_name: name.as_deref().map(Name::new), ..Place::default() };
            d = d.label(Label::place(place, message));
        }
        d
    }
}

impl From<&RunError> for Failure {
    fn from(error: &RunError) -> Failure {
        match error {
            RunError::Refused(all) => Failure::Refused(all.iter().map(Remark::from).collect()),
            RunError::Op(one) => Failure::Op(Remark::from(&**one)),
            RunError::Memory(need) => Failure::Memory {
                arena: need.arena,
                constants: need.constants,
                prepared: need.prepared,
                limit: need.limit,
            },
            RunError::Internal(text) => Failure::Internal(text.clone()),
        }
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> RunError {
        match failure {
            Failure::Refused(all) => RunError::Refused(all.into_iter().map(Diagnostic::from).collect()),
            Failure::Op(one) => RunError::Op(Box::new(one.into())),
            Failure::Memory { arena, constants, prepared, limit } => {
                RunError::Memory(MemoryNeed { arena, constants, prepared, limit })
            }
            Failure::Internal(text) => RunError::Internal(text),
        }
    }
}

/// A [`Placement`].
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(super) struct Where {
    machine: bool,
    claim: Words,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
enum Words {
    Enforced(u8, String),
    Planned(Vec<(String, Option<u8>, Vec<u8>)>),
    Measured(Vec<(String, u8, u8, String)>),
    Unproven(String),
}

fn device(number: u8) -> Device {
    match number {
        0 => Device::Cpu,
        1 => Device::Gpu,
        _ => Device::NeuralEngine,
    }
}

impl From<&Placement> for Where {
    fn from(p: &Placement) -> Where {
        let claim = match &p.claim {
            Claim::Enforced { device, by } => Words::Enforced(*device as u8, (*by).to_owned()),
            Claim::Planned(ops) => Words::Planned(
                ops.iter()
                    .map(|op| {
                        let supported = op.supported.iter().map(|d| *d as u8).collect();
                        (op.op.clone(), op.preferred.map(|d| d as u8), supported)
                    })
                    .collect(),
            ),
            Claim::Measured(all) => Words::Measured(
                all.iter()
                    .map(|e| (e.kind.to_owned(), e.device as u8, e.strength as u8, e.finding.clone()))
                    .collect(),
            ),
            Claim::Unproven(why) => Words::Unproven((*why).to_owned()),
        };
        Where { machine: p.ground == Ground::Machine, claim }
    }
}

impl From<&Where> for Placement {
    fn from(w: &Where) -> Placement {
        let claim = match &w.claim {
            Words::Enforced(d, by) => Claim::Enforced { device: device(*d), by: kept(by) },
            Words::Planned(ops) => Claim::Planned(
                ops.iter()
                    .map(|(op, preferred, supported)| PlannedOp {
                        op: op.clone(),
                        preferred: preferred.map(device),
                        supported: supported.iter().copied().map(device).collect(),
                    })
                    .collect(),
            ),
            Words::Measured(all) => Claim::Measured(
                all.iter()
                    .map(|(kind, d, strength, finding)| Evidence {
                        kind: kept(kind),
                        device: device(*d),
                        strength: match strength {
                            0 => Strength::Weak,
                            1 => Strength::Moderate,
                            _ => Strength::Strong,
                        },
                        finding: finding.clone(),
                    })
                    .collect(),
            ),
            Words::Unproven(why) => Claim::Unproven(kept(why)),
        };
        Placement { ground: if w.machine { Ground::Machine } else { Ground::Double }, claim }
    }
}

/// Text that our types want to live for ever. A worker of ours says few different ones, so that keeping each once is no leak.
fn kept(text: &str) -> &'static str {
    static KEPT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_with(HashSet::new);
    if let Some(known) = kept.get(text) {
        return known;
    }
    let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.insert(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Serialize + for<'a> Deserialize<'a>>(value: T) -> T {
        serde_json::from_slice(&serde_json::to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn errors_arrive_as_they_were() {
        let place = Place { op_name: Some(Name::new("y")), ..Place::default() };
        let one = Diagnostic::error("a/b", "wrong").label(Label::place(place, "here")).help("mend it");
        for error in [
            RunError::Refused(vec![one.clone(), Diagnostic::warning("a/c", "odd")]),
            RunError::Op(Box::new(one)),
            RunError::Memory(MemoryNeed { arena: 1, constants: 2, prepared: 3, limit: 4 }),
            RunError::Internal("fault".into()),
        ] {
            assert_eq!(RunError::from(there_and_back(Failure::from(&error))), error);
        }
    }

    #[test]
    fn placements_arrive_as_they_were() {
        let engine = Device::NeuralEngine;
        for claim in [
            Claim::Enforced { device: engine, by: "mask" },
            Claim::Planned(vec![PlannedOp {
                op: "y".into(),
                preferred: Some(Device::Gpu),
                supported: vec![engine],
            }]),
            Claim::Measured(vec![Evidence {
                kind: "k",
                device: engine,
                strength: Strength::Moderate,
                finding: "f".into(),
            }]),
            Claim::Unproven("no word"),
        ] {
            for ground in [Ground::Machine, Ground::Double] {
                let placement = Placement { ground, claim: claim.clone() };
                assert_eq!(Placement::from(&there_and_back(Where::from(&placement))), placement);
            }
        }
    }

    #[test]
    fn tensors_arrive_as_they_were_and_lies_are_errors() {
        let tensors = vec![
            (Name::new("a"), Tensor::from_f64(DType::Fp16, &[2, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap()),
            (Name::new("b"), Tensor::from_i64(DType::Int8, &[3], &[1, 2, 3]).unwrap()),
        ];
        let (heads, body) = pack(&tensors);
        assert_eq!(unpack(&there_and_back(heads), body.clone()).unwrap(), tensors);
        let (mut heads, _) = pack(&tensors);
        heads[1].bytes = usize::MAX;
        assert!(unpack(&heads, body.clone()).is_err());
        heads[1].bytes = 3;
        heads[1].shape = vec![usize::MAX, 2];
        assert!(unpack(&heads, body).is_err());
    }
}
