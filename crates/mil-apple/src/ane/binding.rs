//! From names to surfaces: which types may cross the boundary, which symbol a port has, how large its surface must be.
//!
//! Surfaces bind in the order of the ports' *names*, inputs by parameter and outputs by variable, whatever the order of declaration
//! (facts S03, S04), all inputs have the size of the largest, and so have all outputs (S01, S02). A loaded program says which
//! symbol numbers each function has and, in all dumps on record, their names; where it names them, the names decide.

use crate::codes;
use crate::objc::{AnyObject, ns};
use crate::ports::{Port, Ports};
use mil_base::{DType, Diagnostic};

/// A symbol as a loaded program describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// Its number, to be given with a surface.
    pub index: i64,
    /// The port's name, if the program says it.
    pub name: Option<String>,
}

/// A port with its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The symbol's number.
    pub symbol: i64,
    /// The port's position among the declared ones.
    pub port: usize,
}

/// A function of a loaded program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Procedure {
    /// Its number.
    pub index: i64,
    /// Its inputs in the order of the surfaces.
    pub inputs: Vec<Bound>,
    /// Its outputs in the order of the surfaces.
    pub outputs: Vec<Bound>,
}

/// Everything about a function that this path cannot take.
pub(super) fn refusals(ports: &Ports) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = ports
        .inputs
        .iter()
        .chain(&ports.outputs)
        .filter(|p| !crosses(p.dtype))
        .map(|p| {
            let message = format!("`{}` of function `{}` is {}, which cannot cross the engine's boundary", p.name, ports.function, p.dtype);
            let help = "use fp16, fp32, int8, uint8, int16 or uint16 there and cast inside, or run it with `--runtime coreml` or `cpu`";
            Diagnostic::error(codes::PORT_TYPE, message).help(help)
        })
        .collect();
    found.extend(ports.states.iter().map(|p| {
        let message = format!(
            "function `{}` keeps the state `{}`, and programs in memory keep none",
            ports.function, p.name
        );
        let help = "run it with `--runtime e5rt` (the state stays on the device), `coreml` or `cpu`";
        Diagnostic::error(codes::UNSUPPORTED, message).help(help)
    }));
    found
}

/// Facts S11.
fn crosses(dtype: DType) -> bool {
    matches!(dtype, DType::Fp16 | DType::Fp32 | DType::Int8 | DType::UInt8 | DType::Int16 | DType::UInt16)
}

/// Bytes of every surface of one side.
pub(super) fn surface_bytes(ports: &[Port]) -> usize {
    ports.iter().map(|p| p.bytes).max().unwrap_or(0)
}

/// The procedure of a function: the program's own description where there is one, else by the rules above.
///
/// `position` is the function's place in the program.
pub(super) fn procedure(attributes: Option<&AnyObject>, ports: &Ports, position: usize) -> Procedure {
    let description = attributes.and_then(|a| ns::get(a, "ANEFModelDescription"));
    let ids = description.as_deref().and_then(|d| ns::get(d, "kANEFModelProcedureNameToIDMapKey"));
    let id = ids.and_then(|ids| ns::get(&ids, &ports.function)).map(|id| ns::to_int(&id));
    let index = id.unwrap_or_else(|| i64::try_from(position).unwrap_or(0));
    let entries = description.as_deref().and_then(|d| ns::get(d, "ANEFModelProcedures"));
    let entries = entries.map(|e| ns::items(&e)).unwrap_or_default();
    let number = |entry: &AnyObject| ns::get(entry, "ANEFModelProcedureID").map(|id| ns::to_int(&id));
    let entry = entries.iter().find(|e| number(e) == Some(index));
    let side = |indices: &str, names: &str| {
        let indices = ns::items(&*ns::get(entry?, indices)?);
        let names = ns::get(description.as_deref()?, names).map(|n| ns::items(&n)).unwrap_or_default();
        let symbol = |index: i64| Symbol {
            index,
            name: usize::try_from(index)
                .ok()
                .and_then(|i| names.get(i))
                .map(|n| plain(&ns::to_string(Some(n)))),
        };
        Some(indices.iter().map(|i| symbol(ns::to_int(i))).collect::<Vec<Symbol>>())
    };
    let inputs = side("ANEFModelInputSymbolIndexArray", "kANEFModelInputSymbolsArrayKey");
    let outputs = side("ANEFModelOutputSymbolIndexArray", "kANEFModelOutputSymbolsArrayKey");
    Procedure {
        index,
        inputs: bind(&ports.inputs, inputs.as_deref()),
        outputs: bind(&ports.outputs, outputs.as_deref()),
    }
}

/// Outputs are described as `y@output`.
fn plain(name: &str) -> String {
    name.strip_suffix("@output").unwrap_or(name).to_owned()
}

/// Symbols and ports in the order of the surfaces.
fn bind(ports: &[Port], described: Option<&[Symbol]>) -> Vec<Bound> {
    let described = described.unwrap_or_default();
    let named = |s: &Symbol| {
        let port = ports.iter().position(|p| Some(p.name.as_str()) == s.name.as_deref())?;
        Some(Bound { symbol: s.index, port })
    };
    // A port that no op reads may have no symbol, so fewer symbols than ports are in order.
    if let Some(all) = described.iter().map(named).collect::<Option<Vec<Bound>>>()
        && !all.is_empty()
    {
        return all;
    }
    let mut by_name: Vec<usize> = (0..ports.len()).collect();
    by_name.sort_by(|&a, &b| ports[a].name.as_str().cmp(ports[b].name.as_str()));
    let symbol = |rank: usize| match described.get(rank) {
        Some(symbol) => symbol.index,
        None => i64::try_from(rank).unwrap_or(0),
    };
    by_name.into_iter().enumerate().map(|(rank, port)| Bound { symbol: symbol(rank), port }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::Name;

    fn ports(names: &[&str]) -> Vec<Port> {
        let port = |n: &&str| Port { name: Name::new(n), dtype: DType::Fp16, shape: vec![4], bytes: 8 };
        names.iter().map(port).collect()
    }

    fn bound(symbol: i64, port: usize) -> Bound {
        Bound { symbol, port }
    }

    #[test]
    fn without_a_description_names_are_sorted() {
        assert_eq!(bind(&ports(&["x", "b", "a"]), None), [bound(0, 2), bound(1, 1), bound(2, 0)]);
        assert_eq!(bind(&[], None), []);
    }

    #[test]
    fn described_numbers_are_used_and_names_decide() {
        let symbol = |index, name: Option<&str>| Symbol { index, name: name.map(str::to_owned) };
        let numbers = [symbol(3, None), symbol(4, None)];
        assert_eq!(bind(&ports(&["x", "a"]), Some(&numbers)), [bound(3, 1), bound(4, 0)]);
        let names = [symbol(3, Some("x")), symbol(4, Some("a"))];
        assert_eq!(bind(&ports(&["x", "a"]), Some(&names)), [bound(3, 0), bound(4, 1)]);
        let strange = [symbol(3, Some("x")), symbol(4, Some("z"))];
        assert_eq!(bind(&ports(&["x", "a"]), Some(&strange)), [bound(3, 1), bound(4, 0)]);
    }
}
