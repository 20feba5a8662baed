//! The simulated workflows: those that the thresholds were chosen with, and those that nobody looked at then.

use super::world::{BUSINESS, EVERY_DAY, Hours, TUESDAYS, WEEKEND, WORKING, Workload};

/// Workflows that are well. The first two also fall ill.
pub fn known() -> Vec<Workload> {
    let plain = Workload::plain;
    vec![
        plain("weekdays and hours"),
        Workload { day_vary: 0.06, hour_vary: 0.1, ..plain("days and hours vary much") },
        Workload { weekdays: WORKING, hours: Hours::Office, zone: "America/New_York", ..plain("office hours") },
        Workload { weekdays: WEEKEND, hours: Hours::Evening, zone: "Australia/Sydney", ..plain("weekend evenings") },
        Workload { day_vary: 0.15, lognormal: true, hour_vary: 0.1, ..plain("lognormal days") },
        Workload { growth: 0.05, ..plain("grows 5 % a week") },
        Workload { growth: -0.03, ..plain("shrinks 3 % a week") },
        Workload { blasts: 6.0, first_of_month: 2.5, ..plain("blasts, and the first of a month") },
        Workload { holidays: 0.3, zone: "Asia/Kolkata", ..plain("holidays at 30 %, in `except`") },
        Workload { holidays: 0.6, listed: false, ..plain("holidays at 60 %, not listed") },
        Workload { holidays: 0.3, listed: false, ..plain("holidays at 30 %, not listed") },
        Workload { clump: 5, hours: Hours::Flat, ..plain("clumps of five, flat") },
        Workload {
            hours: Hours::Batch { hour: 9, late: 40 },
            weekdays: EVERY_DAY,
            ..plain("a batch a day, up to 40 min late")
        },
    ]
}

/// What somebody else may have. Each falls ill too, by a total stop.
pub fn held_out() -> Vec<Workload> {
    let plain = Workload::plain;
    let nothing = Workload { day_vary: 0.0, hour_vary: 0.0, ..plain("Poisson and nothing else") };
    vec![
        Workload { hours: Hours::TwoPeaks, ..plain("two peaks a day") },
        Workload {
            weekdays: BUSINESS,
            hours: Hours::Office,
            zone: "America/Los_Angeles",
            day_vary: 0.03,
            ..plain("business customers, Los Angeles")
        },
        nothing,
        Workload { day_vary: 0.25, hour_vary: 0.0, ..plain("days vary by 50 %, hours do not") },
        Workload { drift: (0.1, 7.0), ..plain("level wanders 10 %, for a week") },
        Workload { drift: (0.2, 14.0), ..plain("level wanders 20 %, for two weeks") },
        Workload { step: 1.6, ..plain("a launch: once + 60 %, stays") },
        Workload { monthly: 0.2, ..plain("a monthly cycle of 20 %") },
        Workload { hours: Hours::Cron(&[7, 12, 18]), ..plain("cron: all at 7:00, 12:00, 18:00") },
        Workload { hours: Hours::Sent, weekdays: TUESDAYS, ..plain("a newsletter on Tuesdays") },
        Workload { growth: 0.02, zone: "Asia/Kolkata", ..plain("grows 2 % a week, Kolkata") },
        Workload { summer: 0.7, zone: "America/New_York", ..plain("six weeks of summer at 70 %, New York") },
        Workload { hours: Hours::TwoPeaks, zone: "Australia/Sydney", hour_vary: 0.06, ..plain("two peaks, Sydney") },
        Workload { clump: 3, day_vary: 0.03, weekdays: WORKING, ..plain("clumps of three, working days") },
    ]
}
