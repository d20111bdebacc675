//! The frequencies of names in reports, and of fixes that changed them.

/// The number of reports that contain a name, and of those whose fix changed it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// The number of reports with the name.
    pub reports: u16,
    /// The number of those whose fix changed it.
    pub fixed: u16,
}

impl Counts {
    /// Makes the counts.
    pub const fn new(reports: u16, fixed: u16) -> Self {
        Self { reports, fixed }
    }
}

/// The prior share of changed candidates: functions, files, directories.
const PRIOR: [f32; 3] = [0.1, 0.25, 0.4];

/// The weight of the prior in reports.
const PRIOR_REPORTS: f32 = 3.0;

/// The number of numeric features of a candidate.
pub const NUMBERS: usize = 7;

/// The numeric features of a candidate by the counts of its function, file and directory: of each the
/// log-odds of a change relative to the prior, and the logarithm of the number of reports; at last whether
/// the directory is unknown. A candidate without a file has no counts (`None`), a name that the tables
/// lack has counts of zero.
pub fn numbers(counts: [Option<Counts>; 3]) -> [f32; NUMBERS] {
    let mut numbers = [0.0; NUMBERS];
    let pairs = numbers.as_chunks_mut::<2>().0;
    for ((pair, counts), prior) in pairs.iter_mut().zip(counts).zip(PRIOR) {
        let Some(counts) = counts.filter(|counts| counts.reports > 0) else { continue };
        let (reports, fixed) = (f32::from(counts.reports), f32::from(counts.fixed));
        let odds =
            (fixed + PRIOR_REPORTS * prior) / (reports - fixed + PRIOR_REPORTS * (1.0 - prior));
        *pair = [(odds / (prior / (1.0 - prior))).ln(), (1.0 + reports).ln()];
    }
    if let Some(last) = numbers.last_mut() {
        *last = f32::from(u8::from(counts.last().is_none_or(Option::is_none)));
    }
    numbers
}

/// The probability of a candidate by its share of the softmax. The beta calibration is fitted on shares of
/// crashes that the model was not fitted to.
pub fn calibrated(share: f32, calibration: [f32; 3]) -> f32 {
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    let [a, b, c] = calibration;
    let sum = a * share.ln() - b * (1.0 - share).ln() + c;
    1.0 / (1.0 + (-sum).exp())
}
