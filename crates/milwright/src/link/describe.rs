//! What a joined program says about itself: what its parts said about the ports that are left.

use super::Piece;
use crate::open::Description;
use mil_base::Name;
use mil_codec::package::{self, proto};
use mil_ir::Function;
use mil_passes::{Linked, Origin};

/// The lists of features of a part's function.
struct Described<'a> {
    inputs: &'a [proto::FeatureDescription],
    outputs: &'a [proto::FeatureDescription],
    states: &'a [proto::FeatureDescription],
}

/// A description made from the signature, with the features of the parts where they have some: images stay images.
/// Nothing if no part has a description, or one cannot be made, which saving will say.
pub(super) fn describe(pieces: &[Piece], linked: &Linked) -> Option<Description> {
    let stated = || pieces.iter().filter_map(|p| p.opened.description.as_ref());
    let first = stated().next()?;
    let program = linked.checked.program();
    let mut model = package::describe(program).ok()?;
    model.metadata = first.model.metadata.clone();
    let described: Vec<Option<Described<'_>>> = pieces.iter().map(described).collect();
    let (_, function) = program.functions.iter().next()?;
    let input = |at: Origin, port: &str| {
        let d = described[at.part].as_ref()?;
        d.inputs.iter().chain(d.states).find(|f| f.name == *port)
    };
    let output =
        |at: Origin, port: &str| described[at.part].as_ref()?.outputs.iter().find(|f| f.name == *port);
    for list in [&mut model.input, &mut model.state] {
        for feature in list {
            let at = position(function, function.params(), &feature.name).map(|i| linked.params[i]);
            let port = at.map(|at| (at, name(pieces, at, Function::params)));
            take(feature, port.and_then(|(at, port)| input(at, &port)));
        }
    }
    for feature in &mut model.output {
        let at = position(function, function.outputs(), &feature.name).map(|i| linked.outputs[i]);
        let port = at.map(|at| (at, name(pieces, at, Function::outputs)));
        take(feature, port.and_then(|(at, port)| output(at, &port)));
    }
    Some(Description {
        specification_version: stated().map(|d| d.specification_version).max().unwrap_or(0),
        is_updatable: false,
        model,
    })
}

/// The feature as the part has it, under its name in the joined program.
fn take(feature: &mut proto::FeatureDescription, own: Option<&proto::FeatureDescription>) {
    if let Some(own) = own {
        *feature = proto::FeatureDescription { name: std::mem::take(&mut feature.name), ..own.clone() };
    }
}

fn position(function: &Function, values: &[mil_ir::ValueId], name: &str) -> Option<usize> {
    values.iter().position(|&v| function.values[v].name == *name)
}

fn name(pieces: &[Piece], at: Origin, of: fn(&Function) -> &[mil_ir::ValueId]) -> Name {
    let function = pieces[at.part].function();
    function.values[of(function)[at.port]].name.clone()
}

fn described(piece: &Piece) -> Option<Described<'_>> {
    let model = &piece.opened.description.as_ref()?.model;
    let own = model.functions.iter().find(|f| f.name == *piece.function().name);
    match own {
        Some(f) => Some(Described { inputs: &f.input, outputs: &f.output, states: &f.state }),
        None if model.functions.is_empty() => {
            Some(Described { inputs: &model.input, outputs: &model.output, states: &model.state })
        }
        None => None,
    }
}
