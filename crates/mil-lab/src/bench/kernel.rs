//! The kernel of the research's timings: a convolution with a 1x1 window, loaded into the Neural Engine's framework.

use super::{Bench, Program, Stop, program::named};
use bytes::Bytes;
use mil_apple::BridgeError;
use mil_apple::ane::{ClientModel, InMemoryModel, LoadedAne, Options, Request, Route, evaluate};
use mil_apple::ports::Ports;
use mil_base::{DType, Tensor};
use mil_codec::blob::BlobWriter;
use mil_run::{Loaded, LoadedCpu, Named};

/// The class of service that every project uses.
pub(crate) const QOS: u32 = 21;

/// A loaded kernel with a request, its input and what it must give.
pub(crate) struct Kernel {
    /// Channels and positions, `64x32`.
    pub(crate) size: String,
    loaded: LoadedAne,
    ports: Ports,
    request: Request,
    want: Vec<Named>,
}

/// The name of a route in figures.
pub(crate) fn route_name(route: Route) -> &'static str {
    match route {
        Route::Standard => "standard",
        Route::RealTime => "real-time",
        Route::Direct => "direct",
        Route::ProcessRequest => "processRequest",
    }
}

impl Kernel {
    /// Of that many channels and positions, with random weights and input: the same for the same seed.
    pub(crate) fn new(channels: usize, positions: usize, seed: u64) -> Result<Kernel, Stop> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tensor = |shape: &[usize], span: f64| {
            let n = mil_base::tensor::count(shape).unwrap_or_default();
            let values: Vec<f64> = (0..n).map(|_| (random.f64() * 2.0 - 1.0) * span).collect();
            Tensor::from_f64(DType::Fp16, shape, &values).map_err(|e| Stop::wrong(format!("{e:?}")))
        };
        let (c, s) = (channels, positions);
        let weight = tensor(&[c, c, 1, 1], 0.1)?;
        let input = tensor(&[1, c, 1, s], 0.5)?;
        let body = format!(
            "tensor<fp16, [{c}, {c}, 1, 1]> w = const()[name = string(\"w\"), val = tensor<fp16, [{c}, {c}, 1, 1]>(BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64(64)))];
tensor<fp16, [1, {c}, 1, {s}]> y = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32(1), pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string(\"valid\"), strides = tensor<int32, [2]>([1, 1]), weight = w, x = x);\n"
        );
        let text = crate::mil::main("ios16", &format!("tensor<fp16, [1, {c}, 1, {s}]> x"), &body, "y");
        let program = Program::with_weights(&text, vec![("x", input.clone())], &blob(&weight)?)?;
        let want = program.cpu()?;
        let loaded = LoadedAne::new(program.checked().clone(), &Options::default())?;
        let (ports, mut request) = loaded.request(None)?;
        request.write(&[input])?;
        Ok(Kernel { size: format!("{c}x{s}"), loaded, ports, request, want })
    }

    /// The smallest of the research's sizes, which all but the timings use.
    pub(crate) fn smallest(seed: u64) -> Result<Kernel, Stop> {
        Kernel::new(64, 32, seed)
    }

    /// The loaded model.
    pub(crate) fn model(&self) -> &InMemoryModel {
        self.loaded.program().model()
    }

    /// The `_ANEModel` inside.
    pub(crate) fn inner(&self) -> Result<ClientModel, Stop> {
        Ok(ClientModel::inner(self.model())?)
    }

    /// Its request.
    pub(crate) fn request(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Bytes of a surface for its input or output.
    pub(crate) fn bytes(&self) -> usize {
        self.ports.inputs.iter().chain(&self.ports.outputs).map(|p| p.bytes).max().unwrap_or_default()
    }

    /// Writes another input, in bytes of fp16.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let Some(port) = self.ports.inputs.first() else {
            return Err(Stop::wrong("the kernel has no input"));
        };
        let tensor = Tensor::from_bytes(port.dtype, &port.shape, Bytes::copy_from_slice(bytes));
        Ok(self.request.write(&[tensor.map_err(|e| Stop::wrong(format!("{e:?}")))?])?)
    }

    /// Evaluates once; gives the call that did it.
    pub(crate) fn evaluate(&mut self, route: Route) -> Result<&'static str, BridgeError> {
        evaluate(self.loaded.program().model(), &mut self.request, route, QOS)
    }

    /// Poisons the output, evaluates and reads it.
    pub(crate) fn compute(&mut self, route: Route) -> Result<Vec<u8>, BridgeError> {
        self.request.poison()?;
        let call = self.evaluate(route)?;
        let outputs = self.request.read(&self.ports.outputs, call)?;
        outputs.into_iter().next().ok_or(BridgeError::Null { call })
    }

    /// What the cpu runtime gives for its own input.
    pub(crate) fn wanted(&self) -> Vec<u8> {
        self.want.first().map(|(_, t)| t.bytes().to_vec()).unwrap_or_default()
    }

    /// An output's bytes as its tensor.
    pub(crate) fn named(&self, bytes: &[u8]) -> Result<Vec<Named>, Stop> {
        let Some((name, want)) = self.want.first() else {
            return Err(Stop::wrong("the kernel has no output"));
        };
        let tensor = Tensor::from_bytes(want.dtype(), want.shape(), Bytes::copy_from_slice(bytes));
        Ok(vec![(name.clone(), tensor.map_err(|e| Stop::wrong(format!("{e:?}")))?)])
    }

    /// What the cpu runtime gives for another input, in bytes of fp16.
    pub(crate) fn cpu(&self, bytes: &[u8]) -> Result<Vec<Named>, Stop> {
        let Some(port) = self.ports.inputs.first() else {
            return Err(Stop::wrong("the kernel has no input"));
        };
        let tensor = Tensor::from_bytes(port.dtype, &port.shape, Bytes::copy_from_slice(bytes));
        let tensor = tensor.map_err(|e| Stop::wrong(format!("{e:?}")))?;
        let loaded = LoadedCpu::new(self.loaded.checked().clone(), &mil_run::Options::default())?;
        let session = Loaded::session(&loaded, None);
        Ok(session?.run(&[(port.name.clone(), tensor)])?)
    }

    /// Runs it on a route, compares the output with the cpu runtime's, and times the evaluation alone, without copies.
    pub(crate) fn prove(&mut self, bench: &mut Bench, route: Route) -> Result<(), Stop> {
        let (path, size) = (route_name(route), self.size.clone());
        let outcome = self.compute(route);
        let found = match &outcome {
            Ok(_) => "computed".to_owned(),
            Err(error) => super::words(error),
        };
        bench.found(named(path, "result", &size), found);
        let Ok(bytes) = outcome else { return Ok(()) };
        bench.compare(path, &self.named(&bytes)?, &self.want, &size);
        bench.placed(named(path, "", &size), &self.loaded.placement());
        let (loaded, request) = (&self.loaded, &mut self.request);
        bench.time("latency", path, &size, || {
            Ok(evaluate(loaded.program().model(), request, route, QOS).map(drop)?)
        })?;
        Ok(())
    }
}

/// A weight file of one tensor.
pub(crate) fn blob(weight: &Tensor) -> Result<Bytes, Stop> {
    let mut writer = BlobWriter::new();
    writer.push(weight.dtype(), weight.count(), weight.shared_bytes()).map_err(|d| Stop::wrong(d.message))?;
    Ok(writer.to_bytes())
}
