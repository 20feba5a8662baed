//! Chance: a seeded generator and the distributions that the benchmarks' simulations draw from.

// Each of them draws from some.
#![allow(dead_code)]

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, and every seed is a good one.
pub struct Chance(u64);

impl Chance {
    /// A stream of its own for each name: rows of a table do not change when another one does.
    pub fn stream(seed: u64, name: &str) -> Self {
        let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut chance = Self(hash);
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1].
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// In [0, below).
    pub fn below(&mut self, below: i64) -> i64 {
        ((self.unit() * below as f64).ceil() as i64 - 1).max(0)
    }

    /// Box and Muller's.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Mean 1, this relative variance: gamma, by Marsaglia and Tsang's method (ACM TOMS 26, 2000).
    pub fn gamma(&mut self, vary: f64) -> f64 {
        if vary <= 0.0 {
            return 1.0;
        }
        let shape = 1.0 / vary;
        let (boosted, scale) = if shape < 1.0 { (shape + 1.0, self.unit().powf(vary)) } else { (shape, 1.0) };
        let d = boosted - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return scale * d * v * vary;
            }
        }
    }

    /// Mean 1, this relative variance.
    pub fn lognormal(&mut self, vary: f64) -> f64 {
        let square = vary.ln_1p();
        (square.sqrt() * self.normal() - 0.5 * square).exp()
    }

    /// Knuth's product of uniforms, in pieces so that it does not underflow.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let (mut left, mut drawn) = (mean, 0);
        while left > 0.0 {
            let limit = (-left.min(30.0)).exp();
            let mut product = self.unit();
            while product > limit {
                drawn += 1;
                product *= self.unit();
            }
            left -= 30.0;
        }
        drawn
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.unit().ln()
    }

    /// Between `from` and `to`, each doubling as likely as the other.
    pub fn log_uniform(&mut self, from: f64, to: f64) -> f64 {
        from * (to / from).powf(self.unit())
    }

    /// Skips from success to success, so it costs as much as there are.
    pub fn binomial(&mut self, of: u32, p: f64) -> u32 {
        if p <= 0.0 {
            return 0;
        }
        if p > 0.5 {
            return of - self.binomial(of, 1.0 - p);
        }
        let step = (1.0 - p).ln();
        let (mut at, mut drawn) = (0.0, 0);
        loop {
            at += 1.0 + (self.unit().ln() / step).floor();
            if at > f64::from(of) {
                return drawn;
            }
            drawn += 1;
        }
    }

    /// A rate with this mean and a standard deviation about as large: Beta(1, 1/mean - 1).
    pub fn scattered_rate(&mut self, mean: f64) -> f64 {
        1.0 - self.unit().powf(mean / (1.0 - mean))
    }
}
