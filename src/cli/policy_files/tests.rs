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
