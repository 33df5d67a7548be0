//! MIL text: [`mil_ir`]'s programs from syntax trees, and their text as Apple's compiler prints it.
