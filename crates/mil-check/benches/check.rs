//! A 600 KB text of some thousand ops, from text to `Checked`. Parsed and checked it must take under 30 ms.

use mil_base::Diagnostic;
use mil_check::{Target, check};
use mil_ir::Origins;
use mil_ops::OpSet;
use std::fmt::Write;

fn main() {
    divan::main();
}

/// Blocks of a transformer's ops, one after another.
fn text() -> String {
    let mut text = String::from("program(1.3)\n{\n    func main<ios17>(tensor<fp16, [?, 64]> x0) {\n");
    let mut i = 0;
    while text.len() < 600_000 {
        let ty = "tensor<fp16, [?, 64]>";
        let _ = write!(
            text,
            "            tensor<int32, [1]> axes_{i} = const()[name = string(\"axes_{i}\"), val = tensor<int32, [1]>([-1])];\n\
             \x20           fp16 epsilon_{i} = const()[name = string(\"epsilon_{i}\"), val = fp16(0x1.5p-17)];\n\
             \x20           {ty} norm_{i} = layer_norm(axes = axes_{i}, epsilon = epsilon_{i}, x = x{i})[name = string(\"norm_{i}\")];\n\
             \x20           bool no_{i} = const()[name = string(\"no_{i}\"), val = bool(false)];\n\
             \x20           tensor<fp16, [64, 64]> w_{i} = const()[name = string(\"w_{i}\"), val = tensor<fp16, [64, 64]>(BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64({})))];\n\
             \x20           {ty} product_{i} = matmul(transpose_x = no_{i}, transpose_y = no_{i}, x = norm_{i}, y = w_{i})[name = string(\"product_{i}\")];\n\
             \x20           string mode_{i} = const()[name = string(\"mode_{i}\"), val = string(\"EXACT\")];\n\
             \x20           {ty} gelu_{i} = gelu(mode = mode_{i}, x = product_{i})[name = string(\"gelu_{i}\")];\n\
             \x20           {ty} x{} = add(x = x{i}, y = gelu_{i})[name = string(\"x{}\")];\n",
            64 + i * 8192,
            i + 1,
            i + 1,
        );
        i += 1;
    }
    let _ = write!(text, "        }} -> (x{i});\n}}");
    text
}

#[divan::bench]
fn parse_lower_check(bencher: divan::Bencher<'_, '_>) {
    let (text, ops) = (text(), OpSet::standard());
    bencher.counter(divan::counter::BytesCount::new(text.len())).bench(|| {
        let read = mil_codec::text::read(&text);
        assert!(!read.diagnostics.iter().any(Diagnostic::is_error), "{:?}", read.diagnostics.first());
        check(read.program, &read.origins, &ops, Target::default()).expect("the program is right")
    });
}

#[divan::bench]
fn check_alone(bencher: divan::Bencher<'_, '_>) {
    let (text, ops) = (text(), OpSet::standard());
    let program = std::sync::Arc::new(mil_codec::text::read(&text).program);
    let count = program.functions.iter().map(|(_, f)| f.ops.len()).sum::<usize>();
    bencher.counter(divan::counter::ItemsCount::new(count)).bench(|| {
        check(program.clone(), &Origins::default(), &ops, Target::default()).expect("the program is right")
    });
}

#[divan::bench]
fn parse_alone(bencher: divan::Bencher<'_, '_>) {
    let text = text();
    bencher.counter(divan::counter::BytesCount::new(text.len())).bench(|| mil_syntax::parse(&text));
}

#[divan::bench]
fn parse_and_lower(bencher: divan::Bencher<'_, '_>) {
    let text = text();
    bencher.counter(divan::counter::BytesCount::new(text.len())).bench(|| mil_codec::text::read(&text));
}
