//! I: the throughput ceiling: twelve kernels.

use crate::card::{Experiment, Risk, steps};

/// The card of I.
pub static I: Experiment = Experiment {
    id: "I",
    title: "the throughput ceiling: twelve kernels",
    page: include_str!("throughput.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::kernel::Kernel;
    use crate::bench::{Bench, Stop};
    use crate::observation::Spread;
    use mil_apple::ane::Route;

    const SIZES: [(usize, usize); 3] = [(64, 32), (256, 64), (768, 256)];
    const KERNELS: u64 = 12;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        for (channels, positions) in SIZES {
            let kernels = (1..=KERNELS).map(|seed| Kernel::new(channels, positions, seed));
            let mut kernels = kernels.collect::<Result<Vec<Kernel>, Stop>>()?;
            prove(bench, &mut kernels)?;
            time(bench, &mut kernels)?;
        }
        Ok(())
    }

    /// The chain's last output against that of the cpu runtime.
    fn prove(bench: &mut Bench, kernels: &mut [Kernel]) -> Result<(), Stop> {
        let Some((first, rest)) = kernels.split_first_mut() else { return Ok(()) };
        let size = first.size.clone();
        let (mut bytes, mut wanted) = (first.compute(Route::Standard)?, first.wanted());
        let mut last = (first.named(&bytes)?, first.named(&wanted)?);
        for kernel in rest {
            kernel.write(&bytes)?;
            bytes = kernel.compute(Route::Standard)?;
            let cpu = kernel.cpu(&wanted)?;
            wanted = cpu.first().map(|(_, t)| t.bytes().to_vec()).unwrap_or_default();
            last = (kernel.named(&bytes)?, cpu);
        }
        bench.compare("chain", &last.0, &last.1, &size);
        let largest = last.1.iter().flat_map(|(_, t)| t.to_f64()).fold(0.0, |a: f64, v| a.max(v.abs()));
        let pairs =
            last.0.iter().zip(&last.1).flat_map(|((_, g), (_, w))| g.to_f64().into_iter().zip(w.to_f64()));
        let worst = pairs.map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
        let relative = if largest > 0.0 { worst / largest } else { f64::INFINITY };
        bench.found(format!("chain largest difference, relative to the largest magnitude {size}"), relative);
        Ok(())
    }

    fn time(bench: &mut Bench, kernels: &mut [Kernel]) -> Result<(), Stop> {
        let Some(size) = kernels.first().map(|k| k.size.clone()) else { return Ok(()) };
        let n = kernels.len() as f64;
        let each = |spread: Spread| Spread {
            median: spread.median / n,
            p10: spread.p10 / n,
            p90: spread.p90 / n,
            ..spread
        };
        let sequential = bench.measure(|| {
            let mut bytes: Option<Vec<u8>> = None;
            for kernel in kernels.iter_mut() {
                if let Some(bytes) = &bytes {
                    kernel.write(bytes)?;
                }
                bytes = Some(kernel.compute(Route::Standard)?);
            }
            Ok(())
        })?;
        let back_to_back = bench
            .measure(|| kernels.iter_mut().try_for_each(|k| Ok(k.evaluate(Route::Standard).map(drop)?)))?;
        let bytes = kernels.first().map(Kernel::wanted).unwrap_or_default();
        let copy = bench.measure(|| kernels.iter_mut().try_for_each(|k| k.write(&bytes)))?;
        let half = kernels.len() / 2;
        let threads = bench.measure(|| {
            let (a, b) = kernels.split_at_mut(half);
            let run = |ks: &mut [Kernel]| -> Result<(), Stop> {
                ks.iter_mut().try_for_each(|k| Ok(k.evaluate(Route::Standard).map(drop)?))
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(|| run(b));
                run(a)?;
                other.join().unwrap_or_else(|_| Err(Stop::wrong("a thread panicked")))
            })
        })?;
        let all = [
            ("sequential", sequential),
            ("back to back", back_to_back),
            ("copy", copy),
            ("two threads", threads),
        ];
        for (path, spread) in all {
            bench.figure("latency", path, &size, "ms", each(spread));
        }
        Ok(())
    }
}
