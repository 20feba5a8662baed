//! The `bridge` command: one file a subcommand. Exit codes: 0 fine, 1 found a problem, 2 bad arguments or
//! configuration.

pub mod check;
pub mod count;
pub mod demo;
pub mod diagnose;
pub mod erase;
pub mod explain;
pub mod fire;
pub mod incident;
pub mod link;
pub mod place;
pub mod preview;
pub mod redrive;
pub mod schema;
pub mod send;
pub mod serve;
pub mod silence;
pub mod subscribe;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "bridge", version, about = "Turns Customer.io reporting webhooks into alerts you can trust")]
#[command(after_help = "Start here:
  bridge demo                       watch a made-up day of trouble
  bridge check                      is bridge.toml right, and what will it do?
  bridge serve                      take real webhooks")]
pub struct Bridge {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole bridge in one process, on an embedded store.
    Serve(serve::ServeArgs),
    /// Play a day of made-up traffic and print what each receiver would have got.
    Demo(demo::DemoArgs),
    /// Validate the configuration and say what it will do.
    Check(check::CheckArgs),
    /// Print the JSON Schema of the configuration, for editors.
    Schema(schema::SchemaArgs),
    /// Sign event files and post them, as Customer.io does.
    Send(send::SendArgs),
    /// Report how often the backend fired an event.
    Count(count::CountArgs),
    /// Say why an event did or did not page.
    Explain(explain::ExplainArgs),
    /// Show what is open and was open lately, or one incident's record.
    Incident(incident::IncidentArgs),
    /// Send a marked test through the real routes.
    Fire(fire::FireArgs),
    /// Mute alerts by labels, for a time, with a reason.
    Silence(silence::SilenceArgs),
    /// List what could not be understood or delivered; send it again, or drop it.
    Redrive(redrive::RedriveArgs),
    /// Create or repair the reporting webhook in Customer.io.
    Subscribe(subscribe::SubscribeArgs),
    /// Write the status page of a made-up bridge, to look at.
    Preview(preview::PreviewArgs),
    /// Say why a person did not get a campaign's message.
    Diagnose(diagnose::DiagnoseArgs),
    /// Print a signed, expiring link to the page.
    Link(link::LinkArgs),
    /// Remove one person's traces.
    Erase(erase::EraseArgs),
}

/// Runs a command to its exit code.
pub fn run(bridge: Bridge) -> ExitCode {
    let quiet = !matches!(bridge.command, Command::Serve(_));
    log(if quiet { tracing::Level::ERROR } else { tracing::Level::INFO });
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match &bridge.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Check(args) => Ok(check::run(args).await),
            Command::Schema(args) => Ok(schema::run(args)),
            Command::Send(args) => send::run(args).await,
            Command::Count(args) => count::run(args).await,
            Command::Explain(args) => explain::run(args).await,
            Command::Fire(args) => fire::run(args).await,
            Command::Silence(args) => silence::run(args).await,
            Command::Redrive(args) => redrive::run(args).await,
            Command::Subscribe(args) => subscribe::run(args).await,
            Command::Preview(args) => preview::run(args).await,
            Command::Diagnose(args) => diagnose::run(args).await,
            Command::Incident(args) => incident::run(args).await,
            Command::Link(args) => link::run(args).await,
            Command::Erase(args) => erase::run(args).await,
        }
    });
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Logs go to stderr: one line an event; JSON unless a person is looking.
fn log(level: tracing::Level) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false)
        // A line that cannot be written, to a full disk for instance, is lost; complaining of it would be a panic.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        lines.compact().init();
    } else {
        lines.json().flatten_event(true).init();
    }
}
