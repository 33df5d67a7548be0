//! The ops of a program as the nested tuples that `_structure.py` turns into coremltools' records.

use crate::model::Opened;
use crate::records;
use milwright::{BlockOutline, Failure, FunctionOutline, Name, OpOutline, Report, Type};
use pyo3::prelude::*;

/// `(name, type)`.
type Typed = (String, String);
/// `(kind, {argument: [value or None]} as pairs, outputs, places of nested blocks, share or None)`.
type Op = (String, Vec<(String, Vec<Option<String>>)>, Vec<Typed>, Vec<usize>, Option<f64>);
/// `(parameters, ops, results)`.
type Block = (Vec<Typed>, Vec<Op>, Vec<String>);
/// `(name, op set, parameters, blocks)`.
type Function = (String, String, Vec<Typed>, Vec<Block>);

/// The functions, each ``(name, opset, parameters, blocks)``; a block is ``(parameters, ops, results)``, an op
/// ``(kind, arguments, outputs, blocks, share)``. The first block is the body, and an outer one stands before those nested in it.
///
/// Raises `Error` if the program is wrong.
#[pyfunction]
pub(crate) fn outline(py: Python<'_>, opened: &Bound<'_, Opened>) -> PyResult<Vec<Function>> {
    let opened = &opened.get().opened;
    let outlined = py.detach(|| {
        let (report, checked) = Report::check(opened.clone());
        let checked = checked.ok_or_else(|| report.into_failure())?;
        Ok(milwright::outline(opened, &checked).into_iter().map(function).collect())
    });
    outlined.map_err(|failure: Failure| records::failure(py, &failure))
}

/// The models of a pipeline by name, in order; empty for other models.
#[pyfunction]
pub(crate) fn stages(opened: &Bound<'_, Opened>) -> Vec<(String, Opened)> {
    let stages = opened.get().opened.pipeline.iter().flat_map(|pipeline| &pipeline.stages);
    stages.map(|(name, opened)| (name.clone(), Opened { opened: opened.clone() })).collect()
}

fn function(f: FunctionOutline) -> Function {
    (
        f.name.to_string(),
        f.opset.text().to_owned(),
        typed(f.params),
        f.blocks.into_iter().map(block).collect(),
    )
}

fn block(b: BlockOutline) -> Block {
    (typed(b.params), b.ops.into_iter().map(op).collect(), b.results.iter().map(Name::to_string).collect())
}

fn op(op: OpOutline) -> Op {
    let value = |v: Option<Name>| v.map(|name| name.to_string());
    let args =
        op.args.into_iter().map(|(name, values)| (name.to_string(), values.into_iter().map(value).collect()));
    (op.name.to_string(), args.collect(), typed(op.outputs), op.blocks, op.share)
}

fn typed(values: Vec<(Name, Type)>) -> Vec<Typed> {
    values.into_iter().map(|(name, ty)| (name.to_string(), ty.to_string())).collect()
}
