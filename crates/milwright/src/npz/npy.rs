//! One array in NumPy's `.npy` format: a magic, a version, a header that is a Python dictionary, the elements.

use crate::codes;
use bytes::Bytes;
use mil_base::{DType, Diagnostic, Tensor};

const MAGIC: &[u8] = b"\x93NUMPY";

/// What one element is in the file.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Element {
    /// A number or bool that MIL has too.
    Number(DType),
    /// UTF-32 text of this many code points, padded with zeros.
    Text(usize),
}

struct Header {
    element: Element,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// Reads a `.npy` array; `name` is for messages. Big-endian and column-major arrays are put into our order.
///
/// Errors: `npy/not-npy`, `npy/header`, `npy/dtype`, `npy/length`.
pub fn read(name: &str, bytes: &Bytes) -> Result<Tensor, Diagnostic> {
    let (header, start) = header(name, bytes)?;
    let data = bytes.slice(start..);
    let Header { element, big_endian, fortran_order, shape } = header;
    let size = match element {
        Element::Number(dtype) => dtype.bits() / 8,
        Element::Text(points) => points.saturating_mul(4),
    };
    let count = mil_base::tensor::count(&shape);
    let wanted = count.and_then(|n| n.checked_mul(size));
    if wanted != Some(data.len()) {
        let wanted = wanted.map_or_else(|| "more than memory can hold".into(), |n| format!("{n} bytes"));
        let message =
            format!("`{name}` has {} bytes of elements; its shape {shape:?} needs {wanted}", data.len());
        return Err(
            Diagnostic::error(codes::NPY_LENGTH, message).help("the file was cut off: save the array again")
        );
    }
    let order = fortran_order.then(|| row_major_from_column_major(&shape)).filter(|o| o.len() > 1);
    let made = match element {
        Element::Text(_) => {
            let texts: Vec<String> =
                data.chunks_exact(size).map(|c| text(name, c, big_endian)).collect::<Result<_, _>>()?;
            Tensor::from_strings(
                &shape,
                match order {
                    Some(order) => order.iter().map(|&i| texts[i].clone()).collect(),
                    None => texts,
                },
            )
        }
        Element::Number(dtype) => {
            let data = if big_endian { swapped(&data, size) } else { data };
            let data = match order {
                Some(order) => order.iter().flat_map(|&i| &data[i * size..(i + 1) * size]).copied().collect(),
                None => data,
            };
            if dtype == DType::Bool && data.iter().any(|&b| b > 1) {
                return Err(Diagnostic::error(
                    codes::NPY_HEADER,
                    format!("`{name}` has a bool that is neither 0 nor 1"),
                ));
            }
            Tensor::from_bytes(dtype, &shape, data)
        }
    };
    made.map_err(|e| Diagnostic::error(codes::NPY_LENGTH, format!("the array `{name}` {e}")))
}

/// The header and where the elements start.
fn header(name: &str, bytes: &[u8]) -> Result<(Header, usize), Diagnostic> {
    let not_npy = || {
        Diagnostic::error(codes::NPY_NOT_NPY, format!("`{name}` is not a NumPy array"))
            .help("save it with `numpy.save` or `numpy.savez`")
    };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_npy)?;
    let (length, from) = match *rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 4),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 6),
        _ => return Err(not_npy()),
    };
    let start = (MAGIC.len() + from).checked_add(length).filter(|&s| s <= bytes.len()).ok_or_else(not_npy)?;
    let text = std::str::from_utf8(&bytes[MAGIC.len() + from..start]).map_err(|_| not_npy())?;
    let broken = || {
        Diagnostic::error(codes::NPY_HEADER, format!("the header of `{name}` cannot be understood: {text}"))
    };
    let descr = field(text, "descr").ok_or_else(broken)?;
    let descr = quoted(descr).ok_or_else(|| dtype_error(name, "a structured type"))?;
    let (element, big_endian) = element(descr).ok_or_else(|| dtype_error(name, descr))?;
    let fortran_order = match field(text, "fortran_order").ok_or_else(broken)? {
        t if t.starts_with("True") => true,
        t if t.starts_with("False") => false,
        _ => return Err(broken()),
    };
    let shape = field(text, "shape").and_then(tuple).ok_or_else(broken)?;
    Ok((Header { element, big_endian, fortran_order, shape }, start))
}

fn dtype_error(name: &str, found: &str) -> Diagnostic {
    Diagnostic::error(
        codes::NPY_DTYPE,
        format!("`{name}` has elements of NumPy type {found}, which MIL has not"),
    )
    .help("convert it: bool, int8 to int64, uint8 to uint64, float16, float32, float64 and str can be read")
}

/// What follows `'key':` in the dictionary.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let after = |quote: char| text.split_once(&format!("{quote}{key}{quote}")).map(|(_, rest)| rest);
    let rest = after('\'').or_else(|| after('"'))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote).map(|(inside, _)| inside)
}

/// `(1, 2)`, `(3,)` or `()`. No MIL tensor has more than a few dimensions; 64 is what is allowed.
fn tuple(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let sizes = inside.split(',').map(str::trim).filter(|s| !s.is_empty());
    // Python 2 wrote long integers with an L.
    let sizes: Vec<usize> =
        sizes.take(65).map(|s| s.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?;
    (sizes.len() <= 64).then_some(sizes)
}

/// The element that NumPy's `<f4` stands for, and whether it is big-endian.
fn element(descr: &str) -> Option<(Element, bool)> {
    let big_endian = descr.starts_with('>');
    let code = descr.trim_start_matches(['<', '>', '|', '=']);
    if let Some(points) = code.strip_prefix('U') {
        // A text type of no code points would make a few bytes of header stand for any number of elements.
        let points = points.parse().ok().filter(|&n| n > 0)?;
        return Some((Element::Text(points), big_endian));
    }
    DTYPES.iter().find(|(_, c)| *c == code).map(|(d, _)| (Element::Number(*d), big_endian))
}

const DTYPES: &[(DType, &str)] = &[
    (DType::Bool, "b1"),
    (DType::Bool, "?"),
    (DType::Fp16, "f2"),
    (DType::Fp32, "f4"),
    (DType::Fp64, "f8"),
    (DType::Int8, "i1"),
    (DType::Int16, "i2"),
    (DType::Int32, "i4"),
    (DType::Int64, "i8"),
    (DType::UInt8, "u1"),
    (DType::UInt16, "u2"),
    (DType::UInt32, "u4"),
    (DType::UInt64, "u8"),
];

fn text(name: &str, element: &[u8], big_endian: bool) -> Result<String, Diagnostic> {
    let points: Vec<u32> = element
        .chunks_exact(4)
        .map(|c| {
            let c = c.try_into().expect("four bytes");
            if big_endian { u32::from_be_bytes(c) } else { u32::from_le_bytes(c) }
        })
        .collect();
    let used = points.iter().rposition(|&p| p != 0).map_or(0, |last| last + 1);
    let text: Option<String> = points[..used].iter().map(|&p| char::from_u32(p)).collect();
    text.ok_or_else(|| {
        Diagnostic::error(codes::NPY_HEADER, format!("`{name}` has a text that is not Unicode"))
    })
}

fn swapped(data: &[u8], size: usize) -> Bytes {
    data.chunks_exact(size).flat_map(|element| element.iter().rev()).copied().collect()
}

/// For each element in row-major order, its place in column-major order. The caller has checked the product.
fn row_major_from_column_major(shape: &[usize]) -> Vec<usize> {
    let count = shape.iter().product();
    let mut at = vec![0usize; shape.len()];
    let mut order = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stride = 1;
        let mut place = 0;
        for (index, size) in at.iter().zip(shape) {
            place += index * stride;
            stride *= size;
        }
        order.push(place);
        for (index, size) in at.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
    order
}

/// The tensor as a `.npy` file, version 1.0, little-endian, row-major, its elements at a multiple of 64.
///
/// NumPy has no bf16 or fp8, which become fp32, and no type below a byte: such integers become int8 or uint8. All of
/// that is exact.
pub fn write(tensor: &Tensor) -> Vec<u8> {
    let widened = match tensor.dtype() {
        DType::Bf16 | DType::Fp8E4M3Fn | DType::Fp8E5M2 => widen(tensor, DType::Fp32),
        DType::Int4 => widen(tensor, DType::Int8),
        d if d.is_packed() => widen(tensor, DType::UInt8),
        _ => tensor.clone(),
    };
    // NumPy never writes a text type of no code points.
    let points = tensor.strings().iter().map(|s| s.chars().count()).max().unwrap_or(0).max(1);
    let descr = match DTYPES.iter().find(|(d, _)| *d == widened.dtype()) {
        Some((_, code)) => format!("{}{code}", if code.ends_with('1') { '|' } else { '<' }),
        None => format!("<U{points}"),
    };
    let shape = match tensor.shape() {
        [one] => format!("({one},)"),
        sizes => format!("({})", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let before = MAGIC.len() + 4;
    while !(before + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');

    let mut out = MAGIC.to_vec();
    out.extend([1, 0]);
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.bytes());
    out.extend(widened.bytes());
    for text in tensor.strings() {
        let padding = std::iter::repeat_n('\0', points - text.chars().count());
        out.extend(text.chars().chain(padding).flat_map(|c| u32::from(c).to_le_bytes()));
    }
    out
}

fn widen(tensor: &Tensor, dtype: DType) -> Tensor {
    Tensor::from_f64(dtype, tensor.shape(), &tensor.to_f64()).expect("the shape is the tensor's own")
}
