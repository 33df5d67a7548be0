//! Verification finds what is wrong where it is made, and nothing else.

mod support;

use mil_base::{DType, Tensor};
use mil_ops::OpSet;
use mil_ops::contract::*;
use mil_run::{LoadedCpu, Options, verify};
use support::*;

/// `t_half` with a kernel that is off by one part in a thousand.
const WRONG_CARD: OpDef = OpDef { cpu: Cpu::kernel(plan_wrong), ..cards::HALF };
static WRONG: OpDef = WRONG_CARD;

fn plan_wrong(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.need("x")?;
    Ok(CpuKernel::new(move |call| {
        let values = call.read(x)?.chunks_exact(4);
        for (out, v) in call.outputs[0].chunks_exact_mut(4).zip(values) {
            let v = f32::from_le_bytes([v[0], v[1], v[2], v[3]]);
            out.copy_from_slice(&((v / 2.0 + 1.0) * 1.001).to_le_bytes());
        }
        Ok(())
    }))
}

/// `t_half` with a kernel that reads the last digit of `x` wrongly, which is much where the sum cancels.
const BLURRED: OpDef = OpDef { cpu: Cpu::kernel(plan_blurred), ..cards::HALF };
static UNEXCUSED: OpDef = BLURRED;
static EXCUSED: OpDef = OpDef { accuracy: Accuracy::ROUNDED.cancelling(), ..BLURRED };

fn plan_blurred(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.need("x")?;
    Ok(CpuKernel::new(move |call| {
        let values = call.read(x)?.chunks_exact(4);
        for (out, v) in call.outputs[0].chunks_exact_mut(4).zip(values) {
            let v = f32::from_le_bytes([v[0], v[1], v[2], v[3]]) * (1.0 + f32::EPSILON);
            out.copy_from_slice(&(v / 2.0 + 1.0).to_le_bytes());
        }
        Ok(())
    }))
}

#[test]
fn what_the_last_digits_move_is_excused_where_terms_cancel() {
    let ratio = |def: &'static OpDef, x: f64| {
        let body = "tensor<fp32, [1]> y = t_half(x = x);";
        let checked = with("tensor<fp32, [1]> x", body, "y", &cards::ops().with(def));
        let loaded = LoadedCpu::new(checked, &Options::default()).unwrap();
        let x = Tensor::from_f64(DType::Fp32, &[1], &[x]).unwrap();
        let mut session = loaded.session(None).unwrap();
        let report = verify(&loaded, &mut session, None, &[("x".into(), x)]).unwrap();
        assert!(report.failures.is_empty());
        report.steps[0].worst.ratio()
    };
    assert!(ratio(&UNEXCUSED, -2.000_002) > 1000.0);
    assert!(ratio(&EXCUSED, -2.000_002) < 1.0);
    static WRONG_TOO: OpDef = OpDef { accuracy: Accuracy::ROUNDED.cancelling(), ..WRONG_CARD };
    assert!(ratio(&WRONG_TOO, 2.0) > 1000.0, "only the last digits are excused");
}

const BODY: &str = "tensor<T, [7, 5]> a = t_half(x = x);
    tensor<T, [7, 5]> b = t_add(x = a, y = x);
    tensor<T, [7, 5]> c = t_relu(x = b);
    tensor<T, [7, 5]> d = t_half(x = c);";

fn report(dtype: &str, ops: &OpSet) -> mil_run::Report {
    let body = BODY.replace('T', dtype);
    let checked = with(&format!("tensor<{dtype}, [7, 5]> x"), &body, "d", ops);
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    verify(&loaded, &mut session, None, &Random(1).inputs(&checked)).unwrap()
}

#[test]
fn a_true_program_holds_fused_or_not() {
    for dtype in ["fp16", "fp32"] {
        let report = report(dtype, &cards::ops());
        assert!(report.holds(), "{:#?}", report.worst());
        let kinds: Vec<&str> = report.steps.iter().map(|s| s.kinds.as_str()).collect();
        assert!(kinds.contains(&"t_half + t_add + t_relu"), "{kinds:?}");
        assert!(report.outputs[0].difference < 1e-2);
    }
}

#[test]
fn a_wrong_kernel_is_named() {
    let report = report("fp32", &cards::ops().with(&WRONG));
    assert!(!report.holds());
    let worst = report.worst().unwrap();
    assert_eq!(worst.kinds, "t_half");
    assert!(worst.worst.ratio() > 1000.0, "{worst:?}");
    let others = report.steps.iter().filter(|s| s.kinds != "t_half");
    assert!(others.map(|s| s.worst.ratio()).all(|r| r <= 1.0), "errors are not passed on to the next step");
}

#[test]
fn states_and_infinities_are_no_failures() {
    let checked = program("tensor<fp16, [2]> x", "tensor<fp16, [2]> y = t_add(x = x, y = x);", "y");
    let loaded = LoadedCpu::new(checked.clone(), &Options::default()).unwrap();
    let mut session = loaded.session(None).unwrap();
    let x = Tensor::from_f64(DType::Fp16, &[2], &[60000.0, f64::NAN]).unwrap();
    let report = verify(&loaded, &mut session, None, &[("x".into(), x)]).unwrap();
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.results[0].1.to_f64()[0], f64::INFINITY);
}
