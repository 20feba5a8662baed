//! The world around the bridge: what calls it ([`event`], [`http`]), what it runs as ([`serve`], [`clock`]),
//! what it is told ([`world`]), and what it calls ([`stand_in`], [`sns`]). Nothing here uses the product's code,
//! but for [`timeline`]: the tests see what Customer.io, PagerDuty, Slack and SNS would see.

pub mod clock;
pub mod event;
pub mod http;
pub mod serve;
pub mod sns;
pub mod stand_in;
pub mod timeline;
pub mod world;

pub use clock::{Faketime, ts};
pub use event::{Event, event, failed_email, sent_email};
pub use http::{Answer, signature};
pub use serve::{Serve, Setup};
pub use sns::Sns;
pub use stand_in::{Reply, StandIn};
pub use world::World;

/// How long a test waits for what must come, unless the promise names a time: machines are slow at times.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
