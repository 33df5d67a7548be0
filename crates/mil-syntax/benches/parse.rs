//! Speed of reading text: `cargo bench -p mil-syntax`.
//!
//! The bar: 100 MB/s on texts with large literals, and a program of some thousand ops (600 KB) in well under 30 ms.

use divan::Bencher;
use divan::counter::BytesCount;
use std::fmt::Write;

fn main() {
    divan::main();
}

/// A text with one literal of `count` elements in rows of 1000, `element(i)` being the spelling of the `i`th.
fn literal(dtype: &str, count: usize, element: impl Fn(u64) -> String) -> String {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let rows: Vec<String> = (0..count / 1000)
        .map(|_| {
            let row: Vec<String> = (0..1000)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    element(random >> 33)
                })
                .collect();
            format!("[{}]", row.join(", "))
        })
        .collect();
    format!(
        "program(1.3)\n{{\n    func main<ios17>() {{\n            tensor<{dtype}, [{0}, 1000]> y = const()[val = tensor<{dtype}, [{0}, 1000]>([{1}])];\n        }} -> (y);\n}}",
        count / 1000,
        rows.join(", ")
    )
}

fn hex(i: u64) -> String {
    let digits = format!("{:06x}", i % (1 << 23) * 2);
    format!("{}0x1.{}p-{}", if i & 1 == 0 { "-" } else { "" }, digits.trim_end_matches('0'), i % 14)
}

/// A program like a compiled network: consts, calls with attributes, about 150 bytes an op.
fn ops(count: usize) -> String {
    let mut text = String::from(
        "program(1.3)\n[buildInfo = dict<string, string>({{\"coremlc-version\", \"3520.5.1\"}})]\n{\n    func main<ios17>(tensor<fp16, [1, 64, 56, 56]> x0) {\n",
    );
    for i in 0..count {
        let _ = match i % 3 {
            0 => writeln!(
                text,
                "            fp16 c{i} = const()[name = string(\"c{i}_to_fp16\"), val = fp16(0x1.8p-3)];"
            ),
            1 => writeln!(
                text,
                "            tensor<fp16, [64, 64, 3, 3]> w{i} = const()[name = string(\"w{i}_to_fp16\"), val = tensor<fp16, [64, 64, 3, 3]>(BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64({})))];",
                i * 64
            ),
            _ => writeln!(
                text,
                "            tensor<fp16, [1, 64, 56, 56]> x{i} = mul(x = x{}, y = c{})[name = string(\"op_{i}_cast_fp16\")];",
                i.saturating_sub(3).max(if i > 2 { 2 } else { 0 }),
                i - 2
            ),
        };
    }
    text.push_str("        } -> (x2);\n}");
    text
}

fn parse(bencher: Bencher<'_, '_>, text: &str) {
    assert!(mil_syntax::parse(text).diagnostics.is_empty());
    bencher.counter(BytesCount::of_str(text)).bench(|| mil_syntax::parse(divan::black_box(text)));
}

#[divan::bench]
fn hex_fp32(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("fp32", 500_000, hex));
}

#[divan::bench]
fn hex_fp16(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("fp16", 500_000, |i| format!("0x1.{:03x}p-{}", i % 1024 * 4, i % 14)));
}

#[divan::bench]
fn decimal_fp32(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("fp32", 500_000, |i| format!("{}", i as f32 / 2e9 - 0.5)));
}

#[divan::bench]
fn decimal_fp16(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("fp16", 500_000, |i| format!("{:.5}", i as f64 / 2e9)));
}

#[divan::bench]
fn int32(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("int32", 500_000, |i| format!("{}", i as i32 - (1 << 30))));
}

#[divan::bench]
fn int8(bencher: Bencher<'_, '_>) {
    parse(bencher, &literal("int8", 500_000, |i| format!("{}", i as i8)));
}

#[divan::bench]
fn program_of_4500_ops(bencher: Bencher<'_, '_>) {
    parse(bencher, &ops(4500));
}

#[divan::bench]
fn format_4500_ops(bencher: Bencher<'_, '_>) {
    let text = ops(4500);
    bencher.counter(BytesCount::of_str(&text)).bench(|| mil_syntax::format(divan::black_box(&text)));
}
