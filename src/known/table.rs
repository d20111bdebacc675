//! The model of `rank`, by `fit_known` of `tools`.
//!
//! In cross-validation: first 83.5 %, among five 90.6 % of 127; 4 of 290 without a fix above 0.8.

/// The number of features.
pub const PAIR_FEATURES: usize = 14;

/// The constant part of a score, against *no candidate*.
pub(super) const BIAS: f32 = -4.60;

/// The weight of each feature.
#[rustfmt::skip] // rows
pub(super) const WEIGHTS: [(&str, f32); PAIR_FEATURES] = [
    ("similarity", 3.97),
    ("same title", -0.04),
    ("same function in the title", 0.40),
    ("title function of one in the stack of the other", 0.10),
    ("same site", -0.22),
    ("same two innermost functions", 0.37),
    ("same three innermost functions", 0.42),
    ("share of the shorter stack", 2.77),
    ("common functions", 0.20),
    ("same family", 0.54),
    ("same directory", 0.69),
    ("same NULL offset", 0.49),
    ("same functions of the object", 0.74),
    ("equal", -0.13),
];
