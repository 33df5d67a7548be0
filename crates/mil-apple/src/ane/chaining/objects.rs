//! What a chain is made of.

use crate::ane::request::wrap;
use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{AnyObject, Obj, ns, object};
use crate::platform::{IoSurface, Surface};
use crate::send;

/// Enough for the statistics of a set.
const STATISTICS: usize = 64;

/// An `_ANEIOSurfaceObject`: right for a request, wrong for a chain, which asks for `-symbolIndex`.
#[derive(Debug)]
pub struct PlainSurface {
    /// Its memory.
    pub surface: Surface,
    object: Obj,
}

impl PlainSurface {
    /// Of that many bytes.
    pub fn new(bytes: usize) -> Result<PlainSurface, BridgeError> {
        let surface = Surface::new(bytes)?;
        let object = wrap(&surface)?;
        Ok(PlainSurface { surface, object })
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}

/// An `_ANEBuffer`: a surface with its symbol.
#[derive(Debug)]
pub struct Buffer {
    /// Its memory.
    pub surface: Surface,
    object: Obj,
}

impl Buffer {
    /// Of that many bytes for a symbol. The daemon knows sources 0 to 4 and takes any other as 0.
    pub fn new(bytes: usize, symbol: i64, source: i64) -> Result<Buffer, BridgeError> {
        const CALL: &str = "+[_ANEBuffer bufferWithIOSurfaceObject:symbolIndex:source:]";
        let PlainSurface { surface, object: plain } = PlainSurface::new(bytes)?;
        let (factory, symbol) = (class("_ANEBuffer")?, ns::int(symbol));
        let made = send!("+[_ANEBuffer bufferWithIOSurfaceObject:symbolIndex:source:]", "@@:@@q", [
            factory, bufferWithIOSurfaceObject: &*plain, symbolIndex: &*symbol, source: source
        ] -> Option<Obj>)?;
        Ok(Buffer { surface, object: object(CALL, made, None)? })
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}

/// An `_ANEIOSurfaceOutputSets`: the buffers one link of a chain writes, with a surface for its statistics.
#[derive(Debug)]
pub struct OutputSet {
    object: Obj,
}

impl OutputSet {
    /// Of these buffers.
    pub fn new(buffers: &[&Buffer]) -> Result<OutputSet, BridgeError> {
        let statistics = Surface::new(STATISTICS)?;
        OutputSet::made(statistics.as_ptr(), buffers)
    }

    /// Without a surface for statistics: nothing, on record ([`BridgeError::Null`]).
    pub fn without_statistics(buffers: &[&Buffer]) -> Result<OutputSet, BridgeError> {
        OutputSet::made(std::ptr::null_mut(), buffers)
    }

    fn made(statistics: *mut IoSurface, buffers: &[&Buffer]) -> Result<OutputSet, BridgeError> {
        const CALL: &str = "+[_ANEIOSurfaceOutputSets objectWithstatsSurRef:outputBuffer:]";
        let factory = class("_ANEIOSurfaceOutputSets")?;
        let buffers = ns::array(buffers.iter().map(|b| b.object()));
        let made = send!("+[_ANEIOSurfaceOutputSets objectWithstatsSurRef:outputBuffer:]", "@@:^{__IOSurface}@", [
            factory, objectWithstatsSurRef: statistics, outputBuffer: &*buffers
        ] -> Option<Obj>)?;
        Ok(OutputSet { object: object(CALL, made, None)? })
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}

/// An `_ANEInputBuffersReady`: says that inputs of a prepared chain may be read.
#[derive(Debug)]
pub struct InputsReady {
    object: Obj,
}

impl InputsReady {
    /// Of a procedure: which buffers, and the value that says each is free again.
    pub fn new(
        procedure: u32,
        buffers: &[i64],
        free: &[i64],
        delay: u64,
    ) -> Result<InputsReady, BridgeError> {
        const CALL: &str = "+[_ANEInputBuffersReady inputBuffersWithProcedureIndex:inputBufferInfoIndex:inputFreeValue:executionDelay:]";
        let factory = class("_ANEInputBuffersReady")?;
        let (buffers, free) = (numbers(buffers), numbers(free));
        let made = send!(
            "+[_ANEInputBuffersReady inputBuffersWithProcedureIndex:inputBufferInfoIndex:inputFreeValue:executionDelay:]",
            "@@:I@@Q",
            [
                factory, inputBuffersWithProcedureIndex: procedure, inputBufferInfoIndex: &*buffers,
                inputFreeValue: &*free, executionDelay: delay
            ] -> Option<Obj>)?;
        Ok(InputsReady { object: object(CALL, made, None)? })
    }

    /// Does the framework find it in order?
    pub fn validate(&self) -> Result<bool, BridgeError> {
        send!("-[_ANEInputBuffersReady validate]", "B@:", [self.object(), validate] -> bool)
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}

/// An `_ANEOutputSetEnqueue`: asks a prepared chain for a set of outputs.
#[derive(Debug)]
pub struct OutputEnqueue {
    object: Obj,
}

impl OutputEnqueue {
    /// Of a procedure and a set, to be signalled with `value`. An open loop does not feed itself.
    pub fn new(procedure: u32, set: u32, value: u64, open: bool) -> Result<OutputEnqueue, BridgeError> {
        const CALL: &str = "+[_ANEOutputSetEnqueue outputSetWithProcedureIndex:setIndex:signalValue:signalNotRequired:isOpenLoop:]";
        let factory = class("_ANEOutputSetEnqueue")?;
        let made = send!(
            "+[_ANEOutputSetEnqueue outputSetWithProcedureIndex:setIndex:signalValue:signalNotRequired:isOpenLoop:]",
            "@@:IIQBB",
            [
                factory, outputSetWithProcedureIndex: procedure, setIndex: set, signalValue: value,
                signalNotRequired: true, isOpenLoop: open
            ] -> Option<Obj>)?;
        Ok(OutputEnqueue { object: object(CALL, made, None)? })
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.object
    }
}

/// An array of numbers.
pub(super) fn numbers(values: &[i64]) -> Obj {
    let values: Vec<Obj> = values.iter().map(|&v| ns::int(v)).collect();
    ns::array(values.iter().map(|v| &**v))
}
