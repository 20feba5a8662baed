//! Failures by channel, by cause and by mailbox provider.

use maud::{Markup, html};

use crate::message::text::{count, number, percent};
use crate::page::failures::{AtProvider, Cause, Channel, Share, Trouble};
use crate::page::plot;

pub fn channels(channels: &[Channel]) -> Markup {
    html! {
        section {
            h2 { "Failures by channel" small { "last 24 hours, and 14 days; dashed: where a rule opens an incident" } }
            @if channels.is_empty() { p.none { "Nothing was sent in the last 14 days, as far as we heard." } }
            div.channels { @for channel in channels { (one(channel)) } }
        }
    }
}

fn one(channel: &Channel) -> Markup {
    html! {
        article {
            h3 { (title(&channel.name)) }
            p.sum {
                @if channel.failed == 0 { "No failure" } @else { b { (number(channel.failed)) " failed" } }
                " of " (count("message", channel.sent.max(channel.failed))) " in 24 h"
                @if channel.failed > 0 && channel.sent > 0 { " (" (percent(channel.failed, channel.sent.max(channel.failed))) ")" }
            }
            @for trouble in &channel.troubles { (trouble_of(trouble)) }
        }
    }
}

fn title(channel: &str) -> &str {
    match channel {
        "email" => "Email",
        "sms" => "SMS",
        "push" => "Push",
        "in_app" => "In-app",
        "slack" => "Slack",
        "webhook" => "Webhook",
        "whatsapp" => "WhatsApp",
        other => other,
    }
}

fn trouble_of(trouble: &Trouble) -> Markup {
    let limit = trouble.limit.as_ref().map(|(limit, _)| *limit);
    let said = |over: &str| format!("{}, share of {}, {over}", trouble.metric, trouble.taken_of);
    html! {
        div.tr.above[trouble.is_above()] {
            p {
                b { (trouble.metric) } " " (share(trouble.day))
                @if trouble.is_above() { strong { " above the limit" } }
                i {
                    "14 days: " (share(trouble.fortnight))
                    @if let Some((limit, rule)) = &trouble.limit { ". Limit " (plot::percent(*limit)) " (" (rule) ")" }
                    @if let Some(counted) = &trouble.counted { ". Alerts at " (counted) }
                }
            }
            (plot::rate(&trouble.hours, limit, &said("24 h, each point over 3 h"), ("24 h ago", "now")))
            (plot::rate(&trouble.days, limit, &said("14 days"), ("14 days ago", "today")))
        }
    }
}

/// `41 of 1,040 (3.9 %)`
fn share(share: Share) -> String {
    match share.of {
        0 => number(share.count),
        of => format!("{} of {} ({})", number(share.count), number(of), percent(share.count, of)),
    }
}

pub fn causes(causes: &[Cause]) -> Markup {
    let most = causes.iter().map(|cause| cause.count).max().unwrap_or_default();
    html! {
        section {
            h2 { "Top causes" small { "last 24 hours" } }
            @if causes.is_empty() { p.none { "No message failed." } }
            ul.bars {
                @for cause in causes {
                    @let row = cause.key.row();
                    li {
                        b { (number(cause.count)) } " " (row.title)
                        meter min="0" max=(most) value=(cause.count) aria-label=(format!("{} of at most {}", cause.count, most)) {}
                        i {
                            @for (at, (kind, n)) in cause.kinds.iter().enumerate() { @if at > 0 { ", " } (kind) " " (number(*n)) }
                            @if let Some(step) = row.check_first.first() { ". First: " (step) }
                        }
                    }
                }
            }
        }
    }
}

pub fn providers(providers: &[AtProvider]) -> Markup {
    html! {
        section {
            h2 { "Mailbox providers" small { "bounced or dropped, last 24 hours" } }
            @if providers.is_empty() { p.none { "No email was sent, as far as we heard." } } @else {
                table {
                    thead { tr { th { "Provider" } th.n { "Refused" } th.n { "Of sent" } th.n { "Share" } } }
                    tbody {
                        @for at in providers {
                            tr {
                                td { (at.title.unwrap_or("All others")) }
                                td.n { (number(at.refused.count)) }
                                td.n { (number(at.refused.of)) }
                                td.n { (percent(at.refused.count, at.refused.of)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
