//! `_ANEClient`, the connection to the daemon, and what it takes for a model.

use super::model::InMemoryModel;
use super::request::Request;
use crate::error::BridgeError;
use crate::objc::probe::{self, class};
use crate::objc::{AnyObject, Obj, Shared, done, guarded, ns, object};
use crate::send;
use objc2::rc::Allocated;
use std::path::Path;

/// A connection to the daemon. Its calls may be made from any thread: Core ML shares one in a process.
#[derive(Clone, Debug)]
pub struct Client(Shared);

/// What a client is given as a model: an object of one of two classes, which is what some experiments are about.
#[derive(Clone, Debug)]
pub struct ClientModel(Shared);

impl ClientModel {
    /// The `_ANEInMemoryModel` itself. Chaining throws at it: it has no `-getUUID`.
    pub fn in_memory(model: &InMemoryModel) -> ClientModel {
        ClientModel(model.shared().clone())
    }

    /// The `_ANEModel` inside a loaded one, which is what every call wants.
    pub fn inner(model: &InMemoryModel) -> Result<ClientModel, BridgeError> {
        // Read only, but for what its owner does while loading.
        model.inner().map(|o| ClientModel(Shared(o)))
    }

    /// A fresh `_ANEModel` of a folder: a shell, in state 1, with neither program nor symbols.
    pub fn shell(folder: &Path, key: &str) -> Result<ClientModel, BridgeError> {
        const CALL: &str = "+[_ANEModel modelAtURL:key:]";
        let (factory, url, key) = (class("_ANEModel")?, ns::file_url(folder), ns::string(key));
        let made = send!("+[_ANEModel modelAtURL:key:]", "@@:@@", [
            factory, modelAtURL: &*url, key: &*key
        ] -> Option<Obj>)?;
        // Changed only through `&mut self`.
        object(CALL, made, None).map(|o| ClientModel(Shared(o)))
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.0
    }

    /// The object, if it is an `_ANEModel`: another may lack the methods below.
    fn model(&self) -> Result<&AnyObject, BridgeError> {
        match ns::is_kind_of(&self.0, "_ANEModel") {
            true => Ok(&self.0),
            false => Err(BridgeError::MissingClass {
                class: "_ANEModel".to_owned(),
                system: crate::ground::system(),
            }),
        }
    }

    /// 1 a shell, 3 loaded, 5 failed.
    pub fn state(&self) -> Result<u64, BridgeError> {
        let this = self.model()?;
        send!("-[_ANEModel state]", "Q@:", [this, state] -> u64)
    }

    /// The loaded program's handle; 0 without one.
    pub fn program_handle(&self) -> Result<u64, BridgeError> {
        let this = self.model()?;
        send!("-[_ANEModel programHandle]", "Q@:", [this, programHandle] -> u64)
    }

    /// Gives a shell the handle and the program of a loaded model, as the research did.
    pub fn populate(&mut self, from: &InMemoryModel) -> Result<(), BridgeError> {
        let this = self.model()?;
        let handle = ClientModel::inner(from)?.program_handle()?;
        let program = from.program()?;
        send!("-[_ANEModel setProgramHandle:]", "v@:Q", [this, setProgramHandle: handle] -> ())?;
        send!("-[_ANEModel setProgram:]", "v@:@", [this, setProgram: &*program] -> ())
    }

    /// The numbers of a procedure's input symbols; none in a shell.
    pub fn input_symbols(&self, procedure: u32) -> Result<Vec<i64>, BridgeError> {
        let this = self.model()?;
        let found = send!("-[_ANEModel inputSymbolIndicesForProcedureIndex:]", "@@:I", [
            this, inputSymbolIndicesForProcedureIndex: procedure
        ] -> Option<Obj>)?;
        Ok(numbers(found))
    }

    /// The numbers of a procedure's output symbols; none in a shell.
    pub fn output_symbols(&self, procedure: u32) -> Result<Vec<i64>, BridgeError> {
        let this = self.model()?;
        let found = send!("-[_ANEModel outputSymbolIndicesForProcedureIndex:]", "@@:I", [
            this, outputSymbolIndicesForProcedureIndex: procedure
        ] -> Option<Obj>)?;
        Ok(numbers(found))
    }

    /// Is anything known of a procedure?
    pub fn has_procedure(&self, procedure: u32) -> Result<bool, BridgeError> {
        let this = self.model()?;
        let found = send!("-[_ANEModel procedureInfoForProcedureIndex:]", "@@:I", [
            this, procedureInfoForProcedureIndex: procedure
        ] -> Option<Obj>)?;
        Ok(found.is_some())
    }
}

fn numbers(array: Option<Obj>) -> Vec<i64> {
    array.map(|a| ns::items(&a).iter().map(|n| ns::to_int(n)).collect()).unwrap_or_default()
}

/// A call of the client with a model, options and a class of service.
macro_rules! model_call {
    ($(#[$doc:meta])* $name:ident, $call:literal, $first:ident) => {
        $(#[$doc])*
        pub fn $name(&self, model: &ClientModel, qos: u32) -> Result<(), BridgeError> {
            let (options, mut error) = (ns::dictionary([]), None::<Obj>);
            let ok = send!($call, "B@:@@I^@", [
                self.object(), $first: model.object(), options: &*options, qos: qos, error: &mut error
            ] -> bool)?;
            done($call, ok, error)
        }
    };
}

impl Client {
    /// The one that the process shares, and that a model in memory uses.
    pub fn shared() -> Result<Client, BridgeError> {
        const CALL: &str = "+[_ANEClient sharedConnection]";
        let factory = class("_ANEClient")?;
        let found =
            send!("+[_ANEClient sharedConnection]", "@@:", [factory, sharedConnection] -> Option<Obj>)?;
        object(CALL, found, None).map(|o| Client(Shared(o)))
    }

    /// A connection of its own, without restricted access. With it alone one report has chaining prepared (facts 1.5).
    pub fn fresh() -> Result<Client, BridgeError> {
        const CALL: &str = "-[_ANEClient initWithRestrictedAccessAllowed:]";
        let factory = class("_ANEClient")?;
        probe::require(CALL, "@@:B")?;
        let made = guarded(CALL, || {
            // SAFETY: every class has `alloc`; the initialiser was just probed and takes its reference.
            unsafe {
                let new: Allocated<AnyObject> = objc2::msg_send![factory, alloc];
                let made: Option<Obj> = objc2::msg_send![new, initWithRestrictedAccessAllowed: false];
                made
            }
        })?;
        object(CALL, made, None).map(|o| Client(Shared(o)))
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.0
    }

    model_call! {
        /// Compiles a model of a folder. One with MIL fails: there is no `model.espresso.net` (experiment M).
        compile, "-[_ANEClient compileModel:options:qos:error:]", compileModel
    }
    model_call! {
        /// Loads a model of a folder; as for [`Client::compile`].
        load, "-[_ANEClient loadModel:options:qos:error:]", loadModel
    }
    model_call! {
        /// Loads with real-time priority, which needs restricted access (code 2).
        load_real_time, "-[_ANEClient loadRealTimeModel:options:qos:error:]", loadRealTimeModel
    }

    /// Says that real-time work begins. NO without the entitlement, and real-time evaluation works all the same.
    pub fn begin_real_time_task(&self) -> Result<bool, BridgeError> {
        send!("-[_ANEClient beginRealTimeTask]", "B@:", [self.object(), beginRealTimeTask] -> bool)
    }

    /// Says that it ends.
    pub fn end_real_time_task(&self) -> Result<bool, BridgeError> {
        send!("-[_ANEClient endRealTimeTask]", "B@:", [self.object(), endRealTimeTask] -> bool)
    }

    /// Evaluates through the daemon.
    pub fn evaluate(&self, model: &ClientModel, request: &Request, qos: u32) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEClient evaluateWithModel:options:request:qos:error:]";
        let (options, mut error) = (ns::dictionary([]), None::<Obj>);
        let ok = send!("-[_ANEClient evaluateWithModel:options:request:qos:error:]", "B@:@@@I^@", [
            self.object(), evaluateWithModel: model.object(), options: &*options, request: request.object(), qos: qos,
            error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }

    /// Maps the surfaces of a request beforehand: code 13 for programs of MIL.
    pub fn map(&self, model: &ClientModel, request: &Request) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEClient mapIOSurfacesWithModel:request:cacheInference:error:]";
        let mut error = None::<Obj>;
        let ok = send!("-[_ANEClient mapIOSurfacesWithModel:request:cacheInference:error:]", "B@:@@B^@", [
            self.object(), mapIOSurfacesWithModel: model.object(), request: request.object(), cacheInference: false,
            error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }
}

/// `_ANEProgramIOSurfacesMapper`, which maps surfaces for a program without a client.
#[derive(Debug)]
pub struct Mapper(Obj);

impl Mapper {
    /// Of a loaded program's handle.
    pub fn of_program(handle: u64) -> Result<Mapper, BridgeError> {
        const CALL: &str = "+[_ANEProgramIOSurfacesMapper mapperWithProgramHandle:]";
        let factory = class("_ANEProgramIOSurfacesMapper")?;
        let made = send!("+[_ANEProgramIOSurfacesMapper mapperWithProgramHandle:]", "@@:Q", [
            factory, mapperWithProgramHandle: handle
        ] -> Option<Obj>)?;
        object(CALL, made, None).map(Mapper)
    }

    /// Of an object that should be a device controller; anything else throws (experiment v2-3).
    pub fn of_controller(controller: &AnyObject) -> Result<Mapper, BridgeError> {
        const CALL: &str = "+[_ANEProgramIOSurfacesMapper mapperWithController:]";
        let factory = class("_ANEProgramIOSurfacesMapper")?;
        let made = send!("+[_ANEProgramIOSurfacesMapper mapperWithController:]", "@@:@", [
            factory, mapperWithController: controller
        ] -> Option<Obj>)?;
        object(CALL, made, None).map(Mapper)
    }

    /// Maps the surfaces of a request: NO on record (experiment N).
    pub fn map(&self, model: &ClientModel, request: &Request) -> Result<(), BridgeError> {
        const CALL: &str =
            "-[_ANEProgramIOSurfacesMapper mapIOSurfacesWithModel:request:cacheInference:error:]";
        let mut error = None::<Obj>;
        let ok = send!(
            "-[_ANEProgramIOSurfacesMapper mapIOSurfacesWithModel:request:cacheInference:error:]",
            "B@:@@B^@",
            [
                &*self.0, mapIOSurfacesWithModel: model.object(), request: request.object(), cacheInference: false,
                error: &mut error
            ] -> bool)?;
        done(CALL, ok, error)
    }
}
