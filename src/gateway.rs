//! Everything that lives long, built once from the configuration and lent to the journeys.

use crate::assets::Folder;
use crate::billing::id::PayerId;
use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::edits::{self, tables::Tables};
use crate::fault::{Blame, Fault, Issue, Place, Retry, any_error, codes};
use crate::fhir::definitions::Definitions;
use crate::fhir::topics::Topics;
use crate::mapping::mistakes::did_you_mean;
use crate::mapping::{DocumentShape, Mappings};
use crate::payers::{self, Format, PayerProfile, Payers, Route, SecretSource, Surroundings, TransportProfile};
use crate::queue::Queue;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::rabbit::RabbitQueue;
use crate::responses::meaning::Meanings;
use crate::responses::next_step::NextSteps;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::transport::Transport;
use crate::transport::directory::{self, Directory};
use crate::transport::https::{self, Credential, Https, Secret};
use crate::transport::notifier::{Guard, Notifier};
use crate::x12::code_sets::Lists;
use crate::x12::guide::Guides;
use crate::x12::policy::Policy;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

pub mod archive;
pub mod live;

use archive::Archive;
use live::{Live, Transports};

/// The offline half: all that translates, and nothing that remembers. `map`, `convert` and `validate` need no more.
pub struct Translator {
    pub guides: Arc<Guides>,
    pub definitions: Arc<Definitions>,
    pub mappings: Arc<Mappings>,
    pub payers: Payers,
    pub meanings: Arc<Meanings>,
    /// What a biller does next, by the codes of payers.
    pub next_steps: Arc<NextSteps>,
    /// Code lists, pairs and limits of `codes_dir`.
    pub tables: Arc<Tables>,
    pub config: Config,
    /// What mappings see as `%payer`, by payer.
    facts: BTreeMap<String, Value>,
}

impl Translator {
    /// Reads guides, FHIR tables, profiles and mappings; all mistakes of a kind at once.
    pub fn load(config: Config) -> Result<Translator, Fault> {
        let conformance = Folder::conformance(&config.conformance_dir);
        let folder = Folder::mappings(&config.mappings_dir);
        let lists = Lists { tables: folder.clone(), whole: config.codes_dir.clone() };
        let guides = Arc::new(Guides::load_with(&conformance, &lists)?);
        let definitions = Arc::new(Definitions::load(&conformance)?);
        let tables = config.codes_dir.as_deref().map(Tables::load).transpose()?.unwrap_or_default();
        let next_steps = Arc::new(NextSteps::load(&conformance)?);
        Translator::of(&folder, (guides, definitions, Arc::new(tables), next_steps), config)
    }

    /// The same guides and FHIR tables with the mappings of another folder.
    pub fn reread(&self, folder: &Folder) -> Result<Translator, Fault> {
        let kept = (self.guides.clone(), self.definitions.clone(), self.tables.clone(), self.next_steps.clone());
        Translator::of(folder, kept, self.config.clone())
    }

    /// The same mappings where another configuration says: only the profiles are read anew.
    pub fn elsewhere(&self, config: Config) -> Result<Translator, Fault> {
        let payers = Payers::load(&Folder::mappings(&config.mappings_dir), &Surroundings::of(&config))?;
        let (guides, definitions, tables) = (self.guides.clone(), self.definitions.clone(), self.tables.clone());
        let (mappings, meanings) = (self.mappings.clone(), self.meanings.clone());
        let next_steps = self.next_steps.clone();
        let facts = facts(&payers);
        Ok(Translator { guides, definitions, mappings, facts, payers, meanings, next_steps, tables, config })
    }

    fn of(
        folder: &Folder,
        (guides, definitions, tables, next_steps): (Arc<Guides>, Arc<Definitions>, Arc<Tables>, Arc<NextSteps>),
        config: Config,
    ) -> Result<Translator, Fault> {
        let meanings = Arc::new(Meanings::load(folder)?);
        let (payers, mut issues) = Payers::read(folder, &Surroundings::of(&config));
        issues.extend(payers.unknown_checks(&guides));
        issues.extend(unknown_edits(&payers, folder));
        let (mappings, mistakes) = Mappings::read(folder, &guides, &definitions);
        issues.extend(wrong_routes(&payers, &mappings, folder, mistakes.is_empty()));
        issues.extend(mistakes);
        if any_error(&issues) {
            return Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never });
        }
        let mappings = Arc::new(mappings);
        let facts = facts(&payers);
        Ok(Translator { guides, definitions, mappings, facts, payers, meanings, next_steps, tables, config })
    }

    /// What a payer asks of the checks of X12; what the rule files say when there is no such payer.
    pub fn policy(&self, payer: Option<&str>) -> Policy {
        payer.and_then(|id| self.payers.get(id)).map(|profile| profile.checks.clone()).unwrap_or_default()
    }

    /// What mappings see as `%payer`.
    pub fn facts(&self, payer: &str) -> &Value {
        self.facts.get(payer).unwrap_or(&Value::Null)
    }
}

fn facts(payers: &Payers) -> BTreeMap<String, Value> {
    payers.all().map(|profile| (profile.id.clone(), profile.facts())).collect()
}

/// Rules that profiles name must exist; the profiles themselves don't know which there are.
fn unknown_edits(payers: &Payers, folder: &Folder) -> Vec<Issue> {
    let known = |name: &str| {
        name.starts_with("CG-") || name == DUPLICATE_CLAIM || edits::EDITS.iter().any(|edit| edit.id == name)
    };
    let mut issues = Vec::new();
    for profile in payers.all() {
        let named = [&profile.edits.off, &profile.edits.warn, &profile.edits.refuse].into_iter().flatten();
        for name in named.filter(|name| !known(name)) {
            let at = payers::place_of(folder, &format!("payers/{}/payer.yaml", profile.id), name);
            let names = edits::EDITS.iter().map(|edit| edit.id).chain([DUPLICATE_CLAIM]);
            let near = did_you_mean(name, names);
            let hint = format!("{near} (edits are named as conformance/EDITS.md lists them, or by the codes CG-13nn)");
            issues.push(Issue::error(codes::MAPPING_TARGET, at, format!("there is no edit `{name}`")).hint(hint));
        }
    }
    issues
}

/// The one rule that looks into the store: the same services, billed before under another number.
pub const DUPLICATE_CLAIM: &str = "duplicate-claim";

/// Routes whose mapping is not there or does not make what the route says. When mappings have mistakes, one whose file is
/// there is not called missing.
fn wrong_routes(payers: &Payers, mappings: &Mappings, folder: &Folder, are_whole: bool) -> Vec<Issue> {
    let is_told = |profile: &PayerProfile, name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        let own = |name: &str| format!("payers/{}/{name}.yaml", profile.id);
        let is_there = |path: String| folder.text(&path).is_some();
        name.is_empty() || !are_whole && [format!("{name}.yaml"), own(name), own(file)].into_iter().any(is_there)
    };
    let wrong = |profile: &PayerProfile, key: &str, route: &Route| {
        let mut hint = "a mapping is named by its path without .yaml, or by its file beside payer.yaml".to_owned();
        let mut absent = |to: &str, names: Vec<&str>| {
            hint = format!("{} ({hint})", did_you_mean(&route.mapping, names));
            format!("there is no mapping {} to {to}", route.mapping)
        };
        let text = match route.format {
            Format::X12 => match mappings.transaction(&profile.id, &route.mapping) {
                Some(mapping) if mapping.guide.id == route.guide => return None,
                Some(mapping) => format!("{} makes {}, not {}", route.mapping, mapping.guide.id, route.guide),
                None if is_told(profile, &route.mapping) => return None,
                None => absent("X12", mappings.transactions_to(&route.guide, &profile.id)),
            },
            Format::Json | Format::Csv => match mappings.document(&profile.id, &route.mapping) {
                Some(mapping) if (mapping.shape == DocumentShape::Csv) == (route.format == Format::Csv) => return None,
                Some(_) => format!("{} does not make {}", route.mapping, route.format.name()),
                None if is_told(profile, &route.mapping) => return None,
                None => absent(route.format.name(), mappings.documents_of(&profile.id)),
            },
            Format::Fhir => return None,
        };
        let at = payers::place_of(folder, &format!("payers/{}/payer.yaml", profile.id), &format!("{key}:"));
        Some(Issue::error(codes::MAPPING_TYPE, at, format!("routes.{key}: {text}")).hint(hint))
    };
    let routes = payers.all().flat_map(|profile| profile.routes.iter().map(move |(key, route)| (profile, key, route)));
    routes.filter_map(|(profile, key, route)| wrong(profile, key, route)).collect()
}

/// The way to each payer, as its profile says. A payer whose way is the same as before keeps its transport.
fn transports(
    translator: &Translator,
    clock: &Clock,
    before: Option<(&Payers, &Transports)>,
) -> Result<Transports, Fault> {
    let mut transports = Transports::new();
    for profile in translator.payers.all() {
        let id = profile.payer_id();
        let kept = before.and_then(|(payers, transports)| {
            let same = payers.get(&profile.id).is_some_and(|known| known.transport == profile.transport);
            transports.get(&id).filter(|_| same).cloned()
        });
        let transport = match kept {
            Some(transport) => transport,
            None => transport(&profile.transport, &translator.config.limits, clock)?,
        };
        transports.insert(id, transport);
    }
    Ok(transports)
}

fn transport(profile: &TransportProfile, limits: &Limits, clock: &Clock) -> Result<Arc<dyn Transport>, Fault> {
    let bytes_max = limits.interchange_bytes;
    Ok(match profile {
        TransportProfile::Directory { outbound, inbound } => {
            Arc::new(Directory::new(directory::Options { bytes_max, ..directory::Options::new(outbound, inbound) }))
        }
        TransportProfile::Https { url, timeout, token } => {
            let credential = match token {
                Some(SecretSource::Environment(name)) => Credential::Bearer(Secret::Environment(name.clone())),
                Some(SecretSource::File(path)) => Credential::Bearer(Secret::File(path.clone())),
                None => Credential::None,
            };
            let options = https::Options {
                exchange: *timeout,
                credential,
                reply_bytes_max: bytes_max,
                ..https::Options::new(url.clone())
            };
            Arc::new(Https::new(options, clock.clone())?)
        }
    })
}

/// The embedded store in the data folder.
const STORE_FILE: &str = "claimgate.sqlite";

/// The store alone, for those who only look into it; refused when there is none.
pub fn open_store(config: &Config, clock: Clock) -> Result<Arc<dyn Store>, Fault> {
    let path = config.data_dir.join(STORE_FILE);
    if !path.is_file() {
        let text = format!("there is no store in {}", config.data_dir.display());
        let hint = "set CLAIMGATE_DATA_DIR to the data folder of the gateway";
        return Err(Fault::refuse(codes::NOT_FOUND, Place::Whole, text, hint));
    }
    Ok(Arc::new(SqliteStore::open(&path, clock)?))
}

/// The whole gateway.
pub struct Gateway {
    /// What translates: the active version of what people edit.
    pub translator: Live,
    pub clock: Clock,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    /// Submissions that wait to be sent, as last counted: the front door closes when there are too many.
    pub waiting: AtomicU64,
    /// What callers may subscribe to.
    pub topics: Topics,
    /// By payer, the last of the answers that belong to nobody which was tried again.
    pub retried: Mutex<BTreeMap<String, i64>>,
    notifier: OnceLock<Option<Notifier>>,
}

impl Gateway {
    /// Opens store, queue and transports as the configuration says. A broker that is down is no reason not to start.
    pub async fn open(config: Config, clock: Clock) -> Result<Gateway, Fault> {
        let archive = Archive::of(&config.data_dir);
        Gateway::around(Translator::load(config)?, clock, Some(archive))
    }

    /// The same around what has been loaded, without a memory of other versions.
    pub fn with(translator: Translator, clock: Clock) -> Result<Gateway, Fault> {
        Gateway::around(translator, clock, None)
    }

    fn around(translator: Translator, clock: Clock, archive: Option<Archive>) -> Result<Gateway, Fault> {
        let config = &translator.config;
        std::fs::create_dir_all(&config.data_dir).map_err(|error| {
            Fault::ours(codes::CONFIGURATION, format!("data folder {}: {error}", config.data_dir.display()))
        })?;
        let store = SqliteStore::open(&config.data_dir.join(STORE_FILE), clock.clone())?;
        let queue: Arc<dyn Queue> = match &config.amqp_url {
            Some(url) => Arc::new(RabbitQueue::connect(url)?),
            None => Arc::new(EmbeddedQueue::new()),
        };
        let topics = Topics::load(&Folder::conformance(&config.conformance_dir))?;
        let (translator, store) = (Live::new(translator, clock.clone(), archive)?, Arc::new(store));
        let (waiting, notifier) = (AtomicU64::new(0), OnceLock::new());
        let retried = Mutex::default();
        Ok(Gateway { translator, clock, store, queue, waiting, topics, retried, notifier })
    }

    /// Where notifications may go.
    pub fn guard(&self) -> Guard {
        let notify = &self.translator.config.notify;
        Guard { allow_http: notify.allow_http, allow_private: notify.allow_private }
    }

    /// What posts notifications, made when it is first needed; `None` when this machine can't make one.
    pub fn notifier(&self) -> Option<&Notifier> {
        let make =
            || Notifier::new(self.guard()).inspect_err(|reason| tracing::error!(%reason, "nobody can be notified"));
        self.notifier.get_or_init(|| make().ok()).as_ref()
    }

    /// The way to a payer; one without is one whose claims wait.
    pub fn transport(&self, payer: &PayerId) -> Option<&Arc<dyn Transport>> {
        self.translator.transports().get(payer)
    }
}
