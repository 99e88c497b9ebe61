//! The real executable, started in a folder of its own on a free loopback port, and killed by its process id.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Option<Child>,
    pub base: String,
    pub home: PathBuf,
    environment: Vec<(String, String)>,
    client: reqwest::Client,
}

/// A reply: status, headers that matter, and the JSON body.
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub body: Value,
}

impl Server {
    /// Starts in `home` (data, mappings and logs live there) and waits until it is ready. Payers wait for no full batch.
    pub async fn start(home: &Path, environment: &[(&str, &str)]) -> Server {
        Server::start_batching(home, environment, "{ claims: 500, wait: 50ms }").await
    }

    /// The same with batches as a payer's profile says them.
    pub async fn start_batching(home: &Path, environment: &[(&str, &str)], batch: &str) -> Server {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut server = Server {
            child: None,
            base: String::new(),
            home: home.to_owned(),
            environment: environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            client: reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap(),
        };
        mappings(home, batch);
        server.again().await;
        server
    }

    /// Starts once more after `kill`, with the same data.
    pub async fn again(&mut self) {
        let port = free_port();
        self.base = format!("http://127.0.0.1:{port}");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.home.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
        command.arg("serve").current_dir(&self.home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.env("CLAIMGATE_LISTEN", format!("127.0.0.1:{port}"));
        command
            .env("CLAIMGATE_DATA_DIR", self.home.join("data"))
            .env("CLAIMGATE_MAPPINGS_DIR", self.home.join("mappings"));
        command.env("CLAIMGATE_CONFORMANCE_DIR", Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"));
        command.env("CLAIMGATE_WORKER__COLLECT_MS", "100").envs(self.environment.iter().cloned());
        command.env_remove("CLAIMGATE_CORPUS").env_remove("CLAIMGATE_PYX12");
        self.child = Some(command.spawn().unwrap());
        let ready = format!("{}/health/ready", self.base);
        let client = self.client.clone();
        eventually("the server is ready", Duration::from_secs(60), async || {
            let reply = client.get(&ready).send().await;
            reply.is_ok_and(|reply| reply.status() == 200).then_some(())
        })
        .await;
    }

    pub fn process_id(&self) -> u32 {
        self.child.as_ref().map(Child::id).unwrap_or_default()
    }

    /// SIGKILL: no last words.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        child.wait().ok()?.code()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(path, &[("content-type", "application/fhir+json")], body.to_string().into_bytes()).await.unwrap()
    }

    pub async fn send(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Reply, reqwest::Error> {
        let mut request = self.client.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send().await?).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        let request = self.client.put(format!("{}{path}", self.base)).body(body.to_string());
        reply(request.header("content-type", "application/fhir+json").send().await.unwrap()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        reply(self.client.get(format!("{}{path}", self.base)).send().await.unwrap()).await.unwrap()
    }

    /// The ClaimResponse of a claim (`Claim/…`).
    pub async fn answer(&self, claim: &str) -> Value {
        let found = self.get(&format!("/fhir/ClaimResponse?request={claim}")).await;
        found.body["entry"][0]["resource"].clone()
    }

    /// Waits until the ClaimResponse of a claim is as wanted.
    pub async fn answered(&self, claim: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{claim} is answered"), Duration::from_secs(60), async || {
            let answer = self.answer(claim).await;
            wanted(&answer).then_some(answer)
        })
        .await
    }

    /// Files in a payer's folder (`outbound`, `inbound`), sorted by name.
    pub fn files(&self, payer: &str, folder: &str) -> Vec<PathBuf> {
        let path = self.home.join("data/payers").join(payer).join(folder);
        let entries = std::fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
        let mut files: Vec<PathBuf> = entries.unwrap_or_default();
        files.retain(|file| file.is_file() && !file.file_name().unwrap().to_string_lossy().starts_with('.'));
        files.sort();
        files
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn reply(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let status = response.status().as_u16();
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bytes = response.bytes().await?;
    let body =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Reply { status, location, body })
}

/// SIGKILL to one process, by its id.
pub fn kill_now(process: u32) {
    let _ = Command::new("kill").args(["-9", &process.to_string()]).status();
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Looks until there is something, or fails with what was waited for.
pub async fn eventually<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {patience:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The shipped mappings, copied, with payers that batch as is said here.
fn mappings(home: &Path, batch: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings"), &home.join("mappings"));
    for payer in ["northwind", "generic"] {
        let path = home.join("mappings/payers").join(payer).join("payer.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = |line: &str| match line.starts_with("batch:") {
            true => format!("batch: {batch}\n"),
            false => format!("{line}\n"),
        };
        std::fs::write(&path, text.lines().map(line).collect::<String>()).unwrap();
    }
}

/// A folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}
