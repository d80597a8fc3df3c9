//! Requests to services elsewhere, by the types and paths of HTTP clients, whatever the names of their variables are, and the
//! types of what arrives from there.

use syn::Expr;

use super::Walker;
use crate::rust::type_ref::TypeRef;

/// The crates of HTTP clients, by their names in code.
const CLIENTS: &[&str] =
    &["attohttpc", "awc", "isahc", "minreq", "reqwest", "reqwest_middleware", "surf", "ureq"];

/// Those among them that block.
const BLOCKING: &[&str] = &["attohttpc", "minreq", "ureq"];

/// The methods that send what was built before.
const SENDS: &[&str] =
    &["call", "execute", "send", "send_bytes", "send_empty", "send_form", "send_json", "send_string"];

impl Walker<'_> {
    /// Whether a method sends a request: it is awaited, or blocks.
    pub(super) fn sends(&self, receiver: &Expr, method: &str, awaited: bool) -> bool {
        if !awaited && !SENDS.contains(&method) {
            return false;
        }
        self.beginning(&self.type_of(receiver))
            .is_some_and(|path| is_client(&path) && (awaited || blocks(&path)))
    }

    /// Whether a value is a request: `reqwest::Request::new(..)`.
    pub(super) fn is_request(&self, value: &Expr) -> bool {
        self.beginning(&self.type_of(value)).is_some_and(|path| is_client(&path))
    }

    /// The path of the type, or of the function, that a chain of methods begins with.
    fn beginning(&self, ty: &TypeRef) -> Option<Vec<String>> {
        match ty {
            TypeRef::Method(of, _) | TypeRef::Inside(of) | TypeRef::Element(of) => self.beginning(of),
            TypeRef::Named(path, arguments) => match (path.last().map(String::as_str), arguments.first()) {
                (Some("Arc" | "Rc" | "Box" | "State" | "Data" | "Extension"), Some(inner)) => {
                    self.beginning(inner)
                }
                _ => Some(path.clone()),
            },
            TypeRef::Returned(path) => Some(path.clone()),
            TypeRef::Field(..) => match self.in_file(ty)? {
                TypeRef::Field(..) => None,
                ty => self.beginning(&ty),
            },
            _ => None,
        }
    }
}

/// Whether a function of this path sends a request: `reqwest::get(url)`, which is awaited, and `reqwest::blocking::get(url)`.
pub(super) fn is_sent_by(path: &[String], awaited: bool) -> bool {
    let last = path.last().map_or("", String::as_str);
    is_client(path) && (awaited || blocks(path) && path.len() > 2 && last == "get")
}

fn is_client(path: &[String]) -> bool {
    path.len() > 1 && path.first().is_some_and(|first| CLIENTS.contains(&first.as_str()))
}

fn blocks(path: &[String]) -> bool {
    path.iter().any(|part| part == "blocking")
        || path.first().is_some_and(|it| BLOCKING.contains(&it.as_str()))
}

/// Whether values of a type arrive over time: the halves of channels and connections, timers, listeners.
pub(super) fn is_message_type(name: &str) -> bool {
    let kinds = ["Receiver", "ReceiverStream", "UnboundedReceiverStream", "BroadcastStream", "WatchStream"];
    let more = [
        "UnboundedReceiver",
        "Interval",
        "IntervalStream",
        "PgListener",
        "Listener",
        "Signal",
        "SignalStream",
        "TcpStream",
        "UnixStream",
        "Multipart",
        "EventSource",
        "WebSocket",
        "WebSocketStream",
        "SplitStream",
        "MessageStream",
        "PubSub",
        "PubSubStream",
        "UdpFramed",
        "TcpListener",
        "TcpListenerStream",
        "UnixListener",
        "BodyDataStream",
        "Streaming",
    ];
    kinds.contains(&name) || more.contains(&name)
}
