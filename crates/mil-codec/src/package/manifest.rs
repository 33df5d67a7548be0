//! `Manifest.json`: which file of a package is the model (`facts/mil-blob-format.md` section 4).

use crate::codes;
use crate::folder::resolve;
use mil_base::Diagnostic;
use serde_json::{Value, json};

/// Where a package we write has its model, relative to the package.
pub(super) const MODEL_PATH: &str = "Data/com.apple.CoreML/model.mlmodel";

/// Where a package we write has its weights, relative to the folder of its model.
pub const WEIGHTS_PATH: &str = "weights/weight.bin";

/// Identifiers in the manifests we write. They only have to differ from one another; being always the same makes
/// written packages equal byte for byte.
const MODEL_ID: &str = "6d696c77-7269-4768-8000-000000000001";
const WEIGHTS_ID: &str = "6d696c77-7269-4768-8000-000000000002";

/// What a manifest says that we use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The model's path as written, relative to `Data/`.
    pub root: String,
}

impl Manifest {
    /// Reads the text of a `Manifest.json`.
    ///
    /// Errors: `package/manifest-syntax`, `package/manifest-root`.
    pub fn read(bytes: &[u8]) -> Result<Manifest, Diagnostic> {
        let json: Value = serde_json::from_slice(bytes).map_err(|e| {
            Diagnostic::error(codes::PACKAGE_MANIFEST_SYNTAX, format!("Manifest.json is not valid JSON: {e}"))
        })?;
        let broken = |what: &str| {
            Diagnostic::error(codes::PACKAGE_MANIFEST_ROOT, format!("Manifest.json {what}"))
                .help("the model is the item of `itemInfoEntries` that `rootModelIdentifier` names")
        };
        let id = json.get("rootModelIdentifier").and_then(Value::as_str);
        let id = id.ok_or_else(|| broken("has no `rootModelIdentifier`"))?;
        let item = json.get("itemInfoEntries").and_then(|items| items.get(id));
        let item = item.ok_or_else(|| broken(&format!("has no item for the root model `{id}`")))?;
        let root = item.get("path").and_then(Value::as_str);
        Ok(Manifest { root: root.ok_or_else(|| broken("gives the root model no `path`"))?.to_owned() })
    }

    /// The model's path relative to the package. Error: `package/path-escapes`.
    pub fn root_path(&self) -> Result<String, Diagnostic> {
        // Items live below `Data`, so a path that climbs out of it is wrong even if it stays inside the package.
        resolve("", &self.root).map(|path| format!("Data/{path}"))
    }

    /// The text of the manifest of a package we write, the same every time.
    pub fn text(with_weights: bool) -> String {
        let item = |description: &str, name: &str, path: &str| json!({ "author": "com.apple.CoreML", "description": description, "name": name, "path": path });
        let mut items = serde_json::Map::new();
        let model = MODEL_PATH.trim_start_matches("Data/");
        items.insert(MODEL_ID.into(), item("CoreML Model Specification", "model.mlmodel", model));
        if with_weights {
            let weights = item("CoreML Model Weights", "weights", "com.apple.CoreML/weights");
            items.insert(WEIGHTS_ID.into(), weights);
        }
        let manifest = json!({
            "fileFormatVersion": "1.0.0",
            "itemInfoEntries": items,
            "rootModelIdentifier": MODEL_ID,
        });
        format!("{manifest:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_by_its_identifier() {
        let text = r#"{"rootModelIdentifier": "B", "itemInfoEntries": {
            "A": {"name": "model.mlmodel", "path": "com.apple.CoreML/model.mlmodel"},
            "B": {"name": "x", "path": "com.apple.CoreML/Other.mlmodel"}}}"#;
        let manifest = Manifest::read(text.as_bytes()).unwrap();
        assert_eq!(manifest.root_path().unwrap(), "Data/com.apple.CoreML/Other.mlmodel");
        let ours = Manifest::read(Manifest::text(true).as_bytes()).unwrap();
        assert_eq!(ours.root_path().unwrap(), MODEL_PATH);
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        let code = |text: &str| Manifest::read(text.as_bytes()).and_then(|m| m.root_path()).unwrap_err().code;
        let with = |path: &str| {
            format!(r#"{{"rootModelIdentifier": "B", "itemInfoEntries": {{"B": {{"path": {path}}}}}}}"#)
        };
        assert_eq!(code("{"), "package/manifest-syntax");
        assert_eq!(code("[]"), "package/manifest-root");
        assert_eq!(code(r#"{"rootModelIdentifier": "B"}"#), "package/manifest-root");
        assert_eq!(code(&with("7")), "package/manifest-root");
        assert_eq!(code(&with("\"../../secret.mlmodel\"")), "package/path-escapes");
        assert_eq!(code(&with("\"/etc/passwd\"")), "package/path-escapes");
        assert_eq!(code(&"[".repeat(100_000)), "package/manifest-syntax");
    }
}
