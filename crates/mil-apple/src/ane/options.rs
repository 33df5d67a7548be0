//! How programs are compiled and evaluated on this path.

use std::time::Duration;

/// The ways to have a request evaluated (`facts/ane-facts.md` 1.6). None is reliably the fastest: the tables on record
/// contradict each other, and at sizes that matter all four take about the same time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Route {
    /// `-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]`.
    #[default]
    Standard,
    /// `-[_ANEClient evaluateRealTimeWithModel:options:request:error:]`; where that fails, [`Route::Standard`].
    RealTime,
    /// `-[_ANEClient doEvaluateDirectWithModel:options:request:qos:error:]`, which goes around the daemon.
    Direct,
    /// `-[_ANEProgramForEvaluation processRequest:model:qos:qIndex:modelStringID:options:returnValue:error:]`, the lowest.
    ProcessRequest,
}

impl Route {
    /// All of them.
    pub const ALL: [Route; 4] = [Route::Standard, Route::RealTime, Route::Direct, Route::ProcessRequest];
}

/// How programs are compiled and evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The way of evaluation.
    pub route: Route,
    /// The class of service, 0 to 63; no difference was ever measured, and all projects use 21.
    pub qos: u32,
    /// How many programs this process may compile. Past about 119 every further compile fails (facts L23).
    pub budget: u32,
    /// How long to wait with a compile after one failed: a burst of failures stalls the compile service (facts L24).
    pub back_off: Duration,
    /// How long to wait before loading is tried a second time.
    pub load_again_after: Duration,
    /// Leave the compiled program in the system's cache, where the next process finds it.
    pub keep_compiled: bool,
}

impl Default for Options {
    /// Standard evaluation, 110 compiles; 15 s of patience on a Mac, none with the doubles.
    fn default() -> Options {
        let on_a_mac = |ms| Duration::from_millis(if cfg!(target_os = "macos") { ms } else { 0 });
        Options {
            route: Route::Standard,
            qos: 21,
            budget: 110,
            back_off: on_a_mac(15_000),
            load_again_after: on_a_mac(100),
            keep_compiled: true,
        }
    }
}
