//! Everything that lives long, built once from the configuration and lent to the journeys.

use crate::assets::Folder;
use crate::billing::id::PayerId;
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, codes};
use crate::fhir::definitions::Definitions;
use crate::mapping::Mappings;
use crate::payers::Payers;
use crate::queue::Queue;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::rabbit::RabbitQueue;
use crate::responses::meaning::Meanings;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::transport::Transport;
use crate::x12::guide::Guides;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The offline half: all that translates, and nothing that remembers. `map`, `convert` and `validate` need no more.
pub struct Translator {
    pub guides: Guides,
    pub definitions: Definitions,
    pub mappings: Arc<Mappings>,
    pub payers: Payers,
    pub meanings: Meanings,
    pub config: Config,
}

impl Translator {
    /// Reads guides, FHIR tables, profiles and mappings; all mistakes of a kind at once.
    pub fn load(config: Config) -> Result<Translator, Fault> {
        let conformance = Folder::conformance(&config.conformance_dir);
        let folder = Folder::mappings(&config.mappings_dir);
        let guides = Guides::load(&conformance)?;
        let definitions = Definitions::load(&conformance)?;
        let meanings = Meanings::load(&folder)?;
        let payers = Payers::load(&folder, &config.environment, &config.data_dir)?;
        let mappings = Arc::new(Mappings::load(&folder, &guides, &definitions)?);
        Ok(Translator { guides, definitions, mappings, payers, meanings, config })
    }
}

/// The whole gateway.
pub struct Gateway {
    pub translator: Translator,
    pub clock: Clock,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    /// One a payer; a payer without a transport is one whose claims wait.
    pub transports: BTreeMap<PayerId, Arc<dyn Transport>>,
    /// Submissions that wait to be sent, as last counted: the front door closes when there are too many.
    pub waiting: AtomicU64,
}

impl Gateway {
    /// Opens store, queue and transports as the configuration says. A broker that is down is no reason not to start.
    pub async fn open(config: Config, clock: Clock) -> Result<Gateway, Fault> {
        std::fs::create_dir_all(&config.data_dir).map_err(|error| {
            Fault::ours(codes::CONFIGURATION, format!("data folder {}: {error}", config.data_dir.display()))
        })?;
        let store = SqliteStore::open(&config.data_dir.join("claimgate.sqlite"), clock.clone())?;
        let queue: Arc<dyn Queue> = match &config.amqp_url {
            Some(url) => Arc::new(RabbitQueue::connect(url)?),
            None => Arc::new(EmbeddedQueue::new()),
        };
        let translator = Translator::load(config)?;
        let transports = transports(&translator.payers)?;
        Ok(Gateway { translator, clock, store: Arc::new(store), queue, transports, waiting: AtomicU64::new(0) })
    }

    pub fn transport(&self, payer: &PayerId) -> Option<&Arc<dyn Transport>> {
        self.transports.get(payer)
    }
}
