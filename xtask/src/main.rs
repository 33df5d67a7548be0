//! `cargo xtask gen [--check]`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["gen"] => report(write(false)),
        ["gen", "--check"] => report(write(true)),
        _ => {
            eprintln!("usage: cargo xtask gen [--check]");
            ExitCode::from(2)
        }
    }
}

fn report(result: std::io::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes every generated file, or only says which differ. True if all are as they should be afterwards.
fn write(check: bool) -> std::io::Result<bool> {
    let mut current = true;
    for file in xtask::generated()? {
        let path = xtask::root().join(&file.path);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == file.text) {
            continue;
        }
        if check {
            eprintln!("{} is not current: run `cargo xtask gen`", file.path.display());
            current = false;
        } else {
            std::fs::write(&path, &file.text)?;
            println!("wrote {}", file.path.display());
        }
    }
    Ok(current)
}
