//! A description for a program that has none, made from the signatures of its functions.

use super::flexible::{self, FLEXIBLE_SHAPES};
use super::interface::Flexibility;
use super::proto::{self, array_feature_type as array, feature_type, state_feature_type};
use crate::codes;
use mil_base::{DType, Diagnostic, Dim, Label, Name, Place, Shape, TensorType, Type};
use mil_ir::{Function, Program, ValueId};

/// The specification version from which on a model may have several functions, or state (iOS 18).
const FUNCTIONS_FROM: i32 = 9;

/// The description of a program whose inputs and outputs are all plain tensors.
///
/// Flexible inputs get the shapes of the function's `FlexibleShapeInformation`; without it an unknown size may be
/// anything from 1 on. Errors: `package/feature-type` for what Core ML cannot pass in or out.
pub fn describe(program: &Program) -> Result<proto::ModelDescription, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut functions: Vec<proto::FunctionDescription> =
        program.functions.iter().map(|(_, f)| function(f, &mut errors)).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    // A model of one function says its interface at the top, where every version looks.
    if let [only] = functions.as_mut_slice() {
        let only = std::mem::take(only);
        return Ok(proto::ModelDescription {
            input: only.input,
            output: only.output,
            state: only.state,
            predicted_feature_name: only.predicted_feature_name,
            predicted_probabilities_name: only.predicted_probabilities_name,
            ..Default::default()
        });
    }
    let default = program.default_function().or_else(|| program.functions.ids().next());
    Ok(proto::ModelDescription {
        functions,
        default_function_name: default.map_or_else(String::new, |f| program.functions[f].name.to_string()),
        ..Default::default()
    })
}

/// Does the description name exactly the inputs, states and outputs that the functions have?
pub(super) fn fits(description: &proto::ModelDescription, program: &Program) -> bool {
    program.functions.iter().all(|(_, f)| {
        let interface = super::Interface::of(description, &f.name);
        let names = |ids: &[ValueId]| {
            let mut names: Vec<String> = ids.iter().map(|&v| f.values[v].name.to_string()).collect();
            names.sort();
            names
        };
        let said = |features: &[super::Feature]| features.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        let mut inputs = [said(&interface.inputs), said(&interface.states)].concat();
        inputs.sort();
        // A classifier's outputs are not the function's.
        let mut outputs = said(&interface.outputs);
        outputs.sort();
        inputs == names(f.params())
            && (interface.predicted_feature.is_some() || outputs == names(f.outputs()))
    })
}

/// The lowest specification version that may hold this description.
pub(super) fn version_needed(description: &proto::ModelDescription) -> i32 {
    let newer = !description.functions.is_empty() || !description.state.is_empty();
    if newer { FUNCTIONS_FROM } else { 0 }
}

fn function(f: &Function, errors: &mut Vec<Diagnostic>) -> proto::FunctionDescription {
    let flexible = f.attributes.iter().find(|(name, _)| name == FLEXIBLE_SHAPES);
    let flexible = flexible.map(|(_, c)| flexible::parse(c)).unwrap_or_default();
    let mut described = proto::FunctionDescription { name: f.name.to_string(), ..Default::default() };
    for &id in f.params() {
        let name = &f.values[id].name;
        let shapes = flexible.iter().find(|(n, ..)| n == name.as_str());
        match &f.values[id].ty {
            Type::Tensor(t) => {
                let made = input(t, shapes.map(|(_, default, shapes)| (default.as_slice(), shapes)));
                let ty = made.map(feature_type::Type::MultiArrayType);
                add(&mut described.input, f, name, ty, errors);
            }
            Type::State(inner) => {
                let ty = inner.as_tensor().ok_or_else(|| unsupported(inner)).and_then(fixed);
                let ty = ty.map(|t| proto::StateFeatureType {
                    r#type: Some(state_feature_type::Type::ArrayType(t)),
                });
                add(&mut described.state, f, name, ty.map(feature_type::Type::StateType), errors);
            }
            other => add(&mut described.input, f, name, Err(unsupported(other)), errors),
        }
    }
    for &id in f.outputs() {
        let value = &f.values[id];
        add(&mut described.output, f, &value.name, output(&value.ty), errors);
    }
    classifier(&mut described);
    described
}

/// What an output is; `classify` yields a scalar string or int64 and a dictionary.
fn output(ty: &Type) -> Result<feature_type::Type, Diagnostic> {
    use feature_type::Type as T;
    use proto::dictionary_feature_type::KeyType as K;
    let scalar = |ty: &Type| ty.as_tensor().filter(|t| t.shape.rank() == 0).map(|t| t.dtype);
    match (ty, scalar(ty)) {
        (_, Some(DType::String)) => Ok(T::StringType(Default::default())),
        (_, Some(DType::Int64)) => Ok(T::Int64Type(Default::default())),
        (Type::Tensor(t), _) => fixed(t).map(T::MultiArrayType),
        (Type::Unranked(dtype), _) => {
            fixed(&TensorType::new(*dtype, Shape(vec![Dim::Unknown]))).map(T::MultiArrayType)
        }
        (Type::Dict(key, _), _) => {
            let key_type = match scalar(key) {
                Some(DType::String) => K::StringKeyType(Default::default()),
                Some(DType::Int64) => K::Int64KeyType(Default::default()),
                _ => return Err(unsupported(ty)),
            };
            Ok(T::DictionaryType(proto::DictionaryFeatureType { key_type: Some(key_type) }))
        }
        _ => Err(unsupported(ty)),
    }
}

/// A function that yields a class and a dictionary is a classifier, which the description says by name.
fn classifier(described: &mut proto::FunctionDescription) {
    use feature_type::Type as T;
    let named = |wanted: fn(&T) -> bool| {
        let of = |f: &proto::FeatureDescription| {
            f.r#type.as_ref().and_then(|t| t.r#type.as_ref()).is_some_and(wanted)
        };
        described.output.iter().find(|f| of(f)).map(|f| f.name.clone())
    };
    let class = named(|t| matches!(t, T::StringType(_) | T::Int64Type(_)));
    let probabilities = named(|t| matches!(t, T::DictionaryType(_)));
    if let (Some(class), Some(probabilities)) = (class, probabilities) {
        described.predicted_feature_name = class;
        described.predicted_probabilities_name = probabilities;
    }
}

fn add(
    features: &mut Vec<proto::FeatureDescription>,
    f: &Function,
    name: &Name,
    ty: Result<feature_type::Type, Diagnostic>,
    errors: &mut Vec<Diagnostic>,
) {
    match ty {
        Ok(ty) => features.push(proto::FeatureDescription {
            name: name.to_string(),
            r#type: Some(proto::FeatureType { is_optional: false, r#type: Some(ty) }),
            ..Default::default()
        }),
        Err(error) => {
            let function = Some(f.name.clone());
            let place = Place { function, argument: Some(name.clone()), ..Place::default() };
            errors.push(error.label(Label::place(place, "")));
        }
    }
}

fn unsupported(ty: &Type) -> Diagnostic {
    Diagnostic::error(codes::PACKAGE_FEATURE_TYPE, format!("Core ML cannot pass {ty} in or out of a model"))
        .help("inputs and outputs of a package are tensors of fp16, fp32, fp64, int8 or int32: cast inside the function")
}

/// An array feature of the default shape, if every size is known; else of no particular shape.
fn fixed(t: &TensorType) -> Result<proto::ArrayFeatureType, Diagnostic> {
    use array::ArrayDataType as D;
    let data_type = match t.dtype {
        DType::Fp16 => D::Float16,
        DType::Fp32 => D::Float32,
        DType::Fp64 => D::Double,
        DType::Int8 => D::Int8,
        DType::Int32 => D::Int32,
        _ => return Err(unsupported(&Type::Tensor(t.clone()))),
    };
    let shape = t.shape.sizes().unwrap_or_default();
    Ok(proto::ArrayFeatureType {
        shape: shape.iter().map(|&n| signed(n)).collect(),
        data_type: data_type.into(),
        ..Default::default()
    })
}

fn input(
    t: &TensorType,
    stated: Option<(&[usize], &Flexibility)>,
) -> Result<proto::ArrayFeatureType, Diagnostic> {
    use array::{EnumeratedShapes, Shape, ShapeFlexibility as F, ShapeRange};
    let mut feature = fixed(t)?;
    let any = Flexibility::Ranges(t.shape.iter().map(|d| (d.known().unwrap_or(1), d.known())).collect());
    let smallest: Vec<usize> = t.shape.iter().map(|d| d.known().unwrap_or(1)).collect();
    let (default, shapes) = match stated {
        Some((default, shapes)) if default.len() == t.shape.rank() => (default, shapes),
        _ if t.shape.sizes().is_some() => return Ok(feature),
        _ => (smallest.as_slice(), &any),
    };
    feature.shape = default.iter().map(|&n| signed(n)).collect();
    feature.shape_flexibility = match shapes {
        Flexibility::Fixed => None,
        Flexibility::Ranges(ranges) => {
            let range = |&(low, high): &(usize, Option<usize>)| proto::SizeRange {
                lower_bound: low as u64,
                upper_bound: high.map_or(-1, signed),
            };
            Some(F::ShapeRange(ShapeRange { size_ranges: ranges.iter().map(range).collect() }))
        }
        Flexibility::Enumerated(shapes) => {
            let shape = |s: &Vec<usize>| Shape { shape: s.iter().map(|&n| signed(n)).collect() };
            Some(F::EnumeratedShapes(EnumeratedShapes { shapes: shapes.iter().map(shape).collect() }))
        }
    };
    Ok(feature)
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
