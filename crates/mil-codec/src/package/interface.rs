//! What a model's description says about the inputs, outputs and states of a function, for reading.
//!
//! The description itself stays a protobuf message ([`super::Package::description`]), so that nothing is lost when it
//! is written again.

use super::proto::{self, array_feature_type as array, feature_type, image_feature_type as image};
use mil_base::DType;

/// Inputs, outputs and states of one function.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Interface {
    /// What `predict` takes.
    pub inputs: Vec<Feature>,
    /// What it gives.
    pub outputs: Vec<Feature>,
    /// What it remembers.
    pub states: Vec<Feature>,
    /// The output that holds a classifier's class.
    pub predicted_feature: Option<String>,
    /// The output that holds a classifier's probabilities.
    pub predicted_probabilities: Option<String>,
}

/// One input, output or state.
#[derive(Clone, PartialEq, Debug)]
pub struct Feature {
    /// The name of the function's parameter or output.
    pub name: String,
    /// For people.
    pub description: String,
    /// May it be left out?
    pub optional: bool,
    /// What it is.
    pub kind: FeatureKind,
}

/// What kind of thing a [`Feature`] is.
#[derive(Clone, PartialEq, Debug)]
pub enum FeatureKind {
    /// An integer.
    Int64,
    /// A float.
    Double,
    /// A text.
    String,
    /// A tensor.
    MultiArray(ArrayFeature),
    /// An image; the program gets a tensor `[1, channels, height, width]`.
    Image(ImageFeature),
    /// A dictionary, as classifiers give.
    Dictionary,
    /// A sequence of integers or texts.
    Sequence,
    /// A tensor that lives from one prediction to the next.
    State(ArrayFeature),
    /// Something newer than this program.
    Unknown,
}

/// A tensor as the description has it.
#[derive(Clone, PartialEq, Debug)]
pub struct ArrayFeature {
    /// Element type; Core ML's multi-arrays have fp16, fp32, fp64, int8 and int32 only.
    pub dtype: Option<DType>,
    /// The default shape.
    pub shape: Vec<usize>,
    /// Other shapes allowed.
    pub flexibility: Flexibility,
    /// Every element's value when an optional input is left out.
    pub default: Option<f64>,
}

/// An image as the description has it.
#[derive(Clone, PartialEq, Debug)]
pub struct ImageFeature {
    /// Default width in pixels.
    pub width: usize,
    /// Default height in pixels.
    pub height: usize,
    /// Colours and their order.
    pub colors: Colors,
    /// Other sizes allowed, as `[height, width]`.
    pub flexibility: Flexibility,
}

/// The colours of an image and their order in the tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colors {
    /// One channel of bytes.
    Grayscale,
    /// One channel of fp16.
    GrayscaleFp16,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Not said.
    Unknown,
}

impl Colors {
    /// Channels of the tensor.
    pub fn channels(self) -> usize {
        match self {
            Colors::Grayscale | Colors::GrayscaleFp16 => 1,
            Colors::Rgb | Colors::Bgr | Colors::Unknown => 3,
        }
    }
}

/// Which shapes besides the default one are allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flexibility {
    /// None.
    Fixed,
    /// For each dimension the lowest and highest size; no highest means without limit.
    Ranges(Vec<(usize, Option<usize>)>),
    /// These.
    Enumerated(Vec<Vec<usize>>),
}

impl Interface {
    /// The interface of the function `name`: its own description, or the model's when functions have none.
    pub fn of(description: &proto::ModelDescription, name: &str) -> Interface {
        let d = description;
        let some = |s: &String| Some(s.clone()).filter(|s| !s.is_empty());
        match d.functions.iter().find(|f| f.name == name) {
            Some(f) => Interface {
                inputs: features(&f.input),
                outputs: features(&f.output),
                states: features(&f.state),
                predicted_feature: some(&f.predicted_feature_name),
                predicted_probabilities: some(&f.predicted_probabilities_name),
            },
            None if d.functions.is_empty() => Interface {
                inputs: features(&d.input),
                outputs: features(&d.output),
                states: features(&d.state),
                predicted_feature: some(&d.predicted_feature_name),
                predicted_probabilities: some(&d.predicted_probabilities_name),
            },
            None => Interface::default(),
        }
    }
}

fn features(list: &[proto::FeatureDescription]) -> Vec<Feature> {
    list.iter()
        .map(|f| Feature {
            name: f.name.clone(),
            description: f.short_description.clone(),
            optional: f.r#type.as_ref().is_some_and(|t| t.is_optional),
            kind: kind(f.r#type.as_ref().and_then(|t| t.r#type.as_ref())),
        })
        .collect()
}

fn kind(ty: Option<&feature_type::Type>) -> FeatureKind {
    use feature_type::Type as T;
    match ty {
        Some(T::Int64Type(_)) => FeatureKind::Int64,
        Some(T::DoubleType(_)) => FeatureKind::Double,
        Some(T::StringType(_)) => FeatureKind::String,
        Some(T::ImageType(t)) => FeatureKind::Image(image_feature(t)),
        Some(T::MultiArrayType(t)) => FeatureKind::MultiArray(array_feature(t)),
        Some(T::DictionaryType(_)) => FeatureKind::Dictionary,
        Some(T::SequenceType(_)) => FeatureKind::Sequence,
        Some(T::StateType(t)) => match &t.r#type {
            Some(proto::state_feature_type::Type::ArrayType(a)) => FeatureKind::State(array_feature(a)),
            None => FeatureKind::Unknown,
        },
        None => FeatureKind::Unknown,
    }
}

/// Sizes, a negative one (which no valid model has) as 0.
fn sizes(shape: &[i64]) -> Vec<usize> {
    shape.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect()
}

fn range(r: &proto::SizeRange) -> (usize, Option<usize>) {
    (usize::try_from(r.lower_bound).unwrap_or(usize::MAX), usize::try_from(r.upper_bound).ok())
}

fn array_feature(t: &proto::ArrayFeatureType) -> ArrayFeature {
    use array::{ArrayDataType as D, DefaultOptionalValue as Default, ShapeFlexibility as F};
    ArrayFeature {
        dtype: match D::try_from(t.data_type) {
            Ok(D::Float16) => Some(DType::Fp16),
            Ok(D::Float32) => Some(DType::Fp32),
            Ok(D::Double) => Some(DType::Fp64),
            Ok(D::Int8) => Some(DType::Int8),
            Ok(D::Int32) => Some(DType::Int32),
            _ => None,
        },
        shape: sizes(&t.shape),
        flexibility: match &t.shape_flexibility {
            None => Flexibility::Fixed,
            Some(F::ShapeRange(r)) => Flexibility::Ranges(r.size_ranges.iter().map(range).collect()),
            Some(F::EnumeratedShapes(e)) => {
                Flexibility::Enumerated(e.shapes.iter().map(|s| sizes(&s.shape)).collect())
            }
        },
        default: t.default_optional_value.map(|v| match v {
            Default::IntDefaultValue(v) => f64::from(v),
            Default::FloatDefaultValue(v) => f64::from(v),
            Default::DoubleDefaultValue(v) => v,
        }),
    }
}

fn image_feature(t: &proto::ImageFeatureType) -> ImageFeature {
    use image::{ColorSpace as C, SizeFlexibility as F};
    let pixels = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let whole = proto::SizeRange { lower_bound: 1, upper_bound: -1 };
    ImageFeature {
        width: usize::try_from(t.width).unwrap_or(0),
        height: usize::try_from(t.height).unwrap_or(0),
        colors: match C::try_from(t.color_space) {
            Ok(C::Grayscale) => Colors::Grayscale,
            Ok(C::GrayscaleFloat16) => Colors::GrayscaleFp16,
            Ok(C::Rgb) => Colors::Rgb,
            Ok(C::Bgr) => Colors::Bgr,
            _ => Colors::Unknown,
        },
        flexibility: match &t.size_flexibility {
            None => Flexibility::Fixed,
            Some(F::EnumeratedSizes(e)) => Flexibility::Enumerated(
                e.sizes.iter().map(|s| vec![pixels(s.height), pixels(s.width)]).collect(),
            ),
            Some(F::ImageSizeRange(r)) => Flexibility::Ranges(vec![
                range(r.height_range.as_ref().unwrap_or(&whole)),
                range(r.width_range.as_ref().unwrap_or(&whole)),
            ]),
        },
    }
}
