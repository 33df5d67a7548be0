//! Where the shared models are, for the tests that use them.
#![allow(dead_code, reason = "each test binary uses a part")]

use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::folder::Folder;
use std::path::{Path, PathBuf};

/// The folder of shared models and facts; without it the calling test says that it was skipped.
pub(crate) fn shared() -> Option<PathBuf> {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("MILWRIGHT_SHARED").map_or(fallback, PathBuf::from);
    if !path.join("models").is_dir() {
        println!("skipped: {} has no models", path.display());
        return None;
    }
    Some(path)
}

/// Every file with this name under `folder`, sorted.
pub(crate) fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() == name {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A folder on disk, read the plain way.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(Bytes::from))
    }
}

/// A text with everything that a package can hold.
pub(crate) const EVERYTHING: &str = r#"program(1.3)
[buildInfo = dict<string, string>({{"made-by", "hand"}})]
{
    func main<ios18>(tensor<fp16, [1, ?]> x, state<tensor<fp16, [1, 4]>> kept) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, dict<string, list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"x", [1, 8]}}), ("RangeDims", {{"x", [[1, 1], [1, 64]]}})))] {
            tensor<fp16, [12]> table = const()[name = string("table"), val = tensor<fp16, [12]>([0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0, -0x1p-3])];
            tensor<fp16, [1, 4]> old = read_state(input = kept);
            bool pick = const()[val = bool(true)];
            int32 axis = const()[val = int32(1)];
            tensor<fp16, [1, 4]> chosen = cond(pred = pick)
                () {
                    tensor<fp16, [1, 4]> left = relu(x = old);
                } -> (left)
                () {
                    tensor<fp16, [1, 4]> right = mul(x = old, y = fp16(0x1p-1));
                } -> (right);
            write_state(data = chosen, input = kept);
            tensor<fp16, [1, ?]> both = concat(axis = axis, interleave = bool(false), values = (x, chosen));
            tensor<fp32, [1, ?]> y = cast(dtype = string("fp32"), x = both);
        } -> (y);
    func other<ios18>(tensor<int32, [3]> n) {
            tensor<int32, [3]> m = an_op_nobody_knows(data = tensor<uint4, [2, 3]>([[1, 2, 3], [4, 5, 15]]), x = n)[name = string("odd")];
        } -> (m);
}"#;
