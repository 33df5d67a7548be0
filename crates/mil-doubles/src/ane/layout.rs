//! Which surface is which port: by symbols, numbered through the whole program, in the order of names.

use super::{WRONG_INDEX, WRONG_SURFACE};
use crate::behaviour;
use crate::program::{Port, Signature};
use std::ffi::{CString, c_ulong, c_void};

/// A surface bound to a symbol, as `objc/ane.h` has it.
#[repr(C)]
pub(crate) struct Binding {
    symbol: c_ulong,
    base: *mut c_void,
    bytes: c_ulong,
}

/// A function of the program.
pub(super) struct Procedure {
    pub(super) name: CString,
    pub(super) inputs: Side,
    pub(super) outputs: Side,
}

/// Its inputs or its outputs.
pub(super) struct Side {
    /// The symbol of the first by name.
    pub(super) first: usize,
    /// In the order of names.
    pub(super) names: Vec<CString>,
    /// Positions in the order of declaration, in the order of names.
    by_name: Vec<usize>,
    /// In the order of declaration.
    ports: Vec<Port>,
    rule: &'static str,
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

impl Procedure {
    pub(super) fn all(functions: &[Signature]) -> Vec<Procedure> {
        let (mut input, mut output) = (0, 0);
        let mut all = Vec::new();
        for f in functions {
            all.push(Procedure {
                name: c_string(&f.name),
                inputs: Side::new(&f.inputs, input, "ane/alphabetical-inputs"),
                outputs: Side::new(&f.outputs, output, "ane/alphabetical-outputs"),
            });
            input += f.inputs.len();
            output += f.outputs.len();
        }
        all
    }
}

impl Side {
    fn new(ports: &[Port], first: usize, rule: &'static str) -> Side {
        let mut by_name: Vec<usize> = (0..ports.len()).collect();
        by_name.sort_by(|&a, &b| ports[a].name.as_str().cmp(ports[b].name.as_str()));
        let names = by_name.iter().map(|&i| c_string(&ports[i].name)).collect();
        Side { first, names, by_name, ports: ports.to_vec(), rule }
    }

    /// Address and packed bytes of every port, in the order of declaration.
    pub(super) fn bound(
        &self,
        given: &[Binding],
        equal: &str,
    ) -> Result<Vec<(*const u8, usize)>, (u32, String)> {
        if given.len() != self.ports.len() {
            return Err((WRONG_SURFACE, format!("{} surfaces for {} ports", given.len(), self.ports.len())));
        }
        let sizes = given.iter().map(|b| b.bytes);
        if behaviour::is_on(equal) && sizes.clone().min() != sizes.max() {
            return Err((WRONG_SURFACE, "surfaces of different sizes".to_owned()));
        }
        let mut places = vec![None; self.ports.len()];
        for (i, binding) in given.iter().enumerate() {
            let rank = usize::try_from(binding.symbol).ok().and_then(|s| s.checked_sub(self.first));
            let rank = match rank.filter(|&r| r < self.ports.len()) {
                Some(rank) => rank,
                None if !behaviour::is_on("ane/symbol-indices") => i,
                None => return Err((WRONG_INDEX, format!("no symbol {}", binding.symbol))),
            };
            let port = if behaviour::is_on(self.rule) { self.by_name[rank] } else { rank };
            places[port] = Some(binding);
        }
        self.ports.iter().zip(places).map(|(port, binding)| place(port, binding)).collect()
    }
}

fn place(port: &Port, binding: Option<&Binding>) -> Result<(*const u8, usize), (u32, String)> {
    let binding = binding.ok_or_else(|| (WRONG_INDEX, format!("no surface for `{}`", port.name)))?;
    let need = port.bytes().unwrap_or(usize::MAX);
    let have = usize::try_from(binding.bytes).unwrap_or(0);
    if have < need {
        return Err((WRONG_SURFACE, format!("`{}` needs {need} bytes and has {have}", port.name)));
    }
    Ok((binding.base.cast::<u8>().cast_const(), need))
}
