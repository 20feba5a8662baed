//! What an incident can be, other than failures of one cause.

use super::Section;

/// Group and sections, in the order in which they are shown.
pub const GROUPS: &[(&str, &[&Section])] = &[
    ("Messages fail", &[&FAILURES, &RATES]),
    (
        "A workflow is not as it should be",
        &[
            &HEARTBEAT_LOW,
            &HEARTBEAT_STOPPED,
            &HEARTBEAT_STARTED_NOT_SENT,
            &HEARTBEAT_FEWER_ENTER,
            &HEARTBEAT_UNHEARD,
            &HEARTBEAT_HIGH,
            &DRAFTS,
        ],
    ),
    ("We may not hear", &[&BLINDNESS, &LAG, &CANARY_TRACK_API, &CANARY_WORKFLOW, &CANARY_PROCESSING]),
    ("Customer.io was changed", &[&DRIFT_SUBSCRIPTION, &DRIFT_STOPPED, &DRIFT_TRIGGER, &DRIFT_QUEUE_DRAFT]),
    ("Counts differ", &[&FIRED_TO_RECEIVED, &RECEIVED_TO_STARTED, &STARTED_TO_MESSAGES]),
    ("The bridge itself", &[&ROLL_UP, &RECEIVER_REFUSES, &DEADMAN]),
];

pub const FAILURES: Section = Section {
    key: "failures",
    title: "messages fail for several reasons",
    symptoms: "An incident of a rule whose failures have no cause in common.",
    meaning: "Messages fail, and no single cause explains most of them: one change may break several things, or a \
              large send meets ordinary trouble of every kind.",
    confirm: &[
        "Read the causes and the samples in the alert, largest first: each cause has its own section below.",
        "Compare with the sends: is the share of failures higher than usual, or only their number?",
        "Look at what changed since the incident's first failure: a message, a deploy, a sending domain, an import.",
    ],
    fix: "Put the largest cause right first, by its own section; the numbers of the incident fall with it. It ends by \
          itself when it was quiet for resolve_after and messages arrive again.",
    prevent: "Let rules group by cause (group_by = [\"source\", \"cause\"]), so that each cause is an incident with its \
              own steps.",
};

pub const RATES: Section = Section {
    key: "rates",
    title: "a share of messages fails",
    symptoms: "An incident of a rule with a rate, such as bounces above 2 % of the e-mails sent.",
    meaning: "More of what is sent fails than the rule allows, beyond what chance explains. Mailbox providers slow down \
              or refuse senders above about 2 % bounces or 0.1 % complaints.",
    confirm: &[
        "Read in the alert whether one mailbox provider, one message or one cause stands out.",
        "Compare with the page's rates of the last 14 days: a step is a change of ours, a slope is a list that ages.",
        "Look whether a large send or an import began shortly before.",
    ],
    fix: "Pause the send that draws the failures, and take addresses that bounced out of it. The incident ends when the \
          rate has been below the limit long enough to be sure.",
    prevent: "Confirm addresses where people give them, and send first to people who opened lately.",
};

pub const HEARTBEAT_LOW: Section = Section {
    key: "heartbeat_low",
    title: "a workflow fires less than it should",
    symptoms: "\"... is low\": fewer messages or runs than the heartbeat expects, while other events arrive.",
    meaning: "We hear, and this workflow is quieter than chance explains. Customer.io's own numbers were not asked, or \
              did not say why.",
    confirm: &[
        "Open the workflow in Customer.io: is it running, or was it stopped or left in draft?",
        "Look at its people: do fewer enter than usual? Then the trigger event or a filter changed, or the event was renamed upstream.",
        "If people enter and nothing is sent: look for drafts that wait for approval, and for failed or undeliverable messages.",
        "Ask who deployed the backend since the last good period: does it still send the trigger event under the same name?",
    ],
    fix: "Put right what the steps found, then look at the next hours on the status page: the incident ends when the \
          workflow beats as it should. People who should have entered meanwhile do not enter by themselves: fire their \
          events again from the backend, within 72 h of their own time, or they start no campaign.",
    prevent: "Set an App API key: the next alert then says which of these it is. Let a deploy check that the backend \
              fires the names in [reconciliation].",
};

pub const HEARTBEAT_STOPPED: Section = Section {
    key: "heartbeat_stopped",
    title: "a workflow was stopped in Customer.io",
    symptoms: "\"... is low (stopped in Customer.io)\".",
    meaning: "Somebody stopped, archived or never started the campaign, so nobody enters it.",
    confirm: &[
        "Ask whoever stopped it in Customer.io whether that was meant; if so, set an end to this heartbeat (except, or remove it).",
    ],
    fix: "If it was not meant, start the campaign again, and decide what the people who would have entered are owed. \
          The incident ends when messages come again.",
    prevent: "Set must_run = true on heartbeats of workflows that nobody may stop unasked: a stop then pages at once.",
};

pub const HEARTBEAT_STARTED_NOT_SENT: Section = Section {
    key: "heartbeat_started_not_sent",
    title: "people enter, and nothing is sent",
    symptoms: "\"... is low (started but not sent)\".",
    meaning: "As many people as ever enter the workflow, and few messages leave it: they wait, are drafts, or fail \
              before they are sent.",
    confirm: &[
        "Open the workflow in Customer.io and follow one person through it: where do they wait?",
        "Look for drafts that wait for approval, and for failed or undeliverable messages of its first step.",
        "Look at the conditions and filters between the trigger and the message: who changed them?",
    ],
    fix: "Set the step to send automatically, or take the condition back. People who wait at a step go on by \
          themselves; drafts must be sent or deleted by hand.",
    prevent: "Subscribe the reporting webhook to drafted, failed and undeliverable of each channel (`bridge subscribe`): \
              the next alert then names the reason.",
};

pub const HEARTBEAT_FEWER_ENTER: Section = Section {
    key: "heartbeat_fewer_enter",
    title: "fewer people enter a workflow",
    symptoms: "\"... is low (fewer people enter)\".",
    meaning: "The campaign runs, and Customer.io counts far fewer people who enter it than a week before: what triggers \
              it does not come, or a filter keeps people out.",
    confirm: &[
        "Look at the trigger event in Customer.io (Activity Logs): does it still arrive, under the same name?",
        "Ask who deployed the backend since the last good period: does it still send the trigger event?",
        "Look at the trigger's filters and the frequency setting: who changed them?",
    ],
    fix: "Fire the event again under the name that the trigger has, or correct the trigger. The incident ends with the \
          next good period; events that were never fired must be fired again by the backend.",
    prevent: "Declare the event in [reconciliation] and report what the backend fires (docs/counts.md): a loss is then \
              named with its leg on the next morning.",
};

pub const HEARTBEAT_UNHEARD: Section = Section {
    key: "heartbeat_unheard",
    title: "messages were sent, and we did not hear",
    symptoms: "\"... is low (we are blind: it was sent, and we did not hear of it)\".",
    meaning: "Customer.io says it sent enough; the reporting webhook did not bring it. The workflow is fine, our hearing \
              is not.",
    confirm: &[
        "Open the reporting webhook in Customer.io (Integrations): is it enabled, and is this metric ticked?",
        "Look whether it fails there, and whether its address is this bridge's.",
    ],
    fix: "`bridge subscribe --to URL --yes` ticks what rules and heartbeats need. What was not sent to us is not sent \
          later: the gap stays in the counts, and the digest says so.",
    prevent: "Keep the App API key set: the daily look at the subscription warns before a heartbeat does.",
};

pub const HEARTBEAT_HIGH: Section = Section {
    key: "heartbeat_high",
    title: "a workflow fires more than it should",
    symptoms: "\"... is high\": more than at_most, or far more than usual.",
    meaning: "People get messages more often than they should, or many more people enter: a loop, a replay, or a filter \
              that is gone.",
    confirm: &[
        "Look at the workflow's people in Customer.io: does somebody enter more often than once?",
        "Look for an import or a back-fill that replays old events.",
    ],
    fix: "Stop the campaign while it goes on: every message more reaches a person. Then end the replay, or restore the \
          frequency setting or filter, and start it again.",
    prevent: "Set the campaign's frequency so that one person cannot enter twice, and give events a stable id, so that \
              Customer.io drops those that are sent again.",
};

pub const DRAFTS: Section = Section {
    key: "drafts",
    title: "messages wait as drafts",
    symptoms: "\"... wait as drafts since ... and none was sent\".",
    meaning: "An action or transactional message queues drafts: the workflow runs, the API answers yes, and nothing \
              leaves until a person approves it.",
    confirm: &[
        "Open the action or the transactional message in Customer.io: does it queue drafts?",
        "Look at the drafts that wait: how old is the oldest, and is it still wanted?",
    ],
    fix: "Set the sending behavior to Send Automatically, or turn off that the transactional message queues drafts. Send \
          the drafts that are still wanted, and delete the others. The incident ends when drafts are sent.",
    prevent: "Look at the sending behavior of each action before a campaign starts; the daily look at transactional \
              messages needs an App API key.",
};

pub const BLINDNESS: Section = Section {
    key: "blindness",
    title: "nothing arrives",
    symptoms: "\"Nothing has arrived since ...\"; the page shows workflows as unknown.",
    meaning: "No event of any workflow has come for longer than chance explains. Everything may have stopped, or we no \
              longer hear. No workflow is judged meanwhile, and no incident ends.",
    confirm: &[
        "Customer.io > Integrations > Reporting Webhooks: is the webhook enabled and does it point here? Press Send Test.",
        "status.customer.io: is there a delay? Events that come late are counted when they come.",
        "Look at this bridge's log for refused signatures: was the signing key changed?",
        "If the webhook is fine, check whether any campaign is sending at all.",
    ],
    fix: "Enable the webhook (`bridge subscribe --to URL --yes`), or add the new signing key to signing_keys. Customer.io \
          tries failed calls again for 7 days: what it held back comes, and the incident ends.",
    prevent: "Keep two signing keys while one is rotated, and set up the canary: it tells at which leg we stopped \
              hearing.",
};

pub const LAG: Section = Section {
    key: "lag",
    title: "events come late",
    symptoms: "\"Events arrive ... late (median of ...)\".",
    meaning: "Most events come minutes or hours after they happened: Customer.io is behind, or our own answers hold it \
              back. Alerts come that much later; nothing is lost.",
    confirm: &[
        "status.customer.io: is there a delay? Then there is nothing to do here.",
        "Look at this bridge's log for answers that are not 200: Customer.io holds back everything behind a failing call, some for an hour.",
        "Look whether somebody replays or back-fills old events.",
    ],
    fix: "With a delay of the vendor's, wait. With our own 503, put right what the log names (queue, disk, key). The \
          incident ends when the median is below 2 min again.",
    prevent: "Watch the alarms on the functions and their queues, and the disk of `bridge serve`.",
};

pub const CANARY_TRACK_API: Section = Section {
    key: "canary_track_api",
    title: "the canary's event is refused",
    symptoms: "\"The canary is late ...; the Track API did not take the event\".",
    meaning: "The marked test event does not get into Customer.io. The backend's own events may meet the same.",
    confirm: &[
        "status.customer.io: does the Track API have trouble?",
        "Customer.io > Settings > API credentials > Track API keys: does the key still stand there? `bridge check --live` says whether it is set here.",
        "Is `region` of [customerio] the workspace's?",
    ],
    fix: "Set a Track API key that exists, or the right region. The next canary goes out within its interval, and the \
          incident ends when one has come back.",
    prevent: "Rotate the key in both places, new one first; `bridge check --live` afterwards tells whether it works.",
};

pub const CANARY_WORKFLOW: Section = Section {
    key: "canary_workflow",
    title: "the canary does not come back",
    symptoms: "\"The canary is late ...; Customer.io took the event, and no webhook followed\".",
    meaning: "Customer.io took the test event, and its message's webhook did not come: the vendor is behind, the \
              canary's workflow does not run, or the reporting webhook does not send.",
    confirm: &[
        "status.customer.io: is there a delay? Then it comes back by itself.",
        "Customer.io > People > the canary's profile > Activity: did the event arrive, and was a message sent for it?",
        "Is the canary's workflow running, may people enter it every time, and is its message set to send automatically?",
        "Customer.io > Integrations > Reporting Webhooks: is the webhook enabled, and does it send the message's `sent` event?",
    ],
    fix: "Start the canary's workflow, or enable the webhook. The incident ends when a canary has come back.",
    prevent: "Give the canary's workflow a name that says what it is for, so that nobody stops it while tidying up.",
};

pub const CANARY_PROCESSING: Section = Section {
    key: "canary_processing",
    title: "the canary waits inside the bridge",
    symptoms: "\"The canary is late ...; its webhook arrived, and this bridge did not process it\".",
    meaning: "We hear, and what we heard waits in our own queue. Alerts are late by as much.",
    confirm: &[
        "Look at evaluate's log, and at its queue's dead letters: `bridge redrive` lists them.",
        "Under `bridge serve`: is the data folder's disk full? The log says `evaluate_failed`.",
    ],
    fix: "Put right what the log names: a table or queue without permission, a full disk, a version that cannot read \
          what a newer one wrote. What waits is then processed; `bridge redrive --send` brings the rest back.",
    prevent: "Watch the alarms on the age of the events queue and on dead letters; leave reserved concurrency to evaluate.",
};

pub const DRIFT_SUBSCRIPTION: Section = Section {
    key: "drift_subscription",
    title: "the reporting webhook was changed",
    symptoms: "\"The reporting webhook in Customer.io is not as it must be\".",
    meaning: "It is gone, disabled, points elsewhere, lacks metrics that rules or heartbeats need, or sends message \
              contents. What is not sent here is not counted: rules stay quiet, and heartbeats look low.",
    confirm: &[
        "`bridge subscribe --to URL` shows what is to be changed, and `--yes` changes it.",
        "Customer.io > Integrations > Reporting Webhooks: who changed it, and why?",
    ],
    fix: "`bridge subscribe --to URL --yes`, then press Send Test. The incident ends with the next daily look.",
    prevent: "Tell whoever works with Integrations what the webhook is for; its name can say so.",
};

pub const DRIFT_STOPPED: Section = Section {
    key: "drift_stopped",
    title: "a watched workflow does not run",
    symptoms: "\"A workflow with a heartbeat does not run\".",
    meaning: "A campaign that a heartbeat watches is stopped, a draft or archived. Nobody enters it, so it sends nothing.",
    confirm: &[
        "Customer.io > Journeys > Campaigns: was it stopped on purpose? Then remove its heartbeat, or silence it: bridge silence add kind=drift --for 7d --reason '...'",
        "If not, start it again, and decide what to do about the people who would have entered.",
    ],
    fix: "Start the campaign, or remove its heartbeat. The incident ends with the next daily look.",
    prevent: "Agree who may stop campaigns with a heartbeat, and set must_run = true where nobody may.",
};

pub const DRIFT_TRIGGER: Section = Section {
    key: "drift_trigger",
    title: "a workflow's trigger was changed",
    symptoms: "\"Somebody changed what starts a workflow\", with what it was and what it is.",
    meaning: "The event, segment or filters that start a watched campaign are not those of yesterday. If the backend \
              still fires the old name, or people are in the old segment, nobody enters.",
    confirm: &[
        "Customer.io > Journeys > Campaigns > the workflow > Trigger and Filters: is the change meant?",
        "Does the backend fire exactly this name? Case and spaces count.",
    ],
    fix: "If it is meant, nothing is to be done: what is said holds from then on. If not, set the trigger back, and fire \
          the events of the meantime again.",
    prevent: "Rename events in the backend and in the trigger together, the trigger last, with both names fired between.",
};

pub const DRIFT_QUEUE_DRAFT: Section = Section {
    key: "drift_queue_draft",
    title: "a transactional message queues drafts",
    symptoms: "\"A transactional message queues drafts: nothing is sent until a person approves\".",
    meaning: "The API answers yes to the backend, and the message waits as a draft: password resets and receipts do not \
              arrive.",
    confirm: &[
        "Open the transactional message's settings in Customer.io: if nobody means to approve each message, turn off that it queues drafts.",
        "Look at the drafts that wait: send those that are still wanted, delete the others.",
    ],
    fix: "Turn the setting off and send one message to yourself. The incident ends with the next daily look.",
    prevent: "Turn it on for a test only, and send to a test profile first.",
};

pub const FIRED_TO_RECEIVED: Section = Section {
    key: "fired_to_received",
    title: "what was fired did not all arrive",
    symptoms: "\"what was fired and what Customer.io received differ\", with both counts and likely reasons.",
    meaning: "The backend reports more (or fewer) events of a day than Customer.io's activity log has, beyond the limit \
              and beyond chance, at a second look too.",
    confirm: &[
        "Look at the backend's log for answers other than 200 of the Track API, and for events that are not retried.",
        "Customer.io > Data & Integrations > Activity Logs: filter by the event's name; is it written so?",
        "Were some counts reported late? `bridge count` sends them again, each once.",
    ],
    fix: "Put right what the likely reasons name, then fire the lost events again with stable ids; those with a \
          time stamp of over 72 h ago start no campaign. The incident ends with a day that agrees.",
    prevent: "Retry 429 and 5xx of the Track API with growing pauses, and keep events in a queue of your own until it \
              has answered 200.",
};

pub const RECEIVED_TO_STARTED: Section = Section {
    key: "received_to_started",
    title: "events arrive, and people do not enter",
    symptoms: "\"fewer people than usual entered the workflow\".",
    meaning: "As many events as ever arrive, and fewer people than usual start the campaign: it is stopped, its trigger \
              has another name, or filters keep people out.",
    confirm: &[
        "Customer.io > Journeys > Campaigns > the workflow: does it run, and does its trigger have exactly this name?",
        "`bridge diagnose --person ID --campaign N` says for one person why they did not enter.",
    ],
    fix: "Start the campaign or set trigger and filters right. People whose events passed meanwhile do not enter later: \
          fire their events again if they are owed the messages.",
    prevent: "Give the workflow a heartbeat: it tells within hours what this comparison tells on the next day.",
};

pub const STARTED_TO_MESSAGES: Section = Section {
    key: "started_to_messages",
    title: "people enter, and few messages leave",
    symptoms: "\"fewer messages than usual came of those who entered\".",
    meaning: "As many people as ever start the campaign, and fewer messages than usual are sent: drafts, failures before \
              sending, a condition, or a delay that was added.",
    confirm: &[
        "Customer.io > Journeys > Campaigns > the workflow: do its steps send automatically, and where do people leave?",
        "`bridge diagnose --person ID --campaign N` says for one person why nothing was sent.",
    ],
    fix: "Set the steps to send automatically, or take the condition back; send or delete the drafts that wait. The \
          incident ends with a day that agrees.",
    prevent: "Send a marked test person through a workflow after each change to it.",
};

pub const ROLL_UP: Section = Section {
    key: "roll_up",
    title: "many incidents at once",
    symptoms: "\"... more incidents opened by ..., told together\".",
    meaning: "More incidents are open, or wait for one receiver, than can be told one by one. Each is named, and kept as \
              an incident of its own.",
    confirm: &[
        "Look for what these have in common: one provider, one cause, one change. One outage often looks like many.",
        "If each campaign is an incident of its own here, let the rule group by cause: group_by = [\"cause\"].",
    ],
    fix: "Work on what they have in common first; the message shows how many are still open and ends when none is.",
    prevent: "Group by cause where one provider sends for many campaigns; raise open_incidents of [storm] only if people \
              want to hear each.",
};

pub const RECEIVER_REFUSES: Section = Section {
    key: "receiver_refuses",
    title: "a receiver did not take an alert",
    symptoms: "\"Sent here because the receiver ... did not take it\", or a receiver named in the digest.",
    meaning: "The fallback hears what its receiver refused: a revoked token, a channel that is gone, a routing key of a \
              deleted service, an answer that never comes.",
    confirm: &[
        "Read the reason in the note: it is the receiver's own answer.",
        "`bridge check --live` asks each receiver without paging anybody; `bridge fire --receiver NAME` sends a marked test.",
    ],
    fix: "Set a token or key that works, or the right channel. What was given up for the receiver was told to its \
          fallback; `bridge redrive` lists what nobody took.",
    prevent: "Give each critical receiver a fallback of another kind, and run `bridge fire` after each rotation.",
};

pub const DEADMAN: Section = Section {
    key: "deadman",
    title: "the dead-man's switch rings",
    symptoms: "An outside monitor reports that this bridge no longer checks in.",
    meaning: "The bridge is down, cannot process events, or cannot reach its critical receivers: it checks in only while \
              alerts would flow. Nothing else alerts meanwhile.",
    confirm: &[
        "On AWS: look at the alarms and logs of tick, evaluate and deliver. Under `bridge serve`: does the process run, and what does its log say last?",
        "`bridge check --live` says which part is missing: secrets, queue, table, receivers, clock.",
    ],
    fix: "Start it again, or put right what the check names. Customer.io tries webhooks again for 7 days and the queue \
          keeps events: what happened meanwhile is told when it runs, as found late.",
    prevent: "Let the service manager restart `bridge serve`, and keep the outside monitor's own alert on another path \
              than the bridge's.",
};
