use super::*;
use std::fs;

#[test]
fn a_folder_is_its_gate_yaml_and_the_senders_beside_it_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.yaml"), "routes: {}").unwrap();
    fs::create_dir(folder.path().join("providers")).unwrap();
    for name in ["b.yaml", "a.yaml", ".c.yaml", "README.md"] {
        fs::write(folder.path().join("providers").join(name), name).unwrap();
    }
    let by_folder = read(folder.path(), None).unwrap();
    let by_file = read(&folder.path().join("gate.yaml"), None).unwrap();
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
    let report = read(folder.path(), None).unwrap_err().to_string();
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
        let report = read(folder.path(), None).unwrap_err();
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
fn what_nobody_means_to_be_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["gate.yaml", "routes/README.md", "routes/.git/x.yaml", "routes/..data/x.yaml", "notes/x.yaml", "x.YAML"]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    assert!(read(folder.path(), None).is_ok_and(|source| source.routes.is_empty()));
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
    assert_eq!(read(folder.path(), None).unwrap_err().iter().count(), 2);
}

#[test]
fn a_stage_is_asked_for_by_name_and_tests_are_no_routes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gate.yaml", "env/prod.yaml", "env/staging.yaml", "routes/a.yaml", "routes/a.test.yaml"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let source = read(folder.path(), Some("prod")).unwrap();
    assert_eq!(source.env.unwrap().text, "env/prod.yaml");
    assert_eq!(source.routes.iter().map(|file| file.text.as_str()).collect::<Vec<_>>(), ["routes/a.yaml"]);
    let none = read(folder.path(), None).unwrap_err().to_string();
    assert!(none.ends_with("env:1:1: which stage? choose with `--env` one of `prod`, `staging`\n"), "{none}");
    let other = read(folder.path(), Some("prd")).unwrap_err().to_string();
    assert!(other.ends_with("env:1:1: no stage is called `prd`; did you mean `prod`?\n"), "{other}");
    assert_eq!(stages(folder.path()).unwrap(), ["prod", "staging"]);
}

#[test]
fn what_is_not_text_is_shown_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    fs::write(&path, b"routes: {}\nname: \"caf\xe9\"\n").unwrap();
    let report = read(&path, None).unwrap_err().to_string();
    assert!(report.ends_with("gate.yaml:2:11: from here on this is not UTF-8; save the file as UTF-8\n"), "{report}");
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let report = read(Path::new("/no/such/policy.yaml"), None).unwrap_err().to_string();
    assert!(report.starts_with("/no/such/policy.yaml:1:1: cannot be opened: "), "{report}");
}
