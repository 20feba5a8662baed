//! What chance alone does to a heartbeat, as a Poisson process: messages that come independently of each other.

/// Below so many messages a period, a total stop cannot be told from chance: at one false alarm a year a silence test
/// needs about nine missing messages (design, Coverage; `heartbeat::blindness` uses the same number).
pub const ENOUGH: u64 = crate::heartbeat::blindness::MISSING as u64;

/// How likely fewer than `k` messages are where `mean` are usual.
pub fn fewer_than(k: u64, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut sum = 0.0;
    for n in 0..k {
        sum += term;
        term *= mean / (n + 1) as f64;
    }
    sum.min(1.0)
}

/// How many messages must be usual in a period so that chance makes it have fewer than `k` at most once a year.
pub fn usual_for_one_a_year(k: u64, periods_a_year: f64) -> u64 {
    let rare = |mean: u64| fewer_than(k, mean as f64) * periods_a_year <= 1.0;
    // Far above any answer for the small `k` that are asked about.
    (k..k + 200).find(|mean| rare(*mean)).unwrap_or(k + 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_rare_from_about_nine_messages_an_hour_on() {
        assert!((fewer_than(1, 3.0) - 0.049_787).abs() < 1e-6, "e^-3");
        assert!((fewer_than(3, 3.0) - 0.423_190).abs() < 1e-6, "e^-3 (1 + 3 + 9/2)");
        // ln 8766 = 9.08, ln 365.25 = 5.90, ln 52.18 = 3.95
        assert_eq!([8766.0, 365.25, 52.18].map(|periods| usual_for_one_a_year(1, periods)), [10, 6, 4]);
        assert_eq!(ENOUGH, 9);
    }

    #[test]
    fn the_usual_number_is_the_smallest_that_will_do() {
        for k in 1..ENOUGH {
            let usual = usual_for_one_a_year(k, 365.25);
            assert!(fewer_than(k, usual as f64) * 365.25 <= 1.0);
            assert!(fewer_than(k, (usual - 1) as f64) * 365.25 > 1.0, "{k}");
        }
    }
}
