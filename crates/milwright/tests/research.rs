//! The programs of the research (X1, Y1, Y2, Y3, Z1) against float64 formulas written out here, independent of the cards.
//!
//! Inputs and weights are random, in the ranges of the research; the reference uses them unrounded. The tolerances are those that fp16
//! rounding explains (`facts/where-the-research-ran.md`), not the loose ones of the research.

use milwright::{LoadOptions, Model, OpenOptions, Random, RuntimeKind, Tensor, open_text};

type Matrix = Vec<Vec<f64>>;

/// Uniform in `-spread..spread`, as fp32 holds it.
fn matrix(random: &mut Random, rows: usize, columns: usize, spread: f64) -> Matrix {
    let t = random.tensor(milwright::DType::Fp32, &[rows, columns]).unwrap();
    t.to_f64()
        .chunks(columns)
        .map(|row| row.iter().map(|v| f64::from((v * spread) as f32)).collect())
        .collect()
}

fn tensor(m: &Matrix, shape: &[usize]) -> Tensor {
    Tensor::from_f64(milwright::DType::Fp32, shape, &m.concat()).unwrap()
}

fn literal(name: &str, m: &Matrix, shape: &str) -> String {
    let row =
        |r: &Vec<f64>| format!("[{}]", r.iter().map(|v| format!("{v:e}")).collect::<Vec<_>>().join(", "));
    let body = m.iter().map(row).collect::<Vec<_>>().join(", ");
    let body = if m.len() == 1 { body } else { format!("[{body}]") };
    format!("tensor<fp16, {shape}> {name} = const()[val = tensor<fp16, {shape}>({body})];\n")
}

/// The outputs of a program's text on the CPU runtime.
fn run(text: &str, inputs: &[(&str, Tensor)]) -> Vec<Vec<f64>> {
    let opened = open_text("research.mil", text.to_owned(), ".", &OpenOptions::default())
        .unwrap_or_else(|f| panic!("{f}"));
    let options = LoadOptions { runtime: RuntimeKind::Cpu, threads: Some(2), ..LoadOptions::default() };
    let model = Model::new(opened, &options).unwrap_or_else(|f| panic!("{f}"));
    let inputs: Vec<(String, Tensor)> = inputs.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect();
    let outputs = model.session().unwrap().run(&inputs).unwrap();
    outputs.into_iter().map(|(_, t)| t.to_f64()).collect()
}

#[track_caller]
fn near(got: &[f64], want: &Matrix, tolerance: f64) {
    let want = want.concat();
    assert_eq!(got.len(), want.len());
    let worst = got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance, "largest difference {worst:.3e}, allowed {tolerance:.1e}");
    assert!(want.iter().any(|w| w.abs() > 10.0 * tolerance), "the reference is too small to prove anything");
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let column = |j: usize| b.iter().map(move |row| row[j]);
    a.iter()
        .map(|row| (0..b[0].len()).map(|j| row.iter().zip(column(j)).map(|(x, y)| x * y).sum()).collect())
        .collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = row.iter().map(|v| (v - top).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.iter().map(|v| v / sum).collect()
}

fn attention(x: &Matrix) -> Matrix {
    let scale = (x[0].len() as f64).sqrt();
    let scores = product(x, &transposed(x));
    let weights = scores.iter().map(|r| softmax(&r.iter().map(|v| v / scale).collect::<Vec<_>>())).collect();
    product(&weights, x)
}

fn layer_norm(x: &Matrix, epsilon: f64) -> Matrix {
    let normal = |row: &Vec<f64>| {
        let n = row.len() as f64;
        let mean = row.iter().sum::<f64>() / n;
        let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        row.iter().map(|v| (v - mean) / (variance + epsilon).sqrt()).collect()
    };
    x.iter().map(normal).collect()
}

fn gelu_tanh(v: f64) -> f64 {
    0.5 * v * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3))).tanh())
}

fn map(x: &Matrix, f: impl Fn(f64) -> f64) -> Matrix {
    x.iter().map(|row| row.iter().map(|&v| f(v)).collect()).collect()
}

fn sum(a: &Matrix, b: &Matrix) -> Matrix {
    a.iter().zip(b).map(|(x, y)| x.iter().zip(y).map(|(p, q)| p + q).collect()).collect()
}

const CAST_IN: &str = "tensor<fp16, [256, 64]> h = cast(dtype = string(\"fp16\"), x = x);\n";

fn program(opset: &str, params: &str, body: &str, results: &str) -> String {
    format!("program(1.3)\n{{\nfunc main<{opset}>({params}) {{\n{body}}} -> ({results});\n}}\n")
}

#[test]
fn x1_relu_is_exact() {
    let mut random = Random::new(1);
    // Values that fp16 holds exactly, so that nothing is rounded on the way in.
    let x = map(&matrix(&mut random, 256, 64, 8.0), |v| (v * 64.0).round() / 64.0);
    let body = format!(
        "{CAST_IN}tensor<fp16, [256, 64]> r = relu(x = h);\ntensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n"
    );
    let got =
        run(&program("ios17", "tensor<fp32, [256, 64]> x", &body, "y"), &[("x", tensor(&x, &[256, 64]))]);
    assert_eq!(got[0], map(&x, |v| v.max(0.0)).concat());
}

#[test]
fn x1_gelu_softmax_affine_layer_norm() {
    let x = matrix(&mut Random::new(2), 256, 64, 2.0);
    let t = "tensor<fp16, [256, 64]>";
    let body = format!(
        "{CAST_IN}{t} a = gelu(mode = string(\"TANH_APPROXIMATION\"), x = h);
{t} b = softmax(axis = int32(-1), x = h);
{t} c0 = mul(x = h, y = fp16(0.5)); {t} c = add(x = c0, y = fp16(1.0));
{t} d = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);
"
    );
    let got = run(
        &program("ios17", "tensor<fp32, [256, 64]> x", &body, "a, b, c, d"),
        &[("x", tensor(&x, &[256, 64]))],
    );
    near(&got[0], &map(&x, gelu_tanh), 1.6e-3);
    near(&got[1], &x.iter().map(|r| softmax(r)).collect(), 1.2e-4);
    near(&got[2], &map(&x, |v| v * 0.5 + 1.0), 1.8e-3);
    near(&got[3], &layer_norm(&x, 1e-5), 2.5e-3);
}

#[test]
fn y1_attention() {
    let x = matrix(&mut Random::new(3), 256, 64, 0.5);
    let t = "tensor<fp16, [1, 1, 256, 64]>";
    let body = format!(
        "{t} h = cast(dtype = string(\"fp16\"), x = x);
{t} m = scaled_dot_product_attention(key = h, query = h, value = h);
tensor<fp32, [1, 1, 256, 64]> y = cast(dtype = string(\"fp32\"), x = m);\n"
    );
    let text = program("ios18", "tensor<fp32, [1, 1, 256, 64]> x", &body, "y");
    near(&run(&text, &[("x", tensor(&x, &[1, 1, 256, 64]))])[0], &attention(&x), 3e-4);
}

#[test]
fn y2_linear() {
    let mut random = Random::new(4);
    let (x, w) = (matrix(&mut random, 256, 64, 0.5), matrix(&mut random, 64, 64, 0.1));
    let body = format!(
        "{CAST_IN}{}tensor<fp16, [256, 64]> r = linear(weight = w, x = h);
tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n",
        literal("w", &w, "[64, 64]")
    );
    let text = program("ios17", "tensor<fp32, [256, 64]> x", &body, "y");
    near(&run(&text, &[("x", tensor(&x, &[256, 64]))])[0], &product(&x, &transposed(&w)), 8e-4);
}

#[test]
fn y3_transformer_block() {
    let mut random = Random::new(5);
    let x = matrix(&mut random, 256, 64, 0.5);
    let (w1, w2) = (matrix(&mut random, 128, 64, 0.1), matrix(&mut random, 64, 128, 0.1));
    let (b1, b2) = (matrix(&mut random, 1, 128, 0.1), matrix(&mut random, 1, 64, 0.1));
    let t = "tensor<fp16, [256, 64]>";
    let weights = [
        literal("w1", &w1, "[128, 64]"),
        literal("w2", &w2, "[64, 128]"),
        literal("b1", &b1, "[128]"),
        literal("b2", &b2, "[64]"),
    ];
    let body = format!(
        "{CAST_IN}{}{t} n1 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);
tensor<fp16, [1, 1, 256, 64]> q = expand_dims(axes = tensor<int32, [2]>([0, 1]), x = n1);
tensor<fp16, [1, 1, 256, 64]> m = scaled_dot_product_attention(key = q, query = q, value = q);
{t} s = squeeze(axes = tensor<int32, [2]>([0, 1]), x = m);
{t} a = add(x = h, y = s);
{t} n2 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = a);
tensor<fp16, [256, 128]> f = linear(bias = b1, weight = w1, x = n2);
tensor<fp16, [256, 128]> g = gelu(mode = string(\"TANH_APPROXIMATION\"), x = f);
{t} o = linear(bias = b2, weight = w2, x = g);
{t} r = add(x = a, y = o);
tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n",
        weights.concat()
    );
    let text = program("ios18", "tensor<fp32, [256, 64]> x", &body, "y");
    let a = sum(&x, &attention(&layer_norm(&x, 1e-5)));
    let bias = |m: &Matrix, b: &Matrix| {
        m.iter().map(|row| row.iter().zip(&b[0]).map(|(v, c)| v + c).collect()).collect()
    };
    let hidden: Matrix = bias(&product(&layer_norm(&a, 1e-5), &transposed(&w1)), &b1);
    let out: Matrix = bias(&product(&map(&hidden, gelu_tanh), &transposed(&w2)), &b2);
    near(&run(&text, &[("x", tensor(&x, &[256, 64]))])[0], &sum(&a, &out), 1.2e-2);
}

#[test]
fn z1_backward_of_a_linear_layer() {
    let mut random = Random::new(6);
    let (dy, w) = (matrix(&mut random, 128, 64, 0.3), matrix(&mut random, 64, 64, 0.3));
    let body = "tensor<fp16, [128, 64]> g = cast(dtype = string(\"fp16\"), x = dy);
tensor<fp16, [64, 64]> v = cast(dtype = string(\"fp16\"), x = w);
tensor<fp16, [128, 64]> dx = matmul(transpose_x = bool(false), transpose_y = bool(false), x = g, y = v);
tensor<fp16, [64, 64]> dw = matmul(transpose_x = bool(true), transpose_y = bool(false), x = g, y = g);
tensor<fp16, [192, 64]> c = concat(axis = int32(0), interleave = bool(false), values = (dx, dw));
tensor<fp32, [192, 64]> y = cast(dtype = string(\"fp32\"), x = c);\n";
    let text = program("ios17", "tensor<fp32, [128, 64]> dy, tensor<fp32, [64, 64]> w", body, "y");
    let got = run(&text, &[("dy", tensor(&dy, &[128, 64])), ("w", tensor(&w, &[64, 64]))]);
    let want = [product(&dy, &w), product(&transposed(&dy), &dy)].concat();
    near(&got[0], &want, 3e-3);
}
