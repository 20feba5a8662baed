//! Fourteen days in fourteen characters.

/// Days that a sparkline shows, the digest's own day last.
pub const DAYS: i16 = 14;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar a day, as high as its share of the highest; nothing counted is the lowest bar, nothing known a dot.
pub fn sparkline(days: &[Option<u64>]) -> String {
    let highest = days.iter().flatten().copied().max().unwrap_or_default();
    let bar = |count: u64| {
        // Zero alone gets the lowest bar, so that a small day is told from none.
        let above = (count * 7).div_ceil(highest.max(1)).min(7);
        BARS.get(usize::try_from(above).unwrap_or_default()).copied().unwrap_or('█')
    };
    days.iter().map(|day| day.map_or('·', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_high_as_its_share_and_none_is_told_from_little_and_from_unknown() {
        let days = [None, Some(0), Some(1), Some(50), Some(100), Some(700)];
        assert_eq!(sparkline(&days), "·▁▂▂▂█");
        assert_eq!(sparkline(&[Some(0), None, Some(0)]), "▁·▁");
        assert_eq!(sparkline(&[Some(u64::from(u32::MAX))]), "█");
        assert_eq!(sparkline(&[]), "");
    }
}
