//! Milwright as a Python extension module, `milwright._native`.
//!
//! The package around it is `python/milwright/`: records that Python code reads (`_records.py`) and what makes
//! coremltools predict (`coremltools.py`) and tell what is in a model (`_structure.py`) are Python, since nothing in them is faster or safer in Rust. The module is built for
//! the stable ABI of Python 3.9 and needs no Python to be compiled.
//!
//! **What it must never know:** how a program is read, checked or run; it passes arguments and results on.
//!
//! **Where to start reading:** `model.rs` for what is loaded and run, `array.rs` for how NumPy's arrays pass in and out.

mod array;
mod files;
mod lent;
mod model;
mod outline;
mod records;
mod shared;
mod state;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::files::{check, convert, inspect};
    #[pymodule_export]
    use super::model::{Model, Opened, load};
    #[pymodule_export]
    use super::outline::{outline, stages};
    #[pymodule_export]
    use super::state::State;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python gives it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
