//! v2-3: mapper, buffers, symbols of surfaces, the program object.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-3.
pub static V2_3: Experiment = Experiment {
    id: "v2-3",
    title: "mapper, buffers, symbols of surfaces, the program object",
    page: include_str!("v2_3.md"),
    risk: Risk::WRONG_OBJECTS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use mil_apple::ane::Mapper;
    use mil_apple::ane::chaining::{Buffer, PlainSurface};
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let kernel = Kernel::smallest(1)?;
        let plain = PlainSurface::new(kernel.bytes())?;
        bench.attempt("mapper of a surface", Mapper::of_controller(plain.object()));
        bench.attempt("_ANEBuffer", Buffer::new(kernel.bytes(), 0, 0));
        for method in ["-[_ANEIOSurfaceObject symbolIndex]", "-[_ANEBuffer symbolIndex]"] {
            bench.found(method, probe::exists(method));
        }
        bench.attempt("program object", kernel.model().program());
        Ok(())
    }
}
