//! Saving programs by kind, and opening them again.

use milwright::{Kind, SaveOptions, npz, open, save};
use std::ffi::OsString;
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

/// The names in a folder.
fn names(folder: &std::path::Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name()).collect();
    names.sort();
    names
}

#[test]
fn what_was_there_stays_when_saving_fails() {
    let folder = folder("failing");
    let source = folder.join("m.mil");
    fs::write(&source, SOURCE).unwrap();
    let program = open(&source).unwrap().program;
    for name in ["m.mlpackage", "m.mlmodelc", "m.mlmodel", "m.mil"] {
        let path = folder.join(name);
        save(&path, &program, &SaveOptions::default()).unwrap();
        let before = names(&folder);
        // Something stands where the new one would be written first.
        let part = folder.join(format!(".{name}.{}.part", std::process::id()));
        match name {
            "m.mlpackage" | "m.mlmodelc" => fs::write(&part, "").unwrap(),
            _ => fs::create_dir(&part).unwrap(),
        }
        let failure = save(&path, &program, &SaveOptions::default()).unwrap_err();
        assert_eq!(failure.diagnostics[0].code, "file/unwritable", "{name}");
        assert!(open(&path).is_ok(), "{name} is whole");
        let _ = fs::remove_file(&part).or_else(|_| fs::remove_dir(&part));
        save(&path, &program, &SaveOptions::default()).unwrap();
        assert_eq!(names(&folder), before, "{name}: nothing else is left");
    }
}

#[cfg(unix)]
#[test]
fn links_stay_and_what_is_read_only_is_not_replaced() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder("links_stay");
    let source = folder.join("m.mil");
    fs::write(&source, SOURCE).unwrap();
    let program = open(&source).unwrap().program;
    for (name, real) in [("link.mlmodel", "real.mlmodel"), ("link.mlpackage", "real.mlpackage")] {
        let (link, real) = (folder.join(name), folder.join(real));
        save(&real, &program, &SaveOptions::default()).unwrap();
        symlink(&real, &link).unwrap();
        save(&link, &program, &SaveOptions::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{name}");
        assert!(open(&real).is_ok() && open(&link).is_ok(), "{name}");
    }
    let path = folder.join("real.mlmodel");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let failure = save(&path, &program, &SaveOptions::default()).unwrap_err();
    assert!(failure.diagnostics[0].message.contains("read-only"), "{failure}");

    // A pipe takes what is written and stays a pipe.
    let pipe = folder.join("pipe.npz");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no mkfifo");
        return;
    }
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    let one = milwright::Tensor::from_f32(&[1], &[1.0]).unwrap();
    npz::save(&pipe, [("x", &one)]).unwrap();
    assert!(reader.join().unwrap().starts_with(b"PK"));
    assert!(!fs::metadata(&pipe).unwrap().is_file());
}

#[test]
fn what_text_cannot_say_is_said() {
    let folder = folder("leaves_out");
    let bundle = folder.join("two.mlmodelc");
    fs::create_dir_all(&bundle).unwrap();
    let source = SOURCE.replace("func main", "func other");
    fs::write(bundle.join("model.mil"), SOURCE.replace("func main", "func first").trim_end_matches('}'))
        .unwrap();
    let text = fs::read_to_string(bundle.join("model.mil")).unwrap();
    let second = source.split_once("{\n").unwrap().1;
    fs::write(bundle.join("model.mil"), format!("{text}{second}")).unwrap();
    let feature = |more: &str| {
        format!(r#"[{{"name": "x", "type": "MultiArray", "dataType": "Float32", "shape": "[12]"{more}}}]"#)
    };
    let function = |name: &str, more: &str| {
        format!(r#"{{"name": "{name}", "inputSchema": {}, "outputSchema": []}}"#, feature(more))
    };
    let metadata = format!(
        r#"[{{"specificationVersion": 9, "defaultFunctionName": "other", "functions": [{}, {}]}}]"#,
        function("first", ""),
        function("other", r#", "isOptional": "1""#)
    );
    fs::write(bundle.join("metadata.json"), metadata).unwrap();
    let opened = open(&bundle).unwrap();
    let warnings = save(folder.join("two.mil"), &opened.program, &SaveOptions::of(&opened)).unwrap();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning.code, "text/leaves-out");
    for words in ["`x` may be left out", "`other` is the function that runs"] {
        assert!(warning.message.contains(words), "{}", warning.message);
    }
}
