//! A compiled library, its bundle on disk, and its functions (calls 11 and "also known").

use super::call::calls;
use super::handle::{Fault, Handle, Object, get, give, put, release, text};
use super::port::{Kind, TensorDesc};
use crate::behaviour;
use crate::program::Compiled;
use std::ffi::{CString, c_char};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a library was compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Backend {
    Bnns,
    MpsGraph,
    Ane,
}

impl Backend {
    const ALL: [Backend; 3] = [Backend::Bnns, Backend::MpsGraph, Backend::Ane];

    fn name(self) -> &'static str {
        match self {
            Backend::Bnns => "bnns",
            Backend::MpsGraph => "mps_graph",
            Backend::Ane => "ane",
        }
    }
}

pub(super) struct Library {
    pub(super) compiled: Compiled,
    pub(super) chip: String,
    backend: Backend,
    names: Vec<CString>,
}

pub(super) struct Function {
    pub(super) library: Arc<Library>,
    pub(super) index: usize,
}

impl Object for Library {
    const KIND: &'static str = "program library";
}
impl Object for Function {
    const KIND: &'static str = "program function";
}

/// The file in a bundle that says what the double knows of it: process, chip, backend.
const LABEL: &str = "double.txt";

impl Library {
    pub(super) fn new(compiled: Compiled, backend: Backend, chip: String) -> Library {
        crate::notes::add(format!("double: compiled for {}", backend.name()));
        let names =
            compiled.functions.iter().map(|f| CString::new(f.name.as_str()).unwrap_or_default()).collect();
        Library { compiled, chip, backend, names }
    }

    /// Writes the bundle below `cache`: the program, what lies beside it, and the label.
    pub(super) fn write_bundle(&self, source: &Path, cache: &Path) -> std::io::Result<()> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let bundle = cache.join(format!("{}-{n}.bundle", std::process::id()));
        fs::create_dir_all(&bundle)?;
        let folder = if source.is_dir() { source } else { source.parent().unwrap_or(Path::new(".")) };
        copy_weights(folder, &bundle, cache)?;
        let text = if source.is_dir() { source.join("model.mil") } else { source.to_owned() };
        fs::copy(text, bundle.join("model.mil"))?;
        let label = format!("{} {} {}\n", std::process::id(), self.chip, self.backend.name());
        fs::write(bundle.join(LABEL), label)
    }

    pub(super) fn open_bundle(path: &Path) -> Result<Library, Fault> {
        let invalid = || Fault::argument("Invalid E5 path specified");
        if path.as_os_str().is_empty() {
            return Err(invalid());
        }
        let label = fs::read_to_string(path.join(LABEL)).map_err(|_| invalid())?;
        let [process, chip, backend] = label.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(invalid());
        };
        let backend = Backend::ALL.into_iter().find(|b| b.name() == backend).ok_or_else(invalid)?;
        if !behaviour::is_on("e5rt/bundle-reuse") && process != std::process::id().to_string() {
            return Err(Fault::operation("double: the bundle was compiled by another process"));
        }
        let compiled = Compiled::open(path).map_err(Fault::operation)?;
        Ok(Library::new(compiled, backend, chip.to_owned()))
    }
}

/// Copies the files beside a program, two levels deep, without the cache that may be among them.
fn copy_weights(from: &Path, to: &Path, cache: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_file() {
            fs::copy(&path, to.join(name))?;
        } else if path.is_dir() && path != cache {
            for file in fs::read_dir(&path)?.flatten().filter(|f| f.path().is_file()) {
                fs::create_dir_all(to.join(name))?;
                fs::copy(file.path(), to.join(name).join(file.file_name()))?;
            }
        }
    }
    Ok(())
}

impl Function {
    fn desc(&self, kind: Kind, name: &str) -> Result<TensorDesc, Fault> {
        TensorDesc::of(self, kind, name).map(|(_, desc)| desc)
    }
}

calls! {
    fn e5rt_program_library_release(library: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Library>(library) }.map(drop)
    }

    fn e5rt_program_library_get_num_functions(library: Handle, out: *mut u64) {
        let n = get::<Library>(library)?.names.len() as u64;
        // SAFETY: an out-pointer.
        unsafe { put(out, n) }
    }

    /// The names live as long as the library.
    fn e5rt_program_library_get_function_names(library: Handle, n: u64, names: *mut *const c_char) {
        let library = get::<Library>(library)?;
        if n > library.names.len() as u64 {
            return Err(Fault::bounds("double: there are fewer functions"));
        }
        for (i, name) in library.names.iter().enumerate().take(n as usize) {
            // SAFETY: the caller gives room for `n` pointers.
            unsafe { put(names.add(i), name.as_ptr())? };
        }
        Ok(())
    }

    fn e5rt_program_library_retain_program_function(library: Handle, name: *const c_char, out: *mut Handle) {
        let library = get::<Library>(library)?;
        // SAFETY: a C string.
        let name = unsafe { text(name) }?;
        let index = library.compiled.functions.iter().position(|f| f.name.as_str() == name);
        let index = index.ok_or_else(|| Fault::argument(format!("double: no function `{name}`")))?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Function { library, index })) }
    }

    fn e5rt_program_function_release(function: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Function>(function) }.map(drop)
    }

    fn e5rt_program_function_load_for_execution(function: Handle) {
        get::<Function>(function)?;
        match behaviour::is_on("e5rt/load-withdrawn") {
            true => Err(Fault::operation("no longer supported")),
            false => Ok(()),
        }
    }

    fn e5rt_program_function_retain_input_tensor_desc(function: Handle, name: *const c_char, out: *mut Handle) {
        // SAFETY: a C string.
        let desc = get::<Function>(function)?.desc(Kind::Input, unsafe { text(name) }?)?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(desc)) }
    }

    fn e5rt_program_function_retain_output_tensor_desc(function: Handle, name: *const c_char, out: *mut Handle) {
        // SAFETY: a C string.
        let desc = get::<Function>(function)?.desc(Kind::Output, unsafe { text(name) }?)?;
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(desc)) }
    }
}
