//! Every key that the doctor may try: of the policy as it is, and of its other stages.

use super::policy_files;
use crate::{
    clock::Timestamp,
    diagnosis::KeyText,
    keys,
    policy::{self, Compiled, Overrides, Policy},
    verify::Catalogue,
};
use std::path::Path;

/// Texts, and what cannot be read on this machine.
pub(super) struct KeyTexts {
    pub(super) texts: Vec<KeyText>,
    pub(super) missing: Vec<String>,
}

impl KeyTexts {
    pub(super) fn of(policy: &Policy, path: &Path, env: Option<&str>, now: Timestamp) -> Self {
        let mut all = Self { texts: Vec::new(), missing: Vec::new() };
        all.add(policy, None);
        let stages = policy_files::stages(path).unwrap_or_default();
        for stage in stages.iter().filter(|stage| env != Some(stage.as_str())) {
            let source = policy_files::read(path, Some(stage));
            let overrides = Overrides { ended_enforces: true, ..Overrides::default() };
            // A stage that is not in order has its own command to say so.
            let Ok(compiled) = policy::compile(&source, &Catalogue::embedded(), &overrides, now) else { continue };
            let Compiled { policy, .. } = compiled;
            all.add(&policy, Some(stage));
        }
        all
    }

    fn add(&mut self, policy: &Policy, stage: Option<&str>) {
        let (found, missing) = keys::texts(policy, &policy_files::environment);
        for keys::Text { list, id, retire, is_public, text } in found {
            let is_same = |known: &KeyText| known.list == list && known.id == id && known.text == text;
            if !self.texts.iter().any(is_same) {
                let stage = stage.map(str::to_owned);
                let is_spare = policy.spare_keys.iter().any(|(spare, _)| *spare == list);
                self.texts.push(KeyText { list, id, stage, retire, is_public, is_spare, text });
            }
        }
        let of = stage.map_or_else(String::new, |stage| format!(" (stage `{stage}`)"));
        self.missing.extend(missing.into_iter().map(|label| format!("{label}{of}")));
    }
}
