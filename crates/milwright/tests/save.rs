//! Saving programs by kind, and opening them again.

use milwright::{Kind, SaveOptions, npz, open, save};
use std::fs;
use std::path::PathBuf;

/// A new empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

const SOURCE: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [12]> x) {
            tensor<fp32, [12]> c = const()[val = tensor<fp32, [12]>([0x1p+0, 0x1p+1, 0x1p+2, 0x1p+3, 0x1p+4, 0x1p+5, 0x1p+6, 0x1p+7, 0x1p+8, 0x1p+9, 0x1p+10, 0x1p+11])];
            tensor<fp32, [12]> y = add(x = x, y = c);
        } -> (y);
}"#;

#[test]
fn a_program_goes_through_every_kind_and_stays_the_same() {
    let folder = folder("every_kind");
    let text = folder.join("start.mil");
    fs::write(&text, SOURCE).unwrap();
    let start = open(&text).unwrap();
    let mut warnings = Vec::new();
    let mut next = start;
    for (name, kind) in [
        ("a.mlpackage", Kind::Package),
        ("b.mil", Kind::Text),
        ("c.mlmodel", Kind::Model),
        ("d.mil", Kind::Text),
    ] {
        let options = SaveOptions { description: next.description.as_ref(), ..Default::default() };
        warnings.extend(save(folder.join(name), &next.program, &options).unwrap());
        next = open(folder.join(name)).unwrap();
        assert_eq!(next.kind, kind);
    }
    assert!(warnings.is_empty());
    assert_eq!(fs::read_to_string(folder.join("d.mil")).unwrap(), SOURCE);
    assert!(fs::read_to_string(folder.join("b.mil")).unwrap().contains("BLOBFILE"));
}

#[test]
fn a_package_may_be_saved_over_itself() {
    let folder = folder("over_itself");
    let path = folder.join("m.mlpackage");
    fs::write(folder.join("m.mil"), SOURCE).unwrap();
    save(&path, &open(folder.join("m.mil")).unwrap().program, &SaveOptions::default()).unwrap();
    let weights = path.join("Data/com.apple.CoreML/weights/weight.bin");
    let before = fs::read(&weights).unwrap();
    let opened = open(&path).unwrap();
    save(&path, &opened.program, &SaveOptions::default()).unwrap();
    assert_eq!(fs::read(&weights).unwrap(), before);
    let left: Vec<_> = fs::read_dir(&folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 2, "nothing half written is left: {left:?}");
}

#[test]
fn nothing_of_others_is_overwritten() {
    let folder = folder("of_others");
    fs::write(folder.join("m.mil"), SOURCE).unwrap();
    let program = open(folder.join("m.mil")).unwrap().program;
    let code = |name: &str, program| {
        save(folder.join(name), program, &SaveOptions::default()).unwrap_err().diagnostics[0].code
    };
    fs::create_dir(folder.join("mine.mlpackage")).unwrap();
    assert_eq!(code("mine.mlpackage", &program), "file/exists");
    assert_eq!(code("m.onnx", &program), "file/unknown-kind");
    save(folder.join("p.mlpackage"), &program, &SaveOptions::default()).unwrap();
    let packaged = open(folder.join("p.mlpackage")).unwrap().program;
    fs::create_dir(folder.join("weights")).unwrap();
    fs::write(folder.join("weights/weight.bin"), "mine").unwrap();
    assert_eq!(code("n.mil", &packaged), "file/exists");
    assert_eq!(fs::read(folder.join("weights/weight.bin")).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_download_caches_need_it() {
    let folder = folder("links");
    fs::write(folder.join("m.mil"), SOURCE).unwrap();
    let path = folder.join("p.mlpackage");
    save(&path, &open(folder.join("m.mil")).unwrap().program, &SaveOptions::default()).unwrap();
    let weights = path.join("Data/com.apple.CoreML/weights/weight.bin");
    let outside = folder.join("outside.bin");
    fs::rename(&weights, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &weights).unwrap();
    assert!(open(&path).is_ok());
    fs::remove_file(&outside).unwrap();
    assert_eq!(open(&path).unwrap_err().diagnostics[0].code, "blob/missing-file");
}

#[test]
fn arrays_are_saved_and_loaded() {
    let path = folder("arrays").join("x.npz");
    let tensor = milwright::Tensor::from_f32(&[2], &[1.0, -2.0]).unwrap();
    npz::save(&path, [("a/b", &tensor)]).unwrap();
    assert_eq!(npz::load(&path).unwrap(), [("a/b".to_owned(), tensor)]);
}
