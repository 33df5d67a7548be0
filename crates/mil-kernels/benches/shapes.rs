//! The shapes of the performance set, kernel by kernel: `cargo bench -p mil-kernels --bench shapes [filter]`.
//!
//! Prints the best of many runs, in microseconds and GFLOP/s, for fp32 and fp16, on THREADS threads (2). `benches/peers.py`
//! prints the same lines for ONNX Runtime, to be laid side by side.

use mil_base::f16;
use mil_kernels::{
    Along, Conv, ConvSpec, Epilogue, Floats, FloatsMut, LayerNorm, Matmul, MatmulSpec, Pool, PostOp, Softmax,
    StridedCopy, Unary, WindowSpec,
};
use std::time::{Duration, Instant};

/// Runs only what is wanted: DTYPE is `fp32`, `fp16` or absent.
fn wanted(dtype: &str) -> bool {
    std::env::var("DTYPE").map_or(true, |d| d == dtype)
}

fn best(dtype: &str, mut body: impl FnMut()) -> f64 {
    if !wanted(dtype) {
        return 0.0;
    }
    body();
    let start = Instant::now();
    let mut best = f64::MAX;
    while start.elapsed() < Duration::from_millis(250) {
        let one = Instant::now();
        body();
        best = best.min(one.elapsed().as_secs_f64());
    }
    best
}

fn report(name: &str, operations: f64, seconds: f64) {
    if seconds == 0.0 {
        return;
    }
    println!("{name:44} {:9.1} us {:7.1} GFLOP/s", seconds * 1e6, operations / seconds / 1e9);
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect()
}

fn halves(v: &[f32]) -> Vec<f16> {
    v.iter().map(|&v| f16::from_f32(v)).collect()
}

struct Bench {
    pool: Pool,
    filter: String,
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    fn matmul(&self, name: &str, a: &[usize], b: &[usize], transpose_b: bool, post: Option<Unary>) {
        let name = format!("{name} {a:?}x{b:?}{}", if transpose_b { "T" } else { "" });
        if !self.wants(&name) {
            return;
        }
        let spec = MatmulSpec { a, b, transpose_a: false, transpose_b };
        let plan = Matmul::new(&spec, self.pool.threads()).expect("shapes that fit");
        let (x, w) = (values(a.iter().product()), values(b.iter().product()));
        let k = a[a.len() - 1];
        let n = if transpose_b { b[b.len() - 2] } else { b[b.len() - 1] };
        let count = x.len() / k * n;
        let bias = values(n);
        let mut ops = Vec::new();
        if b.len() == 2 {
            ops.push(PostOp::Bias { operand: 0, along: Along::Column });
        }
        ops.extend(post.map(PostOp::Unary));
        let mut epilogue = Epilogue { ops, round_fp16: false };
        let mut scratch = vec![0u64; plan.scratch_bytes(self.pool.threads()) / 8 + 8];
        let scratch: &mut [u8] = bytemuck::cast_slice_mut(&mut scratch);
        let flops = 2.0 * (x.len() * n) as f64;
        let mut c = vec![0f32; count];
        let operands = [Floats::F32(&bias)];
        let seconds = self.pool.enter(|| {
            best("fp32", || {
                let out = FloatsMut::F32(&mut c);
                plan.run(Floats::F32(&x), Floats::F32(&w), out, &epilogue, &operands, scratch, &self.pool);
            })
        });
        report(&format!("fp32 {name}"), flops, seconds);
        let (x, w, bias) = (halves(&x), halves(&w), halves(&bias));
        let mut c = vec![f16::ZERO; count];
        epilogue.round_fp16 = true;
        let operands = [Floats::F16(&bias)];
        let seconds = self.pool.enter(|| {
            best("fp16", || {
                let out = FloatsMut::F16(&mut c);
                plan.run(Floats::F16(&x), Floats::F16(&w), out, &epilogue, &operands, scratch, &self.pool);
            })
        });
        report(&format!("fp16 {name}"), flops, seconds);
    }

    fn conv(&self, name: &str, [c, o, g]: [usize; 3], size: usize, kernel: usize, stride: usize) {
        let name = format!("{name} {c}>{o} g{g} {size}x{size} k{kernel} s{stride}");
        if !self.wants(&name) {
            return;
        }
        let window = WindowSpec {
            input: &[size; 2],
            kernel: &[kernel; 2],
            stride: &[stride; 2],
            dilation: &[1; 2],
            before: &[kernel / 2; 2],
            after: &[kernel / 2; 2],
            ceil: false,
        };
        let spec = ConvSpec { n: 1, channels: c, filters: o, groups: g, window };
        let plan = Conv::new(&spec, self.pool.threads()).expect("a geometry that fits");
        let olen: usize = plan.output().iter().product();
        let (x, w, bias) = (values(c * size * size), values(o * c / g * kernel * kernel), values(o));
        let mut epilogue = Epilogue {
            ops: vec![PostOp::Bias { operand: 0, along: Along::Row }, PostOp::Unary(Unary::Relu)],
            round_fp16: false,
        };
        let mut scratch = vec![0u64; plan.scratch_bytes(self.pool.threads()) / 8 + 8];
        let scratch: &mut [u8] = bytemuck::cast_slice_mut(&mut scratch);
        let flops = 2.0 * (o * olen * c / g * kernel * kernel) as f64;
        let mut y = vec![0f32; o * olen];
        let operands = [Floats::F32(&bias)];
        let seconds = self.pool.enter(|| {
            best("fp32", || {
                let out = FloatsMut::F32(&mut y);
                plan.run(Floats::F32(&x), Floats::F32(&w), out, &epilogue, &operands, scratch, &self.pool);
            })
        });
        report(&format!("fp32 {name}"), flops, seconds);
        let (x, w, bias) = (halves(&x), halves(&w), halves(&bias));
        let mut y = vec![f16::ZERO; o * olen];
        epilogue.round_fp16 = true;
        let operands = [Floats::F16(&bias)];
        let seconds = self.pool.enter(|| {
            best("fp16", || {
                let out = FloatsMut::F16(&mut y);
                plan.run(Floats::F16(&x), Floats::F16(&w), out, &epilogue, &operands, scratch, &self.pool);
            })
        });
        report(&format!("fp16 {name}"), flops, seconds);
    }

    fn rest(&self) {
        let pool = &self.pool;
        let mut scratch = vec![0u64; 1 << 18];
        let scratch: &mut [u8] = bytemuck::cast_slice_mut(&mut scratch);
        let (x, mut y) = (values(12 * 256 * 256), vec![0f32; 12 * 256 * 256]);
        if self.wants("softmax") {
            let plan = Softmax::new(&[12, 128, 128], 2);
            let n = 12 * 128 * 128;
            let s = pool.enter(|| best("fp32", || plan.run(&x[..n], &mut y[..n], scratch, pool)));
            report("fp32 softmax 12x128x128", 0.0, s);
        }
        if self.wants("layer_norm") {
            let plan = LayerNorm { rows: 128, row: 768, epsilon: 1e-5 };
            let n = 128 * 768;
            let (g, b) = (&x[..768], &x[768..1536]);
            let s = pool.enter(|| {
                best("fp32", || {
                    plan.run(&x[..n], Some(Floats::F32(g)), Some(Floats::F32(b)), &mut y[..n], scratch, pool)
                })
            });
            report("fp32 layer_norm 128x768", 0.0, s);
        }
        if self.wants("transpose") {
            for (shape, permutation) in [([1, 128, 12, 64], [0, 2, 1, 3]), ([1, 12, 128, 64], [0, 1, 3, 2])] {
                let plan = StridedCopy::permute(&shape, &permutation);
                let n: usize = shape.iter().product();
                let s = pool.enter(|| best("fp32", || plan.run(&x[..n], &mut y[..n], pool)));
                report(&format!("fp32 transpose {shape:?} {permutation:?}"), 0.0, s);
            }
        }
        if self.wants("gelu") {
            let n = 128 * 3072;
            let s = pool.enter(|| {
                best("fp32", || mil_kernels::unary::unary(Unary::Gelu, &x[..n], &mut y[..n], pool))
            });
            report("fp32 gelu 128x3072", 0.0, s);
        }
    }
}

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let threads = std::env::var("THREADS").ok().and_then(|t| t.parse().ok()).unwrap_or(2);
    let b = Bench { pool: Pool::new(threads).expect("threads"), filter };
    b.matmul("bert", &[128, 768], &[768, 768], true, None);
    b.matmul("bert", &[128, 768], &[3072, 768], true, Some(Unary::Gelu));
    b.matmul("bert", &[128, 3072], &[768, 3072], true, None);
    b.matmul("bert", &[12, 128, 64], &[12, 128, 64], true, None);
    b.matmul("bert", &[12, 128, 128], &[12, 128, 64], false, None);
    b.matmul("block768", &[256, 768], &[768, 768], true, None);
    b.matmul("block768", &[256, 768], &[3072, 768], true, Some(Unary::Gelu));
    b.matmul("block768", &[256, 3072], &[768, 3072], true, None);
    b.matmul("gpt2", &[1, 768], &[768, 768], true, None);
    b.matmul("gpt2", &[1, 768], &[3072, 768], true, Some(Unary::Gelu));
    b.matmul("gpt2", &[1, 3072], &[768, 3072], true, None);
    b.matmul("seed", &[256, 64], &[64, 64], true, None);
    b.matmul("seed", &[256, 64], &[128, 64], true, Some(Unary::Gelu));
    b.matmul("seed", &[256, 128], &[64, 128], true, None);
    b.matmul("seed", &[1, 256, 64], &[1, 256, 64], true, None);
    b.matmul("seed", &[1, 256, 256], &[1, 256, 64], false, None);
    b.matmul("resnet", &[1, 2048], &[1000, 2048], true, None);
    b.conv("resnet", [3, 64, 1], 224, 7, 2);
    b.conv("resnet", [64, 64, 1], 56, 1, 1);
    b.conv("resnet", [64, 64, 1], 56, 3, 1);
    b.conv("resnet", [64, 256, 1], 56, 1, 1);
    b.conv("resnet", [256, 64, 1], 56, 1, 1);
    b.conv("resnet", [128, 128, 1], 56, 3, 2);
    b.conv("resnet", [128, 128, 1], 28, 3, 1);
    b.conv("resnet", [512, 128, 1], 28, 1, 1);
    b.conv("resnet", [256, 512, 1], 56, 1, 2);
    b.conv("resnet", [256, 256, 1], 14, 3, 1);
    b.conv("resnet", [1024, 256, 1], 14, 1, 1);
    b.conv("resnet", [256, 1024, 1], 14, 1, 1);
    b.conv("resnet", [512, 512, 1], 7, 3, 1);
    b.conv("resnet", [2048, 512, 1], 7, 1, 1);
    b.conv("resnet", [512, 2048, 1], 7, 1, 1);
    b.conv("mobilenet", [3, 32, 1], 224, 3, 2);
    b.conv("mobilenet", [32, 32, 32], 112, 3, 1);
    b.conv("mobilenet", [96, 96, 96], 112, 3, 2);
    b.conv("mobilenet", [144, 144, 144], 56, 3, 1);
    b.conv("mobilenet", [384, 384, 384], 14, 3, 1);
    b.conv("mobilenet", [960, 960, 960], 7, 3, 1);
    b.conv("mobilenet", [16, 96, 1], 112, 1, 1);
    b.conv("mobilenet", [144, 24, 1], 56, 1, 1);
    b.conv("mobilenet", [384, 64, 1], 14, 1, 1);
    b.conv("mobilenet", [320, 1280, 1], 7, 1, 1);
    b.conv("unet", [3, 32, 1], 256, 3, 1);
    b.conv("unet", [32, 64, 1], 128, 3, 1);
    b.conv("unet", [64, 128, 1], 64, 3, 1);
    b.conv("unet", [192, 64, 1], 128, 3, 1);
    b.conv("unet", [96, 32, 1], 256, 3, 1);
    b.conv("unet", [32, 3, 1], 256, 3, 1);
    b.rest();
}
