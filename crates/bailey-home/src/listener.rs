//! The home's socket: who connects is answered, and who says nothing, or reads nothing, keeps nobody out.

use std::convert::Infallible;
use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bailey_listener::{ACCEPT_AGAIN, Room, refuse, serve};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::UnixListener;
use tower_service::Service as _;

use crate::api::places::MAX_CONNECTIONS;

/// Answers requests until `stopped` is done, and then those under way.
pub(crate) async fn answer_all(listener: UnixListener, router: Router, stopped: impl Future<Output = ()>) {
    let room = Room::new(MAX_CONNECTIONS);
    let under_way = GracefulShutdown::new();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let Some(seat) = room.enter() else {
            tokio::spawn(refuse(stream));
            continue;
        };
        let router = router.clone();
        let answer = move |request: hyper::Request<hyper::body::Incoming>| {
            let answering = router.clone().call(request.map(Body::new));
            async move {
                let answered: Result<Response, Infallible> = answering.await;
                answered.unwrap_or_else(|never| match never {})
            }
        };
        tokio::spawn(serve(stream, seat, under_way.watcher(), answer));
    }
    drop(listener);
    under_way.shutdown().await;
}
