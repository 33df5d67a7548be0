//! One module a command.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod inspect;
pub(crate) mod lab;
pub(crate) mod link;
pub(crate) mod load;
pub(crate) mod output;
pub(crate) mod predict;
pub(crate) mod run;
pub(crate) mod worker;
