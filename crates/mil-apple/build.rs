//! Sets `cfg(bridge)` where there is something to bridge to (a Mac, or the doubles), and compiles the one Objective-C file:
//! catching exceptions cannot be written in Rust.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(bridge)");
    println!("cargo:rustc-check-cfg=cfg(negative_control, values(\"name\", \"lint\"))");
    println!("cargo:rerun-if-changed=src/objc/try_catch.m");
    println!("cargo:rerun-if-env-changed=MILWRIGHT_NEGATIVE_CONTROL");
    if let Ok(kind) = std::env::var("MILWRIGHT_NEGATIVE_CONTROL") {
        println!("cargo:rustc-cfg=negative_control={kind:?}");
    }
    let mac = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    if !mac && std::env::var_os("CARGO_FEATURE_DOUBLES").is_none() {
        return;
    }
    println!("cargo:rustc-cfg=bridge");
    cc::Build::new()
        .file("src/objc/try_catch.m")
        .flag("-xobjective-c")
        .flag("-fobjc-exceptions")
        .flag("-fexceptions")
        .compile("mil_apple_try_catch");
}
