//! Random programs, sound but meaningless: every type, payload and nesting that text can hold.

use mil_base::{DType, Dim, Name, Shape, Tensor, TensorType, Type};
use mil_ir::{Arg, Binding, Blob, Builder, Constant, NamedConstant, Payload, Program, ValueId};

/// A small generator (splitmix64), so that a failure is repeatable from its number.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// A program of one to three functions.
pub(crate) fn program(random: &mut Random) -> Program {
    let mut program = Program { version: random.pick(&[(1, 0), (1, 3)]), ..Program::default() };
    program.attributes = attributes(random, &mut program.blobs);
    for i in 0..1 + random.below(3) {
        let mut builder = Builder::new(format!("f{i}"), random.pick(&["ios15", "ios18", "CoreML7"]));
        for (name, constant) in attributes(random, &mut program.blobs) {
            builder.attribute(name, constant);
        }
        let mut scope = Vec::new();
        for _ in 0..random.below(4) {
            let name = fresh(&builder);
            let ty = any_type(random, 3);
            scope.push(builder.param(name, ty));
        }
        statements(random, &mut builder, &mut scope, &mut program.blobs, 3);
        let results = some(random, &scope);
        program.functions.push(builder.finish(results));
    }
    program
}

fn fresh(builder: &Builder) -> Name {
    Name::from(format!("v_{}@", builder.function().values.len()))
}

fn some(random: &mut Random, scope: &[ValueId]) -> Vec<ValueId> {
    (0..random.below(3)).filter(|_| !scope.is_empty()).map(|_| scope[random.below(scope.len())]).collect()
}

type Blobs = mil_base::Arena<Blob>;

fn statements(
    random: &mut Random,
    builder: &mut Builder,
    scope: &mut Vec<ValueId>,
    blobs: &mut Blobs,
    depth: usize,
) {
    for _ in 0..random.below(5) {
        let args =
            (0..random.below(4)).map(|i| (Name::from(format!("a{i}")), arg(random, scope, blobs))).collect();
        let first = builder.function().values.len();
        let outputs = (0..random.below(3))
            .map(|i| (Name::from(format!("v_{}@", first + i)), any_type(random, 2)))
            .collect();
        let attributes = attributes(random, blobs);
        let op =
            builder.op(random.pick(&["relu", "tensor", "func", "cond", "inf"]), args, attributes, outputs);
        for _ in 0..if depth > 0 && random.below(4) == 0 { 2 } else { 0 } {
            builder.open_block(op);
            let mut inner = scope.clone();
            for _ in 0..random.below(3) {
                let name = fresh(builder);
                inner.push(builder.param(name, any_type(random, 2)));
            }
            statements(random, builder, &mut inner, blobs, depth - 1);
            let results = some(random, &inner);
            builder.close_block(results);
        }
        scope.extend(&builder.function().ops[op].outputs);
    }
}

fn arg(random: &mut Random, scope: &[ValueId], blobs: &mut Blobs) -> Arg {
    let count = random.pick(&[1, 1, 1, 0, 2, 3]);
    let binding = |random: &mut Random, blobs: &mut Blobs| match scope.len() {
        n if n > 0 && random.below(3) > 0 => Binding::Value(scope[random.below(n)]),
        _ => Binding::Constant(constant(random, blobs)),
    };
    Arg((0..count).map(|_| binding(random, blobs)).collect())
}

fn attributes(random: &mut Random, blobs: &mut Blobs) -> Vec<NamedConstant> {
    (0..random.below(3)).map(|i| (Name::from(format!("k{i}")), constant(random, blobs))).collect()
}

fn constant(random: &mut Random, blobs: &mut Blobs) -> Constant {
    if random.below(6) == 0 {
        let blob = Blob { path: "@model_path/\"w\\\n\".bin".into(), offset: random.next(), data: None };
        let shape = Shape::known(&[random.below(9), 2]);
        let ty = Type::tensor(random.pick(DType::ALL), shape);
        return Constant { ty, payload: Payload::Blob(blobs.push(blob)) };
    }
    let ty = any_type(random, 3);
    if let Some(payload) = payload(random, &ty) {
        Constant { ty, payload }
    } else {
        Constant::string("é \t\"\\")
    }
}

fn tensor_type(random: &mut Random) -> TensorType {
    let dims = (0..random.pick(&[0, 0, 1, 1, 2, 3])).map(|_| match random.below(8) {
        0 => Dim::Unknown,
        n => Dim::Known(n / 2),
    });
    let shape = Shape(dims.collect());
    TensorType::new(random.pick(DType::ALL), shape)
}

fn any_type(random: &mut Random, depth: usize) -> Type {
    match if depth == 0 { 9 } else { random.below(10) } {
        0 => Type::List(Box::new(any_type(random, depth - 1)), random.pick(&[Dim::Unknown, Dim::Known(2)])),
        1 => Type::Tuple((0..random.below(3)).map(|_| any_type(random, depth - 1)).collect()),
        2 => Type::Dict(Box::new(any_type(random, 0)), Box::new(any_type(random, depth - 1))),
        3 => Type::State(Box::new(any_type(random, depth - 1))),
        _ => Type::Tensor(tensor_type(random)),
    }
}

/// A value of the type; nothing if it has none in text.
fn payload(random: &mut Random, ty: &Type) -> Option<Payload> {
    Some(match ty {
        Type::Tensor(t) => Payload::Tensor(tensor(random, t)?),
        Type::List(item, n) => {
            let count = n.known().unwrap_or_else(|| random.below(3));
            Payload::List((0..count).map(|_| payload(random, item)).collect::<Option<_>>()?)
        }
        Type::Tuple(items) => {
            Payload::Tuple(items.iter().map(|t| payload(random, t)).collect::<Option<_>>()?)
        }
        Type::Dict(key, value) => {
            let pair = |random: &mut Random| Some((payload(random, key)?, payload(random, value)?));
            Payload::Dict((0..random.below(3)).map(|_| pair(random)).collect::<Option<_>>()?)
        }
        Type::State(_) | Type::Unranked(_) => return None,
    })
}

fn tensor(random: &mut Random, ty: &TensorType) -> Option<Tensor> {
    // Open dimensions get a size; without elements the text could not say which.
    let shape: Vec<usize> = ty.shape.iter().map(|d| d.known().unwrap_or(1 + random.below(3))).collect();
    let count = shape.iter().product::<usize>();
    if count == 0 && ty.shape.count().is_none() {
        return None;
    }
    if ty.dtype == DType::String {
        let strings = (0..count).map(|_| random.pick(&["", "a b", "\"\\\n\té", "//", "日本"]).to_owned());
        return Tensor::from_strings(&shape, strings.collect()).ok();
    }
    if ty.dtype.is_float() {
        let values = (0..count).map(|_| {
            let value = f64::from_bits(random.next());
            let small = f64::from(random.next() as i16) * 2f64.powi(random.below(40) as i32 - 30);
            random.pick(&[value, small, small, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY])
        });
        let values: Vec<f64> = values.map(|v| if v.is_nan() { 1.0 } else { v }).collect();
        // Infinity in fp8e4m3fn is its only not-a-number, whose sign text does not say.
        let values = if ty.dtype == DType::Fp8E4M3Fn { vec![0.5; count] } else { values };
        return Tensor::from_f64(ty.dtype, &shape, &values).ok();
    }
    let values: Vec<i64> = (0..count).map(|_| random.next() as i64 >> random.below(64)).collect();
    Tensor::from_i64(ty.dtype, &shape, &values).ok()
}
