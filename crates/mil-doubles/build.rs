//! Compiles the Objective-C doubles with GCC for GNUstep, when the feature `gnustep` asks for them.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=gnustep");
    println!("cargo:rerun-if-changed=objc");
    let apple = std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|v| v == "apple");
    if std::env::var_os("CARGO_FEATURE_GNUSTEP").is_none() || apple {
        return;
    }
    cc::Build::new()
        .file("gnustep/arc.c")
        .flag("-fexceptions")
        .flag("-Wno-unused-parameter")
        .compile("mil_doubles_arc");
    let mut files: Vec<PathBuf> = std::fs::read_dir("objc")
        .expect("the folder objc is part of the crate")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "m"))
        .collect();
    files.sort();
    cc::Build::new()
        .files(files)
        .flag("-xobjective-c")
        .flag("-std=gnu11")
        .flag("-fobjc-exceptions")
        .flag("-fexceptions")
        .flag("-fconstant-string-class=NSConstantString")
        .flag("-Wno-unused-parameter")
        .include("/usr/include/GNUstep")
        .include("objc")
        .define("GNUSTEP", None)
        .define("GNU_RUNTIME", "1")
        .define("GNUSTEP_BASE_LIBRARY", "1")
        .define("_NATIVE_OBJC_EXCEPTIONS", None)
        // Classes are reached by name only, so nothing else would keep them.
        .link_lib_modifier("+whole-archive")
        .compile("mil_doubles_objc");
    // Before GNUstep, which exports a `_Block_copy` that does not copy.
    println!("cargo:rustc-link-lib=dylib=BlocksRuntime");
    println!("cargo:rustc-link-lib=dylib=gnustep-base");
    println!("cargo:rustc-link-lib=dylib=objc");
}
