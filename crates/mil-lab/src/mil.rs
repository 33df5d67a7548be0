//! Programs of the experiments: random matrices, MIL text around them, and the same computed in f64 from operands that are not
//! rounded, which is what the research's differences are measured from.

use crate::bench::Stop;
use mil_ane::Matrix;
use mil_base::Tensor;
use std::fmt::Write;

/// A matrix of elements uniform between `-span` and `span`.
pub(crate) fn uniform(
    random: &mut fastrand::Rng,
    rows: usize,
    cols: usize,
    span: f32,
) -> Result<Matrix, Stop> {
    let values = (0..rows.saturating_mul(cols)).map(|_| (random.f32() * 2.0 - 1.0) * span);
    Ok(Matrix::new(rows, cols, values.collect())?)
}

/// A matrix as an fp32 input.
pub(crate) fn tensor(m: &Matrix, shape: &[usize]) -> Result<Tensor, Stop> {
    Tensor::from_f32(shape, m.values()).map_err(|e| Stop::wrong(format!("{e:?}")))
}

/// A constant of fp16.
pub(crate) fn constant(name: &str, m: &Matrix, shape: &[usize]) -> String {
    let sizes = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let row = |r: &[f32]| format!("[{}]", r.iter().map(|v| format!("{v:e}")).collect::<Vec<_>>().join(", "));
    let mut body = m.values().chunks(m.cols().max(1)).map(row).collect::<Vec<_>>().join(", ");
    for _ in 1..shape.len() {
        body = format!("[{body}]");
    }
    let ty = format!("tensor<fp16, [{sizes}]>");
    format!("{ty} {name} = const()[name = string(\"{name}\"), val = {ty}({body})];\n")
}

/// A program of one function.
pub(crate) fn main(opset: &str, parameters: &str, body: &str, results: &str) -> String {
    let mut text = String::from(
        "program(1.3)\n[buildInfo = dict<string, string>({{\"coremlc-component-MIL\", \"3520.4.1\"}, {\"coremlc-version\", \"3520.5.1\"}})]\n{\n",
    );
    let _ = write!(text, "func main<{opset}>({parameters}) {{\n{body}}} -> ({results});\n}}\n");
    text
}

/// `a [m, k] * b [k, n]` in f64.
pub(crate) fn product(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let columns = b.transposed();
    let rows = |m: &Matrix| -> Vec<Vec<f64>> {
        m.values().chunks(m.cols().max(1)).map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect()
    };
    let columns = rows(&columns);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    rows(a).iter().flat_map(|r| columns.iter().map(|c| dot(r, c)).collect::<Vec<_>>()).collect()
}

/// `softmax(x x^T / sqrt(d)) x` in f64, of `x [s, d]`.
pub(crate) fn attention(x: &Matrix) -> Vec<f64> {
    let (s, d) = (x.rows().max(1), x.cols().max(1));
    let scores = product(x, &x.transposed());
    let mut out = Vec::with_capacity(s * d);
    for row in scores.chunks(s) {
        let scaled = row.iter().map(|v| v / (d as f64).sqrt());
        let top = scaled.clone().fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = scaled.map(|v| (v - top).exp()).collect();
        let sum: f64 = powers.iter().sum();
        let column = |j: usize| x.values().iter().skip(j).step_by(d).map(|v| f64::from(*v));
        out.extend((0..d).map(|j| powers.iter().zip(column(j)).map(|(p, v)| p / sum * v).sum::<f64>()));
    }
    out
}

/// The largest difference of a result from exact values.
pub(crate) fn largest(result: &[f32], exact: &[f64]) -> f64 {
    let apart = result.iter().zip(exact).map(|(r, e)| (f64::from(*r) - e).abs());
    apart.fold(0.0, |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) })
}

/// The elements of a tensor, narrowed.
pub(crate) fn values(t: &Tensor) -> Vec<f32> {
    t.to_f64().into_iter().map(|v| v as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::DType;

    #[test]
    fn exact_values_by_hand() {
        let a = Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(product(&a, &a), [7.0, 10.0, 15.0, 22.0]);
        let one = Matrix::new(1, 3, vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(attention(&one), [1.0, 2.0, 3.0]);
        assert_eq!(largest(&[1.0, 2.5], &[1.0, 2.0]), 0.5);
        assert_eq!(largest(&[f32::NAN], &[1.0]), f64::INFINITY);
    }

    #[test]
    fn programs_are_read() {
        let w = Matrix::new(1, 2, vec![0.5, -0.25]).unwrap();
        let body = constant("w", &w, &[2]) + "tensor<fp16, [2]> y = add(x = x, y = w);\n";
        let text = main("ios17", "tensor<fp16, [2]> x", &body, "y");
        let input = Tensor::from_f64(DType::Fp16, &[2], &[1.0, 1.0]).unwrap();
        let program = crate::bench::Program::new(&text, vec![("x", input)]).unwrap();
        assert_eq!(values(&program.cpu().unwrap()[0].1), [1.5, 0.75]);
    }
}
