//! The features of a description as entries of `metadata.json`.

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
    let formatted = if detail.is_empty() { kind.to_owned() } else { format!("{kind} ({detail})") };
    entry.insert("formattedType".into(), formatted.into());
    entry.insert("isOptional".into(), flag(ty.is_some_and(|t| t.is_optional)));
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
    entry.insert("shape".into(), listed(&t.shape).into());
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
    format!("{dtype} {}", times(&t.shape)).trim_end().to_owned()
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
    entry.insert("itemType".into(), item.into());
    item.to_owned()
}

/// Ranges as JSON in a text, and in words.
fn ranges(ranges: &[proto::SizeRange]) -> (String, String) {
    let pair = |r: &proto::SizeRange| format!("[{}, {}]", r.lower_bound, r.upper_bound);
    let word = |r: &proto::SizeRange| match u64::try_from(r.upper_bound) {
        Ok(upper) if upper == r.lower_bound => upper.to_string(),
        Ok(upper) => format!("{}...{upper}", r.lower_bound),
        Err(_) => format!("{}...", r.lower_bound),
    };
    let pairs: Vec<String> = ranges.iter().map(pair).collect();
    let words: Vec<String> = ranges.iter().map(word).collect();
    (format!("[{}]", pairs.join(", ")), words.join(" × "))
}

fn listed(shape: &[i64]) -> String {
    let sizes: Vec<String> = shape.iter().map(i64::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

fn times(shape: &[i64]) -> String {
    let sizes: Vec<String> = shape.iter().map(i64::to_string).collect();
    sizes.join(" × ")
}
