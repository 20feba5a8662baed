//! The lower confidence bound of a rate: a handful of messages must not look like a trend.

/// One-sided 95 % (design, Configuration).
const Z: f64 = 1.645;

/// Fewer failures than this never make a rate true: with 3, a source of 20 mails an hour would false-page 25 times
/// a year under minute-by-minute evaluation (design, Configuration; simulated there).
pub const MIN_FAILURES: u64 = 7;

/// The Wilson score interval's lower end for `failures` of `of` (E. B. Wilson, JASA 22, 1927); 0 when `of` is 0.
pub fn lower_bound(failures: u64, of: u64) -> f64 {
    lower_bound_at(Z, failures, of)
}

/// The same for another confidence: `z` standard deviations, one-sided.
pub fn lower_bound_at(z: f64, failures: u64, of: u64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    let (n, z2) = (of as f64, z * z);
    let p = (failures.min(of)) as f64 / n;
    let centre = p + z2 / (2.0 * n);
    let spread = z * ((p * (1.0 - p) + z2 / (4.0 * n)) / n).sqrt();
    ((centre - spread) / (1.0 + z2 / n)).max(0.0)
}

/// Whether `failures` of `of` are a rate above `limit` beyond chance.
pub fn is_above(failures: u64, of: u64, limit: f64) -> bool {
    failures >= MIN_FAILURES && lower_bound(failures, of) > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_matches_published_values() {
        // Computed independently: (p + z2/2n - z*sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n).
        for (failures, of, want) in [(10, 100, 0.060_6), (1, 10, 0.022_9), (50, 100, 0.418_9), (0, 10, 0.0)] {
            assert!(
                (lower_bound(failures, of) - want).abs() < 5e-4,
                "{failures} of {of}: {}",
                lower_bound(failures, of)
            );
        }
    }

    #[test]
    fn few_failures_are_never_a_rate() {
        assert!(!is_above(6, 6, 0.05));
        assert!(is_above(7, 7, 0.05));
        assert!(!is_above(7, 100, 0.05)); // 7 % seen, but 3.9 % cannot be ruled out
        assert!(is_above(15, 100, 0.05));
    }

    /// The exact probability that `of` messages, each failing with this probability, are a rate above the limit.
    fn probability_of_a_page(of: i32, rate: f64, limit: f64) -> f64 {
        let mut exactly = (1.0 - rate).powi(of);
        let mut page = 0.0;
        for k in 0..=of {
            if is_above(k as u64, of as u64, limit) {
                page += exactly;
            }
            exactly *= f64::from(of - k) / f64::from(k + 1) * rate / (1.0 - rate);
        }
        page
    }

    #[test]
    fn a_hundred_messages_at_fifteen_percent_page_in_ninety_five_of_a_hundred_cases() {
        let power = probability_of_a_page(100, 0.15, 0.05);
        assert!((0.95..0.98).contains(&power), "{power}");
        assert!(probability_of_a_page(50, 0.15, 0.05) > 0.6);
        assert!(probability_of_a_page(100, 0.30, 0.05) > 0.999_999);
    }

    #[test]
    fn a_hundred_messages_at_one_percent_page_in_one_of_a_million_cases() {
        let false_page = probability_of_a_page(100, 0.01, 0.05);
        assert!(false_page < 2e-6, "{false_page}");
        // At the limit itself it is the five percent that the bound stands for, or less: there are few outcomes.
        assert!(probability_of_a_page(1_000, 0.05, 0.05) < 0.055);
    }

    proptest::proptest! {
        #[test]
        fn the_bound_lies_below_the_rate_and_rises_with_failures(of in 1u64..10_000, a in 0u64..10_000) {
            let a = a.min(of);
            let bound = lower_bound(a, of);
            proptest::prop_assert!((0.0..=1.0).contains(&bound) && bound <= a as f64 / of as f64 + 1e-9);
            proptest::prop_assert!(a == 0 || lower_bound(a - 1, of) <= bound + 1e-12);
        }
    }
}
