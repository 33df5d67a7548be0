//! Kernels of element-wise ops, activations and reductions against their references, on random inputs at sizes where
//! vector loops, remainders, blocks and threads all take part.

use mil_base::{DType, Name, Tensor};
use mil_ops::contract::Bound;
use mil_run::{LoadedCpu, Named, Options, Reference, Runtime, Session};
use mil_testkit::case::{checked, rendered};
use mil_testkit::compare::{compare, sum};
use std::sync::Arc;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn tensor(&mut self, input: &Input) -> Tensor {
        let count = input.shape.iter().product();
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 0.5, 2.5, -1.5];
        let values: Vec<f64> = (0..count)
            .map(|i: usize| match input.specials && i % 37 < special.len() {
                true => special[i % 37],
                false => input.low + (input.high - input.low) * self.unit(),
            })
            .collect();
        Tensor::from_f64(input.dtype, &input.shape, &values).unwrap()
    }
}

/// An input and what its values are like.
#[derive(Clone)]
struct Input {
    name: &'static str,
    dtype: DType,
    shape: Vec<usize>,
    low: f64,
    high: f64,
    specials: bool,
}

fn ty(dtype: DType, shape: &[usize]) -> String {
    mil_base::TensorType::new(dtype, mil_base::Shape::known(shape)).to_string()
}

/// What went wrong with `z = call` for such inputs, if anything did.
fn difference(call: &str, inputs: &[Input], out: (DType, &[usize]), threads: usize) -> Option<String> {
    let params: Vec<String> =
        inputs.iter().map(|i| format!("{} {}", ty(i.dtype, &i.shape), i.name)).collect();
    let text = format!(
        "program(1.3)\n{{\n func main<ios17>({}) {{\n {} z = {call};\n }} -> (z);\n}}\n",
        params.join(", "),
        ty(out.0, out.1)
    );
    let program = checked(&text).unwrap_or_else(|d| panic!("{}", rendered(&d, "test", &text)));
    let function = program.program().default_function().unwrap();
    let body = &program.program().functions[function];
    let bound = body
        .ops
        .ids()
        .filter_map(|op| program.card(function, op))
        .map(|card| card.def.accuracy.bound(out.0))
        .fold(Bound::EXACT, sum);
    // The reference's result is rounded to the dtype once, unless the op is exact.
    let half = match out.0 {
        _ if bound == Bound::EXACT => Bound::EXACT,
        DType::Fp16 => Bound { abs: 3e-8, rel: 1.0 / 2048.0, scale: 0.0 },
        _ => Bound { abs: 1e-45, rel: 6e-8, scale: 0.0 },
    };
    let program = Arc::new(program);
    let mut random = Random(1);
    let fed: Vec<Named> = inputs.iter().map(|i| (Name::new(i.name), random.tensor(i))).collect();
    let options = Options { threads, ..Options::default() };
    let run = |session: &mut dyn Session| -> Tensor {
        session.run(&fed).unwrap_or_else(|e| panic!("{text}\n{e:?}")).remove(0).1
    };
    let want = run(&mut *Reference.load(program.clone(), &options).unwrap().session(None).unwrap());
    let mut session = LoadedCpu::new(program, &options).unwrap().session(None).unwrap();
    let got = run(&mut session);
    let unplanned = session.plan().into_iter().flat_map(|p| p.steps()).find_map(|(_, why)| why);
    if let Some(why) = unplanned {
        return Some(format!("{call} has no kernel: {why}"));
    }
    let shapes: Vec<String> = inputs.iter().map(|i| ty(i.dtype, &i.shape)).collect();
    compare(&want, &got, sum(bound, half)).err().map(|e| format!("{call} of {}: {e}", shapes.join(", ")))
}

fn input(name: &'static str, dtype: DType, shape: &[usize], (low, high): (f64, f64)) -> Input {
    Input { name, dtype, shape: shape.to_vec(), low, high, specials: false }
}

fn report(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

const FLOATS: [DType; 2] = [DType::Fp32, DType::Fp16];
const NUMBERS: [DType; 3] = [DType::Fp32, DType::Fp16, DType::Int32];
/// A scalar, a remainder, several blocks, enough for two threads.
const SHAPES: [&[usize]; 5] = [&[], &[17], &[3, 1025], &[5, 4, 1000], &[0, 3]];

/// Functions of one float tensor, and a range they are interesting in.
const OF_FLOATS: &[(&str, (f64, f64))] = &[
    ("abs(x = x)", (-3.0, 3.0)),
    ("acos(x = x)", (-1.0, 1.0)),
    ("asin(x = x)", (-1.0, 1.0)),
    ("atan(x = x)", (-20.0, 20.0)),
    ("atanh(x = x)", (-0.9999, 0.9999)),
    ("ceil(x = x)", (-100.0, 100.0)),
    ("clip(alpha = T(-0.5), beta = T(0.75), x = x)", (-2.0, 2.0)),
    ("cos(x = x)", (-50.0, 50.0)),
    ("cos(x = x)", (-30000.0, 30000.0)),
    ("cosh(x = x)", (-10.0, 10.0)),
    ("erf(x = x)", (-4.0, 4.0)),
    ("exp(x = x)", (-20.0, 10.0)),
    ("exp(x = x)", (-110.0, 89.0)),
    ("exp2(x = x)", (-20.0, 15.0)),
    ("floor(x = x)", (-100.0, 100.0)),
    ("inverse(x = x)", (-3.0, 3.0)),
    ("inverse(epsilon = fp32(0.01), x = x)", (-3.0, 3.0)),
    ("log(x = x)", (-0.1, 5.0)),
    ("log(epsilon = fp32(0.3), x = x)", (0.0, 1.5)),
    ("round(x = x)", (-100.0, 100.0)),
    ("rsqrt(x = x)", (0.0, 5.0)),
    ("sign(x = x)", (-1.0, 1.0)),
    ("sin(x = x)", (-50.0, 50.0)),
    ("sin(x = x)", (-30000.0, 30000.0)),
    ("sinh(x = x)", (-10.0, 10.0)),
    ("sqrt(x = x)", (-0.1, 100.0)),
    ("square(x = x)", (-300.0, 300.0)),
    ("tan(x = x)", (-10.0, 10.0)),
    ("tanh(x = x)", (-10.0, 10.0)),
    ("tanh(x = x)", (-0.7, 0.7)),
    ("threshold(alpha = T(0.25), x = x)", (-1.0, 1.0)),
    ("cast(dtype = string(\"fp16\"), x = x)", (-70000.0, 70000.0)),
    ("cast(dtype = string(\"fp32\"), x = x)", (-70000.0, 70000.0)),
    ("clamped_relu(alpha = T(0.3), beta = T(1.5), x = x)", (-3.0, 3.0)),
    ("elu(alpha = T(1.5), x = x)", (-10.0, 1.0)),
    ("elu(alpha = T(0.1), x = x)", (-0.1, 0.01)),
    ("gelu(x = x)", (-6.0, 6.0)),
    ("gelu(mode = string(\"TANH_APPROXIMATION\"), x = x)", (-6.0, 6.0)),
    ("gelu(mode = string(\"SIGMOID_APPROXIMATION\"), x = x)", (-6.0, 6.0)),
    ("leaky_relu(alpha = T(0.3), x = x)", (-3.0, 3.0)),
    ("linear_activation(alpha = T(0.3), beta = T(-1.7), x = x)", (-9.0, 9.0)),
    ("relu(x = x)", (-3.0, 3.0)),
    ("relu6(x = x)", (-3.0, 10.0)),
    ("scaled_tanh(alpha = T(1.7), beta = T(0.6), x = x)", (-5.0, 5.0)),
    ("sigmoid(x = x)", (-100.0, 100.0)),
    ("sigmoid(x = x)", (-10.0, 10.0)),
    ("sigmoid_hard(alpha = T(0.3), beta = T(0.4), x = x)", (-3.0, 3.0)),
    ("silu(x = x)", (-100.0, 100.0)),
    ("silu(x = x)", (-10.0, 10.0)),
    ("softplus(x = x)", (-20.0, 20.0)),
    ("softsign(x = x)", (-20.0, 20.0)),
    ("thresholded_relu(alpha = T(0.3), x = x)", (-1.0, 1.0)),
    ("pow(x = x, y = T(2.0))", (-3.0, 3.0)),
    ("pow(x = x, y = T(0.5))", (0.0, 30.0)),
];

#[test]
fn functions_of_one_tensor() {
    let mut failures = Vec::new();
    for &(call, range) in OF_FLOATS {
        for dtype in FLOATS {
            let call = call.replace("= T(", &format!("= {dtype}("));
            let out = match call.split_once("dtype = string(\"") {
                Some((_, to)) => DType::parse(&to[..4]).unwrap(),
                None => dtype,
            };
            for (i, shape) in SHAPES.iter().enumerate() {
                let mut x = input("x", dtype, shape, range);
                x.specials = i == 3;
                failures.extend(difference(&call, &[x], (out, shape), 1 + i % 2));
            }
        }
    }
    report(failures);
}

#[test]
fn functions_of_one_integer_tensor() {
    let calls =
        ["abs(x = x)", "exp2(x = x)", "sign(x = x)", "square(x = x)", "threshold(alpha = int32(-3), x = x)"];
    let mut failures = Vec::new();
    for call in calls {
        for range in [(-40.0, 40.0), (-2147483648.0, 2147483647.0)] {
            let x = input("x", DType::Int32, &[3, 1025], range);
            failures.extend(difference(call, &[x], (DType::Int32, &[3, 1025]), 2));
        }
    }
    report(failures);
}

#[test]
fn casts_between_all_types() {
    let types = [
        DType::Fp32,
        DType::Fp16,
        DType::Int32,
        DType::Int16,
        DType::UInt16,
        DType::Int8,
        DType::UInt8,
        DType::Bool,
    ];
    let mut failures = Vec::new();
    for from in types {
        for to in types {
            let call = format!("cast(dtype = string(\"{to}\"), x = x)");
            for range in [(-300.0, 300.0), (-5e9, 5e9), (-2.0, 2.0)] {
                let mut x = input("x", from, &[3, 1025], range);
                x.specials = from.is_float();
                failures.extend(difference(&call, &[x], (to, &[3, 1025]), 1));
            }
        }
    }
    report(failures);
}

#[test]
fn functions_of_two_tensors() {
    let shapes: [(&[usize], &[usize], &[usize]); 7] = [
        (&[], &[5], &[5]),
        (&[7, 33], &[7, 33], &[7, 33]),
        (&[4, 8, 600], &[8, 1], &[4, 8, 600]),
        (&[600], &[40, 1], &[40, 600]),
        (&[2, 1, 300], &[2, 60, 1], &[2, 60, 300]),
        (&[40, 1000], &[1], &[40, 1000]),
        (&[1, 1, 1], &[3, 700], &[1, 3, 700]),
    ];
    let arithmetic = ["add", "sub", "mul", "real_div", "floor_div", "mod", "maximum", "minimum", "pow"]
        .map(|op| (op, false));
    let comparisons =
        ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"].map(|op| (op, true));
    let mut failures = Vec::new();
    for (op, compares) in arithmetic.into_iter().chain(comparisons) {
        for dtype in NUMBERS {
            for (i, (a, b, out)) in shapes.iter().enumerate() {
                let range = match (op, dtype) {
                    ("pow", DType::Int32) => (-9.0, 9.0),
                    ("pow", _) => (-3.0, 4.0),
                    (_, DType::Int32) if i % 2 == 1 => (-2147483648.0, 2147483647.0),
                    _ => (-20.0, 20.0),
                };
                let inputs = [("x", a), ("y", b)].map(|(name, shape)| Input {
                    specials: i == 1 && dtype != DType::Int32,
                    ..input(name, dtype, shape, range)
                });
                let out = (if compares { DType::Bool } else { dtype }, *out);
                failures.extend(difference(&format!("{op}(x = x, y = y)"), &inputs, out, 1 + i % 2));
            }
        }
    }
    for op in ["logical_and", "logical_or", "logical_xor"] {
        for (a, b, out) in shapes {
            let inputs = [("x", a), ("y", b)].map(|(n, s)| input(n, DType::Bool, s, (-1.0, 1.0)));
            failures.extend(difference(&format!("{op}(x = x, y = y)"), &inputs, (DType::Bool, out), 2));
        }
    }
    report(failures);
}

#[test]
fn one_tensor_twice_and_choices() {
    let mut failures = Vec::new();
    for dtype in NUMBERS {
        let x = input("x", dtype, &[3, 1025], (-9.0, 9.0));
        failures.extend(difference("mul(x = x, y = x)", &[x], (dtype, &[3, 1025]), 2));
        let inputs = [
            input("a", dtype, &[4, 1, 600], (-9.0, 9.0)),
            input("b", dtype, &[600], (-9.0, 9.0)),
            input("c", DType::Bool, &[8, 1], (-0.9, 0.9)),
        ];
        failures.extend(difference("select(a = a, b = b, cond = c)", &inputs, (dtype, &[4, 8, 600]), 2));
    }
    report(failures);
}

/// The sizes left of `shape` when `axes` are reduced.
fn reduced(shape: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let left = shape.iter().enumerate().filter(|(d, _)| keep || !axes.contains(d));
    left.map(|(d, &n)| if axes.contains(&d) { 1 } else { n }).collect()
}

#[test]
fn reductions_along_axes() {
    let shapes: [&[usize]; 5] = [&[6, 9, 65], &[2, 600, 3], &[3, 2, 1500], &[4, 70, 70], &[1, 1, 1]];
    let axes: [&[usize]; 6] = [&[0], &[1], &[2], &[0, 2], &[1, 2], &[0, 1, 2]];
    let ops: [(&str, (f64, f64)); 10] = [
        ("reduce_l1_norm", (-3.0, 3.0)),
        ("reduce_l2_norm", (-3.0, 3.0)),
        ("reduce_log_sum", (0.0, 3.0)),
        ("reduce_log_sum_exp", (-9.0, 9.0)),
        ("reduce_max", (-9.0, 9.0)),
        ("reduce_mean", (-3.0, 3.0)),
        ("reduce_min", (-9.0, 9.0)),
        ("reduce_prod", (-1.3, 1.3)),
        ("reduce_sum", (-3.0, 3.0)),
        ("reduce_sum_square", (-3.0, 3.0)),
    ];
    let mut failures = Vec::new();
    for (op, range) in ops {
        for dtype in NUMBERS {
            for shape in shapes {
                for (i, axes) in axes.iter().enumerate() {
                    let keep = i % 2 == 0;
                    let list: Vec<String> = axes.iter().map(usize::to_string).collect();
                    let call = format!(
                        "{op}(axes = tensor<int32, [{}]>([{}]), keep_dims = bool({keep}), x = x)",
                        axes.len(),
                        list.join(", ")
                    );
                    let range = if dtype == DType::Int32 && i < 3 { (-1e9, 1e9) } else { range };
                    let x = Input {
                        specials: op.ends_with("max") && i == 4 && dtype != DType::Int32,
                        ..input("x", dtype, shape, range)
                    };
                    let out = reduced(shape, axes, keep);
                    failures.extend(difference(&call, &[x], (dtype, &out), 1 + i % 2));
                }
            }
        }
    }
    report(failures);
}

#[test]
fn lines_along_an_axis() {
    let shapes: [&[usize]; 5] = [&[6, 9, 65], &[2, 600, 3], &[3, 2, 1500], &[4, 70, 70], &[1, 1, 1]];
    let mut failures = Vec::new();
    for dtype in NUMBERS {
        for shape in shapes {
            for axis in 0..3 {
                let x = |range| [input("x", dtype, shape, range)];
                if dtype != DType::Int32 {
                    let call = format!("softmax(axis = int32({axis}), x = x)");
                    failures.extend(difference(&call, &x((-10.0, 10.0)), (dtype, shape), 2));
                }
                for (exclusive, reverse) in [(false, false), (true, false), (false, true), (true, true)] {
                    let call = format!(
                        "cumsum(axis = int32({axis}), exclusive = bool({exclusive}), reverse = bool({reverse}), x = x)"
                    );
                    failures.extend(difference(&call, &x((-3.0, 3.0)), (dtype, shape), 2));
                }
                for (op, to) in [("reduce_argmax", DType::Int32), ("reduce_argmin", DType::UInt16)] {
                    let call = format!("{op}(axis = int32({axis}), output_dtype = string(\"{to}\"), x = x)");
                    let out = reduced(shape, &[axis], false);
                    let x = Input {
                        specials: axis == 2 && dtype != DType::Int32,
                        ..input("x", dtype, shape, (-9.0, 9.0))
                    };
                    failures.extend(difference(&call, &[x], (to, &out), 2));
                }
            }
        }
    }
    report(failures);
}

#[test]
fn parameters_by_channel() {
    let mut failures = Vec::new();
    for dtype in FLOATS {
        for shape in [[2, 3, 5, 7], [1, 3, 40, 100], [2, 3, 0, 4]] {
            let x = [input("x", dtype, &shape, (-4.0, 4.0))];
            let list = "tensor<fp32, [3]>([0.1, -0.7, 1.3])";
            let calls = [
                format!("prelu(alpha = {list}, x = x)"),
                format!("softplus_parametric(alpha = {list}, beta = {list}, x = x)"),
            ];
            for call in calls {
                failures.extend(difference(&call, &x, (dtype, &shape), 2));
            }
            let scales = format!("tensor<{dtype}, [3]>([0.1, 0.7, 1.3])");
            for (to, zero) in [(DType::Int8, "-3"), (DType::UInt8, "200")] {
                let call = format!(
                    "quantize(axis = int32(1), input = x, output_dtype = string(\"{to}\"), scale = {scales}, \
                     zero_point = tensor<{to}, [3]>([0, {zero}, 5]))"
                );
                let x = [input("x", dtype, &shape, (-200.0, 200.0))];
                failures.extend(difference(&call, &x, (to, &shape), 2));
                let call =
                    format!("quantize(input = x, output_dtype = string(\"{to}\"), scale = {dtype}(0.3))");
                failures.extend(difference(&call, &x, (to, &shape), 2));
                let q = [input("q", to, &shape, (-130.0, 260.0))];
                let call = format!("dequantize(axis = int32(-3), input = q, scale = {scales})");
                failures.extend(difference(&call, &q, (dtype, &shape), 2));
                let call = format!("dequantize(input = q, scale = {dtype}(0.3), zero_point = {to}(100))");
                failures.extend(difference(&call, &q, (dtype, &shape), 2));
            }
        }
    }
    report(failures);
}

/// Chains of which every step can be fused into the one before, or runs in place.
const CHAINS: &[&str] = &[
    "T a = mul(x = x, y = y); T b = add(x = a, y = y); T c = relu(x = b); T z = mul(x = T(0.3), y = c);",
    "T a = exp(x = x); T b = sub(x = a, y = T(0.3)); T c = real_div(x = b, y = T(4.0)); T z = add(x = y, y = c);",
    "T a = sub(x = x, y = y); T b = clip(alpha = T(-1.5), beta = T(1.5), x = a); T z = gelu(x = b);",
    "T a = square(x = x); T b = maximum(x = a, y = T(0.5)); T c = minimum(x = T(3.0), y = b); T z = tanh(x = c);",
    "T a = relu(x = x); T b = add(x = a, y = x); T z = mul(x = b, y = a);",
    "T a = add(x = x, y = y); T b = mul(x = a, y = a); T z = sigmoid(x = b);",
    "T s = square(x = x); T a = sqrt(x = s); T b = leaky_relu(alpha = T(0.1), x = a); T c = silu(x = b); T z = relu6(x = c);",
];

#[test]
fn fused_chains_give_the_same_bits() {
    let mut failures = Vec::new();
    for chain in CHAINS {
        for dtype in FLOATS {
            let shape = [3, 1025];
            let tensor = ty(dtype, &shape);
            let body = chain.replace("= T(", &format!("= {dtype}(")).replace("T ", &format!("{tensor} "));
            let text = format!(
                "program(1.3)\n{{\n func main<ios17>({tensor} x, {tensor} y) {{\n {body}\n }} -> (z);\n}}\n"
            );
            let program =
                Arc::new(checked(&text).unwrap_or_else(|d| panic!("{}", rendered(&d, "test", &text))));
            let mut random = Random(1);
            let fed =
                ["x", "y"].map(|n| (Name::new(n), random.tensor(&input(n, dtype, &shape, (-2.0, 2.0)))));
            let run = |fusion: bool| {
                let options = Options { fusion, threads: 2, ..Options::default() };
                let mut session = LoadedCpu::new(program.clone(), &options).unwrap().session(None).unwrap();
                let out = session.run(&fed).unwrap().remove(0).1;
                (out, session.plan().map_or(0, |p| p.steps().len()))
            };
            let ((plain, most), (fused, fewer)) = (run(false), run(true));
            if plain != fused {
                failures.push(format!("{chain} in {dtype}"));
            }
            if fewer >= most {
                failures.push(format!("nothing of {chain} was fused: {fewer} steps of {most}"));
            }
        }
    }
    report(failures);
}
