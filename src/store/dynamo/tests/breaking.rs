//! A line to the stand-in that breaks once, and what must hold after a break at any request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// When the line breaks.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// The request never gets there.
    Before,
    /// It is done, and the answer is lost.
    After,
}

/// The address of a line that breaks at the request of this number, counted from 0.
async fn line(to: SocketAddr, at: usize, breaks: Break) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address");
    let requests = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let requests = Arc::clone(&requests);
            tokio::spawn(async move {
                let _ = carry(client, to, &requests, at, breaks).await;
            });
        }
    });
    format!("http://{address}")
}

async fn carry(
    mut client: TcpStream,
    to: SocketAddr,
    requests: &AtomicUsize,
    at: usize,
    breaks: Break,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let chunk = &up[..read?];
                // The SDK sends the next request when it has the answer.
                if chunk.starts_with(b"POST ") && requests.fetch_add(1, Ordering::Relaxed) == at {
                    match breaks {
                        Break::Before => return Ok(()),
                        Break::After => lost = true,
                    }
                }
                if chunk.is_empty() {
                    return Ok(());
                }
                server.write_all(chunk).await?;
            }
            read = server.read(&mut down) => {
                let chunk = &down[..read?];
                if lost || chunk.is_empty() {
                    return Ok(());
                }
                client.write_all(chunk).await?;
            }
        }
    }
}

/// A handle whose line breaks; `tries` of each request.
async fn broken(fresh: &Fresh, at: usize, breaks: Break, tries: u32) -> DynamoStore {
    let url = line(fresh.server.address(), at, breaks).await;
    let retries = RetryConfig::standard().with_max_attempts(tries);
    let client = server::client(&url);
    let config = client.config().to_builder().retry_config(retries).build();
    let clock = Arc::<ManualClock>::clone(&fresh.clock);
    DynamoStore::with_clock(Client::from_conf(config), server::TABLE.into(), &fresh.workspace, clock)
}

/// More requests than any of these calls makes.
const REQUESTS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_that_dies_at_any_request_counts_once_when_it_is_done_again() {
    for breaks in [Break::Before, Break::After] {
        let mut died = 0;
        for at in 0..REQUESTS {
            let Some(fresh) = fresh().await else { return };
            let batch =
                [failed(1, 5, second(1)), failed(2, 5, second(12)), sent(3, second(13)), failed(1, 5, second(1))];
            let store = broken(&fresh, at, breaks, 1).await;
            let whole = store.count(&batch, t("14:03")).await.is_ok();
            died += usize::from(!whole);
            let again = fresh.store.count(&batch, t("14:04")).await.expect("counts");
            assert!(!whole || again.iter().all(|counted| !counted.first), "{breaks:?} at {at}");
            let totals = fresh.store.totals(None, minute()).await.expect("reads");
            let counts: Vec<_> = totals.iter().map(|total| (total.series.kind.to_string(), total.count)).collect();
            assert_eq!(counts, [("email_failed".to_owned(), 2), ("email_sent".to_owned(), 1)], "{breaks:?} at {at}");
        }
        assert!((10..REQUESTS).contains(&died), "{died} requests were cut");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_written_through_any_break_is_found_while_it_is_live_and_not_after() {
    for breaks in [Break::Before, Break::After] {
        for at in 0..10 {
            let Some(fresh) = fresh().await else { return };
            let open = incident("bounces", t("14:02"));
            let _ = broken(&fresh, at, breaks, 1).await.write_incident(&open).await;
            let _ = fresh.store.write_incident(&open).await.expect("writes");
            let stored = fresh.store.episodes(&open.key).await.expect("reads").remove(0);
            assert_eq!(
                fresh.store.unsettled().await.expect("reads"),
                std::slice::from_ref(&stored),
                "{breaks:?} at {at}"
            );
            let over = State::Resolved { at: t("15:00"), how: How::Quiet };
            let over = Incident { state: over, settled: true, ..stored };
            let _ = broken(&fresh, at, breaks, 1).await.write_incident(&over).await;
            let _ = fresh.store.write_incident(&over).await.expect("writes");
            assert!(fresh.store.unsettled().await.expect("reads").is_empty(), "{breaks:?} at {at}");
            let between = fresh.store.incidents_between(t("15:00"), t("16:00")).await.expect("reads");
            assert_eq!(between, [Incident { version: over.version + 1, ..over }], "{breaks:?} at {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conditional_write_whose_answer_was_lost_is_known_as_our_own() {
    for at in 0..6 {
        let Some(fresh) = fresh().await else { return };
        let open = incident("bounces", t("14:02"));
        let store = broken(&fresh, at, Break::After, 3).await;
        assert_eq!(store.write_incident(&open).await.expect("writes"), Write::Done, "{at}");
        let store = broken(&fresh, at, Break::After, 3).await;
        assert_eq!(store.move_cursor("digest", None, "a").await.expect("writes"), Write::Done, "{at}");
        assert_eq!(store.move_cursor("digest", Some("a"), "b").await.expect("writes"), Write::Done, "{at}");
        assert_eq!(store.move_cursor("digest", Some("a"), "b").await.expect("writes"), Write::Conflict, "{at}");
        let store = broken(&fresh, at, Break::After, 3).await;
        let lease = store.lease(&open.key, "on-call", "a", t("14:00"), t("14:01")).await.expect("leases");
        assert_eq!(lease, Lease::Granted(None), "{at}");
    }
}
