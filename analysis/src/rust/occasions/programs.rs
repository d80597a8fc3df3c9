//! What a program is for, by the text of its files.

/// Whether the file of a program reads the arguments of a command line.
pub(super) fn reads_arguments(text: &str) -> bool {
    text.contains("env::args") || text.contains("clap") && text.contains("Parser")
}

/// Libraries by which a program serves, or waits for work, and words for endless loops.
const SERVERS: &[&str] = &[
    "actix",
    "async_nats",
    "axum",
    "hyper",
    "lapin",
    "loop {",
    "matrix_sdk",
    "poem",
    "poise",
    "rdkafka",
    "rocket",
    "salvo",
    "serenity",
    "teloxide",
    "tide",
    "TcpListener",
    "tonic",
    "tungstenite",
    "twilight",
    "warp",
    "while ",
];

/// Whether the text of a file names what serves.
pub(super) fn knows_server(text: &str) -> bool {
    SERVERS.iter().any(|name| text.contains(name))
}
