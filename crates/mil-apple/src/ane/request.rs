//! Surfaces and the `_ANERequest` that binds them to a procedure.

use super::binding::{Bound, Procedure, surface_bytes};
use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{AnyObject, Obj, Shared, autoreleasepool, ns, object};
use crate::platform::{IoSurface, Surface};
use crate::ports::{Port, Ports};
use crate::send;
use mil_base::Tensor;

/// A request with its surfaces, to be evaluated as often as wanted.
#[derive(Debug)]
pub struct Request {
    inputs: Vec<Surface>,
    outputs: Vec<Surface>,
    object: Shared,
}

/// One side of a request as the framework wants it: surfaces in their order, and the numbers of their symbols.
struct Side {
    surfaces: Vec<Surface>,
    objects: Obj,
    indices: Obj,
}

impl Side {
    /// `surfaces` comes out in the order of the declared ports.
    fn new(ports: &[Port], bound: &[Bound]) -> Result<Side, BridgeError> {
        let bytes = surface_bytes(ports);
        let surfaces = ports.iter().map(|_| Surface::new(bytes)).collect::<Result<Vec<Surface>, _>>()?;
        let wrapped = |b: &Bound| surfaces.get(b.port).map(wrap);
        let objects = bound.iter().filter_map(wrapped).collect::<Result<Vec<Obj>, _>>()?;
        let indices: Vec<Obj> = bound.iter().map(|b| ns::int(b.symbol)).collect();
        Ok(Side {
            objects: ns::array(objects.iter().map(|o| &**o)),
            indices: ns::array(indices.iter().map(|o| &**o)),
            surfaces,
        })
    }
}

/// A surface as an object of the framework, which keeps a reference of its own.
pub(super) fn wrap(surface: &Surface) -> Result<Obj, BridgeError> {
    const CALL: &str = "+[_ANEIOSurfaceObject objectWithIOSurface:]";
    let raw: *mut IoSurface = surface.as_ptr();
    let factory = class("_ANEIOSurfaceObject")?;
    let made = send!("+[_ANEIOSurfaceObject objectWithIOSurface:]", "@@:^{__IOSurface}", [
        factory, objectWithIOSurface: raw
    ] -> Option<Obj>)?;
    object(CALL, made, None)
}

impl Request {
    /// Surfaces for the ports, bound to the procedure.
    pub fn new(ports: &Ports, procedure: &Procedure) -> Result<Request, BridgeError> {
        const CALL: &str = "+[_ANERequest requestWithInputs:inputIndices:outputs:outputIndices:weightsBuffer:perfStats:procedureIndex:]";
        autoreleasepool(|_| {
            let inputs = Side::new(&ports.inputs, &procedure.inputs)?;
            let outputs = Side::new(&ports.outputs, &procedure.outputs)?;
            let index = ns::int(procedure.index);
            let (none, factory) = (None::<&AnyObject>, class("_ANERequest")?);
            let made = send!(
                "+[_ANERequest requestWithInputs:inputIndices:outputs:outputIndices:weightsBuffer:perfStats:procedureIndex:]",
                "@@:@@@@@@@",
                [
                    factory, requestWithInputs: &*inputs.objects, inputIndices: &*inputs.indices,
                    outputs: &*outputs.objects, outputIndices: &*outputs.indices, weightsBuffer: none, perfStats: none,
                    procedureIndex: &*index
                ] -> Option<Obj>)?;
            // One session has it, behind `&mut`.
            let object = Shared(object(CALL, made, None)?);
            Ok(Request { inputs: inputs.surfaces, outputs: outputs.surfaces, object })
        })
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }

    /// Attaches a `_ANESharedEvents`. On record this makes an evaluation hang or crash (facts 1.6): for a worker only.
    pub fn attach_events(&mut self, events: &AnyObject) -> Result<(), BridgeError> {
        send!("-[_ANERequest setSharedEvents:]", "v@:@", [self.object(), setSharedEvents: events] -> ())
    }

    /// Whether the framework left statistics of the last evaluation: on record it never does (experiment v2-5).
    pub fn has_statistics(&self) -> Result<bool, BridgeError> {
        let found = send!("-[_ANERequest perfStats]", "@@:", [self.object(), perfStats] -> Option<Obj>)?;
        Ok(found.is_some())
    }

    /// Writes the inputs, in the order of declaration.
    pub fn write(&mut self, inputs: &[Tensor]) -> Result<(), BridgeError> {
        self.inputs.iter_mut().zip(inputs).try_for_each(|(surface, tensor)| surface.write(tensor.bytes()))
    }

    /// Fills the outputs with the pattern that tells whether they were written to.
    pub fn poison(&mut self) -> Result<(), BridgeError> {
        self.outputs.iter_mut().try_for_each(Surface::poison)
    }

    /// The outputs' packed bytes, in the order of declaration. One that `call` left untouched is an error.
    pub fn read(&mut self, ports: &[Port], call: &'static str) -> Result<Vec<Vec<u8>>, BridgeError> {
        let both = self.outputs.iter_mut().zip(ports);
        both.map(|(surface, port)| surface.read(port.bytes, &port.name, call)).collect()
    }
}
