//! A RabbitMQ broker of a test's own: on free loopback ports, in a folder of its own, gone when the test is. It shares
//! nothing with a broker of the machine, not even Erlang's port mapper.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the broker to come up or to go: a busy machine takes long to start Erlang.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Broker {
    folder: tempfile::TempDir,
    server: PathBuf,
    port: u16,
    dist_port: u16,
    epmd_port: u16,
    node: String,
    epmd: Guarded,
    beam: Option<Guarded>,
}

/// A process that is killed when this is dropped, and also when the test's process dies without dropping anything:
/// then its watchdog reads the end of its standard input.
struct Guarded {
    child: Child,
    watchdog: Child,
}

impl Guarded {
    fn start(command: &mut Command) -> Guarded {
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", "read line; kill -9 $1", "watchdog", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Guarded { child, watchdog }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    fn wait(&mut self) {
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The watchdog first: after the child is gone its number may belong to another process.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Broker {
    /// Starts a broker.
    pub fn start_new() -> Broker {
        let server = find_server().expect("there is no rabbitmq-server: tests/run.sh installs it");
        let folder = tempfile::tempdir().unwrap();
        let epmd_port = free_port();
        let epmd = Guarded::start(
            Command::new("epmd")
                .args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        let node = format!("claimgate-{}-{epmd_port}@localhost", std::process::id());
        let (port, dist_port) = (free_port(), free_port());
        let mut broker = Broker { folder, server, port, dist_port, epmd_port, node, epmd, beam: None };
        broker.write_configuration();
        broker.start();
        broker
    }

    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Starts the node, with what it had when it was stopped, and waits until it takes connections.
    pub fn start(&mut self) {
        assert!(self.beam.is_none(), "it is running");
        let output = std::fs::File::create(self.folder.path().join("output")).unwrap();
        let mut command = self.command("rabbitmq-server");
        command.stdout(output.try_clone().unwrap()).stderr(output);
        // Makes the script become the broker, so that its process id is the broker's.
        command.env("RUNNING_UNDER_SYSTEMD", "1").env_remove("NOTIFY_SOCKET");
        let mut beam = Guarded::start(&mut command);
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = beam.child.try_wait().unwrap();
            assert!(ended.is_none() && begin.elapsed() < PATIENCE, "{ended:?}: {}", self.output());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.beam = Some(beam);
    }

    /// Stops the node in good order.
    pub fn stop(&mut self) {
        let mut beam = self.beam.take().unwrap();
        beam.signal("-TERM");
        beam.wait();
    }

    /// Ends the node as a power cut would.
    pub fn kill(&mut self) {
        self.beam = None;
    }

    /// Runs `rabbitmqctl` on this node; answers what it wrote.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        let output = self.command("rabbitmqctl").args(["-n", &self.node, "-q"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }

    fn write_configuration(&self) {
        let write = |name: &str, text: &str| std::fs::write(self.folder.path().join(name), text).unwrap();
        write("plugins", "[].\n");
        write("environment", "");
        // A test must not fail because the disk is nearly full.
        write("rabbitmq.conf", "disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.absolute = 1GB\n");
    }

    fn command(&self, program: &str) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(self.server.with_file_name(program));
        command
            .current_dir(folder)
            .env("HOME", folder)
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_CRASH_DUMP", folder.join("crash"))
            .env("RABBITMQ_CONF_ENV_FILE", folder.join("environment"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.dist_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_PID_FILE", folder.join("pid"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none");
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The node before its port mapper.
        self.beam = None;
        let _ = self.epmd.child.kill();
    }
}

/// The server's own script: Debian's wrapper changes user and folders.
fn find_server() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/rabbitmq/lib").ok().into_iter().flatten().flatten();
    let scripts = versions.map(|version| version.path().join("sbin/rabbitmq-server"));
    let others = ["/opt/rabbitmq/sbin/rabbitmq-server", "/usr/local/sbin/rabbitmq-server"];
    scripts.chain(others.iter().map(Path::new).map(Path::to_path_buf)).find(|script| script.exists())
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
