//! Which constants of a program go into its weight file, and where.

use crate::blob::{self, BlobWriter};
use crate::codes;
use crate::folder::MODEL_PATH;
use bytes::Bytes;
use mil_base::{Arena, DType, Diagnostic, Label, Name, Place, Tensor, TensorType, Type};
use mil_ir::{Binding, Blob, BlobId, Constant, Function, OpId, Payload, Program};
use std::collections::{BTreeMap, HashMap};

/// Fewer elements than this never go into a weight file of their own accord, as in coremltools.
const MIN_ELEMENTS: usize = 10;

/// Types that coremltools puts into weight files for every op set.
const ALWAYS: &[DType] = &[DType::Fp16, DType::Fp32, DType::Int8, DType::UInt8];

/// The specification version from which on every type that a weight file can hold goes there (iOS 18).
const EVERY_TYPE_FROM: i32 = 9;

/// Which constants go into weight files. Those that are in one already always stay in one, but for `Inline`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage<'a> {
    /// As coremltools does it for a package of this specification version: one file `weights/weight.bin`, with the
    /// constants of ops that have ten elements or more and a type that the version allows.
    Package {
        /// 9 is iOS 18.
        specification_version: i32,
    },
    /// Constants stay where they are. Files keep their names and offsets if all their blobs fit there again; else
    /// there is one new file as for a package.
    AsRead,
    /// Those that are in files go into one new file of this path, `@model_path/weights/mine.bin`; the others stay.
    Gathered(&'a str),
    /// None: everything is held in the program.
    Inline,
}

/// A program whose blobs are where [`store`] has put them.
#[derive(Debug)]
pub struct Stored {
    /// The same program but for its blobs, all of which have data.
    pub program: Program,
    /// The weight files it needs, by the path the program refers to. Payloads are shared with the program's.
    pub files: BTreeMap<Name, BlobWriter>,
}

/// Decides where the weights of `program` go. No payload is copied.
///
/// Errors: `blob/no-data` for every blob whose file was missing when the program was read; `blob/unstorable`.
pub fn store(program: &Program, storage: Storage<'_>) -> Result<Stored, Vec<Diagnostic>> {
    if storage == Storage::AsRead
        && let Some(stored) = in_place(program)
    {
        return Ok(stored);
    }
    let path = match storage {
        Storage::Gathered(path) => Name::new(path),
        _ => Name::from(format!("{MODEL_PATH}/{}", crate::package::WEIGHTS_PATH)),
    };
    let mut mover = Mover {
        storage,
        path,
        old: &program.blobs,
        new: Arena::new(),
        moved: HashMap::new(),
        writer: BlobWriter::new(),
        errors: Vec::new(),
    };
    // Blobs keep the order of the files they come from, so that a file without dead blobs is written again unchanged;
    // constants that move into the file come after them.
    if storage != Storage::Inline {
        for ((path, offset), (ty, id)) in blobs_in_order(program) {
            if let Ok(tensor) = data_of(&program.blobs, id).and_then(|(_, data)| tensor_of(&ty, data)) {
                match mover.push(&tensor) {
                    Ok(new) => drop(mover.moved.insert((path, offset), new)),
                    Err(error) => mover.errors.push(error),
                }
            }
        }
    }
    let mut stored = Program { blobs: Arena::new(), ..program.clone() };
    for id in program.functions.ids() {
        mover.function(&mut stored.functions[id]);
    }
    if !mover.errors.is_empty() {
        return Err(mover.errors);
    }
    stored.blobs = mover.new;
    let files = Some((mover.path, mover.writer)).filter(|(_, w)| !w.is_empty()).into_iter().collect();
    Ok(Stored { program: stored, files })
}

struct Mover<'a> {
    storage: Storage<'a>,
    path: Name,
    old: &'a Arena<Blob>,
    new: Arena<Blob>,
    /// New blobs by the path and offset of old ones, so that what was shared stays shared.
    moved: HashMap<(Name, u64), BlobId>,
    writer: BlobWriter,
    errors: Vec<Diagnostic>,
}

impl Mover<'_> {
    fn function(&mut self, function: &mut Function) {
        for index in 0..function.ops.len() {
            let id = OpId::from_index(index);
            let place = function.place(id);
            let op = &mut function.ops[id];
            // A reader of packages looks for weights in attributes, and in the arguments of `constexpr_…` ops only.
            let args_too = op.name.starts_with("constexpr_");
            for (name, constant) in &mut op.attributes {
                self.constant(constant, true, &place, name);
            }
            for (name, arg) in &mut op.args {
                for binding in &mut arg.0 {
                    if let Binding::Constant(constant) = binding {
                        self.constant(constant, args_too, &place, name);
                    }
                }
            }
        }
    }

    fn constant(&mut self, constant: &mut Constant, may_move: bool, place: &Place, name: &Name) {
        let Constant { ty, payload } = constant;
        if let Err(error) = self.payload(payload, ty, may_move) {
            let place = Place { argument: Some(name.clone()), ..place.clone() };
            self.errors.push(error.label(Label::place(place, "")));
        }
    }

    fn payload(&mut self, payload: &mut Payload, ty: &Type, may_move: bool) -> Result<(), Diagnostic> {
        match (payload, ty) {
            (payload @ Payload::Blob(_), Type::Tensor(t)) => self.blob(payload, t),
            (payload @ Payload::Tensor(_), Type::Tensor(_)) if may_move => self.tensor(payload),
            (Payload::List(items), Type::List(t, _)) => {
                items.iter_mut().try_for_each(|i| self.payload(i, t, false))
            }
            (Payload::Tuple(items), Type::Tuple(ts)) => {
                items.iter_mut().zip(ts).try_for_each(|(i, t)| self.payload(i, t, false))
            }
            (Payload::Dict(pairs), Type::Dict(kt, vt)) => pairs.iter_mut().try_for_each(|(k, v)| {
                self.payload(k, kt, false)?;
                self.payload(v, vt, false)
            }),
            _ => Ok(()),
        }
    }

    fn blob(&mut self, payload: &mut Payload, ty: &TensorType) -> Result<(), Diagnostic> {
        let Payload::Blob(id) = payload else { return Ok(()) };
        let (old, data) = data_of(self.old, *id)?;
        let tensor = tensor_of(ty, data)?;
        *payload = if self.storage == Storage::Inline {
            Payload::Tensor(tensor)
        } else {
            let known = self.moved.get(&(old.path.clone(), old.offset)).copied();
            Payload::Blob(known.map_or_else(|| self.push(&tensor), Ok)?)
        };
        Ok(())
    }

    fn tensor(&mut self, payload: &mut Payload) -> Result<(), Diagnostic> {
        let Payload::Tensor(tensor) = payload else { return Ok(()) };
        let Storage::Package { specification_version } = self.storage else { return Ok(()) };
        let dtype = tensor.dtype();
        let allowed = ALWAYS.contains(&dtype)
            || specification_version >= EVERY_TYPE_FROM && blob::number(dtype).is_some();
        if tensor.count() >= MIN_ELEMENTS && allowed {
            let tensor = tensor.clone();
            *payload = Payload::Blob(self.push(&tensor)?);
        }
        Ok(())
    }

    fn push(&mut self, tensor: &Tensor) -> Result<BlobId, Diagnostic> {
        let data = tensor.shared_bytes();
        let offset = self.writer.push(tensor.dtype(), tensor.count(), data.clone())?;
        Ok(self.new.push(Blob { path: self.path.clone(), offset, data: Some(data) }))
    }
}

/// The blob and its data.
fn data_of(blobs: &Arena<Blob>, id: BlobId) -> Result<(&Blob, Bytes), Diagnostic> {
    let blob = blobs.get(id);
    let data = blob.and_then(|b| Some((b, b.data.clone()?)));
    data.ok_or_else(|| {
        let path = blob.map_or("?", |b| &b.path);
        Diagnostic::error(codes::BLOB_NO_DATA, format!("the weights in `{path}` are not at hand"))
            .help("put the weight file where the program says and open it again")
    })
}

fn tensor_of(ty: &TensorType, data: Bytes) -> Result<Tensor, Diagnostic> {
    let wrong =
        |what: &str| Diagnostic::error(codes::BLOB_SIZE_MISMATCH, format!("a blob of type {ty} {what}"));
    let sizes = ty.shape.sizes().ok_or_else(|| wrong("has no known size"))?;
    Tensor::from_bytes(ty.dtype, &sizes, data).map_err(|e| wrong(&e.to_string()))
}

/// The program unchanged, with files that have every blob at the offset it was read from. Nothing if a blob has no
/// data, two would overlap, or a path could not be written again.
fn in_place(program: &Program) -> Option<Stored> {
    let mut files: BTreeMap<Name, BlobWriter> = BTreeMap::new();
    for ((path, offset), (ty, id)) in blobs_in_order(program) {
        if crate::folder::resolve("", &path).ok()?.is_empty() {
            return None;
        }
        let (_, data) = data_of(&program.blobs, id).ok()?;
        files.entry(path).or_default().push_at(offset, ty.dtype, ty.shape.count()?, data).ok()?;
    }
    Some(Stored { program: program.clone(), files })
}

/// The blobs that ops refer to, by path and offset.
fn blobs_in_order(program: &Program) -> BTreeMap<(Name, u64), (TensorType, BlobId)> {
    let mut found = BTreeMap::new();
    for (_, function) in program.functions.iter() {
        for (_, op) in function.ops.iter() {
            let args = op.args.iter().flat_map(|(_, arg)| &arg.0).filter_map(|b| match b {
                Binding::Constant(c) => Some(c),
                Binding::Value(_) => None,
            });
            for constant in op.attributes.iter().map(|(_, c)| c).chain(args) {
                each_blob(&constant.payload, &constant.ty, &mut |id, ty| {
                    if let Some(blob) = program.blobs.get(id) {
                        found.insert((blob.path.clone(), blob.offset), (ty.clone(), id));
                    }
                });
            }
        }
    }
    found
}

fn each_blob(payload: &Payload, ty: &Type, found: &mut dyn FnMut(BlobId, &TensorType)) {
    match (payload, ty) {
        (Payload::Blob(id), Type::Tensor(t)) => found(*id, t),
        (Payload::List(items), Type::List(t, _)) => items.iter().for_each(|i| each_blob(i, t, found)),
        (Payload::Tuple(items), Type::Tuple(ts)) => {
            items.iter().zip(ts).for_each(|(i, t)| each_blob(i, t, found));
        }
        (Payload::Dict(pairs), Type::Dict(kt, vt)) => pairs.iter().for_each(|(k, v)| {
            each_blob(k, kt, found);
            each_blob(v, vt, found);
        }),
        _ => {}
    }
}
