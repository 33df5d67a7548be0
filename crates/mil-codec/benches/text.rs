//! Speed of text to IR and back: `cargo bench -p mil-codec --bench text`.

use divan::Bencher;
use divan::counter::BytesCount;
use mil_codec::text::{Options, print, read};
use std::fmt::Write;

fn main() {
    divan::main();
}

/// A program like a compiled network, 600 KB of text.
fn ops(count: usize) -> String {
    let mut text =
        String::from("program(1.3)\n{\n    func main<ios17>(tensor<fp16, [1, 64, 56, 56]> x0) {\n");
    let mut last = String::from("x0");
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
            _ => {
                let line = writeln!(
                    text,
                    "            tensor<fp16, [1, 64, 56, 56]> x{i} = mul(x = {last}, y = c{})[name = string(\"op_{i}_cast_fp16\")];",
                    i - 2
                );
                last = format!("x{i}");
                line
            }
        };
    }
    let _ = write!(text, "        }} -> ({last});\n}}");
    text
}

#[divan::bench]
fn read_4500_ops(bencher: Bencher<'_, '_>) {
    let text = ops(4500);
    assert!(read(&text).diagnostics.is_empty());
    bencher.counter(BytesCount::of_str(&text)).bench(|| read(divan::black_box(&text)));
}

#[divan::bench]
fn print_4500_ops(bencher: Bencher<'_, '_>) {
    let text = ops(4500);
    let program = read(&text).program;
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| print(divan::black_box(&program), &Options::default()));
}
