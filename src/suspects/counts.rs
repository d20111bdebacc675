//! How often names are in reports, and how often fixes changed what they name.

/// In how many reports a name is, and in how many of them the fix changed what it names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Reports that name it.
    pub reports: u16,
    /// Those of them whose fix changed it.
    pub fixed: u16,
}

impl Counts {
    /// These counts.
    pub const fn new(reports: u16, fixed: u16) -> Self {
        Self { reports, fixed }
    }
}

/// The share of the candidates that a fix changed, before anything is known of them: functions, files,
/// directories.
const PRIOR: [f32; 3] = [0.1, 0.25, 0.4];

/// How many reports the prior is worth.
const PRIOR_REPORTS: f32 = 3.0;

/// How many numbers a candidate has.
pub const NUMBERS: usize = 7;

/// The numbers of a candidate by the counts of its function, file and directory, absent where the candidate
/// has none, zero where the tables lack the name: of each how much more often than others it was changed (a logarithm of odds), and how often it is in
/// reports (a logarithm); whether no directory is known.
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

/// The probability of a candidate by its share of the softmax: beta calibration, which was fitted on
/// shares that the model gave to crashes it was not fitted to.
pub fn calibrated(share: f32, calibration: [f32; 3]) -> f32 {
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    let [a, b, c] = calibration;
    let sum = a * share.ln() - b * (1.0 - share).ln() + c;
    1.0 / (1.0 + (-sum).exp())
}

/// The counts of a name in a table that is sorted by name.
pub(super) fn look_up(table: &[(&str, Counts)], name: &str) -> Counts {
    let at = table.binary_search_by_key(&name, |(known, _)| known);
    at.ok().and_then(|at| table.get(at)).map(|(_, counts)| *counts).unwrap_or_default()
}
