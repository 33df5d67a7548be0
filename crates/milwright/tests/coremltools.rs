//! coremltools takes what we write: `tests/python/check_package.py` on every shared package written again, and on one
//! made from text. Needs a Python with coremltools (`MILWRIGHT_PYTHON`, else `python3`); skipped without.

use milwright::{SaveOptions, open, save};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the check; false if there is no coremltools.
fn check(ours: &Path, original: Option<&Path>) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("MILWRIGHT_PYTHON").unwrap_or_else(|| "python3".into());
    let script = root.join("tests/python/check_package.py");
    let Ok(output) = Command::new(python).arg(script).arg(ours).args(original).output() else {
        println!("skipped: no python3");
        return false;
    };
    if output.status.code() == Some(77) {
        println!("skipped: python3 has no coremltools (set MILWRIGHT_PYTHON)");
        return false;
    }
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", ours.display());
    println!("{}: {}", ours.display(), String::from_utf8_lossy(&output.stdout));
    true
}

fn target(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("coremltools");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn packages_written_again_are_the_same_to_coremltools() {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("MILWRIGHT_SHARED").map_or(fallback, PathBuf::from);
    let Ok(models) = std::fs::read_dir(shared.join("models")) else {
        println!("skipped: {} has no models", shared.display());
        return;
    };
    for entry in models.flatten() {
        let original = entry.path().join("model.mlpackage");
        if !original.exists() {
            continue;
        }
        let opened = open(&original).unwrap();
        let ours = target(&format!("{}.mlpackage", entry.file_name().display()));
        let options = SaveOptions { description: opened.description.as_ref(), ..Default::default() };
        assert!(save(&ours, &opened.program, &options).unwrap().is_empty());
        if !check(&ours, Some(&original)) {
            return;
        }
    }
}

const SOURCE: &str = r#"program(1.3)
{
    func main<ios18>(tensor<fp16, [1, 12]> x, state<tensor<fp16, [1, 12]>> kept) {
            tensor<fp16, [1, 12]> weight = constexpr_blockwise_shift_scale(data = tensor<int4, [1, 12]>([[1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4]]), scale = tensor<fp16, [1, 1]>([[0x1p-1]]));
            tensor<fp16, [1, 12]> old = read_state(input = kept)[name = string("old")];
            tensor<fp16, [1, 12]> sum = add(x = old, y = x)[name = string("sum")];
            write_state(data = sum, input = kept)[name = string("write")];
            bool pick = const()[name = string("pick"), val = bool(true)];
            tensor<fp16, [1, 12]> chosen = cond(pred = pick)[name = string("chosen")]
                () {
                    tensor<fp16, [1, 12]> left = relu(x = sum)[name = string("left")];
                } -> (left)
                () {
                    tensor<fp16, [1, 12]> right = mul(x = sum, y = weight)[name = string("right")];
                } -> (right);
        } -> (chosen);
}"#;

#[test]
fn a_package_made_from_text_is_taken() {
    let text = target("made.mil");
    std::fs::write(&text, SOURCE).unwrap();
    let ours = target("made.mlpackage");
    let program = open(&text).unwrap().program;
    assert!(save(&ours, &program, &SaveOptions::default()).unwrap().is_empty());
    check(&ours, None);
}
