//! The agent's own computer, as a service may use it: commands in it, and requests of its programs that wait for the person.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bailey_gate::family::http::HttpRequest;
use bailey_gate::family::shell::ShellAction;
use bailey_gate::{Claimed, Outcome};

use crate::Vault;

/// Something the computer does, which takes its time.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a home has of its computer. The home makes one; services see this of it.
pub trait Computer: Send + Sync {
    /// Tells why no command can be run in it; nothing where one can. Starts nothing.
    fn lacks(&self) -> Option<String>;

    /// Tells whether a task that had seen secrets used it: what it holds may be some.
    fn is_confidential(&self) -> bool;

    /// Carries out a claim of a command.
    fn run<'a>(&'a self, claimed: &'a Claimed<ShellAction>) -> Doing<'a, Outcome>;

    /// Carries out a claim of a request: that of a program, which waits with it, or the agent's own.
    fn request<'a>(&'a self, claimed: &'a Claimed<HttpRequest>) -> Doing<'a, Outcome>;
}

impl Vault {
    /// Gives the services the home's computer, once.
    pub fn give_computer(&self, computer: Arc<dyn Computer>) {
        // A home has one, and gives it when it is opened.
        let _ = self.computer.set(computer);
    }

    /// Returns whom to believe about the names of sites.
    #[must_use]
    pub fn trust_of_sites(&self) -> Arc<rustls::ClientConfig> {
        self.trust.config()
    }

    /// Returns the home's computer, where it has one.
    #[must_use]
    pub fn computer(&self) -> Option<&Arc<dyn Computer>> {
        self.computer.get()
    }
}
