//! Sets `cfg(bridge)` as `mil-apple` does: where there is a Mac, or the doubles.

fn main() {
    println!("cargo:rustc-check-cfg=cfg(bridge)");
    let mac = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    if mac || std::env::var_os("CARGO_FEATURE_DOUBLES").is_some() {
        println!("cargo:rustc-cfg=bridge");
    }
}
