//! compute-plan: where Core ML plans to run a convolution.

use crate::card::{Experiment, Risk, steps};

/// The card of compute-plan.
pub static COMPUTE_PLAN: Experiment = Experiment {
    id: "compute-plan",
    title: "where Core ML plans to run a convolution",
    page: include_str!("compute_plan.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::Program;
    use crate::bench::{Bench, Stop};
    use mil_apple::Kind;
    use mil_base::{DType, Tensor};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        for channels in [128, 256] {
            let program = convolution(channels)?;
            let options = mil_run::Options::default();
            let loaded = mil_apple::runtime(Kind::CoreMl)?.load(program.checked().clone(), &options)?;
            let placement = loaded.placement().to_string();
            bench.found(format!("{channels} channels, plans the ANE"), placement.contains("ops ANE"));
            bench.found(format!("{channels} channels"), placement);
        }
        Ok(())
    }

    fn convolution(channels: usize) -> Result<Program, Stop> {
        let shape = [channels, channels, 3, 3];
        let zeros = Tensor::zeros(DType::Fp16, &shape).map_err(|e| Stop::wrong(format!("{e:?}")))?;
        let weights = crate::bench::kernel::blob(&zeros)?;
        let c = channels;
        let body = format!(
            "tensor<fp16, [{c}, {c}, 3, 3]> w = const()[name = string(\"w\"), val = tensor<fp16, [{c}, {c}, 3, 3]>(BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64(64)))];
tensor<fp16, [1, {c}, 32, 32]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1), pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string(\"custom\"), strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);\n"
        );
        let text = crate::mil::main("ios16", &format!("tensor<fp16, [1, {c}, 32, 32]> x"), &body, "y");
        Program::with_weights(&text, Vec::new(), &weights)
    }
}
