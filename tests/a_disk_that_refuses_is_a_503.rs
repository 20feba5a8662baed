//! A disk that is full or takes no writes is our own trouble: 503 with Retry-After, in a process that lives on and says
//! what is wrong; once it is repaired it goes on by itself, and nothing is lost (laws 1 and 2).
//!
//! What a machine does not allow is skipped and said aloud. A limit on the size of files, rights of a folder, and output
//! to /dev/full need no privileges on Linux: those always run there, and this file is for Linux only.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Answer, Event, PATIENCE, Serve, Setup, World, failed_email};

const QUIET: Duration = Duration::from_secs(1);

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let seconds = answer.header("retry-after").and_then(|v| v.parse::<u32>().ok());
    assert!(seconds.is_some_and(|s| s > 0), "{:?}", answer.headers);
}

/// The bridge refuses this event however often it comes, says why, and lives.
async fn assert_refused(serve: &mut Serve, event: &Event, why: &str) {
    for _ in 0..5 {
        assert_unavailable(&serve.post(event).await);
    }
    let ready = serve.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert!(ready.text().contains(why), "{}", ready.text());
    let folder = serve.setup().folder().to_str().expect("a path").to_owned();
    assert!(!ready.text().contains(&folder), "anybody may read it: {}", ready.text());
    assert_eq!(serve.get("/healthz").await.status, 200);
    assert!(serve.ended().is_none());
    assert!(!serve.stderr().contains("panicked at"), "{}", serve.stderr());
}

/// As the sender does, until it is taken.
async fn insist(serve: &Serve, event: &Event) {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = serve.post(event).await;
        if answer.status == 200 {
            return;
        }
        assert_unavailable(&answer);
        assert!(Instant::now() < until, "still refused:\n{}", serve.stderr());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn three_failures() -> [Event; 3] {
    [(); 3].map(|()| failed_email().of("transactional:2"))
}

/// The page of three failures, each counted once, though all are sent once more.
async fn assert_paged_once(world: &World, serve: &Serve, failures: &[Event; 3]) {
    let page = world.pager.wait_for(1, PATIENCE).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
    for failure in failures {
        insist(serve, failure).await;
    }
    world.pager.exactly(1, PATIENCE, QUIET).await;
    let ready = serve.get("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text());
}

/// Runs a command for the test; whether it went well.
fn ran(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|done| done.status.success())
}

fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {test}: {why}");
}

/// The largest file that a process may write, in bytes, from now on; an empty text: as large as it may be.
fn limit_files(serve: &Serve, bytes: &str) {
    let (pid, limit) = (serve.id().to_string(), if bytes.is_empty() { "unlimited:" } else { bytes });
    assert!(ran("prlimit", &["--pid", &pid, &format!("--fsize={limit}")]), "prlimit of util-linux");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_may_not_grow_are_a_503_until_they_may_also_over_a_kill() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let failures = three_failures();
    let mut serve = setup.start().await;
    insist(&serve, &failures[0]).await;
    limit_files(&serve, "0:");
    assert_refused(&mut serve, &failures[1], "failed to read or write").await;
    limit_files(&serve, "");
    insist(&serve, &failures[1]).await;

    // The same at a start on what is there already.
    let setup = serve.kill().await;
    let mut serve = setup.clone().within(&["prlimit", "--fsize=0:"]).start().await;
    assert_refused(&mut serve, &failures[2], "bridge.db").await;
    limit_files(&serve, "");
    insist(&serve, &failures[2]).await;
    assert_paged_once(&world, &serve, &failures).await;
}

/// A process in a mount namespace of its own, so that a file system of a few MB is nobody else's and goes with it;
/// `first` is done there before it starts, with the data folder as `$0`.
fn on_a_small_disk(setup: &Setup, first: &str) -> Option<Setup> {
    fs::create_dir(setup.data()).expect("made");
    let data = setup.data().to_str().expect("a path").to_owned();
    let script = format!("mount -t tmpfs -o size=4m none \"$0\" && {first} && exec \"$@\"");
    // With privileges, or as root of a user namespace.
    for apart in [&["unshare", "--mount"][..], &["unshare", "--user", "--map-root-user", "--mount"]] {
        let command = [apart, &["sh", "-c", &script, &data]].concat();
        if ran(command[0], &[&command[1..], &["true"]].concat()) {
            return Some(setup.clone().within(&command));
        }
    }
    skipped("no file system can be mounted here, so none was filled");
    None
}

/// The data folder as the process sees it.
fn inside(serve: &Serve) -> PathBuf {
    let data = serve.setup().data();
    Path::new(&format!("/proc/{}/root", serve.id())).join(data.strip_prefix("/").expect("absolute"))
}

/// Takes all room that is left.
fn fill(disk: &Path) {
    let mut filler = fs::File::create(disk.join("filler")).expect("made");
    for block in [vec![0; 65_536], vec![0; 512]] {
        while filler.write_all(&block).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_503_until_there_is_room_again() {
    let world = World::new().await;
    let Some(setup) = on_a_small_disk(&world.setup(TRANSACTIONAL_FAILING), "true") else { return };
    let failures = three_failures();
    let mut serve = setup.start().await;
    insist(&serve, &failures[0]).await;
    insist(&serve, &failures[1]).await;
    // Perhaps before they are counted.
    fill(&inside(&serve));
    assert_refused(&mut serve, &failures[2], "is full").await;
    fs::remove_file(inside(&serve).join("filler")).expect("removed");
    insist(&serve, &failures[2]).await;
    assert_paged_once(&world, &serve, &failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_the_start_is_a_503_until_there_is_room() {
    let world = World::new().await;
    let fill = "{ cat /dev/zero > \"$0/filler\" 2>/dev/null || true; }";
    let Some(setup) = on_a_small_disk(&world.setup(TRANSACTIONAL_FAILING), fill) else { return };
    let failures = three_failures();
    let mut serve = setup.start().await;
    assert_refused(&mut serve, &failures[0], "is full").await;
    fs::remove_file(inside(&serve).join("filler")).expect("removed");
    for failure in &failures {
        insist(&serve, failure).await;
    }
    assert_paged_once(&world, &serve, &failures).await;
}

/// Rights of the folder and of each file in it.
fn rights(folder: &Path, of_folder: u32, of_files: u32) {
    for entry in fs::read_dir(folder).expect("a folder") {
        fs::set_permissions(entry.expect("an entry").path(), Permissions::from_mode(of_files)).expect("set");
    }
    fs::set_permissions(folder, Permissions::from_mode(of_folder)).expect("set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_read_only_at_the_start_is_a_503_until_it_is_writable() {
    let world = World::new().await;
    let mut setup = world.setup(TRANSACTIONAL_FAILING);
    // Root may write everywhere, unless it gives that right away.
    let obedient = ["setpriv", "--bounding-set=-dac_override"];
    fs::create_dir(setup.data()).expect("made");
    rights(&setup.data(), 0o555, 0o444);
    if fs::write(setup.data().join("probe"), "").is_ok() {
        let probe = setup.data().join("probe");
        fs::remove_file(&probe).expect("removed");
        if !ran(obedient[0], &[obedient[1], "true"])
            || ran(obedient[0], &[obedient[1], "touch", probe.to_str().expect("a path")])
        {
            skipped("this user writes to every folder, and cannot give that up");
            return;
        }
        setup = setup.within(&obedient);
    }
    let failures = three_failures();
    // Nothing in it yet.
    let mut serve = setup.start().await;
    assert_refused(&mut serve, &failures[0], "Permission denied").await;
    rights(&setup.data(), 0o755, 0o644);
    insist(&serve, &failures[0]).await;
    insist(&serve, &failures[1]).await;

    // A killed process has left its log in it.
    serve.kill().await;
    rights(&setup.data(), 0o555, 0o444);
    let mut serve = setup.start().await;
    assert_refused(&mut serve, &failures[2], "Permission denied").await;
    rights(&setup.data(), 0o755, 0o644);
    insist(&serve, &failures[2]).await;
    assert_paged_once(&world, &serve, &failures).await;
}

/// Makes the files unwritable even for those that have them open, as a file system does that turned read-only after
/// an error.
struct Immutable(Vec<PathBuf>);

impl Immutable {
    fn make(files: Vec<PathBuf>) -> Self {
        let made = Self(files);
        made.set("+i");
        made
    }

    fn set(&self, flag: &str) -> bool {
        let files = self.0.iter().map(|file| file.to_str().expect("a path"));
        ran("chattr", &[flag].into_iter().chain(files).collect::<Vec<_>>())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.set("-i");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_turn_read_only_under_the_process_are_a_503_until_they_are_writable() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let probe = setup.folder().join("probe");
    let mut open = fs::File::create(&probe).expect("made");
    let frozen = Immutable::make(vec![probe]);
    if open.write_all(b"x").is_ok() {
        skipped("chattr +i is not permitted or does not bind open files here");
        return;
    }
    drop(frozen);
    let failures = three_failures();
    let mut serve = setup.start().await;
    insist(&serve, &failures[0]).await;
    insist(&serve, &failures[1]).await;
    let files = ["bridge.db", "bridge.db-wal"].map(|name| setup.data().join(name));
    let frozen = Immutable::make(files.to_vec());
    assert_refused(&mut serve, &failures[2], "bridge.db").await;
    drop(frozen);
    insist(&serve, &failures[2]).await;
    assert_paged_once(&world, &serve, &failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let world = World::new().await;
    let full = ["sh", "-c", "exec \"$@\" >/dev/full 2>&1", "sh"];
    let setup = world.setup(TRANSACTIONAL_FAILING).on_one_port().within(&full);
    let serve = setup.spawn();
    let until = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(setup.url("").trim_start_matches("http://")).is_err() {
        assert!(Instant::now() < until, "it does not listen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let failures = three_failures();
    for failure in &failures {
        insist(&serve, failure).await;
    }
    assert_paged_once(&world, &serve, &failures).await;
    let (status, _) = serve.terminate().await;
    assert_eq!(status.code(), Some(0));
}
