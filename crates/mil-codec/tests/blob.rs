//! Weight files: what the writer makes the reader reads, every check has its name, and coremltools' own files are
//! reproduced byte for byte.

use bytes::Bytes;
use mil_base::{DType, Tensor};
use mil_codec::blob::{self, BlobFile, BlobWriter};

mod common;

fn sample() -> (Bytes, Vec<(u64, Tensor)>) {
    let mut writer = BlobWriter::new();
    let mut written = Vec::new();
    for &dtype in DType::ALL.iter().filter(|d| blob::number(**d).is_some()) {
        let tensor = Tensor::from_i64(dtype, &[13], &[1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1]).unwrap();
        written.push((writer.push(dtype, 13, tensor.shared_bytes()).unwrap(), tensor));
    }
    assert_eq!(writer.len(), writer.to_bytes().len() as u64);
    (writer.to_bytes(), written)
}

/// The code of the error of reading 13 elements of fp16 from the first record after `change` was applied.
fn code_after(change: impl FnOnce(&mut Vec<u8>)) -> &'static str {
    let mut writer = BlobWriter::new();
    writer.push(DType::Fp32, 4, Bytes::from_static(&[0; 16])).unwrap();
    let mut bytes = writer.to_bytes().to_vec();
    change(&mut bytes);
    let read = BlobFile::open("w.bin", bytes.into()).and_then(|file| file.elements(64, DType::Fp32, 4));
    read.map_or_else(|d| d.code, |_| "fine")
}

#[test]
fn every_type_comes_back() {
    let (bytes, written) = sample();
    let file = BlobFile::open("w.bin", bytes).unwrap();
    for (offset, tensor) in &written {
        assert_eq!(file.elements(*offset, tensor.dtype(), 13).unwrap(), tensor.shared_bytes());
    }
    let listed: Vec<u64> = file.records().map(|r| r.offset).collect();
    assert_eq!(listed, written.iter().map(|w| w.0).collect::<Vec<_>>());
}

#[test]
fn payloads_share_the_files_memory() {
    let (bytes, written) = sample();
    let range = bytes.as_ptr_range();
    let file = BlobFile::open("w.bin", bytes.clone()).unwrap();
    let payload = file.elements(written[0].0, written[0].1.dtype(), 13).unwrap();
    assert!(range.contains(&payload.as_ptr()));
}

#[test]
fn every_check_has_its_name() {
    assert_eq!(code_after(|_| ()), "fine");
    assert_eq!(code_after(|b| b[0] = 77), "fine", "the count is not used");
    assert_eq!(code_after(|b| b[64 + 4] = 1), "fine", "type 1 is taken for everything");
    assert_eq!(code_after(|b| b[64 + 40] = 9), "fine", "reserved fields may hold rubbish");
    assert_eq!(code_after(|b| b.truncate(63)), "blob/too-short");
    assert_eq!(code_after(|b| b[4] = 1), "blob/version");
    assert_eq!(code_after(|b| b.truncate(127)), "blob/record-outside");
    assert_eq!(code_after(|b| b[64] = 0), "blob/no-record");
    assert_eq!(code_after(|b| b[64 + 16] = 129), "blob/payload-misaligned");
    assert_eq!(code_after(|b| b.truncate(143)), "blob/payload-outside");
    assert_eq!(code_after(|b| b[64 + 23] = 0xff), "blob/payload-outside", "offset plus size overflows");
    assert_eq!(code_after(|b| b[64 + 4] = 3), "blob/type-mismatch");
    assert_eq!(code_after(|b| b[64 + 4] = 99), "blob/type-mismatch");
    assert_eq!(code_after(|b| b[64 + 8] = 8), "blob/size-mismatch");
    let file = BlobFile::open("w.bin", sample().0).unwrap();
    assert_eq!(file.record(65).unwrap_err().code, "blob/record-misaligned");
    assert_eq!(file.record(u64::MAX - 63).unwrap_err().code, "blob/record-outside");
    assert_eq!(file.elements(64, DType::Fp16, usize::MAX).unwrap_err().code, "blob/size-mismatch");
    assert_eq!(BlobWriter::new().push(DType::Bool, 1, Bytes::new()).unwrap_err().code, "blob/unstorable");
}

#[test]
fn a_git_lfs_pointer_is_named_with_the_remedy() {
    let pointer =
        Bytes::from_static(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n");
    let error = BlobFile::open("w.bin", pointer).unwrap_err();
    assert_eq!(error.code, "blob/git-lfs-pointer");
    assert!(error.help.unwrap().contains("git lfs pull"));
}

#[test]
fn the_bytes_are_the_ones_coremltools_writes() {
    let Some(shared) = common::shared() else { return };
    let mut files = 0;
    for path in common::files_named(&shared.join("models"), "weight.bin") {
        let bytes = Bytes::from(std::fs::read(&path).unwrap());
        let file = BlobFile::open("weight.bin", bytes.clone()).unwrap();
        let mut writer = BlobWriter::new();
        for record in file.records() {
            let dtype = blob::dtype(record.number).unwrap();
            let count = unpacked_count(&file, record, dtype);
            assert_eq!(writer.push(dtype, count, file.payload(record)).unwrap(), record.offset);
        }
        assert!(writer.to_bytes() == bytes, "{}", path.display());
        files += 1;
    }
    assert!(files >= 9, "only {files} weight files found");
}

/// Elements in a record; the unused bits of sub-byte types are the `u64` at 24 of the record.
fn unpacked_count(file: &BlobFile, record: blob::Record, dtype: DType) -> usize {
    let at = record.offset as usize + 24;
    let unused = u64::from_le_bytes(file.bytes()[at..at + 8].try_into().unwrap());
    ((record.size * 8 - unused) / dtype.bits() as u64) as usize
}
