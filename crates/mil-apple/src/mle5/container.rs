//! Where a loaded model keeps its `MLProgramE5Container`: the ways the research found, in its order (`facts/ane-facts.md` 1.3).

use crate::error::BridgeError;
use crate::objc::field::field;
use crate::objc::{AnyObject, Obj, alloc, ns};
use crate::send;
use std::fmt;

/// How a container was come by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// The internal engine's program library has it.
    Library,
    /// The implementation behind the program library has it.
    Implementation,
    /// The internal engine is one for several functions; a function's engine has it, in one of the ways above.
    Function(Box<Way>),
    /// Made from the path of the compiled model, which an older engine's container knows.
    AssetPath,
    /// Made from the path of the compiled model, which we know because we compiled it.
    OwnPath,
    /// Made from a model asset's description.
    AssetDescription,
    /// There is none; the compiler is given nil, which the research found to work.
    None,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Library => f.write_str("engine, program library, container"),
            Way::Implementation => f.write_str("engine, program library, implementation, container"),
            Way::Function(inner) => write!(f, "function's {inner}"),
            Way::AssetPath => f.write_str("made from the path in the old engine's container"),
            Way::OwnPath => f.write_str("made from the compiled model's path"),
            Way::AssetDescription => f.write_str("made from the model asset's description"),
            Way::None => f.write_str("none"),
        }
    }
}

/// A container, and how it was come by.
#[derive(Debug)]
pub struct Found {
    /// The container; nothing if there was none to be had.
    pub container: Option<Obj>,
    /// How.
    pub way: Way,
    /// The class of the model's internal engine; empty if the model has none.
    pub engine_class: String,
}

/// The class of an object, for a report.
pub fn class_of(object: &AnyObject) -> String {
    object.class().name().to_string_lossy().into_owned()
}

/// Finds the container of a loaded model, or makes one. `path` is the compiled model. Never fails: without a container the
/// compiler is given none.
pub fn find(model: &AnyObject, configuration: &AnyObject, path: &str) -> Found {
    let engine = field(model, "_internalEngine");
    let engine_class = engine.as_deref().map(class_of).unwrap_or_default();
    let found =
        |container, way| Found { container: Some(container), way, engine_class: engine_class.clone() };
    if let Some(engine) = &engine {
        if let Some((container, way)) = of_engine(engine) {
            return found(container, way);
        }
        if let Some((container, way)) = of_functions(engine) {
            return found(container, Way::Function(Box::new(way)));
        }
        let known = field(engine, "_container").and_then(|old| field(&old, "_modelFilePath"));
        if let Some(made) = known.and_then(|path| from_path(&path, configuration).ok().flatten()) {
            return found(made, Way::AssetPath);
        }
    }
    if let Ok(Some(made)) = from_path(&ns::string(path), configuration) {
        return found(made, Way::OwnPath);
    }
    let description = [engine.as_deref(), Some(model)].into_iter().flatten();
    let description = description.filter_map(|o| field(o, "_modelAssetDescription")).next();
    if let Some(Ok(Some(made))) = description.map(|d| from_description(&d, configuration)) {
        return found(made, Way::AssetDescription);
    }
    Found { container: None, way: Way::None, engine_class }
}

fn of_engine(engine: &AnyObject) -> Option<(Obj, Way)> {
    let library = field(engine, "programLibrary")?;
    let is_container = |o: &Obj| ns::is_kind_of(o, "MLProgramE5Container");
    if let Some(container) = field(&library, "_container").filter(is_container) {
        return Some((container, Way::Library));
    }
    let inner = field(&library, "_impl").and_then(|i| field(&i, "_container")).filter(is_container);
    inner.map(|container| (container, Way::Implementation))
}

fn of_functions(engine: &AnyObject) -> Option<(Obj, Way)> {
    let map = field(engine, "_functionNameToEngineMap").filter(|m| ns::is_kind_of(m, "NSDictionary"))?;
    let values =
        crate::tell!("-[NSDictionary allValues]", "@@:", [&map, allValues] -> Option<Obj>).ok()??;
    ns::items(&values).iter().find_map(|engine| of_engine(engine))
}

fn from_path(path: &AnyObject, configuration: &AnyObject) -> Result<Option<Obj>, BridgeError> {
    let memory = alloc("MLProgramE5Container")?;
    send!("-[MLProgramE5Container initWithModelAssetPath:configuration:]", "@@:@@",
        [memory, initWithModelAssetPath: path, configuration: configuration] -> Option<Obj>)
}

fn from_description(description: &AnyObject, configuration: &AnyObject) -> Result<Option<Obj>, BridgeError> {
    let memory = alloc("MLProgramE5Container")?;
    send!("-[MLProgramE5Container initWithModelAssetDescription:configuration:]", "@@:@@",
        [memory, initWithModelAssetDescription: description, configuration: configuration] -> Option<Obj>)
}
