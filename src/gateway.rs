//! Everything that lives long, built once from the configuration and lent to the journeys.

use crate::assets::Folder;
use crate::billing::id::PayerId;
use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::fhir::definitions::Definitions;
use crate::mapping::{DocumentShape, Mappings};
use crate::payers::{Format, PayerProfile, Payers, Route, Surroundings, TransportProfile};
use crate::queue::Queue;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::rabbit::RabbitQueue;
use crate::responses::meaning::Meanings;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::transport::Transport;
use crate::transport::directory::{self, Directory};
use crate::transport::https::{self, Credential, Https, Secret};
use crate::x12::guide::Guides;
use serde_json::Value;
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
    /// What mappings see as `%payer`, by payer.
    facts: BTreeMap<String, Value>,
}

impl Translator {
    /// Reads guides, FHIR tables, profiles and mappings; all mistakes of a kind at once.
    pub fn load(config: Config) -> Result<Translator, Fault> {
        let conformance = Folder::conformance(&config.conformance_dir);
        let folder = Folder::mappings(&config.mappings_dir);
        let guides = Guides::load(&conformance)?;
        let definitions = Definitions::load(&conformance)?;
        let meanings = Meanings::load(&folder)?;
        let payers = Payers::load(&folder, &Surroundings::of(&config));
        let mappings = Mappings::load(&folder, &guides, &definitions);
        let (payers, mappings) = both(payers, mappings)?;
        routed(&payers, &mappings)?;
        let facts = payers.all().map(|profile| (profile.id.clone(), profile.facts())).collect();
        Ok(Translator { guides, definitions, mappings: Arc::new(mappings), payers, meanings, config, facts })
    }

    /// What mappings see as `%payer`.
    pub fn facts(&self, payer: &str) -> &Value {
        self.facts.get(payer).unwrap_or(&Value::Null)
    }
}

/// That every route's mapping is there and makes what the route says.
fn routed(payers: &Payers, mappings: &Mappings) -> Result<(), Fault> {
    let wrong = |profile: &PayerProfile, key: &str, route: &Route| {
        let text = match route.format {
            Format::X12 => match mappings.transaction(&profile.id, &route.mapping) {
                Some(mapping) if mapping.guide.id == route.guide => return None,
                Some(mapping) => format!("{} makes {}, not {}", route.mapping, mapping.guide.id, route.guide),
                None => format!("there is no mapping {} to X12", route.mapping),
            },
            Format::Json | Format::Csv => match mappings.document(&profile.id, &route.mapping) {
                Some(mapping) if (mapping.shape == DocumentShape::Csv) == (route.format == Format::Csv) => return None,
                Some(_) => format!("{} does not make {}", route.mapping, route.format.name()),
                None => format!("there is no mapping {} to {}", route.mapping, route.format.name()),
            },
            Format::Fhir => return None,
        };
        let at = Place::File { path: format!("payers/{}/payer.yaml", profile.id), line: 0, column: 0 };
        let hint = "a mapping is named by its path without .yaml, or by its file beside payer.yaml";
        Some(Issue::error(codes::MAPPING_TYPE, at, format!("routes.{key}: {text}")).hint(hint))
    };
    let routes = payers.all().flat_map(|profile| profile.routes.iter().map(move |(key, route)| (profile, key, route)));
    let issues: Vec<Issue> = routes.filter_map(|(profile, key, route)| wrong(profile, key, route)).collect();
    if issues.is_empty() { Ok(()) } else { Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never }) }
}

/// Two results of an engineer's files, or the mistakes of both.
fn both<A, B>(one: Result<A, Fault>, other: Result<B, Fault>) -> Result<(A, B), Fault> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut one), Err(other)) => {
            one.issues.extend(other.issues);
            Err(one)
        }
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    }
}

/// The way to each payer, as its profile says.
fn transports(payers: &Payers, limits: &Limits, clock: &Clock) -> Result<BTreeMap<PayerId, Arc<dyn Transport>>, Fault> {
    let mut transports: BTreeMap<PayerId, Arc<dyn Transport>> = BTreeMap::new();
    for profile in payers.all() {
        let transport: Arc<dyn Transport> = match &profile.transport {
            TransportProfile::Directory { outbound, inbound } => {
                let bytes_max = limits.interchange_bytes;
                Arc::new(Directory::new(directory::Options { bytes_max, ..directory::Options::new(outbound, inbound) }))
            }
            TransportProfile::Https { url, timeout, token } => {
                let credential = match token {
                    Some(token) => Credential::Bearer(Secret::Environment(token.clone())),
                    None => Credential::None,
                };
                let options = https::Options {
                    exchange: *timeout,
                    credential,
                    reply_bytes_max: limits.interchange_bytes,
                    ..https::Options::new(url.clone())
                };
                Arc::new(Https::new(options, clock.clone())?)
            }
        };
        transports.insert(profile.payer_id(), transport);
    }
    Ok(transports)
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
        let transports = transports(&translator.payers, &translator.config.limits, &clock)?;
        Ok(Gateway { translator, clock, store: Arc::new(store), queue, transports, waiting: AtomicU64::new(0) })
    }

    pub fn transport(&self, payer: &PayerId) -> Option<&Arc<dyn Transport>> {
        self.transports.get(payer)
    }
}
