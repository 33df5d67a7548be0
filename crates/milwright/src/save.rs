//! Saving a program by the kind its name says.

use crate::codes;
use crate::disk;
use crate::failure::Failure;
use crate::open::{Description, Opened};
use crate::pipeline::{self, Pipeline};
use mil_base::Diagnostic;
use mil_codec::blob::BlobWriter;
use mil_codec::bundle;
use mil_codec::folder::{MODEL_PATH, resolve};
use mil_codec::package::{self, FeatureKind, Interface, Written};
use mil_codec::text::{self, Options};
use mil_codec::weights::{Storage, store};
use mil_ir::Program;
use mil_ops::OpSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Where the weights of text go.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum TextWeights {
    /// Into the files they were read from, beside the text; one that exists with other content is not overwritten.
    #[default]
    AsRead,
    /// Into one file, `weights/NAME.bin` for a text `NAME.mil`.
    Own {
        /// Replace that file if it exists with other content.
        replace: bool,
    },
}

/// What to say besides the program.
#[derive(Clone, Default, Debug)]
pub struct SaveOptions<'a> {
    /// What the model says about itself; made from the functions' signatures if there is none. Text does not have it.
    pub description: Option<&'a Description>,
    /// How text is spelt.
    pub text: Options,
    /// The `.mlmodel` file the program was read from, if it is unchanged: a bundle says its name and hash.
    pub model_file: Option<&'a Path>,
    /// The stages the program was joined from, if it is unchanged: a bundle has them as stages again. Without a description
    /// they are not looked at.
    pub pipeline: Option<&'a Pipeline>,
    /// Where the weights of text go.
    pub weights: TextWeights,
}

impl<'a> SaveOptions<'a> {
    /// Everything that was read with a program.
    pub fn of(opened: &'a Opened) -> SaveOptions<'a> {
        SaveOptions {
            description: opened.description.as_ref(),
            model_file: opened.model_file.as_deref(),
            pipeline: opened.pipeline.as_ref(),
            ..SaveOptions::default()
        }
    }
}

/// Saves a program as `.mlpackage`, `.mlmodel`, `.mlmodelc` or `.mil`, as the end of `path` says; gives what could not be
/// kept.
///
/// Everything is written beside the target and then renamed, so the target may be what the program was opened from, and
/// is never half written: whatever fails, what was there stays. A folder that is replaced is first moved to `.NAME.….old`
/// beside it, where it is found whole should the process be killed before the new one has its name. Weights of a `.mil` go
/// into files beside it; one that exists already with other content is not overwritten, since it may belong to another
/// program. What is marked read-only is not replaced, and symbolic links stay.
///
/// Errors: `file/unknown-kind`, `file/unwritable`, `file/exists`, and those of [`mil_codec::package::write`].
pub fn save(
    path: impl AsRef<Path>,
    program: &Program,
    options: &SaveOptions<'_>,
) -> Result<Vec<Diagnostic>, Failure> {
    let path = path.as_ref();
    let described = options.description.map(Description::described);
    let all = |diagnostics| Failure { path: path.into(), source: None, diagnostics };
    let one = |d| Failure::one(path, d);
    match path.extension().and_then(|e| e.to_str()) {
        Some("mlpackage") => {
            let written = package::write(program, described).map_err(all)?;
            replace_folder(path, "Manifest.json", &written).map_err(one)?;
            Ok(written.warnings)
        }
        Some("mlmodelc") => save_bundle(path, program, options),
        Some("mlmodel") => {
            let (bytes, warnings) = package::write_model(program, described).map_err(all)?;
            replace_file(path, |out| out.write_all(&bytes)).map_err(one)?;
            Ok(warnings)
        }
        Some("mil") => {
            save_text(path, program, options)?;
            Ok(options.description.and_then(|d| left_out(d, program)).into_iter().collect())
        }
        _ => Err(one(Diagnostic::error(
            codes::FILE_UNKNOWN_KIND,
            format!("`{}` has no kind we can write", path.display()),
        )
        .help("end the name in .mlpackage, .mlmodel, .mlmodelc or .mil"))),
    }
}

fn save_bundle(
    path: &Path,
    program: &Program,
    options: &SaveOptions<'_>,
) -> Result<Vec<Diagnostic>, Failure> {
    let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let model = options.model_file.map(|file| disk::read(file).map(|bytes| (stem(file), bytes))).transpose();
    let model = model.map_err(|d| Failure::one(path, d))?;
    let class_name = stem(path);
    let source = bundle::Source {
        class_name: &class_name,
        model: model.as_ref().map(|(name, bytes)| (name.as_str(), &**bytes)),
    };
    let ops = OpSet::standard();
    let since = |op: &str, function| Some(ops.get(op)?.version(function)?.since);
    let described = options.description.map(Description::described);
    let written = match (options.pipeline, described) {
        (Some(pipeline), Some(described)) => {
            bundle::write_pipeline(&pipeline::parts(pipeline, described), &source, &since)
        }
        _ => bundle::write(program, described, &source, &since),
    };
    let written = written.map_err(|diagnostics| Failure { path: path.into(), source: None, diagnostics })?;
    replace_folder(path, bundle::CONTAINER, &written).map_err(|d| Failure::one(path, d))?;
    Ok(written.warnings)
}

fn save_text(path: &Path, program: &Program, options: &SaveOptions<'_>) -> Result<(), Failure> {
    let one = |d| Failure::one(path, d);
    let own = own_weights(path);
    let (storage, replace) = match options.weights {
        TextWeights::AsRead => (Storage::AsRead, false),
        TextWeights::Own { replace } => (Storage::Gathered(&own), replace),
    };
    let stored = store(program, storage).map_err(|diagnostics| Failure {
        path: path.into(),
        source: None,
        diagnostics,
    })?;
    let text = text::print(&stored.program, &options.text);
    // The text takes its place last: until then the old one has the weights it had.
    let text = Staged::new(path, |out| out.write_all(text.as_bytes())).map_err(one)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for (name, weights) in &stored.files {
        let target = folder.join(resolve("", name).map_err(one)?);
        save_weights(&target, weights, replace).map_err(one)?;
    }
    text.take_its_place().map_err(one)
}

/// What the description says that text cannot, if the program is used differently without it.
fn left_out(description: &Description, program: &Program) -> Option<Diagnostic> {
    let mut said = Vec::new();
    let mut say = |words: String| {
        if !said.contains(&words) {
            said.push(words);
        }
    };
    for (_, function) in program.functions.iter() {
        let interface = Interface::of(&description.model, &function.name);
        for feature in interface.inputs.iter().chain(&interface.outputs) {
            if matches!(feature.kind, FeatureKind::Image(_)) {
                say(format!("`{}` is an image", feature.name));
            }
            if feature.optional {
                say(format!("`{}` may be left out", feature.name));
            }
        }
    }
    let default = &description.model.default_function_name;
    let chosen = program.default_function().map(|id| &program.functions[id].name);
    if !default.is_empty() && chosen.is_none_or(|name| *name != **default) {
        say(format!("`{default}` is the function that runs"));
    }
    if said.is_empty() {
        return None;
    }
    let message = format!("MIL text cannot say that {}", said.join(", that "));
    Some(
        Diagnostic::warning(codes::TEXT_LEAVES_OUT, message)
            .help("keep the package too; .mlpackage, .mlmodel and .mlmodelc hold all of it"),
    )
}

/// The weight file of a text's own. A name in a program is plain letters, digits, `-`, `.` and `_` only.
fn own_weights(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let stem: String = stem.chars().map(plain).collect();
    format!("{MODEL_PATH}/weights/{stem}.bin")
}

fn save_weights(target: &Path, weights: &BlobWriter, replace: bool) -> Result<(), Diagnostic> {
    if replace || !target.exists() {
        return replace_file(target, |out| weights.write_to(out));
    }
    let there = disk::read(target)?;
    let mut compare = Compare { rest: &there };
    if weights.write_to(&mut compare).is_ok() && compare.rest.is_empty() {
        return Ok(());
    }
    let message = format!("`{}` exists and holds other weights", target.display());
    Err(Diagnostic::error(codes::FILE_EXISTS, message)
        .help("save into a folder of its own, or remove the file if nothing needs it any more"))
}

/// Takes the bytes that are expected and fails on the first that differ.
struct Compare<'a> {
    rest: &'a [u8],
}

impl Write for Compare<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest = self.rest.strip_prefix(bytes).ok_or_else(|| io::Error::other("different"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(codes::FILE_UNWRITABLE, format!("cannot write `{}`: {error}", path.display()))
        .help("check that the folder exists, that it may be written to, and that the disk is not full")
}

/// Writes a file with its folders.
fn write_file(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fill(File::create(path)?, content)
}

fn fill(file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    content(&mut out)?;
    out.flush()
}

/// A name beside `path` that nothing else uses.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{ending}", std::process::id()));
    path.with_file_name(name)
}

/// Where something goes: behind symbolic links, which stay. Error: what is there is marked read-only.
fn place(path: &Path) -> io::Result<PathBuf> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if fs::metadata(&target).is_ok_and(|there| there.permissions().readonly()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is marked read-only"));
    }
    Ok(target)
}

/// A file that is written but has not taken its place; dropped, it leaves nothing behind.
struct Staged<'a> {
    path: &'a Path,
    target: PathBuf,
    part: PathBuf,
}

impl<'a> Staged<'a> {
    fn new(
        path: &'a Path,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Staged<'a>, Diagnostic> {
        let target = place(path).map_err(|e| unwritable(path, &e))?;
        let part = beside(&target, "part");
        let staged = Staged { path, target, part };
        write_file(&staged.part, content).map_err(|e| unwritable(path, &e))?;
        Ok(staged)
    }

    fn take_its_place(self) -> Result<(), Diagnostic> {
        fs::rename(&self.part, &self.target).map_err(|e| unwritable(self.path, &e))
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // Nothing is left to remove once it has its place.
        let _ = fs::remove_file(&self.part);
    }
}

/// Writes the file whole, or not at all. A device or a pipe takes what is written; a file in its place would not be it.
pub(crate) fn replace_file(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Diagnostic> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let stream = fs::OpenOptions::new().write(true).open(path);
        return stream.and_then(|file| fill(file, content)).map_err(|e| unwritable(path, &e));
    }
    Staged::new(path, content)?.take_its_place()
}

/// Writes the folder whole, or not at all. A folder that is there already is replaced only if it has the file `sign`, which
/// every folder of its kind has.
fn replace_folder(path: &Path, sign: &str, written: &Written) -> Result<(), Diagnostic> {
    if path.exists() && !path.join(sign).exists() {
        let message = format!("`{}` exists and is of another kind: it has no {sign}", path.display());
        return Err(
            Diagnostic::error(codes::FILE_EXISTS, message).help("choose another name, or remove it yourself")
        );
    }
    let target = place(path).map_err(|e| unwritable(path, &e))?;
    let part = beside(&target, "part");
    write_files(&part, written).and_then(|()| take_place_of(&target, &part)).map_err(|e| {
        let _ = fs::remove_dir_all(&part);
        unwritable(path, &e)
    })
}

/// Gives the folder `new` the name `target`, whatever has it now.
fn take_place_of(target: &Path, new: &Path) -> io::Result<()> {
    if !target.exists() {
        return fs::rename(new, target);
    }
    let old = beside(target, "old");
    fs::rename(target, &old)?;
    if let Err(error) = fs::rename(new, target) {
        fs::rename(&old, target)?;
        return Err(error);
    }
    // The new one stands; what cannot be removed of the old one is only in the way.
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

fn write_files(folder: &Path, written: &Written) -> io::Result<()> {
    for (name, bytes) in &written.files {
        write_file(&folder.join(name), |out| out.write_all(bytes))?;
    }
    written.weights.iter().try_for_each(|(name, w)| write_file(&folder.join(name), |out| w.write_to(out)))
}
