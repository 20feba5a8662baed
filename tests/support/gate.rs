//! A door before a service: what goes through it can be refused or left hanging while the service runs on.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    /// Connections are closed at once, also those that are open now.
    Shut,
    /// Connections are taken, and nothing is ever answered.
    Hanging,
}

pub struct Gate {
    address: SocketAddr,
    door: watch::Sender<Door>,
    accepting: JoinHandle<()>,
}

impl Gate {
    /// Leads to the service at this address, `http://host:port`.
    pub async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let to: SocketAddr = url.trim_start_matches("http://").parse().expect("host and port");
        let (door, watching) = watch::channel(Door::Open);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, to, watching.clone()));
            }
        });
        Self { address, door, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn open(&self) {
        self.door.send_replace(Door::Open);
    }

    pub fn shut(&self) {
        self.door.send_replace(Door::Shut);
    }

    pub fn hang(&self) {
        self.door.send_replace(Door::Hanging);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut from: TcpStream, to: SocketAddr, mut door: watch::Receiver<Door>) {
    let _ = from.set_nodelay(true);
    let now = *door.borrow_and_update();
    if now == Door::Open
        && let Ok(mut service) = TcpStream::connect(to).await
    {
        let _ = service.set_nodelay(true);
        tokio::select! {
            _ = copy_bidirectional(&mut from, &mut service) => return,
            _ = door.changed() => {}
        }
    }
    // A connection that hangs does so until the door moves again.
    if *door.borrow_and_update() == Door::Hanging {
        let _ = door.changed().await;
    }
}
