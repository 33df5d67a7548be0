//! What every runtime offers, whatever arithmetic it uses.

use crate::error::RunError;
use crate::options::Options;
use crate::placement::Placement;
use mil_base::{Name, Tensor};
use mil_check::Checked;
use std::sync::Arc;

/// A tensor under the name of an input, output or state.
pub type Named = (Name, Tensor);

/// A way to execute programs. Its name says which arithmetic it uses, so that results of different runtimes are never
/// mixed up in a report.
pub trait Runtime: Send + Sync {
    /// `reference`, `cpu`; the bridges of `mil-apple` say `(double)` when no Mac is underneath.
    fn name(&self) -> &'static str;

    /// Prepares a program. Plans for concrete shapes are made when they are first needed.
    fn load(&self, checked: Arc<Checked>, options: &Options) -> Result<Arc<dyn Loaded>, RunError>;
}

/// A program ready to run; sessions made from it share constants and plans and may run in parallel.
pub trait Loaded: Send + Sync {
    /// The name of the runtime.
    fn runtime(&self) -> &'static str;

    /// Where its sessions run, and how that is known.
    fn placement(&self) -> Placement;

    /// The program.
    fn checked(&self) -> &Arc<Checked>;

    /// Starts a session of a function (the default one for `None`), with its states zero.
    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError>;
}

/// One user of a function: predictions in sequence, with the states that live between them.
pub trait Session: Send {
    /// Runs the function once: every input by name, every output by name in the function's order. After an error the
    /// states are as the ops that ran left them.
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError>;

    /// The states, in the order of the function's parameters.
    fn states(&self) -> Vec<Named>;

    /// Sets a state to a tensor of its dtype and shape.
    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError>;
}
