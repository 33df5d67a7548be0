//! Where `--output` of `milwright run` goes.

use anyhow::{Context, bail};
use milwright::{Failure, Model, Tensor, npz};
use std::path::Path;

/// One `--output`, understood before the program runs.
pub(crate) enum Target<'a> {
    /// All outputs, to an .npz file.
    All(&'a str),
    /// One output, to a .npy file.
    Array { name: &'a str, path: &'a str },
    /// One output, to a .png file.
    Image { name: &'a str, path: &'a str },
}

impl<'a> Target<'a> {
    /// Understands `FILE.npz`, `NAME=FILE.npy` and `NAME=FILE.png`.
    pub(crate) fn parse(model: &Model, text: &'a str) -> anyhow::Result<Target<'a>> {
        let ending = Path::new(text).extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let ending = ending.unwrap_or_default();
        let one = text.split_once('=');
        match (ending.as_str(), one) {
            ("png", Some((name, path))) => Ok(Target::Image { name: known(model, text, name)?, path }),
            ("npy", Some((name, path))) => Ok(Target::Array { name: known(model, text, name)?, path }),
            ("png" | "npy", None) => {
                bail!(
                    "`--output {text}` does not say which output: NAME={text}, where NAME is {}",
                    list(model)
                )
            }
            ("jpg" | "jpeg" | "gif" | "bmp" | "webp" | "tif" | "tiff", _) => {
                bail!("`--output {text}`: images are written as .png, which loses nothing")
            }
            (_, Some((name, path))) if names(model).iter().any(|n| n == name) => {
                bail!(
                    "`--output {text}`: one output goes to a .png or .npy file; {path} would hold all, without `{name}=`"
                )
            }
            _ => Ok(Target::All(text)),
        }
    }

    /// Writes the file, and gives its name.
    pub(crate) fn write(&self, model: &Model, outputs: &[(String, Tensor)]) -> anyhow::Result<&'a str> {
        let tensor = |name: &str| {
            let found = outputs.iter().find(|(n, _)| n == name);
            found.map(|(_, tensor)| tensor).with_context(|| format!("there is no output `{name}`"))
        };
        match *self {
            Target::All(path) => {
                npz::save(path, outputs.iter().map(|(n, t)| (n.as_str(), t)))?;
                Ok(path)
            }
            Target::Array { name, path } => {
                npz::save_npy(path, tensor(name)?)?;
                Ok(path)
            }
            Target::Image { name, path } => {
                let image = model.image_output(name, tensor(name)?).map_err(|d| Failure {
                    path: path.into(),
                    source: None,
                    diagnostics: vec![d],
                })?;
                image.write_png(path)?;
                Ok(path)
            }
        }
    }
}

fn known<'a>(model: &Model, text: &str, name: &'a str) -> anyhow::Result<&'a str> {
    if !names(model).iter().any(|n| n == name) {
        bail!("`--output {text}`: the outputs are {}", list(model));
    }
    Ok(name)
}

fn names(model: &Model) -> Vec<String> {
    let function = &model.checked().program().functions[model.function()];
    function.outputs().iter().map(|&v| function.values[v].name.to_string()).collect()
}

fn list(model: &Model) -> String {
    names(model).join(", ")
}
