//! Joining programs: an encoder split by layer, weights of equal paths, packages and their descriptions.

use milwright::{Link, LinkOptions, LoadOptions, Model, Opened, Random, Report, link, open};
use std::fs;
use std::path::{Path, PathBuf};

/// A new empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A weight of one layer in MIL text, other numbers for each layer and name.
fn weight(layer: u64, name: &str, sizes: &[usize], centre: f64) -> String {
    let seed = layer * 1000 + name.bytes().map(u64::from).sum::<u64>();
    let tensor = Random::new(seed).tensor(milwright::DType::Fp16, sizes).unwrap();
    let numbers: Vec<String> = tensor.to_f64().iter().map(|v| format!("{}", centre + v * 0.25)).collect();
    let rows: Vec<String> = match sizes {
        [_, columns] => numbers.chunks(*columns).map(|row| format!("[{}]", row.join(", "))).collect(),
        _ => numbers,
    };
    let ty = format!("tensor<fp16, {sizes:?}>");
    format!("{ty} {name} = const()[name = string(\"{name}\"), val = {ty}([{}])];", rows.join(", "))
}

/// One block of an encoder over 6 positions of width 16, the inner width 32: that of `examples/transformer_block.mil` with
/// a mask. It turns `x` into `y`.
fn block(layer: u64) -> String {
    let w = |name, sizes: &[usize], centre| weight(layer, name, sizes, centre);
    format!(
        r#"program(1.3)
{{
    func main<ios18>(tensor<fp32, [1, 6, 16]> x, tensor<fp16, [1, 1, 6, 6]> mask) {{
            tensor<fp16, [1, 6, 16]> x_fp16 = cast(dtype = string("fp16"), x = x);
            tensor<int32, [1]> last = const()[name = string("last"), val = tensor<int32, [1]>([-1])];
            fp16 epsilon = const()[name = string("epsilon"), val = fp16(1e-5)];
            {gamma1}
            {beta1}
            tensor<fp16, [1, 6, 16]> normed1 = layer_norm(axes = last, beta = beta1, epsilon = epsilon, gamma = gamma1, x = x_fp16);
            tensor<int32, [1]> head_axis = const()[name = string("head_axis"), val = tensor<int32, [1]>([1])];
            tensor<fp16, [1, 1, 6, 16]> head = expand_dims(axes = head_axis, x = normed1);
            tensor<fp16, [1, 1, 6, 16]> mixed = scaled_dot_product_attention(attn_mask = mask, key = head, query = head, value = head);
            tensor<fp16, [1, 6, 16]> attended = squeeze(axes = head_axis, x = mixed);
            tensor<fp16, [1, 6, 16]> a = add(x = x_fp16, y = attended);
            {gamma2}
            {beta2}
            tensor<fp16, [1, 6, 16]> normed2 = layer_norm(axes = last, beta = beta2, epsilon = epsilon, gamma = gamma2, x = a);
            {w1}
            {b1}
            tensor<fp16, [1, 6, 32]> widened = linear(bias = b1, weight = w1, x = normed2);
            tensor<fp16, [1, 6, 32]> activated = gelu(mode = string("TANH_APPROXIMATION"), x = widened);
            {w2}
            {b2}
            tensor<fp16, [1, 6, 16]> narrowed = linear(bias = b2, weight = w2, x = activated);
            tensor<fp16, [1, 6, 16]> y_fp16 = add(x = a, y = narrowed);
            tensor<fp32, [1, 6, 16]> y = cast(dtype = string("fp32"), x = y_fp16);
        }} -> (y);
}}"#,
        gamma1 = w("gamma1", &[16], 1.0),
        beta1 = w("beta1", &[16], 0.0),
        gamma2 = w("gamma2", &[16], 1.0),
        beta2 = w("beta2", &[16], 0.0),
        w1 = w("w1", &[32, 16], 0.0),
        b1 = w("b1", &[32], 0.0),
        w2 = w("w2", &[16, 32], 0.0),
        b2 = w("b2", &[16], 0.0),
    )
}

/// The blocks as packages; each has its own weights under the path that all packages use.
fn encoder(folder: &Path, layers: u64) -> Vec<Opened> {
    let made = (1..=layers).map(|layer| {
        let text = folder.join(format!("block_{layer}.mil"));
        fs::write(&text, block(layer)).unwrap();
        let package = folder.join(format!("block_{layer}.mlpackage"));
        milwright::save(&package, &open(&text).unwrap().program, &Default::default()).unwrap();
        assert!(package.join("Data/com.apple.CoreML/weights/weight.bin").exists());
        open(&package).unwrap()
    });
    made.collect()
}

fn chained() -> LinkOptions {
    LinkOptions { binds: vec!["y=x".parse().unwrap()], ..LinkOptions::default() }
}

fn linked(opened: Vec<Opened>, options: &LinkOptions) -> Link {
    link(opened, &[], options).unwrap_or_else(|reports| {
        panic!("{}", reports.iter().map(|r| r.text(false)).collect::<String>());
    })
}

type Named = Vec<(String, milwright::Tensor)>;

fn run(opened: Opened, inputs: &Named) -> Named {
    let model = Model::new(opened, &LoadOptions::default()).unwrap();
    model.session().unwrap().run(inputs).unwrap()
}

/// The chain as a user runs it: block after block, the output of one being the input of the next.
fn run_chain(blocks: &[Opened], inputs: &Named) -> Named {
    let mut next = inputs.clone();
    for block in blocks {
        let outputs = run(block.clone(), &next);
        next = vec![("x".to_owned(), outputs[0].1.clone()), inputs[1].clone()];
    }
    vec![("y".to_owned(), next[0].1.clone())]
}

#[test]
fn an_encoder_split_by_layer_is_one_plan_and_the_same_bits() {
    let folder = folder("encoder");
    let blocks = encoder(&folder, 12);
    let link = linked(blocks.clone(), &chained());
    assert!(link.warnings.is_empty());
    assert_eq!(link.wires().len(), 11);
    assert_eq!(link.wires()[4].output, "block_5:y");
    let f = link.checked.program().functions.iter().next().unwrap().1;
    let names =
        |values: &[_]| -> Vec<String> { values.iter().map(|&v| f.values[v].name.to_string()).collect() };
    assert_eq!(names(f.params()), ["x", "mask"]);
    assert_eq!(names(f.outputs()), ["y"]);

    let check = link.verify(1).unwrap();
    assert!(check.equal, "{check:?}");
    assert_eq!((check.plans, check.chain_plans), (1, 12));

    let random = &mut Random::new(2);
    let fp = |random: &mut Random, name: &str, dtype, sizes: &[usize]| {
        (name.to_owned(), random.tensor(dtype, sizes).unwrap())
    };
    let inputs = vec![
        fp(random, "x", milwright::DType::Fp32, &[1, 6, 16]),
        fp(random, "mask", milwright::DType::Fp16, &[1, 1, 6, 6]),
    ];
    let want = run_chain(&blocks, &inputs);
    assert!(want[0].1.to_f64().iter().all(|v| v.is_finite()));
    for out in ["encoder.mlpackage", "encoder.mil", "encoder.mlmodel"] {
        link.save(folder.join(out), false).unwrap();
        let again = open(folder.join(out)).unwrap();
        let got = run(again, &inputs);
        assert_eq!(got.len(), 1);
        assert_eq!((&*got[0].0, got[0].1.bytes()), ("y", want[0].1.bytes()), "{out}");
    }
    // One layer less is something else, so equal bits are no accident.
    assert_ne!(run_chain(&blocks[..11], &inputs)[0].1.bytes(), want[0].1.bytes());
}

#[test]
fn weights_of_one_file_stay_one_and_of_two_files_of_one_path_stay_two() {
    let folder = folder("link_weights");
    let blocks = encoder(&folder, 2);
    let size = |link: &Link, name: &str| {
        link.save(folder.join(format!("{name}.mil")), true).unwrap();
        fs::metadata(folder.join(format!("weights/{name}.bin"))).unwrap().len()
    };
    let twice = linked(vec![blocks[0].clone(), open(&blocks[0].path).unwrap()], &chained());
    let both = linked(blocks.clone(), &chained());
    let (one, two) = (size(&twice, "twice"), size(&both, "both"));
    assert_eq!(two - one, one.next_multiple_of(64) - 64, "all records twice, one header");
    assert!(twice.verify(3).unwrap().equal && both.verify(3).unwrap().equal);
}

#[test]
fn weights_that_exist_are_replaced_only_when_asked() {
    let folder = folder("link_replace");
    let blocks = encoder(&folder, 3);
    let out = folder.join("joined.mil");
    linked(blocks[..2].to_vec(), &chained()).save(&out, false).unwrap();
    let other = linked(blocks[1..].to_vec(), &chained());
    let refused = other.save(&out, false).unwrap_err();
    assert_eq!(refused.diagnostics[0].code, "file/exists");
    other.save(&out, true).unwrap();
    let model = Model::load(&out, &LoadOptions::default()).unwrap();
    assert_eq!(model.inputs().len(), 2);
}

#[test]
fn functions_are_chosen_by_program_and_problems_name_their_file() {
    let folder = folder("link_functions");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        open(path).unwrap()
    };
    let both = "program(1.3)\n{\n    func up<ios17>(tensor<fp32, [2]> x) { tensor<fp32, [2]> h = exp(x = x); } -> (h);\n    func down<ios17>(tensor<fp32, [2]> x) { tensor<fp32, [2]> h = tanh(x = x); } -> (h);\n}";
    let end = "program(1.3)\n{\n    func main<ios17>(tensor<fp32, [3]> h) { tensor<fp32, [3]> y = relu(x = h); } -> (y);\n}";
    let (a, b) = (write("a.mil", both), write("b.mil", end));
    let codes = |result: Result<Link, Vec<Report>>| -> Vec<(String, &'static str)> {
        let reports = result.err().expect("a refusal");
        let name = |r: &Report| r.path.file_name().unwrap().to_string_lossy().into_owned();
        reports.iter().flat_map(|r| r.diagnostics.iter().map(|d| (name(r), d.code))).collect()
    };
    let options = LinkOptions::default();
    let unnamed = link(vec![a.clone(), b.clone()], &[], &options);
    assert_eq!(codes(unnamed), [("a.mil".to_owned(), "run/function-unknown")]);
    let unknown = link(vec![a.clone(), b.clone()], &["a:sideways".to_owned()], &options);
    assert_eq!(codes(unknown), [("a.mil".to_owned(), "run/function-unknown")]);
    let shape = link(vec![a.clone(), b], &["1:up".to_owned()], &options);
    assert_eq!(codes(shape), [("b.mil".to_owned(), "link/shape")]);
    let program = link(vec![a.clone(), a.clone()], &["q:up".to_owned()], &options);
    assert_eq!(codes(program), [("a.mil".to_owned(), "link/unknown-program")]);
    let chosen = ["1:up".to_owned(), "2:down".to_owned()];
    let options = LinkOptions { binds: vec!["h=x".parse().unwrap()], ..options };
    let link = link(vec![a.clone(), a], &chosen, &options).unwrap_or_else(|_| panic!("refused"));
    let text = milwright::text(&link.opened.program);
    assert!(text.contains("h_1 = exp(x = x)") && text.contains("h = tanh(x = h_1)"), "{text}");
    assert_eq!(link.wires()[0].output, "1:h");
}

/// What a model says about an input goes with it: an image stays an image, under the input's new name.
#[test]
fn descriptions_go_with_the_ports_that_are_left() {
    use mil_codec::package::proto;
    let folder = folder("link_descriptions");
    let package = |name: &str, text: &str| {
        let (mil, path) = (folder.join(format!("{name}.mil")), folder.join(format!("{name}.mlpackage")));
        fs::write(&mil, text).unwrap();
        milwright::save(&path, &open(&mil).unwrap().program, &Default::default()).unwrap();
        open(&path).unwrap()
    };
    let text = |input: &str, output: &str| {
        format!(
            "program(1.3)\n{{\n    func main<ios17>(tensor<fp32, [1, 3, 4, 5]> {input}) {{\n            tensor<fp32, [1, 3, 4, 5]> {output} = relu(x = {input});\n        }} -> ({output});\n}}"
        )
    };
    let mut a = package("a", &text("x", "h"));
    let mut b = package("b", &text("h", "x"));
    let image = proto::ImageFeatureType {
        width: 5,
        height: 4,
        color_space: proto::image_feature_type::ColorSpace::Rgb.into(),
        size_flexibility: None,
    };
    let model = &mut a.description.as_mut().unwrap().model;
    model.input[0].short_description = "what the camera sees".to_owned();
    model.input[0].r#type = Some(proto::FeatureType {
        r#type: Some(proto::feature_type::Type::ImageType(image)),
        ..Default::default()
    });
    let model = &mut b.description.as_mut().unwrap().model;
    model.output[0].short_description = "what is left".to_owned();
    let link = linked(vec![a, b], &LinkOptions::default());
    let warnings = link.save(folder.join("both.mlpackage"), false).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let interface = open(folder.join("both.mlpackage")).unwrap().interface("main").unwrap();
    assert!(matches!(interface.inputs[0].kind, milwright::FeatureKind::Image(_)), "{interface:?}");
    assert_eq!(interface.inputs[0].description, "what the camera sees");
    assert_eq!((&*interface.outputs[0].name, &*interface.outputs[0].description), ("x_2", "what is left"));
}
