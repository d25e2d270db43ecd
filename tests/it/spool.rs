//! `hookwarden spool`, as an operator types it.

use std::{path::Path, process::Command};

/// Exit code, and what it printed.
fn spool(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hookwarden"))
        .arg("spool")
        .args(arguments)
        .arg("--folder")
        .arg(folder)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_state_that_is_none_is_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["ls", "export"] {
        let (code, told) = spool(folder.path(), &[verb, "--state", "nonsense"]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("pending, delivered, dead, dropped"), "{told}");
    }
}

#[test]
fn a_folder_that_is_no_spool_is_told_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    for verb in [&["ls"][..], &["fsck"], &["export"], &["show", "a"], &["drop", "a", "--actor", "alice"]] {
        for place in [folder.path(), &missing] {
            let (code, told) = spool(place, verb);
            assert_eq!(code, Some(1), "{verb:?}: {told}");
            assert!(told.contains("spool") && told.contains("name it with --folder"), "{verb:?}: {told}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
