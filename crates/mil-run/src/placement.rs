//! Where a program ran, and how that is known.

use std::fmt;

/// A device that can execute an op.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The graphics processor.
    Gpu,
    /// Apple's Neural Engine.
    NeuralEngine,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Device::Cpu => "CPU",
            Device::Gpu => "GPU",
            Device::NeuralEngine => "Neural Engine",
        })
    }
}

/// What was underneath a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ground {
    /// The machine itself: what a claim says was so.
    Machine,
    /// A double of the system's frameworks, which computes on the CPU whatever is claimed. It shows that our code does
    /// what we believe the system expects, and nothing about hardware.
    Double,
}

/// Where an op is meant to run, as the system said before the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedOp {
    /// The op's first output, as the program names it.
    pub op: String,
    /// The device the system prefers, if it says.
    pub preferred: Option<Device>,
    /// Every device that could take it.
    pub supported: Vec<Device>,
}

/// How much a piece of evidence weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// Compatible with other devices too.
    Weak,
    /// Other devices are unlikely.
    Moderate,
    /// Other devices are as good as excluded.
    Strong,
}

/// Something measured that speaks for a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// What was measured: arithmetic fingerprint, energy, latency.
    pub kind: &'static str,
    /// For which device it speaks.
    pub device: Device,
    /// How much it weighs.
    pub strength: Strength,
    /// The finding in words, with figures.
    pub finding: String,
}

/// How it is known where a program ran.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// The interface admits no other device: another placement would have been an error.
    Enforced {
        /// The device.
        device: Device,
        /// What enforces it.
        by: &'static str,
    },
    /// The system said beforehand, op by op, what it would use. It does not say what it did use.
    Planned(Vec<PlannedOp>),
    /// Measured while or after it ran.
    Measured(Vec<Evidence>),
    /// Nothing is known; with the reason.
    Unproven(&'static str),
}

/// Where a program ran: a claim, and the ground it stands on.
///
/// Its text says "Neural Engine" for nothing but a claim of [`Claim::Enforced`]; planned and measured ones name it as
/// what the plan or the evidence says, and under a double every text begins with "double".
#[derive(Clone, PartialEq, Debug)]
pub struct Placement {
    /// What was underneath.
    pub ground: Ground,
    /// How it is known.
    pub claim: Claim,
}

impl Placement {
    /// Code of ours on this machine's processor.
    pub const HOST: Placement = Placement {
        ground: Ground::Machine,
        claim: Claim::Enforced { device: Device::Cpu, by: "Milwright's own kernels" },
    };

    /// Did the Neural Engine do the work, beyond doubt?
    pub fn is_neural_engine(&self) -> bool {
        let engine = matches!(self.claim, Claim::Enforced { device: Device::NeuralEngine, .. });
        engine && self.ground == Ground::Machine
    }
}

/// The engine's name where it is not proven that the work ran there.
fn guarded(device: Device) -> &'static str {
    match device {
        Device::Cpu => "CPU",
        Device::Gpu => "GPU",
        Device::NeuralEngine => "ANE",
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let double = self.ground == Ground::Double;
        if double {
            f.write_str("double (computed on this CPU): ")?;
        }
        match &self.claim {
            Claim::Enforced { device, by } if double => {
                write!(f, "would be enforced on the {} by {by}", guarded(*device))
            }
            Claim::Enforced { device, by } => write!(f, "{device}, enforced by {by}"),
            Claim::Planned(ops) => {
                f.write_str("planned, not observed:")?;
                let mut counts = [(Device::NeuralEngine, 0), (Device::Gpu, 0), (Device::Cpu, 0)];
                let known = ops.iter().filter_map(|op| op.preferred);
                for device in known.clone() {
                    counts.iter_mut().filter(|(d, _)| *d == device).for_each(|(_, n)| *n += 1);
                }
                for (device, n) in counts.iter().filter(|(_, n)| *n > 0) {
                    write!(f, " {n} ops {}", guarded(*device))?;
                }
                match ops.len() - known.count() {
                    0 => Ok(()),
                    n => write!(f, " {n} ops without a word"),
                }
            }
            Claim::Measured(evidence) => {
                f.write_str("measured:")?;
                for (i, e) in evidence.iter().enumerate() {
                    let strength = match e.strength {
                        Strength::Weak => "weakly",
                        Strength::Moderate => "moderately",
                        Strength::Strong => "strongly",
                    };
                    let comma = if i > 0 { ";" } else { "" };
                    let device = guarded(e.device);
                    write!(f, "{comma} {} speaks {strength} for the {device} ({})", e.kind, e.finding)?;
                }
                Ok(())
            }
            Claim::Unproven(why) => write!(f, "unproven: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_enforced_claim_on_a_machine_names_the_engine() {
        let claims = [
            Claim::Enforced { device: Device::NeuralEngine, by: "mask 4" },
            Claim::Planned(vec![PlannedOp {
                op: "y".into(),
                preferred: Some(Device::NeuralEngine),
                supported: vec![],
            }]),
            Claim::Measured(vec![Evidence {
                kind: "arithmetic",
                device: Device::NeuralEngine,
                strength: Strength::Strong,
                finding: "all bits".into(),
            }]),
            Claim::Unproven("the system chooses"),
        ];
        for claim in claims {
            let enforced = matches!(claim, Claim::Enforced { .. });
            let machine = Placement { ground: Ground::Machine, claim: claim.clone() };
            assert_eq!(machine.to_string().contains("Neural Engine"), enforced, "{machine}");
            assert_eq!(machine.is_neural_engine(), enforced);
            let double = Placement { ground: Ground::Double, claim };
            assert!(double.to_string().starts_with("double"));
            assert!(!double.to_string().contains("Neural Engine"), "{double}");
            assert!(!double.is_neural_engine());
        }
    }
}
