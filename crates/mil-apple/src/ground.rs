//! What is underneath: a Mac with its version, or the doubles.

use mil_run::Ground;

/// What this build runs against; nothing where there is no bridge.
pub const GROUND: Option<Ground> = if cfg!(target_os = "macos") {
    Some(Ground::Machine)
} else if cfg!(bridge) {
    Some(Ground::Double)
} else {
    None
};

/// The system in words for messages and reports: `macOS 15.5`, or `the doubles`.
pub fn system() -> String {
    #[cfg(target_os = "macos")]
    {
        static VERSION: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        VERSION.get_or_init(|| format!("macOS {}", crate::platform::os_version())).clone()
    }
    #[cfg(not(target_os = "macos"))]
    {
        if cfg!(bridge) { "the doubles".to_owned() } else { "this system".to_owned() }
    }
}

/// A runtime's name: marked when the doubles are underneath.
#[macro_export]
#[doc(hidden)]
macro_rules! runtime_name {
    ($name:literal) => {
        if cfg!(target_os = "macos") { $name } else { concat!($name, " (double)") }
    };
}
