//! Routes of the interface as values: server, description and clients take each path, and the types that pass there, from here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::marker::PhantomData;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

pub use crate::api::table::*;

/// How a route is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Does something.
    Post,
}

impl Method {
    /// Returns the name in a request (RFC 9110, 9).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A route that takes a `B` and answers with an `A`, both as JSON. `B` is `()` where it takes no body.
#[derive(Debug)]
pub struct Route<B, A> {
    method: Method,
    /// With a name in braces for each part that a client fills in.
    path: &'static str,
    types: PhantomData<fn(B) -> A>,
}

/// A route with its path filled in.
#[derive(Debug)]
pub struct Address<B, A> {
    /// How it is asked for.
    pub method: Method,
    /// Path and query.
    pub target: String,
    types: PhantomData<fn(B) -> A>,
}

impl<B, A> Route<B, A> {
    /// Tells how it is asked for.
    pub(crate) const fn method(&self) -> Method {
        self.method
    }

    /// Returns the path, with a name in braces for each part that is filled in.
    pub(crate) const fn path(&self) -> &'static str {
        self.path
    }

    pub(crate) const fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, types: PhantomData }
    }

    /// Fills in the parts of the path, in their order.
    #[must_use]
    pub fn at(&self, parts: &[&str]) -> Address<B, A> {
        let mut parts = parts.iter();
        let mut target = String::new();
        for (n, piece) in self.path.split('/').enumerate() {
            if n > 0 {
                target.push('/');
            }
            match (piece.starts_with('{'), parts.as_slice()) {
                (true, [part, ..]) => {
                    target.extend(safe(part));
                    parts.next();
                }
                _ => target.push_str(piece),
            }
        }
        Address { method: self.method, target, types: PhantomData }
    }

    /// Returns the path, where there is nothing to fill in.
    #[must_use]
    pub fn here(&self) -> Address<B, A> {
        self.at(&[])
    }
}

impl<B, A> Address<B, A> {
    /// Adds a value to the query.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let mark = if self.target.contains('?') { '&' } else { '?' };
        let _ = write!(self.target, "{mark}{name}={value}");
        self
    }
}

/// Returns an identifier as part of a path: anything else in it could name another address.
pub fn safe(part: &str) -> impl Iterator<Item = char> + '_ {
    part.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
}

/// An answer of bytes.
#[derive(Debug)]
pub enum Octets {}

/// An answer in plain text.
#[derive(Debug)]
pub enum Text {}

/// An answer that goes on: server-sent events.
#[derive(Debug)]
pub enum Events {}

macro_rules! not_json {
    ($($type:ident = $media:literal),+) => { $(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).into()
            }
        }
        impl ToSchema for $type {
            /// Returns the media type of the answer.
            fn name() -> Cow<'static, str> {
                $media.into()
            }
        }
    )+ };
}

not_json! { Octets = "application/octet-stream", Text = "text/plain", Events = "text/event-stream" }
