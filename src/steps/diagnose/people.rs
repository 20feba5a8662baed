//! Finds the person: by address, number, Customer.io's id, or id.

use super::To;
use super::found;
use crate::customerio::app_api::ask::{NameKind, Named, Question};
use crate::customerio::app_api::message::Delivery;
use crate::customerio::app_api::person;
use crate::diagnose::facts::{Found, Known};

/// Other profiles with the address that are looked at, at most.
const OTHERS: usize = 3;

/// The profile, and the name to ask everything else by; no name when there is nobody, or nobody knows.
pub async fn find(to: &mut To<'_>, who: &str, delivery: Option<&Delivery>) -> (Known<Found>, Option<Named>) {
    let of_delivery = delivery.and_then(|delivery| Named::of(&delivery.person));
    if who.contains('@') && of_delivery.is_none() {
        return by_address(to, who).await;
    }
    let names = of_delivery.map_or_else(|| names(who), |named| vec![named]);
    for named in names {
        match to.one(&Question::Profile(&named), person::profile).await {
            Ok(None) => {}
            Ok(Some(profile)) => {
                let of = Named::of(&profile.identifiers).unwrap_or(named);
                return (Ok(found(Some(profile))), Some(of));
            }
            // The rest may be readable all the same.
            Err(why) => return (Err(why), Some(named)),
        }
    }
    (Ok(found(None)), None)
}

/// What a name without `@` may be: with a wrong kind a person who is there reads as 404.
fn names(who: &str) -> Vec<Named> {
    if who.starts_with("cio_") {
        return vec![Named::new(who, NameKind::CioId), Named::new(who, NameKind::Id)];
    }
    if who.starts_with('+') && who.chars().skip(1).filter(char::is_ascii_digit).count() >= 7 {
        let digits: String = who.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        return vec![Named::new(who, NameKind::Id), Named::new(&digits, NameKind::Phone)];
    }
    // Customer.io's own ids are hexadecimal.
    let is_own = (8..=24).contains(&who.len()) && who.chars().all(|c| c.is_ascii_hexdigit());
    let own = is_own.then(|| Named::new(who, NameKind::CioId));
    std::iter::once(Named::new(who, NameKind::Id)).chain(own).collect()
}

async fn by_address(to: &mut To<'_>, who: &str) -> (Known<Found>, Option<Named>) {
    let mut people = match to.required(&Question::ProfilesOf { email: who }, person::profiles).await {
        Ok(people) => people.into_iter(),
        Err(why) => return (Err(why), Some(Named::new(who, NameKind::Email))),
    };
    let Some((first, named)) = people.next().and_then(|first| Some((first.clone(), Named::of(&first)?))) else {
        // Some identify people by what looks like an address.
        let named = Named::new(who, NameKind::Id);
        return match to.one(&Question::Profile(&named), person::profile).await {
            Ok(Some(profile)) => {
                let of = Named::of(&profile.identifiers).unwrap_or(named);
                (Ok(found(Some(profile))), Some(of))
            }
            _ => (Ok(found(None)), None),
        };
    };
    match to.one(&Question::Profile(&named), person::profile).await {
        Ok(profile) => {
            // Deleted between two questions: what the list said is all there is.
            let listed = person::Profile { identifiers: first.clone(), ..person::Profile::default() };
            let mut profile = profile.unwrap_or(listed);
            profile.identifiers.email = profile.identifiers.email.or(first.email);
            let others = people.map(|other| (other, Err(crate::diagnose::NotKnown::because("not asked")))).collect();
            (Ok(Found { profile: Some(profile), others }), Some(named))
        }
        Err(why) => (Err(why), Some(named)),
    }
}

/// Whether the event is on the timeline of another profile with the same address.
pub async fn look_at_others(to: &mut To<'_>, found: &mut Known<Found>, event: &str) {
    let Ok(found) = found else { return };
    for (other, came) in found.others.iter_mut().take(OTHERS) {
        if let Some(named) = Named::of(other) {
            *came = to.events(&named, Some(event)).await.map(|(read, _)| read.iter().any(|seen| seen.name == event));
        }
    }
}
