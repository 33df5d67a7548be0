//! Image files as other programs write them (Pillow made those in `data`), whole and damaged.

use milwright::Pixels;
use std::path::{Path, PathBuf};

/// Damaged files of each kind that are read.
const MUTATIONS: u64 = 2000;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The colours of the image's first and last pixel.
fn ends(image: &Pixels) -> [&[u8]; 2] {
    let pixel = |at: usize| &image.data()[at * image.channels()..(at + 1) * image.channels()];
    [pixel(0), pixel(image.width() * image.height() - 1)]
}

#[test]
fn every_kind_of_file_is_read() {
    let (red, blue) = ([200, 30, 40], [20, 60, 220]);
    for name in ["two_colours.jpg", "palette.png", "transparent.png"] {
        let image = Pixels::read(data(name)).unwrap_or_else(|f| panic!("{f}"));
        assert_eq!((image.width(), image.height(), image.channels()), (16, 8, 3), "{name}");
        // JPEG loses a little.
        for (got, want) in ends(&image).into_iter().zip([red, blue]) {
            assert!(
                got.iter().zip(want).all(|(&g, w)| g.abs_diff(w) <= 3),
                "{name}: {got:?} is not {want:?}"
            );
        }
    }
    let grey = Pixels::read(data("grey.jpg")).unwrap();
    // A grey JPEG comes as colours that are equal: 0.299, 0.587 and 0.114 of red and of blue.
    for (got, want) in ends(&grey).into_iter().zip([82u8, 66]) {
        assert!(got.iter().all(|&g| g == got[0] && g.abs_diff(want) <= 3), "{got:?} is not {want}");
    }
    let deep = Pixels::read(data("sixteen_bits.png")).unwrap();
    assert_eq!((deep.channels(), deep.data()), (1, &[255, 128][..]));
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cut_off");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["two_colours.jpg", "grey.jpg", "palette.png"] {
        let whole = std::fs::read(data(name)).unwrap();
        for cut in [8, 16, whole.len() / 2] {
            let path = folder.join(name);
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let failure = Pixels::read(&path).expect_err(name);
            assert_eq!(failure.diagnostics[0].code, "image/unreadable");
            assert!(!failure.diagnostics[0].message.contains('\n'), "{failure}");
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_and_nothing_panics() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damaged");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut read, mut refused) = (0, 0);
    for name in ["two_colours.jpg", "grey.jpg", "palette.png", "transparent.png"] {
        let whole = std::fs::read(data(name)).unwrap();
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |n: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % n as u64) as usize
        };
        for number in 0..MUTATIONS {
            let mut bytes = whole.clone();
            for _ in 0..=below(3) {
                let at = below(bytes.len());
                match below(4) {
                    0 => bytes[at] ^= 1 << below(8),
                    1 => bytes[at] = 0xff,
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes[at] = below(256) as u8,
                }
            }
            let path = folder.join(name);
            std::fs::write(&path, &bytes).unwrap();
            match std::panic::catch_unwind(|| Pixels::read(&path)) {
                Ok(Ok(_)) => read += 1,
                Ok(Err(failure)) => {
                    assert_eq!(failure.diagnostics[0].code, "image/unreadable");
                    refused += 1;
                }
                Err(_) => panic!("{name}, damage {number}"),
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}
