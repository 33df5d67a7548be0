//! `FlexibleShapeInformation`: the shapes a function's inputs may have, as the attribute Apple's compiler prints.
//!
//! A package says them in its description, text in this attribute (`facts/mil-text-grammar.md` section 5); the IR has
//! the attribute whatever it was read from.

use super::interface::{Feature, FeatureKind, Flexibility};
use mil_base::{DType, Dim, Shape, Tensor, Type};
use mil_ir::{Constant, Payload};

/// The name of the attribute.
pub const FLEXIBLE_SHAPES: &str = "FlexibleShapeInformation";

/// One flexible input: its name, default shape, and what else it may be.
struct Flexible {
    name: String,
    default: Vec<usize>,
    shapes: Flexibility,
}

/// The attribute for these inputs; nothing if none is flexible. Only flexible inputs are listed.
pub(super) fn attribute(inputs: &[Feature]) -> Option<Constant> {
    let flexible: Vec<Flexible> = inputs.iter().filter_map(flexible).collect();
    if flexible.is_empty() {
        return None;
    }
    let shape_of = |f: &Flexible| (string(&f.name), sizes(&f.default));
    let mut types = vec![pair_type(dict(sizes_type()))];
    let mut pairs = vec![pair("DefaultShapes", flexible.iter().map(shape_of).collect())];

    let ranges: Vec<_> = flexible.iter().filter_map(range_dims).collect();
    if !ranges.is_empty() {
        let bounds = Type::tensor(DType::Int32, Shape::known(&[2]));
        types.push(pair_type(dict(Type::List(Box::new(bounds), Dim::Unknown))));
        pairs.push(pair("RangeDims", ranges));
    }
    let enumerated = enumerations(&flexible);
    if !enumerated.is_empty() {
        types.push(pair_type(dict(dict(sizes_type()))));
        pairs.push(pair("EnumeratedShapes", enumerated));
    }
    Some(Constant { ty: Type::Tuple(types), payload: Payload::Tuple(pairs) })
}

/// The flexible input that a feature is, an image as the tensor `[1, channels, height, width]`.
fn flexible(feature: &Feature) -> Option<Flexible> {
    let (default, shapes) = match &feature.kind {
        FeatureKind::MultiArray(a) => (a.shape.clone(), a.flexibility.clone()),
        FeatureKind::Image(i) => {
            let channels = i.colors.channels();
            let shapes = match &i.flexibility {
                Flexibility::Fixed => Flexibility::Fixed,
                Flexibility::Ranges(r) => {
                    let fixed = [(1, Some(1)), (channels, Some(channels))];
                    Flexibility::Ranges(fixed.into_iter().chain(r.iter().copied()).collect())
                }
                Flexibility::Enumerated(e) => Flexibility::Enumerated(
                    e.iter().map(|s| [&[1, channels], s.as_slice()].concat()).collect(),
                ),
            };
            (vec![1, channels, i.height, i.width], shapes)
        }
        _ => return None,
    };
    (shapes != Flexibility::Fixed).then(|| Flexible { name: feature.name.clone(), default, shapes })
}

fn range_dims(f: &Flexible) -> Option<(Payload, Payload)> {
    let Flexibility::Ranges(ranges) = &f.shapes else { return None };
    let bound = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let dims = ranges.iter().map(|(low, high)| ints(&[bound(*low), high.map_or(-1, bound)]));
    Some((string(&f.name), Payload::List(dims.collect())))
}

/// The shapes that may occur together: shape number `i` of every enumerated input. Apple keys each by eight hexadecimal
/// digits whose origin is unknown; ours are a hash of the shapes, and the order is that of the keys.
fn enumerations(flexible: &[Flexible]) -> Vec<(Payload, Payload)> {
    let lists: Vec<(&str, &[Vec<usize>])> = flexible
        .iter()
        .filter_map(|f| match &f.shapes {
            Flexibility::Enumerated(shapes) => Some((f.name.as_str(), shapes.as_slice())),
            _ => None,
        })
        .collect();
    let most = lists.iter().map(|(_, shapes)| shapes.len()).max().unwrap_or(0);
    let mut keyed: Vec<(String, Payload)> = (0..most)
        .map(|i| {
            let chosen = lists.iter().filter_map(|(name, shapes)| Some((*name, shapes.get(i)?)));
            let key =
                chosen.clone().fold(0x811c_9dc5, |hash, (name, shape)| fnv(fnv_name(hash, name), shape));
            (format!("{key:08x}"), Payload::Dict(chosen.map(|(n, s)| (string(n), sizes(s))).collect()))
        })
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.into_iter().map(|(key, shapes)| (string(&key), shapes)).collect()
}

fn fnv_name(hash: u32, name: &str) -> u32 {
    name.bytes().fold(hash, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

fn fnv(hash: u32, shape: &[usize]) -> u32 {
    shape.iter().fold(hash, |h, &n| fnv_name(h, &format!("{n},")))
}

/// The flexibility that the attribute states for each input: name, default shape, other shapes.
///
/// Parts that are not as expected are ignored: the attribute is advice to the runtime, not part of the program.
pub(super) fn parse(attribute: &Constant) -> Vec<(String, Vec<usize>, Flexibility)> {
    let Payload::Tuple(pairs) = &attribute.payload else { return Vec::new() };
    let mut found: Vec<(String, Vec<usize>, Flexibility)> = Vec::new();
    for pair in pairs {
        let Payload::Tuple(pair) = pair else { continue };
        let [key, Payload::Dict(entries)] = pair.as_slice() else { continue };
        match text(key) {
            Some("DefaultShapes") => found.extend(entries.iter().filter_map(|(name, shape)| {
                Some((text(name)?.to_owned(), shape_of(shape)?, Flexibility::Fixed))
            })),
            Some("RangeDims") => {
                for (name, dims) in entries {
                    let (Some(name), Payload::List(dims)) = (text(name), dims) else { continue };
                    let ranges = dims.iter().filter_map(range_of).collect();
                    set(&mut found, name, |f| *f = Flexibility::Ranges(ranges));
                }
            }
            Some("EnumeratedShapes") => {
                for (_, shapes) in entries {
                    let Payload::Dict(shapes) = shapes else { continue };
                    for (name, shape) in shapes {
                        let (Some(name), Some(shape)) = (text(name), shape_of(shape)) else { continue };
                        set(&mut found, name, |f| match f {
                            Flexibility::Enumerated(list) => list.push(shape),
                            other => *other = Flexibility::Enumerated(vec![shape]),
                        });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn set(found: &mut [(String, Vec<usize>, Flexibility)], name: &str, change: impl FnOnce(&mut Flexibility)) {
    if let Some((_, _, flexibility)) = found.iter_mut().find(|(n, ..)| n == name) {
        change(flexibility);
    }
}

fn text(payload: &Payload) -> Option<&str> {
    match payload {
        Payload::Tensor(t) => t.item_str(),
        _ => None,
    }
}

fn shape_of(payload: &Payload) -> Option<Vec<usize>> {
    match payload {
        Payload::Tensor(t) => t.to_i64().into_iter().map(|n| usize::try_from(n).ok()).collect(),
        _ => None,
    }
}

fn range_of(payload: &Payload) -> Option<(usize, Option<usize>)> {
    let Payload::Tensor(t) = payload else { return None };
    match t.to_i64().as_slice() {
        &[low, high] => Some((usize::try_from(low).ok()?, usize::try_from(high).ok())),
        _ => None,
    }
}

fn string(text: &str) -> Payload {
    Constant::string(text).payload
}

fn ints(values: &[i64]) -> Payload {
    let tensor = Tensor::from_i64(DType::Int32, &[values.len()], values);
    Payload::Tensor(tensor.expect("as many values as the shape says"))
}

fn sizes(shape: &[usize]) -> Payload {
    ints(&shape.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect::<Vec<_>>())
}

fn pair(name: &str, entries: Vec<(Payload, Payload)>) -> Payload {
    Payload::Tuple(vec![string(name), Payload::Dict(entries)])
}

fn pair_type(of: Type) -> Type {
    Type::Tuple(vec![Type::scalar(DType::String), of])
}

fn dict(of: Type) -> Type {
    Type::Dict(Box::new(Type::scalar(DType::String)), Box::new(of))
}

fn sizes_type() -> Type {
    Type::tensor(DType::Int32, Shape(vec![Dim::Unknown]))
}

#[cfg(test)]
mod tests {
    use super::super::interface::{ArrayFeature, Colors, ImageFeature};
    use super::*;

    fn feature(name: &str, kind: FeatureKind) -> Feature {
        Feature { name: name.into(), description: String::new(), optional: false, kind }
    }

    fn array(shape: &[usize], flexibility: Flexibility) -> FeatureKind {
        let dtype = Some(DType::Fp32);
        FeatureKind::MultiArray(ArrayFeature { dtype, shape: shape.to_vec(), flexibility, default: None })
    }

    #[test]
    fn what_the_attribute_says_is_what_the_description_said() {
        let ranges = Flexibility::Ranges(vec![(1, Some(1)), (2, None)]);
        let shapes = Flexibility::Enumerated(vec![vec![4], vec![8]]);
        let image = FeatureKind::Image(ImageFeature {
            width: 32,
            height: 16,
            colors: Colors::Rgb,
            flexibility: Flexibility::Ranges(vec![(8, Some(64)), (16, Some(128))]),
        });
        let inputs = [
            feature("fixed", array(&[3], Flexibility::Fixed)),
            feature("ranged", array(&[1, 2], ranges.clone())),
            feature("chosen", array(&[4], shapes.clone())),
            feature("image", image),
        ];
        let mut said = parse(&attribute(&inputs).unwrap());
        // The shapes to choose from are ordered by key, which says nothing.
        if let Flexibility::Enumerated(shapes) = &mut said[1].2 {
            shapes.sort();
        }
        let pixels = vec![(1, Some(1)), (3, Some(3)), (8, Some(64)), (16, Some(128))];
        assert_eq!(
            said,
            [
                ("ranged".to_owned(), vec![1, 2], ranges),
                ("chosen".to_owned(), vec![4], shapes),
                ("image".to_owned(), vec![1, 3, 16, 32], Flexibility::Ranges(pixels)),
            ]
        );
        assert_eq!(attribute(&inputs[..1]), None);
    }
}
