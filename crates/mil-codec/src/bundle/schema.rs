//! The features of a description as entries of `metadata.json`.
//!
//! Seen in bundles by Apple's compiler: multi-arrays, fixed, with ranges and enumerated. By the source of an older compiler
//! (`mlmodel/src/DataType.cpp` of coremltools 6, `FeatureType::toDictionary` and `toString`): images, dictionaries, sequences,
//! default shapes that only the flexibility says, the `?` of what is optional. Guesses: states, which that source has not, are
//! spelt like multi-arrays; the word `Color`, and everything about grey images of fp16. Core ML does not load from this file.

use crate::package::proto::{
    self, array_feature_type as array, dictionary_feature_type as dictionary, feature_type,
    image_feature_type as image, sequence_feature_type as sequence, state_feature_type,
};
use serde_json::{Map, Value, json};

/// The entries of a list of inputs, outputs or states.
pub(super) fn features(list: &[proto::FeatureDescription]) -> Value {
    Value::Array(list.iter().map(feature).collect())
}

fn feature(feature: &proto::FeatureDescription) -> Value {
    use feature_type::Type as T;
    let ty = feature.r#type.as_ref();
    let mut entry = Map::new();
    let (kind, detail) = match ty.and_then(|t| t.r#type.as_ref()) {
        Some(T::MultiArrayType(t)) => ("MultiArray", array(&mut entry, t)),
        Some(T::StateType(t)) => {
            let empty = proto::ArrayFeatureType::default();
            let inner = match &t.r#type {
                Some(state_feature_type::Type::ArrayType(inner)) => inner,
                None => &empty,
            };
            ("State", array(&mut entry, inner))
        }
        Some(T::ImageType(t)) => ("Image", image(&mut entry, t)),
        Some(T::DictionaryType(t)) => ("Dictionary", dictionary(&mut entry, t)),
        Some(T::SequenceType(t)) => ("Sequence", sequence(&mut entry, t)),
        Some(T::Int64Type(_)) => ("Int64", String::new()),
        Some(T::DoubleType(_)) => ("Double", String::new()),
        Some(T::StringType(_)) => ("String", String::new()),
        None => ("Invalid", String::new()),
    };
    let optional = ty.is_some_and(|t| t.is_optional);
    let mut formatted = if detail.is_empty() { kind.to_owned() } else { format!("{kind} ({detail})") };
    formatted.push_str(if optional { "?" } else { "" });
    entry.insert("formattedType".into(), formatted.into());
    entry.insert("isOptional".into(), flag(optional));
    entry.insert("name".into(), feature.name.as_str().into());
    entry.insert("shortDescription".into(), feature.short_description.as_str().into());
    entry.insert("type".into(), kind.into());
    Value::Object(entry)
}

/// A truth as `metadata.json` spells it.
pub(super) fn flag(value: bool) -> Value {
    json!(if value { "1" } else { "0" })
}

fn array(entry: &mut Map<String, Value>, t: &proto::ArrayFeatureType) -> String {
    use array::{ArrayDataType as D, ShapeFlexibility as F};
    let dtype = match D::try_from(t.data_type) {
        Ok(D::Float16) => "Float16",
        Ok(D::Float32) => "Float32",
        Ok(D::Double) => "Double",
        Ok(D::Int8) => "Int8",
        Ok(D::Int32) => "Int32",
        _ => "Invalid",
    };
    entry.insert("dataType".into(), dtype.into());
    entry.insert("hasShapeFlexibility".into(), flag(t.shape_flexibility.is_some()));
    let shape = default_shape(t);
    entry.insert("shape".into(), listed(&shape).into());
    match &t.shape_flexibility {
        None => {}
        Some(F::ShapeRange(r)) => {
            let (ranges, words) = ranges(&r.size_ranges);
            entry.insert("shapeRange".into(), ranges.into());
            entry.insert("shapeFlexibility".into(), words.into());
        }
        Some(F::EnumeratedShapes(e)) => {
            let shapes: Vec<String> = e.shapes.iter().map(|s| listed(&s.shape)).collect();
            let words: Vec<String> = e.shapes.iter().map(|s| times(&s.shape)).collect();
            entry.insert("enumeratedShapes".into(), format!("[{}]", shapes.join(", ")).into());
            entry.insert("shapeFlexibility".into(), words.join(" | ").into());
        }
    }
    format!("{dtype} {}", times(&shape)).trim_end().to_owned()
}

/// The shape that is said, else the first or smallest that is allowed.
fn default_shape(t: &proto::ArrayFeatureType) -> Vec<i64> {
    use array::ShapeFlexibility as F;
    if !t.shape.is_empty() {
        return t.shape.clone();
    }
    let lowest = |r: &proto::SizeRange| i64::try_from(r.lower_bound).unwrap_or(i64::MAX);
    match &t.shape_flexibility {
        None => Vec::new(),
        Some(F::EnumeratedShapes(e)) => e.shapes.first().map_or_else(Vec::new, |s| s.shape.clone()),
        Some(F::ShapeRange(r)) => r.size_ranges.iter().map(lowest).collect(),
    }
}

fn image(entry: &mut Map<String, Value>, t: &proto::ImageFeatureType) -> String {
    use image::{ColorSpace as C, SizeFlexibility as F};
    let (colors, formatted) = match C::try_from(t.color_space) {
        Ok(C::Rgb) => ("RGB", "Color"),
        Ok(C::Bgr) => ("BGR", "Color"),
        Ok(C::Grayscale) => ("Grayscale", "Grayscale"),
        Ok(C::GrayscaleFloat16) => ("GrayscaleFloat16", "GrayscaleFloat16"),
        _ => ("Invalid", "Invalid"),
    };
    entry.insert("colorspace".into(), colors.into());
    entry.insert("isColor".into(), flag(formatted == "Color"));
    entry.insert("width".into(), t.width.to_string().into());
    entry.insert("height".into(), t.height.to_string().into());
    entry.insert("hasSizeFlexibility".into(), flag(t.size_flexibility.is_some()));
    match &t.size_flexibility {
        None => {}
        Some(F::ImageSizeRange(r)) => {
            let pair = [r.width_range.unwrap_or_default(), r.height_range.unwrap_or_default()];
            let (ranges, words) = ranges(&pair);
            entry.insert("sizeRange".into(), ranges.into());
            entry.insert("sizeFlexibility".into(), words.into());
        }
        Some(F::EnumeratedSizes(e)) => {
            let sizes: Vec<String> = e.sizes.iter().map(|s| format!("[{}, {}]", s.width, s.height)).collect();
            let words: Vec<String> = e.sizes.iter().map(|s| format!("{} × {}", s.width, s.height)).collect();
            entry.insert("enumeratedSizes".into(), format!("[{}]", sizes.join(", ")).into());
            entry.insert("sizeFlexibility".into(), words.join(" | ").into());
        }
    }
    format!("{formatted} {} × {}", t.width, t.height)
}

fn dictionary(entry: &mut Map<String, Value>, t: &proto::DictionaryFeatureType) -> String {
    let key = match t.key_type {
        Some(dictionary::KeyType::Int64KeyType(_)) => "Int64",
        Some(dictionary::KeyType::StringKeyType(_)) => "String",
        None => "Invalid",
    };
    entry.insert("keyType".into(), key.into());
    format!("{key} → Double")
}

fn sequence(entry: &mut Map<String, Value>, t: &proto::SequenceFeatureType) -> String {
    let item = match t.r#type {
        Some(sequence::Type::Int64Type(_)) => "Int64",
        Some(sequence::Type::StringType(_)) => "String",
        None => "Invalid",
    };
    let range = t.size_range.unwrap_or_default();
    entry.insert("valueType".into(), item.into());
    entry.insert("sizeRange".into(), pair(&range).into());
    format!("{item} {}", words(&range))
}

/// Ranges as JSON in a text, and in words.
fn ranges(ranges: &[proto::SizeRange]) -> (String, String) {
    let pairs: Vec<String> = ranges.iter().map(pair).collect();
    let words: Vec<String> = ranges.iter().map(words).collect();
    (format!("[{}]", pairs.join(", ")), words.join(" × "))
}

fn pair(r: &proto::SizeRange) -> String {
    format!("[{}, {}]", r.lower_bound, r.upper_bound)
}

fn words(r: &proto::SizeRange) -> String {
    match u64::try_from(r.upper_bound) {
        Ok(upper) if upper == r.lower_bound => upper.to_string(),
        Ok(upper) => format!("{}...{upper}", r.lower_bound),
        Err(_) => format!("{}...", r.lower_bound),
    }
}

fn listed(shape: &[i64]) -> String {
    let sizes: Vec<String> = shape.iter().map(i64::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

fn times(shape: &[i64]) -> String {
    let sizes: Vec<String> = shape.iter().map(i64::to_string).collect();
    sizes.join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use feature_type::Type as T;

    fn entry(is_optional: bool, kind: T) -> Value {
        let r#type = Some(proto::FeatureType { is_optional, r#type: Some(kind) });
        feature(&proto::FeatureDescription { name: "f".into(), r#type, ..Default::default() })
    }

    /// As `FeatureType::toDictionary` and `toString` of coremltools' `DataType.cpp` have it.
    #[test]
    fn entries_are_those_of_apple_s_source() {
        let range = |lower_bound, upper_bound| proto::SizeRange { lower_bound, upper_bound };
        let flexibility = array::ShapeFlexibility::ShapeRange(array::ShapeRange {
            size_ranges: vec![range(1, 1), range(2, -1)],
        });
        let said = entry(
            true,
            T::MultiArrayType(proto::ArrayFeatureType {
                data_type: array::ArrayDataType::Float32.into(),
                shape_flexibility: Some(flexibility),
                ..Default::default()
            }),
        );
        assert_eq!(said["formattedType"], "MultiArray (Float32 1 × 2)?");
        assert_eq!((&said["shape"], &said["isOptional"]), (&json!("[1, 2]"), &json!("1")));
        assert_eq!(
            (&said["shapeRange"], &said["shapeFlexibility"]),
            (&json!("[[1, 1], [2, -1]]"), &json!("1 × 2..."))
        );

        let kind = sequence::Type::StringType(Default::default());
        let said = entry(
            false,
            T::SequenceType(proto::SequenceFeatureType { size_range: Some(range(0, 9)), r#type: Some(kind) }),
        );
        assert_eq!(said["formattedType"], "Sequence (String 0...9)");
        assert_eq!((&said["valueType"], &said["sizeRange"]), (&json!("String"), &json!("[0, 9]")));

        let key_type = Some(dictionary::KeyType::Int64KeyType(Default::default()));
        let said = entry(false, T::DictionaryType(proto::DictionaryFeatureType { key_type }));
        assert_eq!(
            (&said["keyType"], &said["formattedType"]),
            (&json!("Int64"), &json!("Dictionary (Int64 → Double)"))
        );

        let colors = |space: image::ColorSpace| {
            let size = proto::ImageFeatureType {
                width: 6,
                height: 8,
                color_space: space.into(),
                ..Default::default()
            };
            let said = entry(false, T::ImageType(size));
            assert_eq!((&said["width"], &said["height"]), (&json!("6"), &json!("8")));
            [&said["colorspace"], &said["isColor"], &said["hasSizeFlexibility"]]
                .map(|v| v.as_str().unwrap().to_owned())
        };
        assert_eq!(colors(image::ColorSpace::Bgr), ["BGR", "1", "0"]);
        assert_eq!(colors(image::ColorSpace::Grayscale), ["Grayscale", "0", "0"]);
    }
}
