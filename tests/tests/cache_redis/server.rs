//! A Redis server for one test: on a port of its own, in a folder of its own, persisting what it can.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use query_budget_tests::random_name;

pub(crate) struct Server {
    port: u16,
    dir: PathBuf,
    child: Child,
}

impl Server {
    /// `None` if the program is not installed.
    pub(crate) fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let dir = std::env::temp_dir().join(random_name());
        std::fs::create_dir_all(&dir).ok()?;
        let child = command(port, &dir).spawn().ok()?;
        let server = Self { port, dir, child };
        server.await_it();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = command(self.port, &self.dir).spawn().expect("it has been started before");
        self.await_it();
    }

    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("run `kill`").success());
    }

    fn await_it(&self) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not listen");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn command(port: u16, dir: &std::path::Path) -> Command {
    let mut command = Command::new("redis-server");
    // After a crash, a state that is at most a second old comes back.
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "1 1", "--dir"]).arg(dir);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}
