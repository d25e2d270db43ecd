//! What every entry says of itself, and that its vectors are judged.

use super::shown::provider;
use hookwarden::verify::{Catalogue, Provider};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

fn vectors() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let judged = fs::read_dir(folder.join("judged")).unwrap().map(|entry| entry.unwrap().path());
    let files = judged.chain([folder.join("senders.jsonl")]);
    let texts: Vec<_> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_entry_says_where_its_facts_are_from_and_what_they_are() {
    let catalogue = Catalogue::embedded();
    let vectors = vectors();
    for entry in catalogue.iter() {
        let Provider { name, documentation, source, max_age, retry_horizon, answer_by, .. } = entry.as_ref();
        assert!(documentation.starts_with("https://") && !documentation.contains(' '), "{name}: {documentation}");
        assert!(source.scheme.is_some() && source.service.is_some(), "{name} does not say how it is known");
        let day: Vec<_> = source.checked.split('-').map(str::parse::<u16>).collect();
        let is_day = matches!(day.as_slice(), [Ok(2026..), Ok(1..=12), Ok(1..=31)]) && source.checked.len() == 10;
        assert!(is_day, "{name}: {}", source.checked);
        assert!(!entry.repeats_by().is_empty(), "{name}");
        for (word, what) in [(&entry.answers, "answers"), (&entry.retries, "retries"), (&entry.disables, "disables")] {
            assert!(word.as_ref().is_some_and(|word| !word.is_empty()), "{name} says nothing under `{what}`");
        }
        assert!(entry.text.starts_with("# "), "{name} does not say in a sentence what it is");
        assert_eq!(max_age.is_some(), entry.scheme.coverage().time, "{name}");
        let says = entry.answers.as_deref().unwrap_or_default();
        if says.starts_with("200") && !says.starts_with("200 to 2") {
            assert_eq!(entry.respond.accepted, Some(200), "{name} answers otherwise than it says: {says}");
        }
        assert!(!retry_horizon.is_zero() && !answer_by.is_zero(), "{name}");
        let judged = |expect: &str| {
            let names = |scheme: &str| catalogue.find(scheme).is_some_and(|found| found.name == *name);
            // What the gate says, where a line tells it from what the vendor's library said.
            let verdict = |it: &Value| it["ours"].as_str().or(it["expect"].as_str()) == Some(expect);
            vectors.iter().any(|it| names(it["scheme"].as_str().unwrap()) && verdict(it))
        };
        // Of what nobody signed nothing is believed without a policy.
        assert!(judged("accept") != entry.scheme.shows_nothing() && judged("reject"), "{name} has no vectors");
    }
}

/// What was not read again is no more than a hint, and says so wherever it is shown.
#[test]
fn what_is_known_from_memory_says_so() {
    let memory = "memory of the vendor's documentation, not read again";
    assert!(provider("calendly").known_from().contains(memory));
    assert!(!provider("woocommerce").known_from().contains(memory));
}

/// A retry is not another event because a header changed that anyone can change.
#[test]
fn no_unsigned_id_is_an_event_key() {
    for entry in Catalogue::embedded().iter() {
        let coverage = entry.scheme.coverage();
        assert!(coverage.body || entry.event_key.is_empty(), "{}", entry.name);
        if entry.repeats_by().contains("its signed id") {
            assert!(coverage.id, "{}", entry.name);
        }
    }
}

/// An operator looks a vendor up under its own name.
#[test]
fn those_who_sign_as_others_do_are_found_under_their_own_names() {
    for (name, like) in [("openai", "standard-webhooks"), ("clerk", "svix"), ("postmark", "basic-auth")] {
        let (entry, other) = (provider(name), provider(like));
        assert_eq!(entry.like.as_deref(), Some(like));
        assert_eq!(entry.scheme.describe(), other.scheme.describe());
        assert_ne!(entry.documentation, other.documentation);
    }
    assert_eq!(provider("gitlab").name, "gitlab-signing", "the stronger of two");
}

#[test]
fn a_vector_has_one_name() {
    let ids: Vec<_> = vectors().iter().map(|vector| vector["id"].to_string()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn the_list_beside_the_entries_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/providers/README.md");
    let written = fs::read_to_string(&path).unwrap();
    let (begins, ends) = ("<!-- the catalogue -->\n", "<!-- end of the catalogue -->");
    let (before, rest) = written.split_once(begins).expect("a marker before the table");
    let (_, after) = rest.split_once(ends).expect("a marker after the table");
    let expected = format!("{before}{begins}{}{ends}{after}", Catalogue::embedded().markdown());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(expected == written, "run `BLESS=1 cargo test --no-default-features --test it catalogue` to write it anew");
}
