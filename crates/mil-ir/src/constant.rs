//! Immediate values: literals of the text, values and attributes of the protobuf.

use bytes::Bytes;
use mil_base::{Id, Name, Tensor, Type};

/// A place in a weight file. The IR holds where the bytes are, never a copy of them.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The path as written, `@model_path/weights/weight.bin`.
    pub path: Name,
    /// Offset of the blob's metadata record in that file (`facts/mil-blob-format.md` section 1).
    pub offset: u64,
    /// The elements, once the file has been found and the record checked: a view of the mapped file.
    pub data: Option<Bytes>,
}

impl PartialEq for Blob {
    /// Same place; whether the file is at hand does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.offset == other.offset
    }
}

/// Identifies a [`Blob`] of a program.
pub type BlobId = Id<Blob>;

/// The data of a [`Constant`], without its type.
#[derive(Clone, PartialEq, Debug)]
pub enum Payload {
    /// A tensor or scalar held in memory.
    Tensor(Tensor),
    /// A tensor held in a weight file.
    Blob(BlobId),
    /// The items of a list.
    List(Vec<Payload>),
    /// The members of a tuple.
    Tuple(Vec<Payload>),
    /// The pairs of a dictionary, in the order written.
    Dict(Vec<(Payload, Payload)>),
}

/// A typed immediate value.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// The declared type. A tensor type may leave dimensions open (`tensor<int32, [?]>`); the payload knows them.
    pub ty: Type,
    /// The data.
    pub payload: Payload,
}

impl Constant {
    /// A constant with the tensor's own type.
    pub fn tensor(tensor: Tensor) -> Constant {
        Constant { ty: Type::Tensor(tensor.ty()), payload: Payload::Tensor(tensor) }
    }

    /// A string scalar.
    pub fn string(text: &str) -> Constant {
        let tensor = Tensor::from_strings(&[], vec![text.to_owned()]).expect("one string for rank 0");
        Constant::tensor(tensor)
    }

    /// The tensor, if the data is in memory.
    pub fn as_tensor(&self) -> Option<&Tensor> {
        match &self.payload {
            Payload::Tensor(t) => Some(t),
            _ => None,
        }
    }

    /// The text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        self.as_tensor().and_then(Tensor::item_str)
    }
}
