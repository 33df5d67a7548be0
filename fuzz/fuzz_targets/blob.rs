//! Any bytes as a weight file: the reader survives them, and every payload it gives can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mil_base::DType;
use mil_codec::blob::{self, BlobFile, BlobWriter};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = BlobFile::open("weight.bin", bytes.to_vec().into()) else { return };
    let mut writer = BlobWriter::new();
    for offset in (0..bytes.len() as u64 + 128).step_by(32) {
        let Ok(record) = file.record(offset) else { continue };
        let payload = file.payload(record);
        assert_eq!(payload.len() as u64, record.size);
        for &dtype in DType::ALL {
            let count = if dtype.bits() == 0 { 0 } else { payload.len() * 8 / dtype.bits() };
            let Ok(elements) = file.elements(offset, dtype, count) else { continue };
            assert_eq!(elements, payload);
            if blob::number(dtype).is_some() {
                writer.push(dtype, count, elements).expect("as many bytes as the elements need");
            }
        }
    }
    let written = writer.to_bytes();
    let again = BlobFile::open("weight.bin", written.clone()).expect("what was written can be read");
    let size: u64 = again.records().map(|r| r.size).sum();
    assert!(size <= written.len() as u64);
    assert!(file.records().take(1 << 20).all(|r| r.start + r.size <= bytes.len() as u64));
});
