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
    /// Lists that no route uses.
    pub(super) spare: Vec<String>,
}

impl KeyTexts {
    pub(super) fn of(policy: &Policy, path: &Path, env: Option<&str>, now: Timestamp) -> Self {
        let mut all = Self { texts: Vec::new(), missing: Vec::new(), spare: Vec::new() };
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
            let same = |known: &&mut KeyText| known.list == list && known.id == id && known.text == text;
            if let Some(known) = self.texts.iter_mut().find(same) {
                // What one stage has as a public key is no secret in another.
                known.is_public |= is_public;
                continue;
            }
            self.texts.push(KeyText { list, id, stage: stage.map(str::to_owned), retire, is_public, text });
        }
        let spare = policy.spare_keys.iter().filter(|list| !self.spare.contains(list));
        let spare: Vec<_> = spare.cloned().collect();
        self.spare.extend(spare);
        let of = stage.map_or_else(String::new, |stage| format!(" (stage `{stage}`)"));
        self.missing.extend(missing.into_iter().map(|label| format!("{label}{of}")));
    }
}
