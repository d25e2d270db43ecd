use super::*;
use crate::{
    clock::Timestamp,
    policy::{Overrides, compile},
    verify::Catalogue,
};
use std::fs;

/// All that is told about the policy there.
fn report(path: &Path, env: Option<&str>) -> Report {
    let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
    compile(&read(path, env), &Catalogue::embedded(), &Overrides::default(), now).unwrap_err()
}

#[test]
fn a_folder_is_its_gate_yaml_and_the_senders_beside_it_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.yaml"), "routes: {}").unwrap();
    fs::create_dir(folder.path().join("providers")).unwrap();
    for name in ["b.yaml", "a.yaml", ".c.yaml", "README.md"] {
        fs::write(folder.path().join("providers").join(name), name).unwrap();
    }
    let by_folder = read(folder.path(), None);
    let by_file = read(&folder.path().join("gate.yaml"), None);
    for source in [by_folder, by_file] {
        assert_eq!(source.main.text, "routes: {}");
        let texts: Vec<_> = source.providers.iter().map(|file| file.text.as_str()).collect();
        assert_eq!(texts, ["a.yaml", "b.yaml"]);
    }
}

#[test]
fn a_sender_in_a_file_with_another_ending_is_not_left_out_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.yaml"), "routes: {}").unwrap();
    fs::create_dir(folder.path().join("providers")).unwrap();
    fs::write(folder.path().join("providers/a.yml"), "").unwrap();
    let report = report(folder.path(), None).to_string();
    assert!(report.ends_with("a.yml:1:1: policies are read from `.yaml` files; rename this one\n"), "{report}");
}

#[test]
fn nothing_that_means_a_route_or_a_test_is_left_out_without_a_word() {
    let cases = [
        ("routes/sub/y.yaml", "routes/sub:1:1: folders are not read here; move its files up into the folder"),
        ("routes/X.YAML", "routes/X.YAML:1:1: policies are read from `.yaml` files; rename this one"),
        ("routes/x.Yml", "routes/x.Yml:1:1: policies are read from `.yaml` files; rename this one"),
        ("env/old/prod.yaml", "env/old:1:1: folders are not read here"),
        ("providers/acme/acme.yaml", "providers/acme:1:1: folders are not read here"),
        ("schemas/order.JSON", "order.JSON:1:1: schemas are read from `.json` files; rename this one"),
        ("Routes/shop.yaml", "Routes:1:1: this is not read; rename it to `routes`"),
        ("ENV/shop.yaml", "ENV:1:1: this is not read; rename it to `env`"),
    ];
    for (name, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        for name in ["gate.yaml", name] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let report = report(folder.path(), None);
        assert!(report.to_string().contains(expected), "{name}: {report}");
    }
    for name in ["gate.test.yml", "Gate.TEST.yaml"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.yaml"), "").unwrap();
        fs::write(folder.path().join(name), "").unwrap();
        let report = tests(folder.path()).unwrap_err().to_string();
        assert!(report.contains("tests are read from `.test.yaml` files; rename this one"), "{name}: {report}");
    }
}

#[test]
fn a_main_file_of_another_name_is_told_to_be_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("gate.yml");
    fs::write(&other, "").unwrap();
    let told = report(folder.path(), None).to_string();
    assert!(told.ends_with("gate.yml:1:1: a policy's main file is `gate.yaml`; rename this one\n"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(read(&other, None).unread.is_empty(), "a file by itself may have any name");
    fs::create_dir(folder.path().join("routes")).unwrap();
    let told = report(&other, None).to_string();
    assert!(told.contains("gate.yml:1:1: a policy's main file is `gate.yaml`; rename this one\n"), "{told}");
    fs::write(folder.path().join("gate.yaml"), "").unwrap();
    for path in [folder.path(), &other] {
        let told = report(path, None).to_string();
        assert!(
            told.contains("gate.yml:1:1: this is not read, because `gate.yaml` is; keep one of the two\n"),
            "{told}"
        );
    }
}

#[test]
fn what_nobody_means_to_be_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["gate.yaml", "routes/README.md", "routes/.git/x.yaml", "routes/..data/x.yaml", "notes/x.yaml", "x.YAML"]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let source = read(folder.path(), None);
    assert!(source.routes.is_empty() && source.unread.is_empty(), "{source:?}");
    assert!(tests(folder.path()).is_ok_and(|tests| tests.is_empty()));
}

#[test]
fn everything_in_a_folder_that_is_not_read_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.yaml"), "").unwrap();
    fs::create_dir(folder.path().join("routes")).unwrap();
    for name in ["a.yml", "b.yml"] {
        fs::write(folder.path().join("routes").join(name), "").unwrap();
    }
    assert_eq!(read(folder.path(), None).unread.len(), 2);
}

#[test]
fn a_stage_is_asked_for_by_name_and_tests_are_no_routes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gate.yaml", "env/prod.yaml", "env/staging.yaml", "routes/a.yaml", "routes/a.test.yaml"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let source = read(folder.path(), Some("prod"));
    assert_eq!(source.env.unwrap().text, "env/prod.yaml");
    assert_eq!(source.routes.iter().map(|file| file.text.as_str()).collect::<Vec<_>>(), ["routes/a.yaml"]);
    let none = report(folder.path(), None).to_string();
    assert!(none.contains("env:1:1: which stage? choose with `--env` one of `prod`, `staging`\n"), "{none}");
    let other = report(folder.path(), Some("prd")).to_string();
    assert!(other.contains("env:1:1: no stage is called `prd`; did you mean `prod`?\n"), "{other}");
    assert_eq!(stages(folder.path()).unwrap(), ["prod", "staging"]);
}

#[test]
fn what_is_not_text_is_shown_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    fs::write(&path, b"routes: {}\nname: \"caf\xe9\"\n").unwrap();
    let report = report(&path, None).to_string();
    let (first, excerpt) = report.split_once('\n').unwrap();
    assert!(first.ends_with("gate.yaml:2:11: from here on this is not UTF-8; save the file as UTF-8"), "{report}");
    assert_eq!(excerpt, "  | name: \"caf\n  |           ^\n");
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let report = report(Path::new("/no/such/policy.yaml"), None).to_string();
    assert!(report.starts_with("/no/such/policy.yaml:1:1: cannot be opened: "), "{report}");
}

/// One of every kind of what cannot be read, and something that is wrong in every file that can.
#[test]
fn what_cannot_be_read_hides_nothing_else_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let gate = "rollout: { hidden: { observe: [limits], until: 2027-01-01 }, \
                listed: { observe: [limit], until: 2027-01-01 } }\nkeys: { shop: [{ id: live, from: env:A }] }\n";
    let route = |name: &str, rest: &str| {
        format!("routes:\n  {name}: {{ at: {{ path: /{name} }}, owner: {{ team: a }}, {rest} }}\n")
    };
    let sender = "sender: { provider: github, keys: shop }, repeats: { remember: 96h }, deliver: { via: relay }";
    let acme = "sender: { provider: acme, keys: shop }, deliver: { via: relay }";
    let contract = format!("{sender}, contract: {{ schema: ../schemas/other.json }}");
    let files = [
        ("gate.yaml", gate.to_owned()),
        ("routes/a.yaml", route("listed", &format!("{sender}, {sender}"))),
        ("routes/c.yaml", route("other", &format!("{contract}, answer_by: 90s"))),
        ("routes/d.yaml", route("another", acme)),
        ("routes/e.yaml", "routes: [\n".to_owned()),
        ("routes/f.yaml/x", String::new()),
        ("schemas/README.md", String::new()),
        ("providers/beta.yml", String::new()),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(folder.path().join("routes/b.yaml"), b"routes: { hidden: \xff }\n").unwrap();
    std::os::unix::fs::symlink("/no/such", folder.path().join("schemas/other.json")).unwrap();
    let report = report(folder.path(), None);
    let told = report.iter().map(|diagnostic| {
        let file = Path::new(&diagnostic.file).strip_prefix(folder.path()).unwrap().display();
        format!("{file}:{} {}", diagnostic.line, diagnostic.message.split(';').next().unwrap())
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            "gate.yaml:1 unknown check `limit`",
            "routes/a.yaml:2 `sender` is written twice here",
            "routes/a.yaml:2 `repeats` is written twice here",
            "routes/a.yaml:2 `deliver` is written twice here",
            "routes/b.yaml:1 from here on this is not UTF-8",
            "routes/c.yaml:2 `github` stops waiting before",
            "routes/e.yaml:1 cannot be read as YAML: unclosed bracket '['",
            "routes/f.yaml:1 folders are not read here",
            "providers/beta.yml:1 policies are read from `.yaml` files",
            "schemas/other.json:1 cannot be opened: No such file or directory (os error 2)",
        ],
        "neither a route, nor a sender, nor a schema is said to be missing that may be in what was not read"
    );
}

/// A folder with a policy whose schema is where `link` leads, and a schema beside the folder.
fn linked(policy: &Path, link: &str) {
    let gate = "routes:\n  shop:\n    at: { path: /shop }\n    sender: { provider: standard-webhooks, keys: shop }\n    \
                contract: { schema: schemas/order.json }\n\
                keys: { shop: [{ id: live, from: env:A }] }\ndestinations: { wordpress: { url: 'http://w/' } }\n";
    for (name, text) in [("gate.yaml", gate), ("..2026/order.json", "{}"), ("../order.json", "{}")] {
        let path = policy.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    std::os::unix::fs::symlink("..2026", policy.join("..data")).unwrap();
    if Path::new(link).extension().is_some_and(|extension| extension == "json") {
        fs::create_dir(policy.join("schemas")).unwrap();
        std::os::unix::fs::symlink(link, policy.join("schemas/order.json")).unwrap();
    } else {
        std::os::unix::fs::symlink(link, policy.join("schemas")).unwrap();
    }
}

#[test]
fn no_schema_comes_from_outside_of_the_policy() {
    for (link, place) in [("../../order.json", "schemas/order.json"), ("..", "schemas"), ("/etc", "schemas")] {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy");
        fs::create_dir(&policy).unwrap();
        linked(&policy, link);
        let report = report(&policy, None).to_string();
        let expected = format!("/policy/{place}:1:1: this is a link that leads out of the policy's folder;");
        assert!(report.contains(&expected), "{link}: {report}");
        assert_eq!(report.lines().count(), 1, "{link}: {report}");
    }
}

#[test]
fn links_that_stay_in_the_policy_are_followed() {
    for link in ["../..data/order.json", "..data"] {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy");
        fs::create_dir(&policy).unwrap();
        linked(&policy, link);
        std::os::unix::fs::symlink("policy", folder.path().join("current")).unwrap();
        for path in ["policy", "policy/gate.yaml", "current", "current/gate.yaml"] {
            let source = read(&folder.path().join(path), None);
            assert!(source.unread.is_empty() && source.schemas.len() == 1, "{link}, {path}: {source:?}");
        }
    }
}

#[test]
fn a_file_that_is_too_long_is_told_with_its_length_and_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("schemas")).unwrap();
    for name in ["gate.yaml", "schemas/a.json"] {
        fs::write(folder.path().join(name), " ".repeat((1 << 20) + 9)).unwrap();
        let report = report(folder.path(), None).to_string();
        let expected = format!("{name}:1:1: the file has 1048585 bytes, and 1048576 at most are read\n");
        assert!(report.contains(&expected), "{report}");
        fs::write(folder.path().join(name), "{}").unwrap();
    }
}
