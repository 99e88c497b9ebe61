//! The simulated payer behind a server's payer directories: it answers everything that is there, in no time.

use crate::support::server::Server;
use claimgate::assets::Folder;
use claimgate::clock::Clock;
use claimgate::simulator::directory::{Options, Payer};
use claimgate::simulator::scenario::{self, Scenario};
use claimgate::x12::guide::Guides;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Pays everything that stands in the payer's outbound directory, as the scenario that ships says.
pub async fn answer_all(server: &Server, payer: &str) {
    let conformance = Folder::Disk(Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"));
    let text = conformance.text(scenario::DEFAULT).unwrap();
    let directory = server.home.join("data/payers").join(payer);
    let options = Options {
        scenario: Scenario::read(&text, scenario::DEFAULT).unwrap(),
        guides: Arc::new(Guides::load(&conformance).unwrap()),
        outbound: directory.join("outbound"),
        inbound: directory.join("inbound"),
        pause: Duration::from_millis(10),
        hurry: true,
        clock: Clock::System,
    };
    crate::support::server::eventually("the payer has got something", Duration::from_secs(60), async || {
        server.files(payer, "outbound").first().cloned()
    })
    .await;
    let mut payer = Payer::new(options);
    payer.round().unwrap();
}
