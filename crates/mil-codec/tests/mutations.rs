//! Files that were damaged: whatever is read, nothing panics, hangs or takes memory without bound.
//!
//! `MILWRIGHT_MUTATIONS` sets how many damaged files each test reads (default 2,000).

use bytes::Bytes;
use mil_base::{DType, Tensor};
use mil_codec::blob::{BlobFile, BlobWriter};
use mil_codec::package::{self, Described, Manifest};
use mil_codec::weights::{Storage, attach, store};
use mil_codec::{bundle, text};
use prost::Message as _;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

mod common;

/// The longest that one damaged file may take, in an unoptimised build on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// The most memory the whole test may take, in kibibytes: 2 GB.
const MOST_MEMORY: u64 = 2_000_000;

/// A small generator of numbers (xorshift), so that every run is the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// The bytes with one to four damages: bits flipped, bytes set, parts cut, doubled, moved or replaced.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if out.is_empty() {
            return out;
        }
        let at = random.below(out.len());
        let length = 1 + random.below((out.len() - at).min(32));
        match random.below(8) {
            0 => out[at] ^= 1 << random.below(8),
            1 => out[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => out.truncate(at),
            3 => drop(out.drain(at..at + length)),
            4 => {
                let part = out[at..at + length].to_vec();
                out.splice(at..at, part);
            }
            5 => {
                let from = random.below(out.len() - length + 1);
                let to = at.min(out.len() - length);
                out.copy_within(from..from + length, to);
            }
            6 => out[at..at + length].fill(0xff),
            _ => {
                let extreme = [u64::MAX, 1 << 63, 1 << 32, 1 << 31, 0][random.below(5)];
                out.splice(at..at, extreme.to_le_bytes());
            }
        }
    }
    out
}

/// Says which damaged file it was when reading it panics.
struct Current<'a>(&'a str, u64);

impl Drop for Current<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with {} damaged by seed {:#x}", self.0, self.1);
        }
    }
}

/// Reads damaged copies of the seeds with `read`, in turn.
fn damage(seeds: &[(String, Bytes)], read: impl Fn(Bytes)) {
    let count = std::env::var("MILWRIGHT_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for i in 0..count {
        let (name, bytes) = &seeds[i % seeds.len()];
        let _current = Current(name, random.0);
        let bytes = damaged(bytes, &mut random).into();
        let start = Instant::now();
        read(bytes);
        assert!(start.elapsed() < LONGEST, "took {:?}", start.elapsed());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    assert!(peak.unwrap_or(0) < MOST_MEMORY, "took {peak:?} kB");
}

fn weights() -> Bytes {
    let mut writer = BlobWriter::new();
    for dtype in [DType::Fp16, DType::UInt3, DType::Int8] {
        writer.push(dtype, 12, Tensor::zeros(dtype, &[12]).unwrap().shared_bytes()).unwrap();
    }
    writer.to_bytes()
}

/// Files of the shared models with this name, if they are at hand and not too long to damage often.
fn shared_files(name: &str) -> Vec<(String, Bytes)> {
    let Some(shared) = common::shared() else { return Vec::new() };
    let files = common::files_named(&shared.join("models"), name).into_iter();
    files
        .map(|path| (path.display().to_string(), Bytes::from(std::fs::read(&path).unwrap())))
        .filter(|(_, bytes)| bytes.len() < 20_000)
        .collect()
}

#[test]
fn damaged_models() {
    let program = text::read(common::EVERYTHING).program;
    let (model, _) = package::write_model(&program, None).unwrap();
    let mut seeds = vec![("our own model".to_owned(), Bytes::from(model))];
    seeds.extend(shared_files("input.mlmodel"));
    seeds.extend(shared_files("model.mlmodel"));
    let files = BTreeMap::from([("weights/weights.bin".to_owned(), weights())]);
    let source = bundle::Source { class_name: "any", model: None };
    damage(&seeds, |bytes| {
        let _ = package::read_pipeline(&bytes);
        let Ok(read) = package::read_model(bytes) else { return };
        let _ = text::print(&read.program, &Default::default());
        let model = &read.description;
        let described = Described { specification_version: 0, is_updatable: false, model };
        let _ = package::write_model(&read.program, Some(described));
        let _ = bundle::write(&read.program, Some(described), &source, &|_, opset| Some(opset));
        let _ = package::with_weights(read, &files, "").map(|p| package::write(&p.program, None));
    });
}

#[test]
fn damaged_texts() {
    let mut seeds = vec![("our own text".to_owned(), Bytes::from_static(common::EVERYTHING.as_bytes()))];
    seeds.extend(shared_files("model.mil"));
    let files = BTreeMap::from([("weights/weights.bin".to_owned(), weights())]);
    damage(&seeds, |bytes| {
        let mut read = text::read(&String::from_utf8_lossy(&bytes));
        let _ = text::print(&read.program, &Default::default());
        if !read.diagnostics.iter().any(mil_base::Diagnostic::is_error) {
            let _ = attach(&mut read.program, &read.origins, &files, "");
            let _ = store(&read.program, Storage::AsRead);
            let _ = package::write(&read.program, None);
        }
    });
}

#[test]
fn damaged_weight_files() {
    let mut seeds = vec![("our own weights".to_owned(), weights())];
    seeds.extend(shared_files("weights.bin"));
    seeds.extend(shared_files("weight.bin"));
    damage(&seeds, |bytes| {
        let Ok(file) = BlobFile::open("weight.bin", bytes) else { return };
        for record in file.records() {
            let _ = file.payload(record).iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
        }
        for offset in (0..1024).step_by(64) {
            for &dtype in DType::ALL {
                let _ = file.elements(offset, dtype, 12);
            }
        }
    });
}

#[test]
fn damaged_manifests_and_metadata() {
    let mut seeds = vec![("our own manifest".to_owned(), Bytes::from(Manifest::text(true)))];
    seeds.extend(shared_files("Manifest.json"));
    seeds.extend(shared_files("metadata.json"));
    damage(&seeds, |bytes| {
        if let Ok(path) = Manifest::read(&bytes).and_then(|m| m.root_path()) {
            assert!(path.starts_with("Data") && !path.split('/').any(|part| part == ".."), "{path}");
        }
        let _ = bundle::read_metadata(&bytes);
    });
}

#[test]
fn damaged_containers_and_pipelines() {
    let container =
        bundle::Container { specification_version: 9, description: Default::default(), pipeline: None };
    let mut seeds = vec![("our own container".to_owned(), Bytes::from(bundle::write_container(&container)))];
    seeds.extend(shared_files("coremldata.bin"));
    let (model, _) = package::write_model(&text::read(common::EVERYTHING).program, None).unwrap();
    let pipeline = package::proto::Pipeline { models: vec![model.into()], names: vec!["only".to_owned()] };
    let whole = package::proto::Model { pipeline: Some(pipeline), ..Default::default() };
    seeds.push(("our own pipeline".to_owned(), whole.encode_to_vec().into()));
    damage(&seeds, |bytes| {
        if let Ok(read) = bundle::read_container(&bytes) {
            let again = bundle::write_container(&read);
            assert_eq!(
                bundle::read_container(&again).unwrap().specification_version,
                read.specification_version
            );
        }
        if let Ok(Some(pipeline)) = package::read_pipeline(&bytes) {
            pipeline.stages.into_iter().for_each(|(_, stage)| drop(package::read_model(stage)));
        }
    });
}
