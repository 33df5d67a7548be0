//! What this is: the machine, its system, the time.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Command;
use std::time::SystemTime;

/// What is underneath the bridges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// A Mac.
    Machine,
    /// Doubles of its frameworks, which say nothing about hardware.
    Double,
}

/// The ground of this build; nothing where there is no bridge.
pub fn here() -> Option<Ground> {
    mil_apple::ground::GROUND.map(|ground| match ground {
        mil_run::Ground::Machine => Ground::Machine,
        mil_run::Ground::Double => Ground::Double,
    })
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ground::Machine => "machine",
            Ground::Double => "double",
        })
    }
}

/// The processor's name, as the system tells it.
pub(crate) fn machine() -> String {
    let told = if cfg!(target_os = "macos") {
        let ask = |key: &str| Command::new("/usr/sbin/sysctl").args(["-n", key]).output().ok();
        let words = |o: std::process::Output| String::from_utf8_lossy(&o.stdout).trim().to_owned();
        let known: Vec<String> =
            ["machdep.cpu.brand_string", "hw.model"].into_iter().filter_map(ask).map(words).collect();
        known.join(", ")
    } else {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
        line.map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
    };
    if told.is_empty() { std::env::consts::ARCH.to_owned() } else { told }
}

/// Now, in UTC.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
