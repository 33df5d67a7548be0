//! Programs made with the builder, checked.

use mil_base::{DType, Dim, Shape, Tensor, Type};
use mil_check::{Target, check, codes, specialise};
use mil_ir::{Arg, Binding, Builder, Constant, Def, Origins, Program, Value, ValueId};
use mil_ops::OpSet;

fn program(build: impl FnOnce(&mut Builder) -> Vec<ValueId>) -> Program {
    let mut builder = Builder::new("main", "ios17");
    let results = build(&mut builder);
    let mut program = Program { version: (1, 3), ..Program::default() };
    program.functions.push(builder.finish(results));
    program
}

fn codes_of(program: Program) -> Vec<&'static str> {
    match check(program, &Origins::default(), &OpSet::standard(), Target::default()) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => diagnostics.iter().map(|d| d.code).collect(),
    }
}

fn fp32(dims: &[usize]) -> Type {
    Type::tensor(DType::Fp32, Shape::known(dims))
}

fn axes() -> (mil_base::Name, Arg) {
    ("axes".into(), Arg::constant(Constant::tensor(Tensor::from_i64(DType::Int32, &[1], &[-1]).unwrap())))
}

/// A layer_norm of `x` declared as `out`.
fn norm(b: &mut Builder, x: ValueId, name: &str, out: Type) -> ValueId {
    let op = b.op("layer_norm", vec![("x".into(), Arg::value(x)), axes()], vec![], vec![(name.into(), out)]);
    b.function().ops[op].outputs[0]
}

#[test]
fn open_input_dimensions_become_symbols_and_flow() {
    let open = Type::tensor(DType::Fp32, Shape(vec![Dim::Unknown, Dim::Known(4)]));
    let p = program(|b| {
        let x = b.param("x", open.clone());
        vec![norm(b, x, "y", open.clone())]
    });
    let checked = check(p, &Origins::default(), &OpSet::standard(), Target::default()).unwrap();
    let f = checked.program().default_function().unwrap();
    let function = &checked.program().functions[f];
    let (x, y) = (function.params()[0], function.outputs()[0]);
    assert!(matches!(checked.ty(f, x).unwrap().as_tensor().unwrap().shape[0], Dim::Symbol(_)));
    assert_eq!(checked.ty(f, x), checked.ty(f, y));
    let special = specialise(&checked, f, &[("x".into(), vec![3, 4])]).unwrap();
    assert_eq!(special.types[y.index()], Some(fp32(&[3, 4])));
    let refused =
        |shape: &[usize]| specialise(&checked, f, &[("x".into(), shape.to_vec())]).unwrap_err()[0].code;
    assert_eq!(refused(&[3, 5]), codes::INPUT_SHAPE);
    assert_eq!(refused(&[3]), codes::INPUT_SHAPE);
    assert_eq!(specialise(&checked, f, &[]).unwrap_err()[0].code, codes::INPUT_MISSING);
    assert_eq!(
        specialise(&checked, f, &[("X".into(), vec![3, 4])]).unwrap_err()[0].code,
        codes::INPUT_UNKNOWN
    );
}

#[test]
fn a_declared_type_that_disagrees_is_an_error() {
    let p = program(|b| {
        let x = b.param("x", fp32(&[2, 4]));
        vec![norm(b, x, "y", fp32(&[2, 5]))]
    });
    assert_eq!(codes_of(p), [codes::DECLARED_TYPE]);
}

#[test]
fn unknown_ops_and_arguments_are_named_with_their_neighbours() {
    let p = program(|b| {
        let x = b.param("x", fp32(&[2, 4]));
        let y = fp32(&[2, 4]);
        b.op("layernorm", vec![("x".into(), Arg::value(x))], vec![], vec![("a".into(), y.clone())]);
        let args = vec![("x".into(), Arg::value(x)), ("axis".into(), Arg::value(x))];
        b.op("layer_norm", args, vec![], vec![("b".into(), y.clone())]);
        b.op("layer_norm", vec![], vec![], vec![("c".into(), y)]);
        vec![x]
    });
    let found = check(p, &Origins::default(), &OpSet::standard(), Target::default()).unwrap_err();
    let help: Vec<_> = found.iter().map(|d| (d.code, d.help.as_deref().unwrap_or_default())).collect();
    assert_eq!(help[0], (codes::UNKNOWN_OP, "did you mean `layer_norm`?"));
    assert_eq!(help[1], (codes::UNKNOWN_ARGUMENT, "did you mean `axes`?"));
    assert_eq!(help[2].0, codes::MISSING_ARGUMENT);
    assert_eq!(found.len(), 3);
}

#[test]
fn use_before_definition_and_out_of_a_block_are_found() {
    let p = program(|b| {
        let x = b.param("x", fp32(&[4]));
        norm(b, ValueId::from_index(2), "early", fp32(&[4]));
        let late = norm(b, x, "late", fp32(&[4]));
        vec![late]
    });
    assert_eq!(codes_of(p), [codes::UNDEFINED]);

    let p = program(|b| {
        let x = b.param("x", fp32(&[4]));
        let op = b.op("cond", vec![], vec![], vec![]);
        b.open_block(op);
        let inner = norm(b, x, "inner", fp32(&[4]));
        b.close_block(vec![inner]);
        vec![inner]
    });
    assert_eq!(codes_of(p), [codes::UNDEFINED]);
}

#[test]
fn ids_that_point_nowhere_never_panic() {
    let huge = ValueId::from_index(1_000_000);
    let p = program(|b| {
        let args = vec![("x".into(), Arg(vec![Binding::Value(huge)]))];
        b.op("layer_norm", args, vec![], vec![("y".into(), fp32(&[4]))]);
        vec![huge]
    });
    assert_eq!(codes_of(p), [codes::DANGLING, codes::DANGLING]);

    let mut p = program(|_| vec![]);
    let f = p.functions.ids().next().unwrap();
    let function = &mut p.functions[f];
    function.body = mil_ir::BlockId::from_index(9);
    assert_eq!(codes_of(p), [codes::DANGLING]);

    let mut p = program(|b| vec![b.param("x", fp32(&[4]))]);
    let f = p.functions.ids().next().unwrap();
    let function = &mut p.functions[f];
    let body = function.body;
    let stray = function.values.push(Value { name: "x".into(), ty: fp32(&[1]), def: Def::Param(body, 7) });
    function.blocks[body].params.push(stray);
    assert_eq!(codes_of(p), [codes::STRUCTURE]);
}

#[test]
fn names_are_unique_where_they_are_visible() {
    let p = program(|b| {
        let x = b.param("x", fp32(&[4]));
        vec![norm(b, x, "x", fp32(&[4]))]
    });
    assert_eq!(codes_of(p), [codes::DUPLICATE_NAME]);
}

#[test]
fn unknown_opsets_are_named_with_their_neighbours() {
    let mut p = Program::default();
    p.functions.push(Builder::new("main", "ios71").finish(vec![]));
    let found = check(p, &Origins::default(), &OpSet::standard(), Target::default()).unwrap_err();
    assert_eq!(
        (found[0].code, found[0].help.as_deref()),
        (codes::UNKNOWN_OPSET, Some("did you mean `ios17`?"))
    );
}
