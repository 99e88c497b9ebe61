//! An endpoint on this machine that takes notifications and answers as it is told.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub text: String,
    /// What it was answered with.
    pub status: u16,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A parameter of the status that a FHIR notification begins with.
    pub fn status_parameter(&self, name: &str) -> String {
        let bundle = self.json();
        let parameters = bundle["entry"][0]["resource"]["parameter"].as_array().unwrap().clone();
        let found = parameters.into_iter().find(|parameter| parameter["name"] == name).unwrap_or_default();
        let value = found.as_object().into_iter().flatten().find(|(key, _)| key.starts_with("value"));
        value.map(|(_, value)| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default()
    }

    /// Numbers and foci of the events of a FHIR notification.
    pub fn events(&self) -> Vec<(u64, String)> {
        let bundle = self.json();
        let parameters = bundle["entry"][0]["resource"]["parameter"].as_array().unwrap().clone();
        let events = parameters.iter().filter(|parameter| parameter["name"] == "notification-event");
        let part = |event: &Value, name: &str| {
            let parts = event["part"].as_array().unwrap().clone();
            parts.into_iter().find(|part| part["name"] == name).unwrap_or_default()
        };
        let number = |event: &Value| part(event, "event-number")["valueString"].as_str().unwrap().parse().unwrap();
        let focus =
            |event: &Value| part(event, "focus")["valueReference"]["reference"].as_str().unwrap_or_default().to_owned();
        events.map(|event| (number(event), focus(event))).collect()
    }
}

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Receiver {
            port: listener.local_addr().unwrap().port(),
            got: Arc::default(),
            status: Arc::new(Mutex::new(200)),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().connection(stream));
            }
        });
        receiver
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it answers from now on.
    pub fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// What it took: answered with 2xx.
    pub fn taken(&self) -> Vec<Got> {
        self.got().into_iter().filter(|got| (200..300).contains(&got.status)).collect()
    }

    /// Waits until so many were taken.
    pub async fn wait(&self, count: usize) -> Vec<Got> {
        super::server::eventually(&format!("{count} notifications are taken"), Duration::from_secs(60), async || {
            let taken = self.taken();
            (taken.len() >= count).then_some(taken)
        })
        .await
    }

    async fn connection(self, mut stream: TcpStream) {
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                if !more(&mut stream, &mut bytes).await {
                    return;
                }
                continue;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut lines = head.lines();
            let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let headers: BTreeMap<String, String> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            while bytes.len() < end + 4 + length {
                if !more(&mut stream, &mut bytes).await {
                    return;
                }
            }
            let text = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
            bytes.drain(..end + 4 + length);
            let status = *self.status.lock().unwrap();
            self.got.lock().unwrap().push(Got { path, headers, text, status });
            let place = if (300..400).contains(&status) { "location: /elsewhere\r\n" } else { "" };
            let reply = format!("HTTP/1.1 {status} X\r\n{place}content-length: 0\r\n\r\n");
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> bool {
    let mut chunk = [0; 8192];
    match stream.read(&mut chunk).await {
        Ok(count) if count > 0 => {
            bytes.extend_from_slice(&chunk[..count]);
            true
        }
        _ => false,
    }
}
