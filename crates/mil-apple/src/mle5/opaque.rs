//! What the engine's handles point to: structures of the C interface beneath, of which only the names are known.

use objc2::encode::{Encoding, RefEncode};

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident $c:literal;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            _private: [u8; 0],
        }

        // SAFETY: the pointer is encoded as one to the structure of that name.
        unsafe impl RefEncode for $name {
            const ENCODING_REF: Encoding = Encoding::Pointer(&Encoding::Struct($c, &[]));
        }
    )*};
}

opaque! {
    /// A compiled program library.
    ProgramLibrary "e5rt_program_library";
    /// A stream.
    Stream "e5rt_execution_stream";
    /// An operation in one.
    Operation "e5rt_execution_stream_operation";
}
