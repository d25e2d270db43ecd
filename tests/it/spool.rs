//! `hookwarden spool`, as an operator types it.

use hookwarden::{
    clock::SystemClock,
    spool::{By, Settings, Spool},
};
use std::{path::Path, process::Command, sync::Arc};

/// Exit code, and what it printed.
fn spool(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hookwarden"))
        .arg("spool")
        .args(arguments)
        .arg("--spool")
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
            assert!(told.contains("spool") && told.contains("name its folder with --spool"), "{verb:?}: {told}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_redelivery_says_which_events_who_wants_it_and_times_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = [
        (&["--actor", "alice"][..], "<EVENT|--route <ROUTE>|--from <TIME>|--until <TIME>>"),
        (&["--actor", "alice", "--from", "yesterday"], "2026-11-25T08:00:00Z"),
    ];
    for (arguments, way_out) in wrong {
        let (code, told) = spool(folder.path(), &[&["redeliver"], arguments].concat());
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(way_out), "{told}");
    }
}

#[tokio::test]
async fn what_is_not_kept_cannot_be_redelivered() {
    let folder = tempfile::tempdir().unwrap();
    acted(folder.path()).await;
    let (code, told) = spool(folder.path(), &["redeliver", "evt_1", "--actor", "alice"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no such event is kept"), "{told}");
}

/// Two starts of a gate, with an act in each.
async fn acted(folder: &Path) {
    for about in ["wordpress", "crm"] {
        let settings = Settings { folder: folder.to_owned(), bytes: 64 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
        spool.record_act(By { actor: "alice", reason: "it is back" }, "enable", about).await.unwrap();
        spool.close().await;
    }
}

#[tokio::test]
async fn acts_are_listed_and_one_that_is_gone_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    acted(folder.path()).await;
    let (code, told) = spool(folder.path(), &["acts"]);
    assert_eq!((code, told.lines().count()), (Some(0), 2), "{told}");
    assert!(told.contains("alice  enable  crm  (it is back)"), "{told}");
    std::fs::remove_file(folder.path().join("000000000001.log")).unwrap();
    for verb in ["acts", "fsck"] {
        let (code, told) = spool(folder.path(), &[verb]);
        assert_eq!(code, Some(3), "{told}");
        assert!(told.contains("act 1 is missing"), "{told}");
    }
}
