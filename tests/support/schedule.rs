//! A deployed bridge whose functions run when a test says, each at an instant of its own: the schedule fires twice at once,
//! events come in, hints go out.

use super::lambda::{HINTS_BATCH, deliver, tick};
use super::world::{ROUTES, audit};
use super::{Event, Faketime, Sns, Stack, Step, World};

pub struct Schedule {
    pub world: World,
    pub sns: Sns,
    pub stack: Stack,
    fake: Faketime,
}

impl Schedule {
    /// `None` where no clock can be moved.
    pub async fn begin(at: &str, config: &str) -> Option<Self> {
        let fake = Faketime::at(at, 1)?;
        let (world, sns) = (World::new().await, Sns::start().await);
        let setup = world.setup_with_routes("", ROUTES, &format!("{}{config}", audit(&sns)));
        let stack = Stack::new(setup.env("ALERT_TOPIC_ARN", sns.topic_arn())).await;
        Some(Self { world, sns, stack, fake })
    }

    /// These events happen, arrive and are counted then.
    pub async fn hear(&self, when: &str, events: impl IntoIterator<Item = Event>) {
        let ingest = self.stack.start_at(Step::Ingest, &self.fake, when).await;
        for event in events {
            deliver(&ingest, &event.at(ingest.clock.now())).await;
        }
        let evaluate = self.stack.start_at(Step::Evaluate, &self.fake, when).await;
        while self.stack.events.pass(&evaluate, 100).await.received > 0 {}
    }

    /// Two ticks at once and one more, then deliver.
    pub async fn tick(&self, when: &str) {
        let start = async || self.stack.start_at(Step::Tick, &self.fake, when).await;
        let twins = [start().await, start().await];
        tokio::join!(tick(&twins[0]), tick(&twins[1]));
        tick(&twins[0]).await;
        let sender = self.stack.start_at(Step::Deliver, &self.fake, when).await;
        while self.stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
    }

    /// Messages to the pager and the chat so far.
    pub fn told(&self) -> (usize, usize) {
        (self.world.pager.seen().len(), self.world.slack.seen().len())
    }
}
