//! What callers may subscribe to: the topics of `conformance/subscriptions/topics.json`, and how FHIR R4 shows them (R5's
//! SubscriptionTopic as Basic, Subscriptions R5 Backport 1.1).

use crate::assets::Folder;
use crate::fault::{Fault, Issue, Place, codes};
use crate::fhir::index;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FILE: &str = "subscriptions/topics.json";
const EXTENSION: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic";

/// One topic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Canonical URL.
    pub url: String,
    /// Type of the message that a webhook gets.
    pub event: String,
    pub title: String,
    pub description: String,
    /// Type of the resource that it is about.
    pub resource: String,
    /// Search parameters that the resource must meet to be an event at all.
    #[serde(default)]
    pub only: BTreeMap<String, String>,
    /// Filters beside the search parameters: by an identifier of what a reference leads to, or of its organization.
    #[serde(default)]
    pub through: BTreeMap<String, String>,
    pub interactions: Vec<Interaction>,
    /// What a notification with resources holds of an event; the resource alone unless it says more.
    #[serde(default)]
    pub shape: Shape,
}

/// What a notification holds of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    #[default]
    Resource,
    /// A PAS Response Bundle (Da Vinci PAS 2.2.1): the ClaimResponse, and whatever it refers to.
    PasResponseBundle,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Interaction {
    Create,
    Update,
}

impl Interaction {
    /// What made a version: the first is created, all others are updates.
    pub fn of(version: u32) -> Interaction {
        if version == 1 { Interaction::Create } else { Interaction::Update }
    }

    fn code(self) -> &'static str {
        match self {
            Interaction::Create => "create",
            Interaction::Update => "update",
        }
    }
}

/// All topics, in the order of the file.
#[derive(Debug, Default)]
pub struct Topics {
    topics: Vec<Topic>,
}

impl Topics {
    /// Reads the file; a folder without it offers nothing.
    pub fn load(folder: &Folder) -> Result<Topics, Fault> {
        let Some(text) = folder.text(FILE) else { return Ok(Topics::default()) };
        let wrong = |text: String, line: usize, column: usize| {
            let (line, column) = (u32::try_from(line).unwrap_or(0), u32::try_from(column).unwrap_or(0));
            let at = Place::File { path: folder.display(FILE), line, column };
            let issue = Issue::error(codes::CONFIGURATION, at, text);
            Fault { issues: vec![issue], ..Fault::ours(codes::CONFIGURATION, "") }
        };
        let topics: Vec<Topic> =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string(), error.line(), error.column()))?;
        for (n, topic) in topics.iter().enumerate() {
            let unknown = topic
                .only
                .keys()
                .find(|name| index::parameters(&topic.resource).all(|each| each.name != name.as_str()));
            if let Some(name) = unknown {
                return Err(wrong(format!("{} can't be searched by `{name}`", topic.resource), 0, 0));
            }
            let twice = |each: &&Topic| each.url == topic.url || each.event == topic.event;
            if topics[..n].iter().any(|each| twice(&each)) {
                return Err(wrong(format!("{} stands twice", topic.url), 0, 0));
            }
        }
        Ok(Topics { topics })
    }

    pub fn all(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter()
    }

    /// A topic by its canonical URL, with or without a version behind it.
    pub fn get(&self, canonical: &str) -> Option<&Topic> {
        let url = canonical.split('|').next().unwrap_or(canonical);
        self.topics.iter().find(|topic| topic.url == url)
    }

    /// A topic by the type of its messages.
    pub fn of_event(&self, event: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.event == event)
    }

    /// All topics as a searchset of Basic resources.
    pub fn bundle(&self) -> Value {
        let entries: Vec<Value> =
            self.topics.iter().map(|topic| json!({"resource": basic(topic), "search": {"mode": "match"}})).collect();
        let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len()});
        if !entries.is_empty() {
            bundle["entry"] = Value::from(entries);
        }
        bundle
    }
}

/// Search parameters that a topic's events can be chosen by.
pub fn parameters(topic: &Topic) -> impl Iterator<Item = &str> {
    let through = topic.through.keys().map(String::as_str);
    index::parameters(&topic.resource).map(|parameter| parameter.name).chain(through)
}

fn basic(topic: &Topic) -> Value {
    let own = |name: &str, value: (&str, &str)| json!({"url": format!("{EXTENSION}.{name}"), (value.0): value.1});
    let resource = format!("http://hl7.org/fhir/StructureDefinition/{}", topic.resource);
    let mut trigger = vec![
        json!({"url": "description", "valueMarkdown": topic.description}),
        json!({"url": "resource", "valueUri": resource}),
    ];
    let interactions = topic.interactions.iter();
    trigger.extend(interactions.map(|each| json!({"url": "supportedInteraction", "valueCode": each.code()})));
    let mut extensions = vec![
        own("url", ("valueUri", &topic.url)),
        own("title", ("valueString", &topic.title)),
        own("status", ("valueCode", "active")),
        own("description", ("valueMarkdown", &topic.description)),
        json!({"url": format!("{EXTENSION}.resourceTrigger"), "extension": trigger}),
    ];
    extensions.extend(parameters(topic).map(|name| {
        let parts =
            [json!({"url": "resource", "valueUri": resource}), json!({"url": "filterParameter", "valueString": name})];
        json!({"url": format!("{EXTENSION}.canFilterBy"), "extension": parts})
    }));
    let shape = json!([{"url": "resource", "valueUri": resource}]);
    extensions.push(json!({"url": format!("{EXTENSION}.notificationShape"), "extension": shape}));
    let id = topic.url.rsplit('/').next().unwrap_or_default();
    json!({
        "resourceType": "Basic",
        "id": id,
        "extension": extensions,
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::definitions::Definitions;
    use crate::fhir::{second_opinion, validate};

    #[test]
    fn the_topics_that_ship_are_shown_as_valid_resources() {
        let topics = Topics::load(&Folder::ShippedConformance).unwrap();
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let bundle = topics.bundle();
        assert!(topics.all().count() >= 5);
        assert_eq!(validate::resource(&definitions, &bundle, "Bundle"), []);
        assert_eq!(second_opinion::judge(&bundle), []);
        for topic in topics.all() {
            assert!(definitions.is_resource(&topic.resource), "{}", topic.url);
            assert_eq!(topics.get(&format!("{}|1.0", topic.url)), Some(topic));
            assert_eq!(topics.of_event(&topic.event), Some(topic));
        }
    }

    #[test]
    fn mistakes_of_the_file_are_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("subscriptions")).unwrap();
        let at = |text: &str| {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            Topics::load(&Folder::Disk(folder.path().into())).map(|topics| topics.all().count())
        };
        let topic = |only: &str| {
            format!(
                r#"{{"url": "u", "event": "e", "title": "t", "description": "d", "resource": "Task", "only": {only}, "interactions": ["create"]}}"#
            )
        };
        assert_eq!(at(&format!("[{}]", topic("{}"))).unwrap(), 1);
        assert!(at(&format!("[{}]", topic(r#"{"colour": "red"}"#))).unwrap_err().to_string().contains("colour"));
        assert!(at(&format!("[{0}, {0}]", topic("{}"))).unwrap_err().to_string().contains("twice"));
        assert!(at("[{]").unwrap_err().to_string().contains("topics.json"));
        assert_eq!(Topics::load(&Folder::Disk("nowhere".into())).unwrap().all().count(), 0);
    }
}
