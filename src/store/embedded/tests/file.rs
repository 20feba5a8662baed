use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::*;
use crate::store::embedded::FILE;
use crate::store::{Quarantined, StoreError, Write};

fn text<T>(result: Result<T, StoreError>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn everything_answered_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let bounces = incident("bounces", t("14:02"));
    {
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Full).expect("opens");
        let _ = store.count(&[failed(1, 5, t("14:02"))], t("14:03")).await.expect("counts");
        assert_eq!(store.write_incident(&bounces).await.expect("writes"), Write::Done);
    }
    let store = open(folder.path());
    assert!(!store.count(&[failed(1, 5, t("14:02"))], t("14:04")).await.expect("counts")[0].first);
    assert_eq!(store.unsettled().await.expect("reads").len(), 1);
}

#[tokio::test]
async fn two_processes_see_and_obey_each_other() {
    let fresh = Fresh::store();
    let other = fresh.again();
    let bounces = incident("bounces", t("14:02"));
    assert_eq!(fresh.store.write_incident(&bounces).await.expect("writes"), Write::Done);
    assert_eq!(other.write_incident(&bounces).await.expect("writes"), Write::Conflict);
    let mut read = other.episodes(&bounces.key).await.expect("reads").remove(0);
    read.settled = true;
    assert_eq!(other.write_incident(&read).await.expect("writes"), Write::Done);
    assert!(fresh.store.episodes(&bounces.key).await.expect("reads")[0].settled);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("writes");
    let error = text(EmbeddedStore::open(&file.join("data"), "acme", Durability::Full));
    assert!(error.starts_with("store unavailable: data folder ") && error.contains("--data"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_an_error_and_no_panic() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500)).expect("sets");
    // Root may write anywhere; then there is nothing to see.
    if std::fs::write(folder.path().join("probe"), "").is_err() {
        let error = text(EmbeddedStore::open(folder.path(), "acme", Durability::Full));
        assert!(error.contains("cannot be used") && error.contains("--data"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_data() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let _store = open(&data);
    let mode = |path: &Path| std::fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
        assert_eq!(mode(&data.join(&file)), 0o600, "{file}");
    }
}

#[test]
fn a_file_that_is_not_ours_to_use_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()));
    let other = text(EmbeddedStore::open(folder.path(), "zenith", Durability::Off));
    assert!(other.contains("holds the workspace `acme`"), "{other}");

    let file = Connection::open(folder.path().join(FILE)).expect("opens");
    file.pragma_update(None, "user_version", 99).expect("writes");
    drop(file);
    let newer = text(EmbeddedStore::open(folder.path(), "acme", Durability::Off));
    assert!(newer.contains("newer version of the bridge (layout 99"), "{newer}");

    std::fs::write(folder.path().join(FILE), "no database at all, but long enough to look".repeat(100))
        .expect("writes");
    let damaged = text(EmbeddedStore::open(folder.path(), "acme", Durability::Off));
    assert!(damaged.contains("bring back a backup"), "{damaged}");
}

#[tokio::test]
async fn a_job_that_fails_or_panics_fails_alone() {
    let fresh = Fresh::store();
    let database = &fresh.store.database;
    let put = |tx: &Connection, name: &str| tx.execute("INSERT INTO cursors (name, value) VALUES (?1, 'x')", [name]);
    let (panicked, failed, done) = tokio::join!(
        database.write::<()>(move |tx| {
            put(tx, "panicked")?;
            panic!("in a job")
        }),
        database.write::<()>(move |tx| {
            put(tx, "failed")?;
            Err(StoreError::Corrupt("no".into()))
        }),
        database.write(move |tx| Ok(put(tx, "done")?)),
    );
    assert!(text(panicked).contains("panicked"));
    assert_eq!(text(failed), "stored item not readable: no");
    assert_eq!(done.expect("writes"), 1);
    for (name, expected) in [("panicked", None), ("failed", None), ("done", Some("x".to_owned()))] {
        assert_eq!(fresh.store.cursor(name).await.expect("reads"), expected, "{name}");
    }
    fresh.store.ready().await.expect("goes on");
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_next_write_after_it_succeeds() {
    let fresh = Fresh::store();
    fresh.store.ready().await.expect("ready");
    fresh
        .store
        .database
        .write(|tx| {
            let pages: i64 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
            Ok(tx.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
        })
        .await
        .expect("limits the file");
    let big = Quarantined {
        id: "a".into(),
        reason: "not JSON".into(),
        received_at: t("14:00"),
        length: 200_000,
        // Nothing to compress: a linear congruence, top byte.
        head: (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
    };
    let full = text(fresh.store.quarantine(&big).await);
    assert!(full.contains("is full: free some space"), "{full}");
    fresh.store.quarantine(&big).await.expect("the connection was replaced");
    assert_eq!(fresh.store.quarantined_head("a").await.expect("reads"), Some(big.head));
    assert_eq!(fresh.store.quarantined_head("b").await.expect("reads"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_locked_by_another_process_is_unavailable_and_then_available_again() {
    let fresh = Fresh::store();
    let other = Connection::open(fresh.folder.path().join(FILE)).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let begun = Instant::now();
    let busy = text(fresh.store.ready().await);
    assert!(busy.contains("another process has kept bridge.db locked"), "{busy}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(fresh.store.cursor("x").await.expect("reading goes on"), None);
    other.execute_batch("ROLLBACK").expect("unlocks");
    fresh.store.ready().await.expect("ready again");
}

#[tokio::test]
async fn a_stuck_disk_refuses_at_once_and_what_was_taken_is_still_done() {
    use futures_util::FutureExt;
    let fresh = Fresh::store();
    let other = Connection::open(fresh.folder.path().join(FILE)).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let add = |tx: &Connection| Ok(tx.execute("INSERT INTO events VALUES (NULL, 0, 0, '')", [])?);
    let refused = (0..10_000).filter_map(|_| fresh.store.database.write(add).now_or_never());
    let refused: Vec<String> = refused.map(text).collect();
    assert!(refused.iter().all(|why| why.contains("8192 writes are waiting already")), "{refused:?}");
    assert!((1..=10_000 - 8_192).contains(&refused.len()), "{}", refused.len());
    other.execute_batch("ROLLBACK").expect("unlocks");
    drop(other);
    let taken = 10_000 - refused.len();
    let count = |tx: &Connection| Ok(tx.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, usize>(0))?);
    while fresh.store.database.write(count).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fresh.store.database.write(count).await.expect("reads"), taken);
}

#[tokio::test]
async fn dropping_the_store_finishes_what_waits() {
    let fresh = Fresh::store();
    let store = fresh.again();
    let write =
        store.database.write(|tx| Ok(tx.execute("INSERT INTO cursors (name, value) VALUES ('late', 'x')", [])?));
    // Handed over, and nobody waits for the answer.
    let _ = futures_util::FutureExt::now_or_never(write);
    drop(store);
    assert_eq!(fresh.store.cursor("late").await.expect("reads").as_deref(), Some("x"));
}

#[tokio::test]
async fn a_series_used_again_after_long_is_still_named() {
    let fresh = Fresh::store();
    for (id, after) in [(1, 0), (2, 50), (3, 100), (4, 300)] {
        let now = t("14:02") + days(after);
        let _ = fresh.any().purge(now, 1_000).await.expect("purges");
        let entry = failed(id, 5, now);
        let counted = fresh.any().count(std::slice::from_ref(&entry), now).await.expect("counts");
        assert_eq!(counted[0].class, entry.class);
        let span = crate::clock::Span::new(crate::clock::Minute::of(now), crate::clock::Minute::of(now).plus(1));
        assert_eq!(*fresh.again().totals(None, span).await.expect("reads")[0].series, entry.class.series);
    }
}

#[tokio::test]
async fn purging_is_bounded_and_leaves_what_is_still_kept() {
    let fresh = Fresh::store();
    let entries: Vec<_> = (0..30).map(|n| failed(n, n, t("14:02"))).collect();
    let _ = fresh.any().count(&entries, t("14:03")).await.expect("counts");
    assert_eq!(fresh.any().purge(t("14:00") + days(23), 10).await.expect("purges"), 0);
    for _ in 0..3 {
        assert_eq!(fresh.any().purge(t("14:04") + days(24), 10).await.expect("purges"), 10);
    }
    let minute = crate::clock::Minute::of(t("14:02"));
    let span = crate::clock::Span::new(minute, minute.plus(1));
    assert_eq!(fresh.any().cells(&[FAILED], span).await.expect("reads").len(), 30);
    assert_eq!(fresh.any().purge(t("14:04") + days(80), 100).await.expect("purges"), 60);
    assert!(fresh.any().cells(&[FAILED], span).await.expect("reads").is_empty());
}

/// Everything in the folder's files.
fn on_disk(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.flat_map(|path| std::fs::read(path).unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_is_dropped_from_quarantine_is_overwritten_on_the_disk() {
    let fresh = Fresh::store();
    // Nothing to compress (xorshift), so that it stands in the file as it is.
    let random = std::iter::successors(Some(88_172_645_463_325_252_u64), |x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    });
    let head: Vec<u8> = random.take(60_000).map(|x| (x >> 32) as u8).collect();
    let item = |id: &str, n: u8| Quarantined {
        id: id.into(),
        reason: "not JSON".into(),
        received_at: t("14:00"),
        length: 60_000,
        head: head.iter().map(|byte| byte.wrapping_add(n)).collect(),
    };
    let traces = |n: u8| {
        let piece: Vec<u8> = head.iter().skip(30_000).take(24).map(|byte| byte.wrapping_add(n)).collect();
        on_disk(fresh.folder.path()).windows(24).filter(|window| *window == piece).count()
    };
    for n in [0, 7] {
        fresh.any().quarantine(&item(&n.to_string(), n)).await.expect("writes");
    }
    assert!(traces(0) > 0 && traces(7) > 0);
    fresh.any().drop_quarantined(&item("0", 0)).await.expect("drops");
    assert!(traces(0) == 0 && traces(7) > 0);
}

#[test]
fn a_file_of_the_first_layout_is_taken_over_and_made_able_to_shrink_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let old = Connection::open(&path).expect("opens");
    old.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).expect("a log");
    old.execute_batch(crate::store::embedded::schema::LAYOUT_1).expect("lays out");
    old.execute_batch("INSERT INTO meta VALUES ('workspace', 'acme'); INSERT INTO cursors VALUES ('digest', 'a')")
        .expect("writes");
    old.pragma_update(None, "user_version", 1).expect("writes");
    drop(old);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cursor = |store: &EmbeddedStore| runtime.block_on(store.cursor("digest")).expect("reads");
    assert_eq!(cursor(&open(folder.path())).as_deref(), Some("a"));
    assert!(super::super::make_reclaimable(folder.path()).expect("rewrites"));
    assert!(!super::super::make_reclaimable(folder.path()).expect("has nothing to do"));
    let store = open(folder.path());
    assert_eq!(cursor(&store).as_deref(), Some("a"));
    // Its age begins with the first purge.
    let purge = |now| runtime.block_on(store.purge(now, 100)).expect("purges");
    assert_eq!((purge(t("14:00")), purge(t("14:00") + days(401))), (0, 1));
}
