//! Feature providers: arrays by name.

use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Raised, alloc, make, ns, outcome, probe};
use crate::{send, tell};

/// A provider of these arrays.
pub fn provider<'a>(arrays: impl IntoIterator<Item = (&'a str, &'a AnyObject)>) -> Result<Obj, BridgeError> {
    let mut values = Vec::new();
    for (name, array) in arrays {
        let class = probe::class("MLFeatureValue")?;
        let value = send!("+[MLFeatureValue featureValueWithMultiArray:]", "@@:@",
            [class, featureValueWithMultiArray: array] -> Option<Obj>)?;
        let nothing = || BridgeError::Null { call: "+[MLFeatureValue featureValueWithMultiArray:]" };
        values.push((name, value.ok_or_else(nothing)?));
    }
    let values = ns::dictionary(values.iter().map(|(name, value)| (*name, &**value)));
    let mut error = Raised::none();
    let memory = alloc("MLDictionaryFeatureProvider")?;
    let made = send!("-[MLDictionaryFeatureProvider initWithDictionary:error:]", "@@:@^@",
        [memory, initWithDictionary: &*values, error: &mut error.0] -> Option<Obj>)?;
    outcome::object("-[MLDictionaryFeatureProvider initWithDictionary:error:]", made, error.take())
}

/// The array that a provider has under a name; nothing if it has none.
pub fn array(provider: &AnyObject, name: &str) -> Result<Option<Obj>, BridgeError> {
    let name = ns::string(name);
    let value = tell!("-[MLFeatureProvider featureValueForName:]", "@@:@",
        [provider, featureValueForName: &*name] -> Option<Obj>)?;
    let Some(value) = value else { return Ok(None) };
    tell!("-[MLFeatureValue multiArrayValue]", "@@:", [&value, multiArrayValue] -> Option<Obj>)
}

/// Options of a prediction that writes into the given arrays.
pub fn options(backings: &[(String, Obj)]) -> Result<Obj, BridgeError> {
    let options = make("MLPredictionOptions")?;
    if !backings.is_empty() {
        let backings = ns::dictionary(backings.iter().map(|(name, array)| (name.as_str(), &**array)));
        send!("-[MLPredictionOptions setOutputBackings:]", "v@:@",
            [&*options, setOutputBackings: &*backings] -> ())?;
    }
    Ok(options)
}
