//! How surprising a count is: tails and quantiles of the negative binomial, the distribution of a Poisson count whose
//! rate itself varies. Mean `m`, relative variance `v` of the rate: the variance is `m + v m^2`.

/// Below this relative variance of the rate a count is as good as Poisson.
const NEARLY_POISSON: f64 = 1e-4;

/// ln of the gamma function, by Lanczos' series (g = 7, nine terms; Numerical Recipes 6.1 names the method).
pub fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let [first, rest @ ..] = TERMS;
    let sum = rest.iter().zip(1_i32..).fold(first, |sum, (term, i)| sum + term / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// ln of the regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) as Lentz
/// evaluates it.
fn ln_beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 1.0 {
        return 0.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        // The fraction converges fast on the other side only; there nothing small is lost.
        return (-ln_beta_share(1.0 - x, b, a).exp()).ln_1p();
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p() - a.ln();
    const TINY: f64 = 1e-300;
    let off_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut d = 1.0 / off_zero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut f) = (1.0, d);
    for m in 1..2_000 {
        let m = f64::from(m);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / off_zero(1.0 + term * d);
            c = off_zero(1.0 + term / c);
            f *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-10 {
            break;
        }
    }
    front + f.ln()
}

/// ln P(count <= n).
pub fn ln_at_most(n: f64, mean: f64, vary: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let size = 1.0 / vary.max(NEARLY_POISSON);
    if n < 0.5 {
        return -size * (mean / size).ln_1p();
    }
    ln_beta_share(size / (size + mean), size, n + 1.0)
}

/// ln P(count >= n).
pub fn ln_at_least(n: f64, mean: f64, vary: f64) -> f64 {
    if n < 0.5 {
        return 0.0;
    }
    if mean <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let size = 1.0 / vary.max(NEARLY_POISSON);
    ln_beta_share(mean / (size + mean), n, size)
}

/// The smallest n with P(count <= n) >= `share`.
pub fn quantile(share: f64, mean: f64, vary: f64) -> u64 {
    let share = share.ln();
    let below = |n: u64| ln_at_most(n as f64, mean, vary) < share;
    let mut high = (mean as u64).max(1);
    while below(high) && high < u64::MAX / 4 {
        high *= 2;
    }
    let mut low = 0;
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) { low = middle + 1 } else { high = middle }
    }
    high
}

/// ln of the normal distribution's upper tail, by its continued fraction for large z and by Chernoff's bound near 0: never
/// too small by more than a factor of two.
pub fn ln_normal_above(z: f64) -> f64 {
    if z <= 1.0 {
        return if z <= 0.0 { 0.0 } else { -0.5 * z * z - 0.69 };
    }
    let fraction = (1..=30).rev().fold(z, |f, k| z + f64::from(k) / f);
    -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln() - fraction.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(count <= n) by adding up the terms.
    fn summed(n: u32, mean: f64, vary: f64) -> f64 {
        let size = 1.0 / vary;
        let term = |k: f64| {
            (ln_gamma(k + size) - ln_gamma(k + 1.0) - ln_gamma(size)
                + size * (size / (size + mean)).ln()
                + k * (mean / (size + mean)).ln())
            .exp()
        };
        (0..=n).map(|k| term(f64::from(k))).sum()
    }

    #[test]
    fn factorials_come_out() {
        for (x, factorial) in [(1.0, 1.0_f64), (2.0, 1.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((ln_gamma(x) - factorial.ln()).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn tails_are_the_sums_of_their_terms() {
        for (n, mean, vary) in [(0, 9.0, 0.01), (3, 9.0, 0.2), (9, 9.0, 1.0), (30, 9.0, 0.1), (80, 140.0, 0.02)] {
            let below = summed(n, mean, vary);
            assert!((ln_at_most(f64::from(n), mean, vary) - below.ln()).abs() < 1e-6, "{n} {mean} {vary}");
            let above = ln_at_least(f64::from(n + 1), mean, vary).exp();
            assert!((above - (1.0 - below)).abs() < 1e-9, "{n} {mean} {vary}");
        }
    }

    #[test]
    fn nine_missing_are_one_in_eight_thousand_without_overdispersion() {
        assert!((ln_at_most(0.0, 9.0, 0.0) + 9.0).abs() < 0.01);
        assert!(ln_at_most(0.0, 9.0, 0.5) > -4.0);
    }

    #[test]
    fn quantiles_invert_the_tail() {
        for (mean, vary) in [(0.3, 0.1), (9.0, 0.01), (200.0, 0.05), (10_000.0, 0.01)] {
            let q = quantile(0.025, mean, vary);
            assert!(ln_at_most(q as f64, mean, vary).exp() >= 0.025);
            assert!(q == 0 || ln_at_most(q as f64 - 1.0, mean, vary).exp() < 0.025);
        }
    }

    #[test]
    fn the_normal_tail_is_right_where_it_matters() {
        for (z, p) in [(2.0, 0.022_750), (3.0, 0.001_349_9), (5.0, 2.866_5e-7)] {
            assert!((ln_normal_above(z).exp() / p - 1.0).abs() < 1e-3, "{z}");
        }
    }
}
