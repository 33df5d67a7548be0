//! The parameters that convolutions share. iOS 17 gave weight and bias dtypes of their own, and lets a bias be computed.

use crate::contract::*;

pub(super) const X: Param = Param::tensor("x", sets::FLOAT).group("T");
pub(super) const WEIGHT_17: Param = Param::tensor("weight", sets::FLOAT).group("U");
pub(super) const BIAS: Param = Param::constant("bias", sets::FLOAT).group("T").or(Default::Absent);
pub(super) const BIAS_17: Param = Param::tensor("bias", sets::FLOAT).group("U").or(Default::Absent);
pub(super) const PAD_TYPE: Param = Param::constant("pad_type", sets::STRING).or(Default::Str("valid"));
pub(super) const DILATIONS: Param = Param::constant("dilations", sets::INT32).or(ONES);
pub(super) const GROUPS: Param = Param::constant("groups", sets::INT32).or(Default::Int(1));
pub(super) use crate::support::window::{ONES, PAD, STRIDES};
