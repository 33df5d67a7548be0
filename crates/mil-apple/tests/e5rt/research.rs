//! The research's programs (X1, Y1, Y2, Y3, Z1; the same as `milwright/tests/research.rs` has), compiled for the Neural Engine.

use crate::common::{alone, checked, inputs, on_cpu, random, same, source};
use mil_apple::Kind;
use mil_base::DType;
use mil_run::Options;
use std::fmt::Write;

const T: &str = "tensor<fp16, [256, 64]>";
const CAST_IN: &str = "tensor<fp16, [256, 64]> h = cast(dtype = string(\"fp16\"), x = x);\n";

/// A constant of random values, written out.
fn constant(name: &str, shape: &[usize], seed: u64) -> String {
    let values = random(DType::Fp32, shape, seed).to_f64();
    let row = |r: &[f64]| r.iter().map(|v| format!("{:e}", v / 16.0)).collect::<Vec<_>>().join(", ");
    let width = shape[shape.len() - 1];
    let rows: Vec<String> = values.chunks(width).map(|r| format!("[{}]", row(r))).collect();
    let body = if shape.len() == 1 { rows.concat() } else { format!("[{}]", rows.join(", ")) };
    let ty = format!("tensor<fp16, {shape:?}>");
    format!("{ty} {name} = const()[val = {ty}({body})];\n")
}

fn programs() -> Vec<(&'static str, String)> {
    let matrix = "tensor<fp32, [256, 64]> x";
    let out =
        |value: &str| format!("tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = {value});");
    let mut all = Vec::new();
    let x1 = [
        ("x1 relu", format!("{T} r = relu(x = h);")),
        ("x1 gelu", format!("{T} r = gelu(mode = string(\"TANH_APPROXIMATION\"), x = h);")),
        ("x1 softmax", format!("{T} r = softmax(axis = int32(-1), x = h);")),
        ("x1 affine", format!("{T} a = mul(x = h, y = fp16(0.5)); {T} r = add(x = a, y = fp16(1));")),
        (
            "x1 layer_norm",
            format!("{T} r = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);"),
        ),
    ];
    for (name, body) in x1 {
        all.push((name, source(matrix, &format!("{CAST_IN}{body}\n{}", out("r")), "y")));
    }
    let q = "tensor<fp16, [1, 1, 256, 64]>";
    let y1 = format!(
        "{q} h = cast(dtype = string(\"fp16\"), x = x);
{q} m = scaled_dot_product_attention(key = h, query = h, value = h);
tensor<fp32, [1, 1, 256, 64]> y = cast(dtype = string(\"fp32\"), x = m);"
    );
    all.push(("y1", source("tensor<fp32, [1, 1, 256, 64]> x", &y1, "y")));
    let y2 =
        format!("{CAST_IN}{}{T} r = linear(weight = w, x = h);\n{}", constant("w", &[64, 64], 3), out("r"));
    all.push(("y2", source(matrix, &y2, "y")));
    let mut y3 = CAST_IN.to_owned();
    for (name, shape) in [("w1", &[128, 64][..]), ("w2", &[64, 128]), ("b1", &[128]), ("b2", &[64])] {
        y3.push_str(&constant(name, shape, shape[0] as u64));
    }
    write!(
        y3,
        "{T} n1 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);
{q} q = expand_dims(axes = tensor<int32, [2]>([0, 1]), x = n1);
{q} m = scaled_dot_product_attention(key = q, query = q, value = q);
{T} s = squeeze(axes = tensor<int32, [2]>([0, 1]), x = m);
{T} a = add(x = h, y = s);
{T} n2 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = a);
tensor<fp16, [256, 128]> f = linear(bias = b1, weight = w1, x = n2);
tensor<fp16, [256, 128]> g = gelu(mode = string(\"TANH_APPROXIMATION\"), x = f);
{T} o = linear(bias = b2, weight = w2, x = g);
{T} r = add(x = a, y = o);\n{}",
        out("r")
    )
    .unwrap();
    all.push(("y3", source(matrix, &y3, "y")));
    let z1 = "tensor<fp16, [128, 64]> g = cast(dtype = string(\"fp16\"), x = dy);
tensor<fp16, [64, 64]> v = cast(dtype = string(\"fp16\"), x = w);
tensor<fp16, [128, 64]> dx = matmul(transpose_x = bool(false), transpose_y = bool(false), x = g, y = v);
tensor<fp16, [64, 64]> dw = matmul(transpose_x = bool(true), transpose_y = bool(false), x = g, y = g);
tensor<fp16, [192, 64]> c = concat(axis = int32(0), interleave = bool(false), values = (dx, dw));
tensor<fp32, [192, 64]> y = cast(dtype = string(\"fp32\"), x = c);";
    all.push(("z1", source("tensor<fp32, [128, 64]> dy, tensor<fp32, [64, 64]> w", z1, "y")));
    all
}

#[test]
fn x1_y1_y2_y3_z1_equal_the_cpu_runtime() {
    let _alone = alone();
    let runtime = mil_apple::runtime(Kind::E5rt).unwrap();
    for (name, text) in programs() {
        let checked = checked(&text);
        let loaded =
            runtime.load(checked.clone(), &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let inputs = inputs(&checked, 7);
        let got = loaded.session(None).unwrap().run(&inputs).unwrap_or_else(|e| panic!("{name}: {e}"));
        same(&got, &on_cpu(&checked, &inputs));
    }
}
