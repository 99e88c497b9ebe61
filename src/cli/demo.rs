//! `claimgate demo`: the whole claim cycle on sample claims against the simulated payer, in a folder of its own.

use crate::assets::Folder;
use crate::cli::show::say;
use crate::cli::{Exit, block_on, serve, show, simulate};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, Place, codes};
use crate::flow::{lookup, submit};
use crate::gateway::{Gateway, Translator};
use crate::simulator::directory::{self, Options};
use crate::store::DEFAULT_TENANT;
use crate::{http, worker};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The whole claim cycle on sample claims against a simulated payer
///
/// Prints the journey of each sample claim, then serves on CLAIMGATE_LISTEN until interrupted, so that more can be sent.
#[derive(clap::Args)]
pub struct Demo {
    /// Print the journeys and end
    #[arg(long)]
    once: bool,
}

/// A sample claim and the state that its journey ends in.
struct Sample {
    file: &'static str,
    story: &'static str,
    ends: &'static str,
}

const SAMPLES: &[Sample] = &[
    Sample { file: "1-paid.json", story: "An office visit, paid in full", ends: "adjudicated" },
    Sample { file: "2-partly-paid.json", story: "Two services, partly paid: CO-45 and PR-1", ends: "adjudicated" },
    Sample { file: "3-denied.json", story: "Physical therapy, denied", ends: "adjudicated" },
    Sample {
        file: "4-rejected.json",
        story: "A child's vaccination, rejected by the payer's front end (277CA)",
        ends: "rejected",
    },
    Sample { file: "5-pended.json", story: "A long visit, pended, then paid", ends: "adjudicated" },
];

/// The payer of the samples.
const PAYER: &str = "northwind";
const SCENARIO: &str = "demo/scenario.yaml";
/// How long a journey may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Demo {
    pub fn run(self, config: Config) -> Result<Exit, Fault> {
        let folder = DemoFolder::make(self.once)?;
        let config = demo_config(config, &folder.path);
        block_on(async move { self.play(config).await })
    }

    async fn play(self, config: Config) -> Result<Exit, Fault> {
        let listener = serve::listen(if self.once { "127.0.0.1:0" } else { &config.listen }).await?;
        let conformance = Folder::conformance(&config.conformance_dir);
        let scenario = simulate::shipped(&conformance, SCENARIO)?;
        let payer = simulate::options(Translator::load(config.clone())?, PAYER, scenario)?;
        let gateway = Arc::new(Gateway::open(config, Clock::System).await?);
        let (shutdown, heard) = serve::shutdown();
        let address = serve::address(&listener);
        let tasks = [
            tokio::spawn(worker::run(gateway.clone(), heard.clone())),
            tokio::spawn(simulated(payer, heard.clone())),
            tokio::spawn(serving(gateway.clone(), listener, heard.clone())),
        ];
        let told = journeys(&gateway, &conformance).await;
        if told.is_ok() && !self.once {
            say!("\nServing on http://{address} until interrupted; the simulated payer answers. Try:");
            say!("  curl -s http://{address}/fhir/ClaimResponse?status=active");
            simulate::ended(heard).await;
        }
        let _ = shutdown.send(true);
        for task in tasks {
            let _ = task.await;
        }
        told.map(|()| Exit::Clean)
    }
}

async fn serving(gateway: Arc<Gateway>, listener: tokio::net::TcpListener, heard: watch::Receiver<bool>) {
    if let Err(fault) = http::serve(gateway, listener, heard).await {
        show::fault(&fault);
    }
}

/// A folder for the demo's store and payer directories; gone afterwards when it was for once.
struct DemoFolder {
    path: PathBuf,
    gone: bool,
}

impl DemoFolder {
    fn make(gone: bool) -> Result<DemoFolder, Fault> {
        let path = std::env::temp_dir().join(format!("claimgate-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .map_err(|error| Fault::ours(codes::CONFIGURATION, format!("{} can't be made: {error}", path.display())))?;
        Ok(DemoFolder { path, gone })
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        if self.gone {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The demo remembers nothing and waits for nobody.
fn demo_config(mut config: Config, folder: &Path) -> Config {
    config.data_dir = folder.to_owned();
    config.default_payer = None;
    config.worker.enabled = true;
    config.worker.collect_ms = 100;
    config.worker.batch_wait_ms_max = 100;
    config
}

/// The simulated payer at the other end of the payer's directories.
async fn simulated(options: Options, heard: watch::Receiver<bool>) {
    if let Err(fault) = directory::run(options, simulate::ended(heard)).await {
        show::fault(&fault);
    }
}

/// Submits the samples, waits for each to end, and prints its journey.
async fn journeys(gateway: &Gateway, conformance: &Folder) -> Result<(), Fault> {
    let mut claims = Vec::new();
    for sample in SAMPLES {
        let path = format!("demo/{}", sample.file);
        let text =
            conformance.text(&path).ok_or_else(|| Fault::ours(codes::CONFIGURATION, format!("{path} is missing")))?;
        let body = crate::fhir::parse::json(text.as_bytes(), gateway.translator.config.limits.json_depth)?;
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
        claims.push((sample, submit::submit(gateway, request).await?.claim));
    }
    for (sample, claim) in claims {
        let journey = ended(gateway, sample, &claim).await?;
        print(gateway, sample, &journey).await?;
    }
    Ok(())
}

/// Waits until a journey has ended as it should.
async fn ended(gateway: &Gateway, sample: &Sample, claim: &str) -> Result<Value, Fault> {
    let until = Instant::now() + PATIENCE;
    loop {
        let journey = lookup::journey(gateway, DEFAULT_TENANT, claim).await?;
        if journey["state"] == sample.ends {
            return Ok(journey);
        }
        if Instant::now() > until {
            let text = format!(
                "{}: the journey stands at {} after {PATIENCE:?}, not at {}",
                sample.file, journey["state"], sample.ends
            );
            return Err(Fault::refuse(codes::TIMEOUT, Place::Whole, text, "look at the log above"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn print(gateway: &Gateway, sample: &Sample, journey: &Value) -> Result<(), Fault> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    show::heading(&format!("{} · {}", text(&journey["parts"][0]["patientControlNumber"]), sample.story));
    for step in journey["steps"].as_array().into_iter().flatten() {
        let detail = &step["detail"];
        let codes: Vec<String> = detail["codes"].as_array().into_iter().flatten().map(text).collect();
        let words =
            [text(&detail["transaction"]), codes.join(" "), text(&detail["file"]), text(&detail["interchange"])];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        say!("  {}  {:<13} {}", text(&step["at"]), text(&step["event"]), words.join("  "));
    }
    for (title, body) in lookup::files(gateway, journey).await? {
        say!("\n  {title}");
        crate::cli::x12::print(&gateway.translator.guides, &body);
    }
    let response = lookup::read_reference(gateway, DEFAULT_TENANT, &text(&journey["claimResponse"])).await?;
    say!("\n  ClaimResponse\n{}", indented(&format!("{:#}", response.unwrap_or_default())));
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
