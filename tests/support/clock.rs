//! The clock that the bridge under test sees: the real one, or one that runs faster under libfaketime.

use std::io::Write;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A fake clock to start the bridge under: it reads `start` when the process starts and runs `rate` times as fast.
#[derive(Clone, Debug)]
pub struct Faketime {
    library: String,
    pub start: Timestamp,
    pub rate: u32,
}

impl Faketime {
    /// `None`, with a note that test output capture cannot swallow, when scripts/test has not set up the library.
    pub fn at(start: &str, rate: u32) -> Option<Self> {
        match std::env::var("BRIDGE_LIBFAKETIME") {
            Ok(library) => Some(Self { library, start: ts(start), rate }),
            Err(_) => {
                let test = std::thread::current().name().unwrap_or("a test").to_owned();
                let _ = writeln!(
                    std::io::stderr(),
                    "\n!!! SKIPPED {test}: BRIDGE_LIBFAKETIME is not set; run scripts/test"
                );
                None
            }
        }
    }

    /// The same clock set to another start.
    pub fn restarted_at(&self, start: &str) -> Self {
        Self { start: ts(start), ..self.clone() }
    }

    /// Environment variables for the child; TZ must be UTC.
    pub fn env(&self) -> [(&'static str, String); 2] {
        let start = self.start.strftime("%Y-%m-%d %H:%M:%S");
        [("LD_PRELOAD", self.library.clone()), ("FAKETIME", format!("@{start} x{}", self.rate))]
    }
}

/// What the bridge's clock shows, as far as the test can tell: its process began between `spawned` and `ready`.
#[derive(Clone, Debug)]
pub struct Clock {
    pub fake: Option<Faketime>,
    pub spawned: Instant,
    pub ready: Instant,
}

impl Clock {
    /// The bridge's time now, or a little before: events stamped so are never ahead of it.
    pub fn now(&self) -> Timestamp {
        self.read(self.ready, Instant::now())
    }

    /// The latest that the bridge's clock can have shown at an instant.
    pub fn latest(&self, at: Instant) -> Timestamp {
        self.read(self.spawned, at)
    }

    fn read(&self, began: Instant, at: Instant) -> Timestamp {
        match &self.fake {
            None => {
                Timestamp::now() - SignedDuration::try_from(Instant::now().saturating_duration_since(at)).expect("fits")
            }
            Some(fake) => {
                let elapsed = at.saturating_duration_since(began) * fake.rate;
                fake.start + SignedDuration::try_from(elapsed).expect("fits")
            }
        }
    }

    /// Sleeps until the bridge's clock surely shows `when`.
    pub async fn reach(&self, when: Timestamp) {
        while self.now() < when {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An instant from its text.
pub fn ts(text: &str) -> Timestamp {
    text.parse().expect("an RFC 3339 time")
}
