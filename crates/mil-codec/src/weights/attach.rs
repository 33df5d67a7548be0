//! Finding the data of a program's blobs in its weight files.

use crate::blob::BlobFile;
use crate::codes;
use crate::folder::{Folder, resolve};
use mil_base::{Arena, Diagnostic, Label, Name, Place, Span, Type};
use mil_ir::{Binding, Blob, Constant, Function, FunctionId, Origins, Payload, Program};
use std::collections::HashMap;

/// Sets the data of every blob that a constant refers to, as a view of its file; nothing is copied.
///
/// `origins` says where the program's parts are in its text, if it has one, and `base` is the folder inside `folder` that `@model_path` stands for. Gives everything that is wrong; the data of such
/// a blob stays unset. Codes: those of [`BlobFile`], `blob/missing-file`, `blob/unknown-size`, `package/path-escapes`.
pub fn attach(program: &mut Program, origins: &Origins, folder: &dyn Folder, base: &str) -> Vec<Diagnostic> {
    let mut finder =
        Finder { folder, base, files: HashMap::new(), blobs: &mut program.blobs, diagnostics: Vec::new() };
    for (id, function) in program.functions.iter() {
        finder.function(id, function, origins);
    }
    finder.diagnostics
}

struct Finder<'a> {
    folder: &'a dyn Folder,
    base: &'a str,
    /// Files by the path written in the program; nothing for one that could not be opened and was reported.
    files: HashMap<Name, Option<BlobFile>>,
    blobs: &'a mut Arena<Blob>,
    diagnostics: Vec<Diagnostic>,
}

impl Finder<'_> {
    fn function(&mut self, id: FunctionId, function: &Function, origins: &Origins) {
        for (name, constant) in &function.attributes {
            let place = Place { function: Some(function.name.clone()), ..Place::default() };
            self.constant(constant, name, &|| (place.clone(), None));
        }
        for (op_id, op) in function.ops.iter() {
            let place = |name: &Name| (function.place(op_id), origins.arg(id, op_id, name));
            for (name, constant) in &op.attributes {
                self.constant(constant, name, &|| place(name));
            }
            for (name, arg) in &op.args {
                for binding in &arg.0 {
                    if let Binding::Constant(constant) = binding {
                        self.constant(constant, name, &|| place(name));
                    }
                }
            }
        }
    }

    fn constant(&mut self, constant: &Constant, name: &Name, place: &dyn Fn() -> (Place, Option<Span>)) {
        if let Err(diagnostic) = self.payload(&constant.payload, &constant.ty) {
            let (place, span) = place();
            let place = Place { argument: Some(name.clone()), ..place };
            self.diagnostics.push(diagnostic.label(Label { place, span, message: String::new() }));
        }
    }

    /// The depth of payloads is bounded by whoever read the program.
    fn payload(&mut self, payload: &Payload, ty: &Type) -> Result<(), Diagnostic> {
        match (payload, ty) {
            (Payload::Blob(id), Type::Tensor(t)) => {
                let Some(blob) = self.blobs.get(*id) else { return Ok(()) };
                let (path, offset) = (blob.path.clone(), blob.offset);
                let count = t.shape.count().ok_or_else(|| {
                    Diagnostic::error(
                        codes::BLOB_UNKNOWN_SIZE,
                        format!("a blob has the type {t}, whose size is not known"),
                    )
                })?;
                if let Some(file) = self.file(&path)? {
                    let data = file.elements(offset, t.dtype, count)?;
                    self.blobs[*id].data = Some(data);
                }
                Ok(())
            }
            (Payload::List(items), Type::List(t, _)) => items.iter().try_for_each(|i| self.payload(i, t)),
            (Payload::Tuple(items), Type::Tuple(ts)) => {
                items.iter().zip(ts).try_for_each(|(i, t)| self.payload(i, t))
            }
            (Payload::Dict(pairs), Type::Dict(kt, vt)) => pairs.iter().try_for_each(|(k, v)| {
                self.payload(k, kt)?;
                self.payload(v, vt)
            }),
            _ => Ok(()),
        }
    }

    /// The weight file of that path; what is wrong with a file is said once.
    fn file(&mut self, path: &Name) -> Result<Option<BlobFile>, Diagnostic> {
        if let Some(file) = self.files.get(path) {
            return Ok(file.clone());
        }
        let opened = self.open(path);
        self.files.insert(path.clone(), opened.as_ref().ok().cloned());
        opened.map(Some)
    }

    fn open(&self, path: &Name) -> Result<BlobFile, Diagnostic> {
        let inside = resolve(self.base, path)?;
        match self.folder.file(&inside)? {
            Some(bytes) => BlobFile::open(&inside, bytes),
            None => Err(Diagnostic::error(
                codes::BLOB_MISSING_FILE,
                format!("there is no weight file `{inside}`"),
            )
            .help("put the weights beside the program, where its paths say")),
        }
    }
}
