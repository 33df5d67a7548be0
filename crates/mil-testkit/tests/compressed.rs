//! Weights in every form that coremltools writes, held compressed and expanded: the results are the same bit for bit, and
//! the memory is what the plan says.

use mil_base::{Name, Tensor};
use mil_check::Checked;
use mil_run::{HeldWeights, LoadedCpu, Options, PlanMemory, Session};
use mil_testkit::case::{checked, rendered};
use mil_testkit::random::Rng;
use std::sync::Arc;

/// Rows and columns of the weight.
const SIZES: [usize; 2] = [48, 64];
/// Bytes of it in fp16.
const EXPANDED: usize = 2 * SIZES[0] * SIZES[1];

/// A literal of that type and shape; `value` gives its elements in order.
fn literal(dtype: &str, shape: &[usize], value: &mut dyn FnMut() -> String) -> String {
    fn nested(shape: &[usize], value: &mut dyn FnMut() -> String) -> String {
        match shape {
            [] => value(),
            [n, inner @ ..] => {
                let each: Vec<String> = (0..*n).map(|_| nested(inner, value)).collect();
                format!("[{}]", each.join(", "))
            }
        }
    }
    format!("tensor<{dtype}, {shape:?}>({})", nested(shape, value))
}

/// Makes literals of random numbers.
struct Random(Rng);

impl Random {
    fn ints(&mut self, dtype: &str, shape: &[usize], below: usize) -> String {
        let low = if dtype.starts_with('i') { below / 2 } else { 0 };
        literal(dtype, shape, &mut || (self.0.below(below) as i64 - low as i64).to_string())
    }

    fn halves(&mut self, shape: &[usize]) -> String {
        literal("fp16", shape, &mut || format!("{:?}", (self.0.below(64) as f64 - 31.0) / 64.0))
    }

    /// A mask of the weight, and how many elements it marks.
    fn mask(&mut self) -> (String, usize) {
        let mut marked = 0;
        let text = literal("uint1", &SIZES, &mut || {
            let set = self.0.below(4) == 0;
            marked += usize::from(set);
            u8::from(set).to_string()
        });
        (text, marked)
    }
}

/// The weight `w` in one form: a name, the op set that has it, and the statements that make it.
fn forms() -> Vec<(&'static str, &'static str, String)> {
    let mut r = Random(Rng(4));
    let [rows, columns] = SIZES;
    let ty = format!("tensor<fp16, {SIZES:?}> w");
    let mut forms = Vec::new();
    let indices = |r: &mut Random| r.ints("uint4", &SIZES, 16);

    let text = format!(
        "{ty} = constexpr_lut_to_dense(indices = {}, lut = {});",
        indices(&mut r),
        r.halves(&[6, 1, 16, 1])
    );
    forms.push(("grouped tables", "ios18", text));
    let (six, table) = (r.ints("uint6", &SIZES, 64), r.halves(&[1, 2, 64, 1]));
    forms.push((
        "tables by column",
        "ios18",
        format!("{ty} = constexpr_lut_to_dense(indices = {six}, lut = {table});"),
    ));
    for (axis, shape) in [(0, [rows / 2, columns]), (1, [rows, columns / 2])] {
        let (indices, table) = (r.ints("uint3", &shape, 8), r.halves(&[2, 1, 8, 2]));
        let text = format!(
            "{ty} = constexpr_lut_to_dense(indices = {indices}, lut = {table}, vector_axis = int32({axis}));"
        );
        forms.push(("tables of vectors", "ios18", text));
    }
    let int8_table = r.ints("int8", &[1, 1, 16, 1], 200);
    let text = format!(
        "tensor<fp16, [1, 1, 16, 1]> w_t = constexpr_blockwise_shift_scale(data = {int8_table}, scale = {});
        {ty} = constexpr_lut_to_dense(indices = {}, lut = w_t);",
        r.halves(&[1, 1, 1, 1]),
        indices(&mut r)
    );
    forms.push(("a quantised table", "ios18", text));
    let text = format!(
        "tensor<int8, {SIZES:?}> w_q = constexpr_lut_to_dense(indices = {}, lut = {int8_table});
        {ty} = constexpr_blockwise_shift_scale(data = w_q, scale = {});",
        indices(&mut r),
        r.halves(&[rows, 1])
    );
    forms.push(("tables, then scales", "ios18", text));
    for (dtype, below) in [("int4", 16), ("uint4", 16), ("int8", 256), ("uint8", 256)] {
        let (data, offset) = (r.ints(dtype, &SIZES, below), r.ints(dtype, &[rows, 4], below));
        let scale = r.halves(&[rows, 4]);
        let text = format!(
            "{ty} = constexpr_blockwise_shift_scale(data = {data}, offset = {offset}, scale = {scale});"
        );
        forms.push(("blocks", "ios18", text));
    }
    let text = format!(
        "tensor<fp16, [{rows}, 4]> w_s = constexpr_blockwise_shift_scale(data = {}, scale = {});
        {ty} = constexpr_blockwise_shift_scale(data = {}, scale = w_s);",
        r.ints("int8", &[rows, 4], 256),
        r.halves(&[1, 1]),
        r.ints("int4", &SIZES, 16)
    );
    forms.push(("blocks with quantised scales", "ios18", text));

    let (mask, marked) = r.mask();
    let values = r.halves(&[marked]);
    forms.push((
        "sparse",
        "ios18",
        format!("{ty} = constexpr_sparse_to_dense(mask = {mask}, nonzero_data = {values});"),
    ));
    let (tables, some) = (r.halves(&[6, 1, 16, 1]), r.ints("uint4", &[marked], 16));
    let text = format!(
        "tensor<uint1, {SIZES:?}> w_m, tensor<fp16, [{marked}]> w_v = constexpr_lut_to_sparse(indices_mask = {mask}, indices_nonzero_data = {some}, lut = {tables});
        {ty} = constexpr_sparse_to_dense(mask = w_m, nonzero_data = w_v);"
    );
    forms.push(("sparse tables", "ios18", text));
    let (data, scale) = (r.ints("int8", &[marked], 256), r.halves(&[rows, 2]));
    let text = format!(
        "tensor<uint1, {SIZES:?}> w_m, tensor<fp16, [{marked}]> w_v = constexpr_sparse_blockwise_shift_scale(data_mask = {mask}, nonzero_data = {data}, scale = {scale});
        {ty} = constexpr_sparse_to_dense(mask = w_m, nonzero_data = w_v);"
    );
    forms.push(("sparse blocks", "ios18", text));
    let text = format!(
        "tensor<uint1, {SIZES:?}> w_l, tensor<int8, [{marked}]> w_u = constexpr_lut_to_sparse(indices_mask = {mask}, indices_nonzero_data = {some}, lut = {int8_table});
        tensor<uint1, {SIZES:?}> w_m, tensor<fp16, [{marked}]> w_v = constexpr_sparse_blockwise_shift_scale(data_mask = w_l, nonzero_data = w_u, scale = {scale});
        {ty} = constexpr_sparse_to_dense(mask = w_m, nonzero_data = w_v);"
    );
    forms.push(("sparse tables, then scales", "ios18", text));

    let (data, count) = (r.ints("int8", &SIZES, 256), rows * columns);
    let (zeros, scale) = (r.ints("int8", &[rows], 256), r.halves(&[rows]));
    for (zero, scale, axis) in
        [(&zeros, &scale, 0), (&"int8(3)".to_owned(), &scale, 0), (&zeros, &"fp16(0.5)".to_owned(), -2)]
    {
        let text = format!(
            "{ty} = constexpr_affine_dequantize()[axis = int32({axis}), quantized_data = {data}, scale = {scale}, zero_point = {zero}];"
        );
        forms.push(("affine", "ios16", text));
    }
    let shape = format!("shape = tensor<uint32, [2]>({SIZES:?})");
    let (packed, table) = (r.ints("uint8", &[count * 6 / 8], 256), r.halves(&[64]));
    forms.push((
        "a table",
        "ios16",
        format!("{ty} = constexpr_lut_to_dense()[indices = {packed}, lut = {table}, {shape}];"),
    ));
    let mask = literal("uint8", &[count / 8], &mut || "17".to_owned());
    let values = r.halves(&[count / 4]);
    forms.push((
        "old sparse",
        "ios16",
        format!("{ty} = constexpr_sparse_to_dense()[mask = {mask}, nonzero_data = {values}, {shape}];"),
    ));
    forms
}

/// Statements that read `w` and `x` and make `y`; with what they show.
fn readers() -> Vec<(&'static str, String)> {
    let [rows, columns] = SIZES;
    let far: String = (0..40)
        .map(|i| {
            let from = if i == 0 { "a".to_owned() } else { format!("h{}", i - 1) };
            format!("tensor<fp16, [5, {rows}]> h{i} = softmax(axis = int32(1), x = {from});\n")
        })
        .collect();
    vec![
        ("one step", format!("tensor<fp16, [5, {rows}]> y = linear(weight = w, x = x);")),
        (
            "two steps in a row",
            format!(
                "tensor<fp16, [5, {rows}]> a = linear(weight = w, x = x);
                tensor<fp16, [5, {rows}]> b = matmul(transpose_x = bool(false), transpose_y = bool(true), x = x, y = w);
                tensor<fp16, [5, {rows}]> y = mul(x = a, y = b);"
            ),
        ),
        (
            "steps far apart",
            format!(
                "tensor<fp16, [5, {rows}]> a = linear(weight = w, x = x);
                {far}
                tensor<fp16, [5, {columns}]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = h39, y = w);"
            ),
        ),
        (
            "a step that may work in place, and the output",
            format!("tensor<fp16, {SIZES:?}> s = mul(x = w, y = z); tensor<fp16, {SIZES:?}> t = mul(x = s, y = w); tensor<fp16, [5, {rows}]> y = linear(weight = w, x = x);"),
        ),
        (
            "branches",
            format!(
                "tensor<fp16, [5, {rows}]> a = linear(weight = w, x = x);
                tensor<fp16, [5, {rows}]> y = cond(pred = p)
                () {{ tensor<fp16, [5, {rows}]> c = linear(weight = w, x = x); tensor<fp16, [5, {rows}]> d = mul(x = c, y = a); }} -> (d)
                () {{ tensor<fp16, [5, {rows}]> e = matmul(transpose_x = bool(false), transpose_y = bool(true), x = x, y = w); }} -> (e);
                tensor<fp16, [5, {rows}]> t = linear(weight = w, x = x);"
            ),
        ),
        (
            "a loop",
            format!(
                "int32 zero = const()[name = string(\"zero\"), val = int32(0)];
                int32 last, tensor<fp16, [5, {columns}]> y = while_loop(loop_vars = (zero, x))
                (int32 i, tensor<fp16, [5, {columns}]> old) {{ bool more = less(x = i, y = int32(3)); }} -> (more)
                (int32 j, tensor<fp16, [5, {columns}]> k) {{
                    tensor<fp16, [5, {rows}]> u = linear(weight = w, x = k);
                    tensor<fp16, [5, {columns}]> v = matmul(transpose_x = bool(false), transpose_y = bool(false), x = u, y = w);
                    tensor<fp16, [5, {columns}]> s = sigmoid(x = v);
                    int32 next = add(x = j, y = int32(1));
                }} -> (next, s);"
            ),
        ),
    ]
}

fn program(opset: &str, form: &str, reader: &str, outputs: &str) -> Arc<Checked> {
    let [_, columns] = SIZES;
    let inputs = format!("tensor<fp16, [5, {columns}]> x, tensor<fp16, {SIZES:?}> z, bool p");
    let text = format!(
        "program(1.3)\n{{ func main<{opset}>({inputs}) {{\n{form}\n{reader}\n }} -> ({outputs}); }}\n"
    );
    Arc::new(checked(&text).unwrap_or_else(|d| panic!("{}\n{text}", rendered(&d, "text", &text))))
}

fn inputs(seed: u64, p: bool) -> Vec<(Name, Tensor)> {
    let mut rng = Rng(seed);
    let mut tensor = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = (0..count).map(|_| rng.unit() * 0.25 - 0.125).collect();
        Tensor::from_f64(mil_base::DType::Fp16, shape, &values).unwrap()
    };
    let p = Tensor::from_f64(mil_base::DType::Bool, &[], &[f64::from(u8::from(p))]).unwrap();
    vec![("x".into(), tensor(&[5, SIZES[1]])), ("z".into(), tensor(&SIZES)), ("p".into(), p)]
}

fn options(weights: HeldWeights) -> Options {
    Options { threads: 2, weights, expand_up_to: 0, ..Options::default() }
}

/// What a session gives for inputs one after another, its memory, and the kinds of all steps.
struct Ran {
    outputs: Vec<Vec<(Name, Tensor)>>,
    memory: PlanMemory,
    kinds: Vec<String>,
}

impl Ran {
    /// How many of the steps expand a weight.
    fn expansions(&self) -> usize {
        self.kinds.iter().filter(|k| k.starts_with("constexpr_")).count()
    }
}

fn run(checked: &Arc<Checked>, weights: HeldWeights) -> Ran {
    let loaded = LoadedCpu::new(checked.clone(), &options(weights)).unwrap();
    let mut session = loaded.session(None).unwrap();
    let outputs = [(1, true), (2, false), (3, true)].map(|(seed, p)| session.run(&inputs(seed, p)).unwrap());
    let plan = session.plan().expect("all sizes are known").clone();
    let f = &checked.program().functions[plan.function()];
    let kinds = plan.steps().flat_map(|(ops, why)| {
        assert!(why.is_none(), "{why:?}");
        ops.iter().map(|&op| f.ops[op].name.to_string())
    });
    Ran { outputs: outputs.to_vec(), memory: plan.memory(), kinds: kinds.collect() }
}

#[test]
fn every_form_gives_the_same_bits_either_way() {
    for (name, opset, form) in forms() {
        for (reader, statements) in readers() {
            let outputs = match reader {
                "a step that may work in place, and the output" => "y, t, w",
                "branches" => "y, t",
                _ => "y",
            };
            let checked = program(opset, &form, &statements, outputs);
            let expanded = run(&checked, HeldWeights::Expanded);
            let compressed = run(&checked, HeldWeights::Compressed);
            assert_eq!(compressed.outputs, expanded.outputs, "{name}, {reader}");
            let all = expanded.memory.owned;
            assert_eq!((expanded.expansions(), all >= EXPANDED), (0, true), "{name}, {reader}");
            assert!(
                compressed.expansions() > 0 && compressed.memory.owned < all,
                "{name}, {reader}: {:?}",
                compressed.memory
            );
        }
    }
}

#[test]
fn every_form_agrees_with_its_definition() {
    for (name, opset, form) in forms() {
        let checked = program(opset, &form, &readers()[0].1, "y, w");
        let loaded = LoadedCpu::new(checked.clone(), &options(HeldWeights::Compressed)).unwrap();
        let mut session = loaded.session(None).unwrap();
        let report = mil_run::verify(&loaded, &mut session, None, &inputs(1, true)).unwrap();
        assert!(report.holds(), "{name}: {:?} {:?}", report.worst(), report.failures);
        let kinds: Vec<&str> = report.steps.iter().map(|s| s.kinds.as_str()).collect();
        assert!(kinds.iter().any(|k| k.starts_with("constexpr_")), "{name}: {kinds:?}");
    }
}

/// A stack of layers with a weight each.
fn layers(count: usize) -> Arc<Checked> {
    let n = SIZES[1];
    let mut r = Random(Rng(9));
    let body: String = (0..count)
        .map(|i| {
            let (indices, table) = (r.ints("uint4", &[n, n], 16), r.halves(&[1, 1, 16, 1]));
            let from = if i == 0 { "x".to_owned() } else { format!("y{}", i - 1) };
            format!(
                "tensor<fp16, [{n}, {n}]> w{i} = constexpr_lut_to_dense(indices = {indices}, lut = {table});
                tensor<fp16, [5, {n}]> y{i} = linear(weight = w{i}, x = {from});\n"
            )
        })
        .collect();
    program("ios18", &body, "", &format!("y{}", count - 1))
}

#[test]
fn memory_is_that_of_one_layer_however_many_there_are() {
    let weight = 2 * SIZES[1] * SIZES[1];
    let memory = |count, weights| run(&layers(count), weights).memory;
    let (one, twelve) = (memory(1, HeldWeights::Compressed), memory(12, HeldWeights::Compressed));
    assert_eq!(one.arena, twelve.arena);
    let all = memory(12, HeldWeights::Expanded);
    assert_eq!(all.owned, 12 * weight);
    let beside = twelve.arena - all.arena;
    assert!(
        (weight / 2..=weight).contains(&beside),
        "one weight, or less where it takes a place that was free: {beside}"
    );
    // Written in the text, a constant may lie badly and be copied; packed it takes a quarter.
    assert!(twelve.owned <= 12 * (weight / 4 + 64), "{twelve:?}");
    assert!(twelve.owned + beside < all.owned / 2, "{twelve:?} {all:?}");
}

#[test]
fn steps_far_apart_do_not_hold_a_weight_between_them() {
    let (name, opset, form) = forms().swap_remove(0);
    let near = run(&program(opset, &form, &readers()[1].1, "y"), HeldWeights::Compressed);
    let far = run(&program(opset, &form, &readers()[2].1, "y"), HeldWeights::Compressed);
    assert_eq!((near.expansions(), far.expansions()), (1, 2), "{name}");
}

#[test]
fn small_weights_and_those_a_kernel_must_know_are_expanded_once() {
    let (_, opset, form) = forms().swap_remove(0);
    let checked = program(opset, &form, &readers()[0].1, "y");
    let loaded = LoadedCpu::new(checked, &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    session.run(&inputs(1, true)).unwrap();
    assert_eq!(session.plan().unwrap().memory().owned, EXPANDED, "it is small");

    let scales = "tensor<fp16, [64]> g = constexpr_blockwise_shift_scale(data = GAMMA, scale = tensor<fp16, [1]>([0.5]));
        tensor<fp16, [5, 64, 1, 1]> e = expand_dims(axes = tensor<int32, [2]>([2, 3]), x = x);
        tensor<fp16, [5, 64, 1, 1]> y = batch_norm(beta = g, epsilon = fp16(1e-3), gamma = g, mean = g, variance = g, x = e);";
    let mut r = Random(Rng(1));
    let gamma = literal("uint8", &[64], &mut || (1 + r.0.below(9)).to_string());
    let checked = program("ios18", "", &scales.replace("GAMMA", &gamma), "y");
    let found = run(&checked, HeldWeights::Compressed);
    assert_eq!(found.expansions(), 0, "the kernel of batch_norm works its factors out beforehand");

    let rows = "tensor<int32, [1]> at = cast(dtype = string(\"int32\"), x = f); tensor<fp16, [1, 64]> y = gather(axis = int32(0), indices = at, x = w);";
    let rows = format!(
        "{form} fp16 m = reduce_max(axes = tensor<int32, [2]>([0, 1]), keep_dims = bool(false), x = x); tensor<fp16, [1]> f = reshape(shape = tensor<int32, [1]>([1]), x = m); {rows}"
    );
    let found = run(&program(opset, &rows, "", "y"), HeldWeights::Compressed);
    assert_eq!(found.expansions(), 0, "one row of many is read");

    let of_constants = format!(
        "{form} tensor<fp16, [48, 64]> v = relu(x = w); tensor<fp16, [5, 48]> y = matmul(transpose_x = bool(false), transpose_y = bool(true), x = x, y = v);"
    );
    let found = run(&program(opset, &of_constants, "", "y"), HeldWeights::Compressed);
    assert_eq!(found.kinds, ["matmul"], "arithmetic on constants alone is worked out once");
}
