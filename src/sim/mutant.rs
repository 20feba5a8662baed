//! Each law broken once on purpose: what the simulator must catch.

/// A way to break a law, in the simulated world or in the model store; the steps themselves are never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Law 1: ingest's write is acknowledged and never made.
    StoreNothing,
    /// Law 1: what could not be understood is not kept.
    ForgetQuarantine,
    /// Law 1: a message is deleted when it is received, not when it is done with.
    DeleteOnReceipt,
    /// Law 1: tick never sends a hint, so nothing mends those that a crash lost.
    ForgetSweep,
    /// Law 1: a roll-up's members are marked, the roll-up itself is never written.
    MarkWithoutRollUp,
    /// Law 1: what was counted while its incident was being resolved is not judged again.
    ForgetJudgingAgain,
    /// Law 1: `redrive` deletes a request and sends nothing of it.
    RedriveForgets,
    /// Law 4: `redrive` sends an event as if it arrived now.
    RedriveAsOfNow,
    /// Law 7: what somebody gave up is told after all.
    DroppedIsTold,
    /// Law 7: a silence keeps the end of a delivered opening back.
    SilenceMutesResolve,
    /// Law 1: what a silence mutes is not recorded against it.
    SilenceRecordsNothing,
    /// Law 1: a silence goes on an hour after its end.
    SilenceWithoutEnd,
    /// Law 1: a rate is taken of the sends that are an hour old.
    LateDenominators,
    /// Law 4: a new layout also holds for event times that have passed.
    LayoutForThePast,
    /// Law 2: our own trouble is answered 500.
    Answer500,
    /// Law 3: what is over 8 days old is counted as if it were new.
    AgeIgnored,
    /// Law 4: an event whose cause is read differently by now is counted once more.
    CountByCause,
    /// Law 4: a duplicate is counted as what it looks like now.
    LastClass,
    /// Law 4: an identity is forgotten after 3 days.
    ShortMemory,
    /// Law 4: a duplicate does not raise its registers.
    DuplicateLeavesRegisters,
    /// Law 4: registers are read as they were some seconds ago.
    StaleCells,
    /// Law 5: every minute counts as covered.
    AllCovered,
    /// Law 6: incidents are written whatever their version is.
    UnconditionalIncidents,
    /// Law 7: every lease is granted.
    LeaseForAll,
    /// Law 7: nothing is known of what was told.
    ToldForgotten,
    /// Law 7: what was told is not recorded.
    RecordNothing,
    /// Law 7: a fallback is never made a receiver of the incident.
    ForgetFallback,
    /// Law 10: leases of a dead process hold for a month.
    LeaseWithoutEnd,
}

impl Mutant {
    /// All of them: the law each breaks, and how.
    pub const ALL: &[(Mutant, u8, &str)] = &[
        (Self::StoreNothing, 1, "answer 200 and store nothing when the queue is throttled"),
        (Self::ForgetQuarantine, 1, "answer 200 and keep nothing of a body that cannot be read"),
        (Self::DeleteOnReceipt, 1, "delete a queue message when it is received"),
        (Self::ForgetSweep, 1, "never sweep: hints that a crash lost stay lost"),
        (Self::MarkWithoutRollUp, 1, "mark members as told by a roll-up that is not written"),
        (Self::ForgetJudgingAgain, 1, "do not judge again what was counted while tick resolved"),
        (Self::RedriveForgets, 1, "`redrive` deletes a request and sends nothing of it"),
        (Self::SilenceRecordsNothing, 1, "record nothing of what a silence mutes"),
        (Self::SilenceWithoutEnd, 1, "let a silence go on for an hour after its end"),
        (Self::LateDenominators, 1, "take a rate of sends that are an hour old"),
        (Self::Answer500, 2, "answer 500 instead of 503"),
        (Self::AgeIgnored, 3, "count what is over 8 days old as new"),
        (Self::CountByCause, 4, "count a retry again when its cause reads differently"),
        (Self::LastClass, 4, "count a retry as what it looks like now"),
        (Self::ShortMemory, 4, "forget identities after 3 days"),
        (Self::DuplicateLeavesRegisters, 4, "leave the registers of a duplicate as they are"),
        (Self::StaleCells, 4, "judge on registers that are seconds old"),
        (Self::RedriveAsOfNow, 4, "`redrive` sends an event as if it arrived now"),
        (Self::LayoutForThePast, 4, "let a new layout hold for event times that have passed"),
        (Self::AllCovered, 5, "take every minute as covered"),
        (Self::UnconditionalIncidents, 6, "write incidents without the condition on their version"),
        (Self::LeaseForAll, 7, "grant every lease"),
        (Self::ToldForgotten, 7, "do not compare with what was told"),
        (Self::RecordNothing, 7, "do not record what was told"),
        (Self::ForgetFallback, 7, "do not tell the fallback"),
        (Self::SilenceMutesResolve, 7, "let a silence mute the end of a delivered opening"),
        (Self::DroppedIsTold, 7, "tell what somebody gave up"),
        (Self::LeaseWithoutEnd, 7, "let a lease outlive its holder"),
    ];
}
