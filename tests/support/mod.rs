//! The world around the bridge: what calls it ([`event`], [`http`]), what it runs as ([`serve`], [`clock`]),
//! what it is told ([`world`]), and what it calls ([`stand_in`], [`sns`], [`app_api`]). On AWS it runs as functions
//! ([`runtime_api`], [`lambda`], [`event_source`]) over fake services ([`moto`], [`dynalite`]). Nothing here uses the product's code,
//! but for [`timeline`], [`history`] and [`rounds`]: the tests see what Customer.io, PagerDuty, Slack and SNS would see.

pub mod app_api;
pub mod clock;
#[cfg(feature = "aws")]
pub mod deployed;
pub mod diagnosis;
#[cfg(feature = "aws")]
pub mod dynalite;
pub mod event;
#[cfg(feature = "aws")]
pub mod event_source;
#[cfg(feature = "aws")]
pub mod gate;
pub mod history;
pub mod http;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod moto;
pub mod rounds;
#[cfg(feature = "aws")]
pub mod runtime_api;
#[cfg(feature = "aws")]
pub mod schedule;
pub mod serve;
pub mod service;
pub mod sns;
pub mod stand_in;
pub mod timeline;
pub mod usual;
pub mod world;

pub use app_api::AppApi;
pub use clock::{Faketime, ts};
#[cfg(feature = "aws")]
pub use deployed::Deployed;
pub use event::{Event, event, failed_email, sent_email};
pub use http::{Answer, signature};
#[cfg(feature = "aws")]
pub use lambda::{Stack, Step};
pub use serve::{Serve, Setup};
pub use sns::Sns;
pub use stand_in::{Reply, StandIn};
pub use world::World;

/// How long a test waits for what must come, unless the promise names a time: machines are slow at times.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
