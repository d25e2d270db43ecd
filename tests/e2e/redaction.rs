//! What a policy takes out is nowhere: not on the disk, not in a log, a metric or an answer, not in what is exported.

use crate::{bed, gate::Gate};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// In no name and no value that stays.
const CANARY: &str = "c4n4ry";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let inside = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    // The control socket is no file to be read.
    inside.filter(|path| path.is_file() || path.is_dir()).collect()
}

#[test]
fn what_is_redacted_is_nowhere() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let accepted = [
        r#"{"kept":"stays","email":"c4n4ry@shop.example"}"#,
        r#"{"kept":"stays","EMAIL":"\u0063\u0034n4ry","list":[{"\u0065mail":["c4n4ry"]},{"e\u006dail":{"x":"c4n4ry"}}]}"#,
        r#"{"kept":"stays","card":{"number":"c4n4ry","holder":"x"},"nested":{"card":{"number":{"c4n4ry":1}}}}"#,
        r#"{"kept":"stays","note":"c4n4ry and much more","c":[{"phone":"c4n4ry"},{"phone":"c4n4ry"}]}"#,
    ];
    let refused = [
        r#"{"email":"c4n4ry"}"#,
        r#"{"kept":7,"c4n4ry":"c4n4ry","email":"c4n4ry"}"#,
        r#"{"kept":"stays","c4n4ry":7}"#,
        r#"{"kept":"stays","email":"c4n4ry","email":"c4n4ry"}"#,
        r#"{"kept":"stays","email":"c4n4ry"#,
    ];
    let mut told = String::new();
    for (index, body) in accepted.iter().enumerate() {
        let answer = gate.deliver(
            "standard-webhooks",
            "/hooks/orders?token=c4n4ry",
            &format!("msg_in_{index}"),
            body.as_bytes(),
        );
        assert_eq!(answer.status, 202, "{body}: {}", answer.text());
        let (status, shown) = gate.cli(&["spool", "show", answer.json()["id"].as_str().unwrap(), "--spool", "spool"]);
        assert!(status.success() && shown.contains("stays"), "{shown}");
        told += &(answer.text() + &shown);
    }
    for (index, body) in refused.iter().enumerate() {
        let answer = gate.deliver("standard-webhooks", "/hooks/orders", &format!("msg_out_{index}"), body.as_bytes());
        assert!(matches!(answer.status, 400 | 422), "{body}: {}", answer.text());
        told += &answer.text();
    }
    told += &(gate.log() + &gate.metrics());
    for (code, place) in [("contract_broken", "/properties/kept/type"), ("malformed", "400")] {
        assert!(told.contains(code) && told.contains(place), "{told}");
    }
    let mut kept = 0;
    for file in files(&gate.path("spool")) {
        let bytes = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        kept += bytes.matches("stays").count();
        assert!(!bytes.contains(CANARY), "in {}", file.display());
        assert!(!bytes.contains(r"\u0063\u0034n"), "in {}", file.display());
    }
    assert!(kept >= accepted.len(), "events are where they were looked for");
    assert!(!told.contains(CANARY), "{told}");
}
