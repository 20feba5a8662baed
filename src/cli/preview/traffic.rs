//! How much the made-up bridge sends: the same for the same seed.

use jiff::civil::Date;

/// Names of workflows and how much they send on an average day.
const WORKFLOWS: [(&str, f64); 12] = [
    ("Activation", 48.0),
    ("Trial reminders", 320.0),
    ("Order shipped", 1_240.0),
    ("Win back", 75.0),
    ("Abandoned cart", 640.0),
    ("Welcome", 210.0),
    ("Review request", 410.0),
    ("Renewal notice", 36.0),
    ("Price drop", 880.0),
    ("Invoice ready", 520.0),
    ("Referral", 24.0),
    ("Onboarding day 3", 130.0),
];

pub fn name_of(n: usize) -> String {
    match (n / WORKFLOWS.len(), WORKFLOWS.get(n % WORKFLOWS.len())) {
        (0, Some((name, _))) => (*name).to_owned(),
        (round, name) => format!("{} {}", name.map_or("Workflow", |(name, _)| *name), round + 1),
    }
}

/// Messages of a workflow on an average day like this one.
pub fn level(n: usize, date: Date) -> f64 {
    let weekend = date.weekday().to_monday_zero_offset() >= 5;
    WORKFLOWS.get(n % WORKFLOWS.len()).map_or(0.0, |(_, level)| *level) * if weekend { 0.45 } else { 1.0 }
}

/// Share of a day's messages in an hour: few at night, a morning and an evening peak.
pub fn share(hour: usize) -> f64 {
    const SHARES: [f64; 24] = [
        1.0, 0.6, 0.4, 0.3, 0.4, 0.8, 2.0, 4.0, 6.5, 8.0, 8.5, 7.5, 6.5, 6.0, 6.0, 6.0, 6.0, 6.5, 7.0, 6.5, 5.0, 3.5,
        2.0, 1.0,
    ];
    SHARES.get(hour).map_or(0.0, |share| share / SHARES.iter().sum::<f64>())
}

/// A whole number about `mean`, always the same for a seed.
pub fn drawn(mean: f64, seed: &[u64]) -> u64 {
    let mixed = seed.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, part| {
        let hash = (hash ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (hash ^ (hash >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb)
    });
    let unit = ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1_u64 << 53) as f64;
    // About as wide as Poisson's, without its tail; below one it is one as often as the mean says.
    if mean < 1.0 { u64::from(unit < mean) } else { (mean + (unit - 0.5) * 3.0 * mean.sqrt()).round().max(0.0) as u64 }
}
