//! Would the receivers accept? Nobody hears of it: what shows with a message only is left to `bridge fire`.

use std::sync::Arc;

use super::Looked;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::secrets::Secrets;
use crate::receivers::{Probe, build};

pub(super) async fn look(config: &Config, secrets: &dyn Secrets, looked: &mut Looked) {
    looked.begin("Receivers, without a message");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let receivers = build::all(&config.receivers, secrets, &clock).await;
    for (name, receiver) in &receivers {
        match receiver.probe().await {
            Probe::Accepts(seen) => looked.line(&format!("{name}: {seen}")),
            Probe::Untried(why) => {
                looked.line(&format!("{name}: not tried: {why}; `bridge fire --receiver {name}` sends a marked test"));
            }
            Probe::Fails(why) => looked.wrong(&format!("the receiver {name} does not accept: {why}")),
        }
    }
}
