//! Flakiness: the probability that a crash does not occur in a run.

/// A rate, estimated from a number of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Rate {
    /// The runs with the event.
    pub hits: u32,
    /// All runs.
    pub runs: u32,
    /// The lower end of the 95 % confidence interval of the rate (Wilson's), from 0 to 1.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Rate {
    /// Estimates the rate of `hits` in `runs`.
    pub fn new(hits: u32, runs: u32) -> Self {
        /// The half width of 95 % of the normal distribution, in standard deviations.
        const Z: f64 = 1.96;
        if runs == 0 {
            return Self { hits, runs, low: 0.0, high: 1.0 };
        }
        let n = f64::from(runs);
        let share = f64::from(hits.min(runs)) / n;
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        let bound = |value: f64| (value / scale).clamp(0.0, 1.0);
        Self { hits, runs, low: bound(middle - half), high: bound(middle + half) }
    }

    /// Returns the chance that `runs` more on a commit like this one all pass.
    ///
    /// The rate is only known from these runs: the chance is the mean over all rates, weighted by
    /// their likelihood (the Beta distribution of Jeffreys' prior).
    pub(super) fn all_pass(self, runs: u32) -> f64 {
        let hits = f64::from(self.hits) + 0.5;
        let passes = f64::from(self.runs.saturating_sub(self.hits)) + 0.5;
        let more = (0..runs).map(f64::from);
        more.map(|run| (passes + run) / (hits + passes + run)).product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes the mean as a sum over a thousand rates.
    fn summed(hits: u32, of: u32, runs: u32) -> f64 {
        let rates = (0..200_000).map(|step| (f64::from(step) + 0.5) / 200_000.0);
        let (mut weights, mut passes) = (0.0, 0.0);
        for rate in rates {
            let weight =
                rate.powf(f64::from(hits) - 0.5) * (1.0 - rate).powf(f64::from(of - hits) - 0.5);
            weights += weight;
            passes += weight * (1.0 - rate).powf(f64::from(runs));
        }
        passes / weights
    }

    #[test]
    fn the_chance_to_pass_is_the_mean_over_all_rates() {
        for (hits, of, runs) in [(2, 10, 10), (10, 10, 9), (5, 10, 10), (1, 20, 3)] {
            let chance = Rate::new(hits, of).all_pass(runs);
            assert!((chance - summed(hits, of, runs)).abs() < 1e-3, "{hits} of {of}: {chance}");
        }
    }

    #[test]
    fn an_interval_contains_its_rate() {
        let rate = Rate::new(2, 10);
        // Newcombe 1998, table 1, by the same method.
        assert!((rate.low - 0.0567).abs() < 1e-3 && (rate.high - 0.5098).abs() < 1e-3, "{rate:?}");
        let none = Rate::new(0, 0);
        assert!(none.low.abs() < f64::EPSILON && (none.high - 1.0).abs() < f64::EPSILON);
    }
}
