//! `.npz` archives: every dtype there and back, NumPy's own files, and files that are wrong.

use bytes::Bytes;
use milwright::npz;
use milwright::{DType, Tensor};

const NUMPY: &[DType] = &[
    DType::Bool,
    DType::Fp16,
    DType::Fp32,
    DType::Fp64,
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::UInt8,
    DType::UInt16,
    DType::UInt32,
    DType::UInt64,
];

fn there_and_back(tensor: &Tensor) -> Tensor {
    let bytes = npz::to_bytes([("x", tensor)]).unwrap();
    let mut read = npz::read("x.npz", &bytes.into()).unwrap();
    assert_eq!(read[0].0, "x");
    read.remove(0).1
}

/// A version 1.0 file with this header dictionary.
fn npy(header: &str, data: &[u8]) -> Bytes {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes.into()
}

#[test]
fn a_value_returned_twice_is_written_once() {
    let tensor = Tensor::from_f64(DType::Fp32, &[2], &[1.0, 2.0]).unwrap();
    let bytes = npz::to_bytes([("y", &tensor), ("z", &tensor), ("y", &tensor)]).unwrap();
    let read = npz::read("y.npz", &bytes.into()).unwrap();
    assert_eq!(read, [("y".to_owned(), tensor.clone()), ("z".to_owned(), tensor)]);
}

#[test]
fn every_dtype_and_rank_comes_back() {
    for &dtype in NUMPY {
        for shape in [&[][..], &[0], &[1], &[2, 3], &[1, 2, 1, 3]] {
            let count = shape.iter().product();
            let tensor = Tensor::from_i64(dtype, shape, &[0, 1, 1, 0, -1, 1][..count]).unwrap();
            assert_eq!(there_and_back(&tensor), tensor, "{dtype} {shape:?}");
        }
    }
    let texts = Tensor::from_strings(&[2, 2], ["", "a", "größe", "日本"].map(String::from).to_vec()).unwrap();
    assert_eq!(there_and_back(&texts), texts);
}

#[test]
fn types_numpy_lacks_are_widened_exactly() {
    let cases = [
        (DType::Int4, DType::Int8),
        (DType::UInt3, DType::UInt8),
        (DType::Bf16, DType::Fp32),
        (DType::Fp8E5M2, DType::Fp32),
    ];
    for (narrow, wide) in cases {
        let tensor = Tensor::from_i64(narrow, &[3], &[1, 0, 2]).unwrap();
        let back = there_and_back(&tensor);
        assert_eq!((back.dtype(), back.to_f64()), (wide, tensor.to_f64()));
    }
}

#[test]
fn other_orders_are_put_into_ours() {
    let header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
    let data: Vec<u8> = [0u8, 3, 1, 4, 2, 5].iter().flat_map(|&n| [0, n]).collect();
    let read = npz::read_npy("x", &npy(header, &data)).unwrap();
    assert_eq!((read.shape(), read.to_i64()), (&[2, 3][..], vec![0, 1, 2, 3, 4, 5]));
}

#[test]
fn what_is_wrong_has_a_name() {
    let code = |bytes: &Bytes| npz::read_npy("x", bytes).unwrap_err().code;
    let with = |header: &str, data: &[u8]| code(&npy(header, data));
    assert_eq!(code(&Bytes::from_static(b"hello")), "npy/not-npy");
    assert_eq!(code(&Bytes::from_static(b"\x93NUMPY\x01\x00\xff\xff{")), "npy/not-npy");
    assert_eq!(with("{'shape': (1,)}", b""), "npy/header");
    assert_eq!(with("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", b""), "npy/header");
    assert_eq!(with("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", b""), "npy/dtype");
    assert_eq!(with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", b""), "npy/dtype");
    assert_eq!(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", b"1234"), "npy/length");
    assert_eq!(
        with("{'descr': '<U99999999999999999999', 'fortran_order': False, 'shape': (2,), }", b""),
        "npy/dtype"
    );
    assert_eq!(
        with("{'descr': '<U9999999999999', 'fortran_order': False, 'shape': (2,), }", b""),
        "npy/length"
    );
    assert_eq!(with("{'descr': '<U0', 'fortran_order': False, 'shape': (99999999999,), }", b""), "npy/dtype");
    let zip = npz::read("x.npz", &Bytes::from_static(b"PK\x03\x04 not really")).unwrap_err();
    assert_eq!(zip.code, "npz/not-zip");
    assert_eq!(npz::read("x.npz", &Bytes::new()).unwrap(), []);
}

/// `MILWRIGHT_MUTATIONS` damaged archives (default 2,000), arrays of which still have the length their shape says.
#[test]
fn damaged_archives_never_panic() {
    let texts = Tensor::from_strings(&[2], vec!["one".into(), "two".into()]).unwrap();
    let numbers = Tensor::from_f32(&[2, 3], &[1.0; 6]).unwrap();
    let seed = npz::to_bytes([("x", &numbers), ("names", &texts)]).unwrap();
    let count = std::env::var("MILWRIGHT_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let mut read = 0;
    for _ in 0..count {
        let mut bytes = seed.clone();
        for _ in 0..=below(3) {
            let at = below(bytes.len());
            match below(4) {
                0 => bytes[at] ^= 1 << below(8),
                1 => bytes[at] = [0, 0x7f, 0x80, 0xff][below(4)],
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len()))),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(arrays) = npz::read("damaged.npz", &bytes.into()) {
            read += 1;
            for (_, tensor) in arrays {
                assert_eq!(tensor.to_f64().len().max(tensor.strings().len()), tensor.count());
            }
        }
    }
    assert!(read < count, "some damage is noticed");
}
