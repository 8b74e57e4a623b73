//! What a few seeds tell: a mean, and where the mean of all seeds lies.

/// Quantiles 0.975 of Student's t with 1 to 30 degrees of freedom (Student 1908; as printed in any table, say NIST/SEMATECH
/// "Handbook of statistical methods", section 1.3.6.7.2).
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// By Student's t over the values; one value alone tells nothing of the others.
    pub interval: Option<[f64; 2]>,
}

impl Estimate {
    /// Of values that are independent of each other, such as those of several seeds. `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let interval = (values.len() > 1).then(|| {
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
            let spread = t_975(values.len() - 1) * (variance / count).sqrt();
            [mean - spread, mean + spread]
        });
        Some(Self { mean, interval })
    }

    /// As [`Estimate::of`], of shares: the interval ends where they do, at 0 and 1.
    pub fn of_shares(values: &[f64]) -> Option<Self> {
        let found = Self::of(values)?;
        Some(Self { interval: found.interval.map(|ends| ends.map(|end| end.clamp(0.0, 1.0))), ..found })
    }

    /// Of `values` beyond `others`, seed by seed: both have met the same images in the same order, so that what a seed does to
    /// both falls out.
    pub fn of_difference(values: &[f64], others: &[f64]) -> Option<Self> {
        let differences: Vec<f64> = values.iter().zip(others).map(|(value, other)| value - other).collect();
        Self::of(&differences)
    }

    /// Whether the interval leaves 0 out.
    pub fn is_clear(&self) -> bool {
        self.interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0)
    }
}

/// The quantile 0.975 of Student's t.
fn t_975(degrees: usize) -> f64 {
    if let Some(t) = degrees.checked_sub(1).and_then(|index| T_975.get(index)) {
        return *t;
    }
    // Abramowitz & Stegun 1964, 26.7.5: correct to four figures from here on
    let (z, n) = (1.959_964_f64, degrees as f64);
    z + (z.powi(3) + z) / (4.0 * n) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_a_text_book() {
        // scipy.stats.t.interval(0.95, 4, 0.99, scipy.stats.sem([0.988, 0.989, 0.990, 0.991, 0.992])): 0.98804, 0.99196
        let estimate = Estimate::of(&[0.988, 0.989, 0.990, 0.991, 0.992]).unwrap();
        let [low, high] = estimate.interval.unwrap();
        assert!((estimate.mean - 0.99).abs() < 1e-12);
        assert!((low - 0.988_037).abs() < 1e-6 && (high - 0.991_963).abs() < 1e-6, "{low} {high}");
        assert_eq!(Estimate::of(&[0.5]), Some(Estimate { mean: 0.5, interval: None }));
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn quantiles_go_on_where_the_table_ends() {
        // scipy.stats.t.ppf(0.975, n)
        for (degrees, expected) in [(1, 12.706), (4, 2.776), (30, 2.042), (31, 2.0395), (40, 2.0211), (99, 1.9842)] {
            assert!((t_975(degrees) - expected).abs() < 6e-4, "{degrees}: {}", t_975(degrees));
        }
    }

    #[test]
    fn differences_are_taken_seed_by_seed() {
        // seeds differ by much, variants always by the same
        let difference = Estimate::of_difference(&[0.91, 0.95, 0.99], &[0.90, 0.94, 0.98]).unwrap();
        assert!((difference.mean - 0.01).abs() < 1e-12 && difference.is_clear());
        assert!(!Estimate::of_difference(&[0.91, 0.94], &[0.90, 0.95]).unwrap().is_clear());
        assert!(!Estimate::of(&[0.5]).unwrap().is_clear(), "one seed makes nothing clear");
    }
}
