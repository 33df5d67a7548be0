//! The blobs of several programs in one arena.

use super::Part;
use mil_base::{Arena, DType, Name, Type};
use mil_ir::{Binding, Blob, BlobId, Constant, NamedConstant, Payload};
use std::collections::{HashMap, HashSet};

/// The blobs of the linked program. Whoever writes them may rely on a path and an offset meaning one thing.
#[derive(Default)]
pub(super) struct Weights {
    pub(super) blobs: Arena<Blob>,
    places: HashMap<(Name, u64), (BlobId, DType)>,
}

impl Weights {
    /// Takes over the blobs that program number `number` uses in its function; gives their new ids by the index of their
    /// old ones.
    ///
    /// A blob at the path and offset of an earlier one with the same elements is that one. If a file of this program
    /// differs from an earlier one of the same path, its path becomes another.
    pub(super) fn adopt(&mut self, part: &Part<'_>, number: usize) -> Moves {
        let blobs = &part.checked.program().blobs;
        let dtypes = dtypes(part, blobs.len());
        let known = |blob: &Blob, dtype| match self.places.get(&(blob.path.clone(), blob.offset)) {
            Some((other, other_dtype)) => {
                let same = self.blobs[*other].data.is_some() && self.blobs[*other].data == blob.data;
                if same && *other_dtype == dtype { Known::Same(*other) } else { Known::Other }
            }
            None => Known::New,
        };
        let known: Vec<Known> = (blobs.iter())
            .map(|(id, blob)| dtypes[id.index()].map_or(Known::Unused, |dtype| known(blob, dtype)))
            .collect();
        let clashing: HashSet<&Name> = (blobs.iter().zip(&known))
            .filter(|(_, known)| matches!(known, Known::Other))
            .map(|((_, blob), _)| &blob.path)
            .collect();
        let mut paths: HashMap<Name, Name> = HashMap::new();
        for path in clashing {
            paths.insert(path.clone(), self.other_path(path, number, blobs));
        }
        let mut ids = Vec::with_capacity(blobs.len());
        for ((id, blob), known) in blobs.iter().zip(known) {
            let Some(dtype) = dtypes[id.index()] else {
                ids.push(None);
                continue;
            };
            ids.push(Some(match (paths.get(&blob.path), known) {
                (None, Known::Same(other)) => other,
                (path, _) => {
                    let path = path.unwrap_or(&blob.path).clone();
                    let place = (path.clone(), blob.offset);
                    let new = self.blobs.push(Blob { path, ..blob.clone() });
                    self.places.entry(place).or_insert((new, dtype));
                    new
                }
            }));
        }
        Moves(ids)
    }

    /// `weights/weight_2.bin` for `weights/weight.bin`.
    fn other_path(&self, path: &Name, number: usize, own: &Arena<Blob>) -> Name {
        let used: HashSet<&Name> = self.blobs.iter().chain(own.iter()).map(|(_, b)| &b.path).collect();
        let (folder, file) = path.rsplit_once('/').map_or(("", &**path), |(f, n)| (&path[..=f.len()], n));
        let (stem, ending) = file.rsplit_once('.').map_or((file, ""), |(s, _)| (s, &file[s.len()..]));
        let numbered = |n: usize| match n {
            0 => Name::from(format!("{folder}{stem}_{}{ending}", number + 1)),
            n => Name::from(format!("{folder}{stem}_{}_{n}{ending}", number + 1)),
        };
        (0..).map(numbered).find(|path| !used.contains(path)).unwrap_or_else(|| path.clone())
    }
}

enum Known {
    Unused,
    New,
    Same(BlobId),
    Other,
}

/// The element types of blobs by index; nothing for those that the function does not use.
fn dtypes(part: &Part<'_>, blobs: usize) -> Vec<Option<DType>> {
    let function = part.function();
    let mut found = vec![None; blobs];
    for (_, constant) in part.checked.program().attributes.iter().chain(&function.attributes) {
        note(&constant.payload, &constant.ty, &mut found);
    }
    for (_, op) in function.ops.iter() {
        let args = op.args.iter().flat_map(|(_, arg)| &arg.0).filter_map(|b| match b {
            Binding::Constant(constant) => Some(constant),
            Binding::Value(_) => None,
        });
        for constant in op.attributes.iter().map(|(_, c)| c).chain(args) {
            note(&constant.payload, &constant.ty, &mut found);
        }
    }
    found
}

/// The depth of payloads is bounded by whoever read the program.
fn note(payload: &Payload, ty: &Type, found: &mut [Option<DType>]) {
    match (payload, ty) {
        (Payload::Blob(id), Type::Tensor(t)) => {
            if let Some(place) = found.get_mut(id.index()) {
                *place = Some(t.dtype);
            }
        }
        (Payload::List(items), Type::List(ty, _)) => items.iter().for_each(|p| note(p, ty, found)),
        (Payload::Tuple(items), Type::Tuple(tys)) => {
            items.iter().zip(tys).for_each(|(p, ty)| note(p, ty, found));
        }
        (Payload::Dict(pairs), Type::Dict(key, value)) => pairs.iter().for_each(|(k, v)| {
            note(k, key, found);
            note(v, value, found);
        }),
        _ => {}
    }
}

/// The new ids of a program's blobs by the index of their old ones.
pub(super) struct Moves(Vec<Option<BlobId>>);

impl Moves {
    /// The constant with its blobs under their new ids.
    pub(super) fn constant(&self, constant: &Constant) -> Constant {
        Constant { ty: constant.ty.clone(), payload: self.payload(&constant.payload) }
    }

    /// [`Moves::constant`] for each of a list.
    pub(super) fn named(&self, constants: &[NamedConstant]) -> Vec<NamedConstant> {
        constants.iter().map(|(name, constant)| (name.clone(), self.constant(constant))).collect()
    }

    fn payload(&self, payload: &Payload) -> Payload {
        let one = |p: &Payload| self.payload(p);
        match payload {
            // The checker has seen that every blob exists, and `dtypes` every constant that is copied.
            Payload::Blob(id) => Payload::Blob(self.0.get(id.index()).copied().flatten().unwrap_or(*id)),
            Payload::Tensor(t) => Payload::Tensor(t.clone()),
            Payload::List(items) => Payload::List(items.iter().map(one).collect()),
            Payload::Tuple(items) => Payload::Tuple(items.iter().map(one).collect()),
            Payload::Dict(pairs) => Payload::Dict(pairs.iter().map(|(k, v)| (one(k), one(v))).collect()),
        }
    }
}
