//! `metadata.json` of a bundle as the description a package would have.
//!
//! It is an array of one object; numbers and shapes are strings. Default values of optional inputs are not in it.

use crate::codes;
use crate::package::proto::{
    self, array_feature_type as array, feature_type, image_feature_type as image, state_feature_type,
};
use mil_base::Diagnostic;
use serde_json::{Map, Value};

/// What a bundle says about its model.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// 6 for iOS 15, one more for each op set since; 0 if not said.
    pub specification_version: i32,
    /// Inputs, outputs, states, functions and metadata.
    pub description: proto::ModelDescription,
}

/// Reads the text of a `metadata.json`. Fields that are missing or not as expected are left empty.
///
/// Error: `bundle/metadata-syntax`.
pub fn read(bytes: &[u8]) -> Result<Metadata, Diagnostic> {
    let broken = |what: &str| {
        Diagnostic::error(codes::BUNDLE_METADATA_SYNTAX, format!("metadata.json {what}"))
            .help("remove the file to go on without it")
    };
    let json: Value =
        serde_json::from_slice(bytes).map_err(|e| broken(&format!("is not valid JSON: {e}")))?;
    let root = match &json {
        Value::Array(items) => items.first().and_then(Value::as_object),
        other => other.as_object(),
    };
    let root = root.ok_or_else(|| broken("has no object in it"))?;
    let version = root.get("specificationVersion").and_then(Value::as_i64);
    Ok(Metadata {
        specification_version: version.and_then(|v| i32::try_from(v).ok()).unwrap_or(0),
        description: description(root),
    })
}

fn description(root: &Map<String, Value>) -> proto::ModelDescription {
    let functions = objects(root, "functions").map(|f| proto::FunctionDescription {
        name: text(f, "name"),
        input: features(f, "inputSchema"),
        output: features(f, "outputSchema"),
        state: features(f, "stateSchema"),
        ..Default::default()
    });
    let functions: Vec<_> = functions.filter(|f| !f.name.is_empty()).collect();
    let mut description = proto::ModelDescription {
        default_function_name: text(root, "defaultFunctionName"),
        metadata: Some(metadata(root)),
        predicted_feature_name: text(root, "predictedFeatureName"),
        ..Default::default()
    };
    // A model says its interface at the top or by function, never both, unless its specification is older than that.
    if functions.is_empty() || description.default_function_name.is_empty() {
        description.input = features(root, "inputSchema");
        description.output = features(root, "outputSchema");
        description.state = features(root, "stateSchema");
    } else {
        description.functions = functions;
    }
    description
}

fn metadata(root: &Map<String, Value>) -> proto::Metadata {
    let user = root.get("userDefinedMetadata").and_then(Value::as_object);
    proto::Metadata {
        short_description: text(root, "shortDescription"),
        version_string: text(root, "version"),
        author: text(root, "author"),
        license: text(root, "license"),
        user_defined: user
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
            .collect(),
    }
}

fn features(object: &Map<String, Value>, key: &str) -> Vec<proto::FeatureDescription> {
    objects(object, key)
        .map(|f| proto::FeatureDescription {
            name: text(f, "name"),
            short_description: text(f, "shortDescription"),
            r#type: Some(proto::FeatureType { is_optional: text(f, "isOptional") == "1", r#type: kind(f) }),
        })
        .collect()
}

fn kind(f: &Map<String, Value>) -> Option<feature_type::Type> {
    use feature_type::Type as T;
    Some(match text(f, "type").as_str() {
        "MultiArray" => T::MultiArrayType(array(f)),
        "State" => T::StateType(proto::StateFeatureType {
            r#type: Some(state_feature_type::Type::ArrayType(array(f))),
        }),
        "Image" => T::ImageType(image(f)),
        "Int64" => T::Int64Type(Default::default()),
        "Double" => T::DoubleType(Default::default()),
        "String" => T::StringType(Default::default()),
        "Dictionary" => T::DictionaryType(Default::default()),
        "Sequence" => T::SequenceType(Default::default()),
        _ => return None,
    })
}

fn array(f: &Map<String, Value>) -> proto::ArrayFeatureType {
    use array::{ArrayDataType as D, ShapeFlexibility as F};
    let ranges = numbers::<Vec<Vec<i64>>>(f, "shapeRange").map(|ranges| {
        F::ShapeRange(array::ShapeRange { size_ranges: ranges.iter().map(|r| range(r)).collect() })
    });
    let enumerated = numbers::<Vec<Vec<i64>>>(f, "enumeratedShapes").map(|shapes| {
        let shapes = shapes.into_iter().map(|shape| array::Shape { shape }).collect();
        F::EnumeratedShapes(array::EnumeratedShapes { shapes })
    });
    proto::ArrayFeatureType {
        shape: numbers(f, "shape").unwrap_or_default(),
        data_type: match text(f, "dataType").as_str() {
            "Float16" => D::Float16,
            "Float32" => D::Float32,
            "Double" | "Float64" => D::Double,
            "Int8" => D::Int8,
            "Int32" => D::Int32,
            _ => D::InvalidArrayDataType,
        }
        .into(),
        shape_flexibility: ranges.or(enumerated),
        default_optional_value: None,
    }
}

fn image(f: &Map<String, Value>) -> proto::ImageFeatureType {
    use image::{ColorSpace as C, SizeFlexibility as F};
    let colors = text(f, "colorspace").to_ascii_uppercase();
    let ranges = numbers::<Vec<Vec<i64>>>(f, "sizeRange").filter(|r| r.len() == 2).map(|r| {
        F::ImageSizeRange(image::ImageSizeRange {
            width_range: Some(range(&r[0])),
            height_range: Some(range(&r[1])),
        })
    });
    proto::ImageFeatureType {
        width: text(f, "width").parse().unwrap_or(0),
        height: text(f, "height").parse().unwrap_or(0),
        color_space: match colors.as_str() {
            "RGB" => C::Rgb,
            "BGR" => C::Bgr,
            "GRAYSCALEFLOAT16" | "GRAYSCALE16HALF" => C::GrayscaleFloat16,
            _ if colors.starts_with("GRAY") => C::Grayscale,
            _ => C::InvalidColorSpace,
        }
        .into(),
        size_flexibility: ranges,
    }
}

fn range(bounds: &[i64]) -> proto::SizeRange {
    let bound = |i: usize| bounds.get(i).copied();
    proto::SizeRange {
        lower_bound: bound(0).and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        upper_bound: bound(1).unwrap_or(-1),
    }
}

/// A shape or list of shapes, which is JSON inside a string.
fn numbers<T: serde::de::DeserializeOwned>(object: &Map<String, Value>, key: &str) -> Option<T> {
    serde_json::from_str(object.get(key)?.as_str()?).ok()
}

fn objects<'j>(object: &'j Map<String, Value>, key: &str) -> impl Iterator<Item = &'j Map<String, Value>> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn text(object: &Map<String, Value>, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{Colors, FeatureKind, Flexibility, Interface};
    use mil_base::DType;

    #[test]
    fn every_kind_of_feature_is_understood() {
        let text = br#"[{"specificationVersion": 9, "author": "me", "inputSchema": [
            {"name": "image", "type": "Image", "width": "32", "height": "16", "colorspace": "BGR"},
            {"name": "x", "type": "MultiArray", "dataType": "Float16", "shape": "[1, 4]", "isOptional": "1",
             "hasShapeFlexibility": "1", "shapeRange": "[[1, 1], [1, -1]]"}],
            "outputSchema": [{"name": "y", "type": "MultiArray", "dataType": "Int32", "shape": "[]"}],
            "stateSchema": [{"name": "kept", "type": "State", "dataType": "Float16", "shape": "[1, 8]"}],
            "userDefinedMetadata": {"a": "b"}}]"#;
        let metadata = read(text).unwrap();
        assert_eq!(metadata.specification_version, 9);
        let said = metadata.description.metadata.as_ref().unwrap();
        assert_eq!((said.author.as_str(), said.user_defined["a"].as_str()), ("me", "b"));
        let main = Interface::of(&metadata.description, "main");
        let FeatureKind::Image(image) = &main.inputs[0].kind else { panic!() };
        assert_eq!((image.width, image.height, image.colors), (32, 16, Colors::Bgr));
        let FeatureKind::MultiArray(x) = &main.inputs[1].kind else { panic!() };
        assert_eq!(x.flexibility, Flexibility::Ranges(vec![(1, Some(1)), (1, None)]));
        assert!(main.inputs[1].optional);
        let FeatureKind::State(kept) = &main.states[0].kind else { panic!() };
        assert_eq!((kept.dtype, kept.shape.as_slice()), (Some(DType::Fp16), &[1, 8][..]));
    }

    #[test]
    fn what_is_no_metadata_is_named() {
        for text in ["", "[]", "7", "[["] {
            assert_eq!(read(text.as_bytes()).unwrap_err().code, "bundle/metadata-syntax", "{text}");
        }
    }
}
