//! What a model's description adds to its program: images, classes, inputs that may be left out. From packages and bundles.

use mil_codec::package::proto::{
    ArrayFeatureType, DictionaryFeatureType, FeatureDescription, FeatureType, ImageFeatureType,
    ModelDescription, SizeRange,
    array_feature_type::{ArrayDataType, DefaultOptionalValue},
    dictionary_feature_type::KeyType,
    feature_type::Type as Feature,
    image_feature_type::{ColorSpace, ImageSizeRange, SizeFlexibility},
};
use milwright::{
    Description, LoadOptions, Model, OpenOptions, Pixels, Ranking, SaveOptions, Sizing, Tensor, open_text,
    save,
};
use std::path::PathBuf;

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn feature(name: &str, is_optional: bool, ty: Feature) -> FeatureDescription {
    let ty = FeatureType { is_optional, r#type: Some(ty) };
    FeatureDescription { name: name.into(), r#type: Some(ty), ..Default::default() }
}

/// The model saved as a package and as a bundle, and loaded from there.
fn both(name: &str, source: &str, model: ModelDescription) -> [Model; 2] {
    let opened = open_text("features.mil", source.to_owned(), ".", &OpenOptions::default()).unwrap();
    let description = Description { specification_version: 9, is_updatable: false, model };
    let options = SaveOptions { description: Some(&description), ..Default::default() };
    ["mlpackage", "mlmodelc"].map(|end| {
        let path = place(&format!("{name}.{end}"));
        assert_eq!(save(&path, &opened.program, &options).unwrap(), []);
        Model::load(path, &LoadOptions { threads: Some(1), ..Default::default() })
            .unwrap_or_else(|f| panic!("{f}"))
    })
}

fn image(color_space: ColorSpace, flexible: bool) -> Feature {
    let range = |lower_bound, upper_bound| Some(SizeRange { lower_bound, upper_bound });
    Feature::ImageType(ImageFeatureType {
        width: 2,
        height: 1,
        color_space: color_space.into(),
        size_flexibility: flexible.then(|| {
            SizeFlexibility::ImageSizeRange(ImageSizeRange {
                width_range: range(1, 3),
                height_range: range(1, -1),
            })
        }),
    })
}

const NEGATIVE: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [1, 3, 1, 2]> photo, tensor<fp32, [1]> shift) {
            tensor<fp32, [1, 3, 1, 2]> kept = sub(x = fp32(255.0), y = photo);
            tensor<fp32, [1, 3, 1, 2]> negative = add(x = kept, y = shift);
        } -> (negative);
}"#;

#[test]
fn an_image_goes_in_and_out_in_the_colours_of_the_description() {
    let shift = ArrayFeatureType {
        shape: vec![1],
        data_type: ArrayDataType::Float32.into(),
        default_optional_value: Some(DefaultOptionalValue::FloatDefaultValue(-5.0)),
        ..Default::default()
    };
    let model = ModelDescription {
        input: vec![
            feature("photo", false, image(ColorSpace::Bgr, false)),
            feature("shift", true, Feature::MultiArrayType(shift)),
        ],
        output: vec![feature("negative", false, image(ColorSpace::Rgb, false))],
        ..Default::default()
    };
    let photo = place("photo.png");
    let pixels = Pixels::new(2, 1, 3, vec![255, 10, 0, 100, 110, 120]).unwrap();
    pixels.write_png(&photo).unwrap();
    assert_eq!(Pixels::read(&photo).unwrap(), pixels);
    for model in both("negative", NEGATIVE, model) {
        let taken = model.image_input("photo", &Pixels::read(&photo).unwrap(), Sizing::Exact).unwrap();
        assert_eq!(taken.to_f64(), [0.0, 120.0, 10.0, 110.0, 255.0, 100.0], "blue first");
        let outputs = model.session().unwrap().run(&[("photo".to_owned(), taken)]).unwrap();
        let negative = model.image_output("negative", &outputs[0].1).unwrap();
        // The program's first channel is blue going in and called red coming out; 5 is the default of what was left out.
        assert_eq!(negative.data(), [250, 240, 0, 130, 140, 150]);

        let large = Pixels::new(4, 2, 1, vec![9; 8]).unwrap();
        let error = model.image_input("photo", &large, Sizing::Exact).unwrap_err();
        assert_eq!(error.code, "image/size");
        assert!(error.message.contains("4 x 2") && error.message.contains("2 x 1"), "{}", error.message);
        let stretched = model.image_input("photo", &large, Sizing::Stretch).unwrap();
        assert_eq!((stretched.shape(), stretched.to_f64()), (&[1, 3, 1, 2][..], vec![9.0; 6]));
        assert_eq!(model.image_input("shift", &large, Sizing::Exact).unwrap_err().code, "image/not-an-image");
    }
}

#[test]
fn an_image_of_open_size_is_taken_as_it_is() {
    let source = NEGATIVE
        .replace("[1, 3, 1, 2]", "[1, 1, ?, ?]")
        .replace(", tensor<fp32, [1]> shift", "")
        .replace("y = shift", "y = fp32(0.0)");
    let model = ModelDescription {
        input: vec![feature("photo", false, image(ColorSpace::Grayscale, true))],
        output: vec![feature("negative", false, image(ColorSpace::Grayscale, true))],
        ..Default::default()
    };
    for model in both("open", &source, model) {
        let pixels = |width, height| Pixels::new(width, height, 3, vec![50; 3 * width * height]).unwrap();
        for (width, height) in [(1, 7), (3, 1), (2, 2)] {
            let taken = model.image_input("photo", &pixels(width, height), Sizing::Exact).unwrap();
            assert_eq!(taken.shape(), [1, 1, height, width]);
            let outputs = model.session().unwrap().run(&[("photo".to_owned(), taken)]).unwrap();
            let negative = model.image_output("negative", &outputs[0].1).unwrap();
            assert_eq!(negative, Pixels::new(width, height, 1, vec![205; width * height]).unwrap());
        }
        let error = model.image_input("photo", &pixels(4, 1), Sizing::Exact).unwrap_err();
        assert!(error.message.contains("1 to 3") && error.message.contains("1 or more"), "{}", error.message);
    }
}

const CLASSIFIER: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [3]> logits) {
            tensor<fp32, [3]> p = softmax(axis = int32(0), x = logits);
            list<string, 3> names = const()[val = list<string, 3>(["ant", "bee", "cat"])];
            string label, dict<string, fp64> odds = classify(classes = names, probabilities = p);
        } -> (label, odds);
}"#;

#[test]
fn a_classifier_gives_its_classes_in_order() {
    let array =
        ArrayFeatureType { shape: vec![3], data_type: ArrayDataType::Float32.into(), ..Default::default() };
    let key_type = Some(KeyType::StringKeyType(Default::default()));
    let model = ModelDescription {
        input: vec![feature("logits", false, Feature::MultiArrayType(array))],
        output: vec![
            feature("label", false, Feature::StringType(Default::default())),
            feature("odds", false, Feature::DictionaryType(DictionaryFeatureType { key_type })),
        ],
        predicted_feature_name: "label".into(),
        predicted_probabilities_name: "odds".into(),
        ..Default::default()
    };
    for model in both("classifier", CLASSIFIER, model) {
        let interface = model.interface().unwrap();
        assert_eq!(interface.predicted_feature.as_deref(), Some("label"));
        assert_eq!(interface.predicted_probabilities.as_deref(), Some("odds"));
        let logits = Tensor::from_f32(&[3], &[0.0, 2.0, 1.0]).unwrap();
        let outputs = model.session().unwrap().run(&[("logits".to_owned(), logits)]).unwrap();
        let label = &outputs.iter().find(|(n, _)| n == "label").unwrap().1;
        assert_eq!(label.item_str(), Some("bee"));
        let [ranking] = Ranking::all(&outputs).try_into().unwrap();
        let names: Vec<&str> = ranking.classes.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["bee", "cat", "ant"]);
    }
}
