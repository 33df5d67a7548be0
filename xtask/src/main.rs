//! `cargo xtask gen [--check]`, `cargo xtask tidy`, `cargo xtask new-card FAMILY NAME`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["gen"] => report(write(false)),
        ["gen", "--check"] => report(write(true)),
        ["tidy"] => report(tidy()),
        ["new-card", family, name] => report(new_card(family, name)),
        _ => {
            eprintln!("usage: cargo xtask gen [--check] | tidy | new-card FAMILY NAME");
            ExitCode::from(2)
        }
    }
}

fn report(result: Result<bool, String>) -> ExitCode {
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
fn write(check: bool) -> Result<bool, String> {
    let mut current = true;
    for file in xtask::generated().map_err(|e| e.to_string())? {
        let path = xtask::root().join(&file.path);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == file.text) {
            continue;
        }
        if check {
            eprintln!("{} is not current: run `cargo xtask gen`", file.path.display());
            current = false;
        } else {
            std::fs::write(&path, &file.text).map_err(|e| format!("{}: {e}", path.display()))?;
            println!("wrote {}", file.path.display());
        }
    }
    Ok(current)
}

/// Prints what breaks a rule of the layout. True if nothing does.
fn tidy() -> Result<bool, String> {
    let found = xtask::untidy()?;
    found.iter().for_each(|line| eprintln!("{line}"));
    Ok(found.is_empty())
}

/// Writes a card to start from, and the index.
fn new_card(family: &str, name: &str) -> Result<bool, String> {
    for path in xtask::new_card::new_card(&xtask::root(), family, name)? {
        println!("wrote {}", path.display());
    }
    write(false)
}
