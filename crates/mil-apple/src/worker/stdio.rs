//! The worker's end of the pipes.

use std::fs::File;
use std::io;

/// The pipe to write to. What anything else in the process prints goes to the standard error from here on: a line of a
/// framework's between two messages would be taken for one.
#[cfg(unix)]
pub(super) fn output() -> io::Result<File> {
    use std::ffi::c_int;
    use std::os::fd::FromRawFd;

    unsafe extern "C" {
        fn dup(descriptor: c_int) -> c_int;
        fn dup2(from: c_int, to: c_int) -> c_int;
    }
    // SAFETY: two calls of the system on the standard descriptors, which are open.
    let pipe = unsafe { dup(1) };
    // SAFETY: as above.
    if pipe < 0 || unsafe { dup2(2, 1) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor just made, which nobody else has.
    Ok(unsafe { File::from_raw_fd(pipe) })
}

/// There is no such system with these frameworks.
#[cfg(not(unix))]
pub(super) fn output() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
