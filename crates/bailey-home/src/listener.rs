//! The home's socket: who connects is answered, and who says nothing, or reads nothing, keeps nobody out.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutWriter;

/// Connections at once: those of a gateway, and programs of the same account. More wait at the door, and no descriptor of the home's
/// is theirs.
const MAX_CONNECTIONS: usize = 384;
/// How long a request's head may take: it comes from this machine.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long whoever asked may leave their answer unread.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait where no connection can be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers requests until `stopped` is done, and then those under way.
pub(crate) async fn answer_all(listener: UnixListener, router: Router, stopped: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let under_way = GracefulShutdown::new();
    tokio::pin!(stopped);
    loop {
        let next = async {
            // Never closed.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            () = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(READ_WITHIN));
        let service = TowerToHyperService::new(router.clone());
        let serving = under_way.watch(server.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // However it ends, it has ended.
            let _ = serving.await;
            drop(permit);
        });
    }
    drop(listener);
    under_way.shutdown().await;
}
