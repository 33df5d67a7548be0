//! What is in a program: counts, sizes, FLOPs and memory.

use crate::model::{LoadOptions, Port, ports, run_options};
use crate::open::Opened;
use mil_base::{DType, Name, Type};
use mil_check::Checked;
use mil_codec::package::{FeatureKind, ImageFeature};
use mil_ir::{Constant, FunctionId, Payload, ops_in_order};
use mil_run::{Bound, LoadedCpu, PlanMemory, RunError};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A function of a program.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionInfo {
    /// Its name.
    pub name: Name,
    /// Its op set as written.
    pub opset: Name,
    /// Inputs.
    pub inputs: Vec<Port>,
    /// States by name, with the type of their contents.
    pub states: Vec<(Name, Type)>,
    /// Outputs by name.
    pub outputs: Vec<(Name, Type)>,
    /// The inputs and outputs that the model's description says are images.
    pub images: Vec<(Name, ImageFeature)>,
    /// How often each op occurs, constants left out, most frequent first.
    pub ops: Vec<(Name, usize)>,
    /// Constants held by the function, by element type.
    pub weights: Vec<Weights>,
    /// Floating-point operations of one run, where every shape is known; multiply-add counts 2.
    pub flops: Option<u64>,
    /// Ops whose cost could not be counted because a size is open, or loops run an unknown number of times.
    pub uncounted: usize,
}

/// Constants of one element type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights {
    /// Element type.
    pub dtype: DType,
    /// Number of constants.
    pub tensors: usize,
    /// Number of elements.
    pub elements: usize,
    /// Bytes they take in the weight file or text.
    pub bytes: usize,
}

impl FunctionInfo {
    /// The parameters: elements of all constants that are floats, or integers of at most 8 bits as compressed weights are.
    pub fn parameters(&self) -> usize {
        let counts = |d: DType| d.is_float() || (d.is_int() && d.bits() <= 8);
        self.weights.iter().filter(|w| counts(w.dtype)).map(|w| w.elements).sum()
    }
}

/// What is in every function of a program.
pub fn inspect(opened: &Opened, checked: &Checked) -> Vec<FunctionInfo> {
    let ids = checked.program().functions.ids();
    ids.map(|id| {
        let info = function(checked, id, ports(opened, checked, id));
        let interface = opened.interface(&info.name).unwrap_or_default();
        let features = interface.inputs.into_iter().chain(interface.outputs);
        let images = features.filter_map(|f| match f.kind {
            FeatureKind::Image(image) => Some((Name::new(&f.name), image)),
            _ => None,
        });
        FunctionInfo { images: images.collect(), ..info }
    })
    .collect()
}

/// What a run of a function takes on the `cpu` runtime, for these input shapes and the usual ones of other inputs. Nothing if
/// sizes depend on data.
pub fn memory(
    opened: &Opened,
    checked: &Arc<Checked>,
    options: &LoadOptions,
    shapes: &[(String, Vec<usize>)],
) -> Result<Option<PlanMemory>, RunError> {
    let loaded = LoadedCpu::new(checked.clone(), &run_options(options))?;
    let wanted = options.function.as_ref().and_then(|name| checked.program().function(name));
    let Some(id) = wanted.or_else(|| opened.default_function()) else { return Ok(None) };
    let ports = ports(opened, checked, id);
    let shape = |port: &Port| {
        let given = shapes.iter().find(|(n, _)| *n == *port.name).map(|(_, s)| s.clone());
        (port.name.clone(), given.unwrap_or_else(|| port.usual_shape.clone()))
    };
    let shapes: Vec<(Name, Vec<usize>)> = ports.iter().map(shape).collect();
    Ok(match loaded.bind(id, &shapes)? {
        Bound::Static(plan) => Some(plan.memory()),
        Bound::Dynamic(..) => None,
    })
}

/// What is in a function.
fn function(checked: &Checked, id: FunctionId, inputs: Vec<Port>) -> FunctionInfo {
    let program = checked.program();
    let f = &program.functions[id];
    let mut histogram: BTreeMap<Name, usize> = BTreeMap::new();
    let mut weights: BTreeMap<DType, Weights> = BTreeMap::new();
    let mut counted = HashSet::new();
    let (mut flops, mut uncounted) = (0u64, 0);
    for op in ops_in_order(f) {
        let op_ref = &f.ops[op];
        for (name, constant) in &op_ref.attributes {
            if name != "name" {
                count(constant, &mut weights, &mut counted);
            }
        }
        if op_ref.name == "const" {
            continue;
        }
        *histogram.entry(op_ref.name.clone()).or_default() += 1;
        let nested = f.blocks[op_ref.block].owner.is_some();
        match checked.view(id, op).and_then(|v| (v.def.cost)(&v)) {
            Some(n) if !nested || n == 0 => flops = flops.saturating_add(n),
            _ => uncounted += 1,
        }
    }
    let mut ops: Vec<(Name, usize)> = histogram.into_iter().collect();
    ops.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let ty = |v: mil_ir::ValueId| checked.ty(id, v).unwrap_or(&f.values[v].ty).clone();
    let states = f.params().iter().filter_map(|&v| match &f.values[v].ty {
        Type::State(inner) => Some((f.values[v].name.clone(), (**inner).clone())),
        _ => None,
    });
    FunctionInfo {
        images: Vec::new(),
        name: f.name.clone(),
        opset: f.opset.clone(),
        inputs,
        states: states.collect(),
        outputs: f.outputs().iter().map(|&v| (f.values[v].name.clone(), ty(v))).collect(),
        ops,
        weights: weights.into_values().collect(),
        flops: (uncounted == 0).then_some(flops),
        uncounted,
    }
}

/// Adds a constant's tensor; one in a weight file that several ops share counts once.
fn count(constant: &Constant, weights: &mut BTreeMap<DType, Weights>, counted: &mut HashSet<mil_ir::BlobId>) {
    if let Payload::Blob(blob) = &constant.payload
        && !counted.insert(*blob)
    {
        return;
    }
    let Some(ty) = constant.ty.as_tensor() else { return };
    let elements = match constant.as_tensor() {
        Some(t) => t.count(),
        None => ty.shape.count().unwrap_or(0),
    };
    let entry =
        weights.entry(ty.dtype).or_insert(Weights { dtype: ty.dtype, tensors: 0, elements: 0, bytes: 0 });
    entry.tensors += 1;
    entry.elements += elements;
    entry.bytes += ty.dtype.bytes_for(elements).unwrap_or(0);
}
