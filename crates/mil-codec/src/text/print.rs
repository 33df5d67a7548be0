//! The IR to MIL text, as Apple's compiler lays it out (`facts/mil-text-grammar.md` sections 1 to 6).

use super::hex::write_float;
use super::names::{function_names, identifier, value_names};
use mil_base::{DType, Name, Tensor, Type};
use mil_ir::{
    Arg, Binding, BlobId, BlockId, Constant, Function, NamedConstant, OpId, Payload, Program, ValueId,
};
use std::fmt::Write;
use std::ops::Range;

/// How scalars are spelt (`facts/mil-text-grammar.md` section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `program(1.0)`: `tensor<int32, []>(3)`.
    V1_0,
    /// `program(1.3)`: `int32(3)`.
    V1_3,
}

/// Choices for [`print()`].
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The dialect; by default the one of the program's version.
    pub dialect: Option<Dialect>,
}

/// Prints a program. Its ids must be sound; what they should refer to but do not is printed as `_`.
///
/// Arguments and attributes are sorted by name, floats are hexadecimal, and names that are no identifiers are rewritten.
pub fn print(program: &Program, options: &Options) -> String {
    let by_version = if program.version == (1, 0) { Dialect::V1_0 } else { Dialect::V1_3 };
    let dialect = options.dialect.unwrap_or(by_version);
    let mut printer = Printer { out: String::new(), program, dialect, brief: false };
    let (major, minor) = match (options.dialect, program.version) {
        (None, version) if version != (0, 0) => version,
        _ if dialect == Dialect::V1_0 => (1, 0),
        _ => (1, 3),
    };
    let _ = writeln!(printer.out, "program({major}.{minor})");
    if !program.attributes.is_empty() {
        printer.attributes(&program.attributes);
        printer.out.push('\n');
    }
    printer.out.push_str("{\n");
    let names = function_names(program);
    for ((_, function), name) in program.functions.iter().zip(&names) {
        printer.function(function, name);
    }
    printer.out.push('}');
    printer.out
}

/// Prints one op on one line, for a message about it: without nested blocks, and long literals as `…`. Also where in the line
/// `argument` stands, or else the op's name.
pub fn print_op(
    program: &Program,
    function: &Function,
    op: OpId,
    argument: Option<&str>,
) -> (String, Range<usize>) {
    let dialect = if program.version == (1, 0) { Dialect::V1_0 } else { Dialect::V1_3 };
    let mut printer = Printer { out: String::new(), program, dialect, brief: true };
    printer.statement(&Named { function, names: value_names(function) }, op, 0);
    let text = printer.out.trim_end().to_owned();
    let find =
        |pattern: String, skip: usize, len: usize| text.find(&pattern).map(|at| at + skip..at + skip + len);
    let argument = argument.map(identifier).and_then(|name| {
        find(format!("({name} = "), 1, name.len())
            .or_else(|| find(format!(" {name} = "), 1, name.len()))
            .or_else(|| find(format!("[{name} = "), 1, name.len()))
    });
    let kind = function.ops.get(op).map(|o| identifier(&o.name)).unwrap_or_default();
    let range = argument.or_else(|| find(format!("{kind}("), 0, kind.len()));
    (text, range.unwrap_or(0..0))
}

/// Elements of a literal that a message still shows.
const BRIEF: usize = 8;

struct Printer<'p> {
    out: String,
    program: &'p Program,
    dialect: Dialect,
    brief: bool,
}

/// A function with the printed names of its values.
struct Named<'p> {
    function: &'p Function,
    names: Vec<Name>,
}

impl Named<'_> {
    fn name(&self, value: ValueId) -> &str {
        self.names.get(value.index()).map_or("_", |name| name)
    }
}

impl Printer<'_> {
    fn function(&mut self, function: &Function, name: &str) {
        let named = Named { function, names: value_names(function) };
        let _ = write!(self.out, "    func {name}<{}>(", identifier(&function.opset));
        self.params(&named, function.body);
        self.out.push(')');
        if !function.attributes.is_empty() {
            self.out.push(' ');
            self.attributes(&function.attributes);
        }
        self.out.push(' ');
        self.body(&named, function.body, 8);
        self.out.push_str(";\n");
    }

    /// `{ … } -> (…)`; the closing brace stands at `indent`, statements four further in.
    fn body(&mut self, named: &Named<'_>, block: BlockId, indent: usize) {
        self.out.push_str("{\n");
        let Some(block) = named.function.blocks.get(block) else { return };
        for &op in &block.ops {
            self.statement(named, op, indent + 4);
        }
        self.indent(indent);
        self.out.push_str("} -> (");
        self.separated(&block.results, |p, &value| p.out.push_str(named.name(value)));
        self.out.push(')');
    }

    fn statement(&mut self, named: &Named<'_>, id: OpId, indent: usize) {
        let Some(op) = named.function.ops.get(id) else { return };
        self.indent(indent);
        if !op.outputs.is_empty() {
            self.variables(named, &op.outputs);
            self.out.push_str(" = ");
        }
        self.out.push_str(&identifier(&op.name));
        self.out.push('(');
        let mut args: Vec<&(Name, Arg)> = op.args.iter().collect();
        args.sort_by(|a, b| a.0.cmp(&b.0));
        self.separated(&args, |p, (name, arg)| {
            let _ = write!(p.out, "{} = ", identifier(name));
            p.arg(named, arg);
        });
        self.out.push(')');
        if !op.attributes.is_empty() {
            self.attributes(&op.attributes);
        }
        let blocks = if self.brief { &[] } else { op.blocks.as_slice() };
        for &block in blocks {
            self.out.push('\n');
            self.indent(indent + 4);
            self.out.push('(');
            self.params(named, block);
            self.out.push_str(") ");
            self.body(named, block, indent + 4);
        }
        self.out.push_str(";\n");
    }

    fn params(&mut self, named: &Named<'_>, block: BlockId) {
        if let Some(block) = named.function.blocks.get(block) {
            self.variables(named, &block.params);
        }
    }

    /// `type name, type name`.
    fn variables(&mut self, named: &Named<'_>, values: &[ValueId]) {
        self.separated(values, |p, &id| {
            match named.function.values.get(id) {
                Some(value) => p.ty(&value.ty),
                None => p.out.push('_'),
            }
            p.out.push(' ');
            p.out.push_str(named.name(id));
        });
    }

    fn arg(&mut self, named: &Named<'_>, arg: &Arg) {
        match arg.0.as_slice() {
            [one] => self.binding(named, one),
            many => {
                self.out.push('(');
                self.separated(many, |p, binding| p.binding(named, binding));
                self.out.push(')');
            }
        }
    }

    fn binding(&mut self, named: &Named<'_>, binding: &Binding) {
        match binding {
            Binding::Value(value) => self.out.push_str(named.name(*value)),
            Binding::Constant(constant) => self.constant(constant),
        }
    }

    fn attributes(&mut self, attributes: &[NamedConstant]) {
        let mut sorted: Vec<&NamedConstant> = attributes.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        self.out.push('[');
        self.separated(&sorted, |p, (name, constant)| {
            let _ = write!(p.out, "{} = ", identifier(name));
            p.constant(constant);
        });
        self.out.push(']');
    }

    fn constant(&mut self, constant: &Constant) {
        self.ty(&constant.ty);
        self.out.push('(');
        self.payload(&constant.payload);
        self.out.push(')');
    }

    fn payload(&mut self, payload: &Payload) {
        match payload {
            Payload::Tensor(tensor) => self.tensor(tensor),
            Payload::Blob(blob) => self.blob(*blob),
            Payload::List(items) => self.bracketed('[', ']', items, Self::payload),
            Payload::Tuple(items) => self.bracketed('(', ')', items, Self::payload),
            Payload::Dict(pairs) => self.bracketed('{', '}', pairs, |p, (key, value)| {
                p.out.push('{');
                p.payload(key);
                p.out.push_str(", ");
                p.payload(value);
                p.out.push('}');
            }),
        }
    }

    fn blob(&mut self, id: BlobId) {
        let Some(blob) = self.program.blobs.get(id) else { return self.out.push('_') };
        self.out.push_str("BLOBFILE(path = ");
        self.scalar_type(DType::String);
        self.out.push('(');
        self.string(&blob.path);
        self.out.push_str("), offset = ");
        self.scalar_type(DType::UInt64);
        let _ = write!(self.out, "({}))", blob.offset);
    }

    fn tensor(&mut self, tensor: &Tensor) {
        let shape = tensor.shape();
        if self.brief && tensor.count() > BRIEF {
            self.out.push('…');
            return;
        }
        match tensor.dtype() {
            DType::String => {
                let strings = tensor.strings();
                self.rows(shape, strings.len(), |p, i| p.string(strings.get(i).map_or("", |s| s)));
            }
            DType::Bool => {
                let values = tensor.bytes();
                self.rows(shape, values.len(), |p, i| {
                    p.out.push_str(if values.get(i).is_some_and(|&b| b != 0) { "true" } else { "false" });
                });
            }
            DType::UInt64 => {
                let words = tensor.bytes().chunks_exact(8);
                let values: Vec<u64> = words.map(|w| w.try_into().map_or(0, u64::from_le_bytes)).collect();
                self.rows(shape, values.len(), |p, i| p.integer(values.get(i).copied().unwrap_or(0)));
            }
            dtype if dtype.is_float() => {
                let values = tensor.to_f64();
                self.rows(shape, values.len(), |p, i| {
                    write_float(&mut p.out, values.get(i).copied().unwrap_or(0.0));
                });
            }
            _ => {
                let values = tensor.to_i64();
                self.rows(shape, values.len(), |p, i| p.integer(values.get(i).copied().unwrap_or(0)));
            }
        }
    }

    fn integer(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.out, "{value}");
    }

    /// Nested rows of `count` elements: before element `i`, one bracket for each level of which it is the first, and
    /// after it one for each of which it is the last. A tensor without elements is `[]` whatever its shape, because the
    /// type says the rest and a shape such as `[4000000000, 0]` has more rows than a text can hold.
    fn rows(&mut self, shape: &[usize], count: usize, element: impl Fn(&mut Self, usize)) {
        if count == 0 {
            return self.out.push_str("[]");
        }
        let mut sizes: Vec<usize> = Vec::with_capacity(shape.len());
        let mut size = 1usize;
        for &dim in shape.iter().rev() {
            size = size.saturating_mul(dim).max(1);
            sizes.push(size);
        }
        for i in 0..count {
            if i > 0 {
                self.out.push_str(", ");
            }
            (0..sizes.iter().filter(|&&s| i % s == 0).count()).for_each(|_| self.out.push('['));
            element(self, i);
            (0..sizes.iter().filter(|&&s| (i + 1) % s == 0).count()).for_each(|_| self.out.push(']'));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Tensor(tensor) if tensor.shape.rank() == 0 => self.scalar_type(tensor.dtype),
            Type::Tensor(tensor) => {
                let _ = write!(self.out, "{tensor}");
            }
            Type::Unranked(_) => {
                let _ = write!(self.out, "{ty}");
            }
            Type::List(item, length) => {
                self.out.push_str("list<");
                self.ty(item);
                let _ = write!(self.out, ", {length}>");
            }
            Type::Tuple(items) => {
                self.out.push_str("tuple<");
                self.separated(items, Self::ty);
                self.out.push('>');
            }
            Type::Dict(key, value) => {
                self.out.push_str("dict<");
                self.ty(key);
                self.out.push_str(", ");
                self.ty(value);
                self.out.push('>');
            }
            Type::State(inner) => {
                self.out.push_str("state<");
                self.ty(inner);
                self.out.push('>');
            }
        }
    }

    fn scalar_type(&mut self, dtype: DType) {
        let _ = match self.dialect {
            Dialect::V1_0 => write!(self.out, "tensor<{dtype}, []>"),
            Dialect::V1_3 => write!(self.out, "{dtype}"),
        };
    }

    fn bracketed<T>(&mut self, open: char, close: char, items: &[T], item: impl FnMut(&mut Self, &T)) {
        self.out.push(open);
        self.separated(items, item);
        self.out.push(close);
    }

    fn separated<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        for (i, one) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            item(self, one);
        }
    }

    fn indent(&mut self, spaces: usize) {
        self.out.extend(std::iter::repeat_n(' ', spaces));
    }
}
