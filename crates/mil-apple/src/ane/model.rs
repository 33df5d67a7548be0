//! `_ANEInMemoryModelDescriptor` and `_ANEInMemoryModel`.

use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{AnyObject, Obj, Shared, done, ns, object};
use crate::send;
use crate::stage::Files;

/// MIL text with its weights, as the framework takes it.
#[derive(Debug)]
pub struct Descriptor(Obj);

impl Descriptor {
    /// The text goes as NSData (a string is an exception) and the weights as a dictionary (never nil; facts S17, S18).
    pub fn new(files: &Files) -> Result<Descriptor, BridgeError> {
        const CALL: &str = "+[_ANEInMemoryModelDescriptor modelWithMILText:weights:optionsPlist:]";
        let start = ns::int(0);
        let weights: Vec<(String, Obj)> = files
            .weights
            .iter()
            .map(|(name, bytes)| {
                let entry = ns::dictionary([("offset", &*start), ("data", &*ns::data(bytes))]);
                (format!("@model_path/{name}"), entry)
            })
            .collect();
        let weights = ns::dictionary(weights.iter().map(|(name, entry)| (name.as_str(), &**entry)));
        let text = ns::data(files.text.as_bytes());
        let factory = class("_ANEInMemoryModelDescriptor")?;
        let made = send!("+[_ANEInMemoryModelDescriptor modelWithMILText:weights:optionsPlist:]", "@@:@@@", [
            factory, modelWithMILText: &*text, weights: &*weights,
            optionsPlist: None::<&AnyObject>
        ] -> Option<Obj>)?;
        Ok(Descriptor(object(CALL, made, None)?))
    }
}

/// A program in memory. Evaluations may run in parallel: the framework queues them (127 deep, facts 1.1); compiling, loading and
/// unloading one model are for one thread at a time, which [`super::Program`] sees to.
#[derive(Clone, Debug)]
pub struct InMemoryModel(Shared);

impl InMemoryModel {
    /// A model of a descriptor, not yet compiled.
    pub fn new(descriptor: &Descriptor) -> Result<InMemoryModel, BridgeError> {
        const CALL: &str = "+[_ANEInMemoryModel inMemoryModelWithDescriptor:]";
        let factory = class("_ANEInMemoryModel")?;
        let made = send!("+[_ANEInMemoryModel inMemoryModelWithDescriptor:]", "@@:@", [
            factory, inMemoryModelWithDescriptor: &*descriptor.0
        ] -> Option<Obj>)?;
        // Used from several threads only as said above.
        object(CALL, made, None).map(|o| InMemoryModel(Shared(o)))
    }

    /// The object, for a call that has no method here.
    pub fn object(&self) -> &AnyObject {
        &self.0
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// The hash of text, weights and options: the name of the folder to stage in.
    pub fn identifier(&self) -> Result<String, BridgeError> {
        const CALL: &str = "-[_ANEInMemoryModel hexStringIdentifier]";
        let name = send!("-[_ANEInMemoryModel hexStringIdentifier]", "@@:", [
            self.object(), hexStringIdentifier
        ] -> Option<Obj>)?;
        let name = ns::to_string(name.as_deref());
        // It becomes the name of a folder that is later removed.
        let sound =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if sound { Ok(name) } else { Err(BridgeError::Null { call: CALL }) }
    }

    /// Does the system hold the program already compiled?
    pub fn is_compiled(&self) -> Result<bool, BridgeError> {
        send!("-[_ANEInMemoryModel compiledModelExists]", "B@:", [self.object(), compiledModelExists] -> bool)
    }

    /// Compiles what is staged.
    pub fn compile(&self, qos: u32) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEInMemoryModel compileWithQoS:options:error:]";
        let (options, mut error) = (ns::dictionary([]), None);
        let ok = send!("-[_ANEInMemoryModel compileWithQoS:options:error:]", "B@:I@^@", [
            self.object(), compileWithQoS: qos, options: &*options, error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }

    /// Loads the compiled program.
    pub fn load(&self, qos: u32) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEInMemoryModel loadWithQoS:options:error:]";
        let (options, mut error) = (ns::dictionary([]), None);
        let ok = send!("-[_ANEInMemoryModel loadWithQoS:options:error:]", "B@:I@^@", [
            self.object(), loadWithQoS: qos, options: &*options, error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }

    /// Takes the program out of the engine.
    pub fn unload(&self, qos: u32) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEInMemoryModel unloadWithQoS:error:]";
        let mut error = None;
        let ok = send!("-[_ANEInMemoryModel unloadWithQoS:error:]", "B@:I^@", [
            self.object(), unloadWithQoS: qos, error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }

    /// Drops the system's compiled copy.
    pub fn purge(&self) -> Result<(), BridgeError> {
        send!("-[_ANEInMemoryModel purgeCompiledModel]", "v@:", [self.object(), purgeCompiledModel] -> ())
    }

    /// What the loaded program says about itself, if it does.
    pub fn attributes(&self) -> Result<Option<Obj>, BridgeError> {
        send!("-[_ANEInMemoryModel modelAttributes]", "@@:", [self.object(), modelAttributes] -> Option<Obj>)
    }

    /// The `_ANEModel` inside, which `_ANEClient` takes.
    pub fn inner(&self) -> Result<Obj, BridgeError> {
        let inner = send!("-[_ANEInMemoryModel model]", "@@:", [self.object(), model] -> Option<Obj>)?;
        object("-[_ANEInMemoryModel model]", inner, None)
    }

    /// The `_ANEProgramForEvaluation` of the loaded program.
    pub fn program(&self) -> Result<Obj, BridgeError> {
        let program = send!("-[_ANEInMemoryModel program]", "@@:", [self.object(), program] -> Option<Obj>)?;
        object("-[_ANEInMemoryModel program]", program, None)
    }

    /// The `_ANEClient` it uses.
    pub fn connection(&self) -> Result<Obj, BridgeError> {
        let found = send!("-[_ANEInMemoryModel sharedConnection]", "@@:", [
            self.object(), sharedConnection
        ] -> Option<Obj>)?;
        object("-[_ANEInMemoryModel sharedConnection]", found, None)
    }

    /// Maps the surfaces of a request beforehand: code 13 on record.
    pub fn map(&self, request: &AnyObject) -> Result<(), BridgeError> {
        const CALL: &str = "-[_ANEInMemoryModel mapIOSurfacesWithRequest:cacheInference:error:]";
        let mut error = None;
        let ok = send!("-[_ANEInMemoryModel mapIOSurfacesWithRequest:cacheInference:error:]", "B@:@B^@", [
            self.object(), mapIOSurfacesWithRequest: request, cacheInference: false, error: &mut error
        ] -> bool)?;
        done(CALL, ok, error)
    }

    /// The number the framework knows it by.
    pub fn string_id(&self) -> Result<u64, BridgeError> {
        send!("-[_ANEInMemoryModel string_id]", "Q@:", [self.object(), string_id] -> u64)
    }
}
