//! The shapes that a function's inputs may have: the attribute `FlexibleShapeInformation`
//! (`facts/mil-text-grammar.md` section 4).

use mil_base::{Name, Tensor};
use mil_ir::{Function, Payload};

/// The sizes one dimension may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeRange {
    /// Lowest size.
    pub lowest: usize,
    /// Highest size; nothing means no limit.
    pub highest: Option<usize>,
}

/// What a function says about the shapes of its flexible inputs. Inputs that are not listed have their declared shape.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Flexibility {
    /// The shape an input has when none is given.
    pub defaults: Vec<(Name, Vec<usize>)>,
    /// For each input a range a dimension.
    pub ranges: Vec<(Name, Vec<SizeRange>)>,
    /// Sets of shapes that may be given together; each lists every flexible input.
    pub enumerated: Vec<Vec<(Name, Vec<usize>)>>,
}

impl Flexibility {
    /// What `function` says. Parts that are not of the known form are left out: they restrict nothing.
    pub fn of(function: &Function) -> Flexibility {
        let mut flexibility = Flexibility::default();
        let attribute = function.attributes.iter().find(|(name, _)| name == "FlexibleShapeInformation");
        let Some((_, constant)) = attribute else { return flexibility };
        let Payload::Tuple(parts) = &constant.payload else { return flexibility };
        for part in parts {
            let Payload::Tuple(pair) = part else { continue };
            let [key, Payload::Dict(entries)] = pair.as_slice() else { continue };
            match text(key) {
                Some("DefaultShapes") => flexibility.defaults = entries.iter().filter_map(shape).collect(),
                Some("RangeDims") => flexibility.ranges = entries.iter().filter_map(ranges).collect(),
                Some("EnumeratedShapes") => {
                    let set = |(_, shapes): &(Payload, Payload)| match shapes {
                        Payload::Dict(shapes) => Some(shapes.iter().filter_map(shape).collect()),
                        _ => None,
                    };
                    flexibility.enumerated = entries.iter().filter_map(set).collect();
                }
                _ => {}
            }
        }
        flexibility
    }

    /// The default shape of an input.
    pub fn default_shape(&self, input: &str) -> Option<&[usize]> {
        self.defaults.iter().find(|(n, _)| n == input).map(|(_, s)| s.as_slice())
    }

    /// The ranges of an input's dimensions.
    pub fn ranges_of(&self, input: &str) -> Option<&[SizeRange]> {
        self.ranges.iter().find(|(n, _)| n == input).map(|(_, r)| r.as_slice())
    }
}

fn tensor(payload: &Payload) -> Option<&Tensor> {
    match payload {
        Payload::Tensor(t) => Some(t),
        _ => None,
    }
}

fn text(payload: &Payload) -> Option<&str> {
    tensor(payload)?.item_str()
}

fn shape((name, sizes): &(Payload, Payload)) -> Option<(Name, Vec<usize>)> {
    let sizes = tensor(sizes)?.to_i64().into_iter().map(|n| usize::try_from(n).ok());
    Some((text(name)?.into(), sizes.collect::<Option<_>>()?))
}

fn ranges((name, dims): &(Payload, Payload)) -> Option<(Name, Vec<SizeRange>)> {
    let Payload::List(dims) = dims else { return None };
    let range = |dim: &Payload| match tensor(dim)?.to_i64().as_slice() {
        [low, high] => Some(SizeRange {
            lowest: usize::try_from(*low).unwrap_or(0),
            highest: usize::try_from(*high).ok(),
        }),
        _ => None,
    };
    Some((text(name)?.into(), dims.iter().map(range).collect::<Option<_>>()?))
}
