//! A footer repeats what its segment says: without it, and with any part of it damaged, the same is found.

use super::*;
use crate::spool::{
    format::{FOOTER_TAIL_BYTES, footer_start},
    read,
};

/// A folder with one sealed segment that holds something of each kind; and where its footer starts.
async fn sealed(folder: &tempfile::TempDir) -> (PathBuf, u64) {
    let spool = open(folder);
    for name in ["a", "b", "c"] {
        assert!(is_new(&spool.accept(event(name)).await));
    }
    let claims = spool.claim("wordpress", 3);
    spool.settle(claims[0].sequence, "wordpress", Verdict::Delivered).await.unwrap();
    spool
        .settle(claims[1].sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
        .await
        .unwrap();
    spool.tried(claims[2], "wordpress", HOUR, "status_500");
    let Ok(Leased::Held(lease)) = spool.lease(&keys("relayed", 1), HOUR).await else { panic!("nobody has it") };
    Leases::settle(&spool, lease, done()).await.unwrap();
    spool.close().await;
    let path = spool.folder().join("000000000001.log");
    let bytes = std::fs::read(&path).unwrap();
    let at = footer_start(&bytes[bytes.len() - FOOTER_TAIL_BYTES..], bytes.len() as u64).expect("it has a footer");
    (path, at)
}

/// What this segment says; and whether its footer was believed.
fn told(path: &std::path::Path, valid: Option<u64>) -> (Vec<format::Summary>, bool) {
    let folder = Folder::existing(path.parent().unwrap());
    let told = read::summaries(&folder, 1, 0, valid).unwrap();
    assert_eq!(told.damaged, 0);
    (told.summaries, told.is_sealed)
}

#[tokio::test]
async fn a_footer_says_what_its_segment_says() {
    let folder = tempfile::tempdir().unwrap();
    let (path, at) = sealed(&folder).await;
    let (by_footer, believed) = told(&path, None);
    assert!(believed);
    assert_eq!(by_footer.len(), 8, "three events, two settled, two tried, one relayed");
    assert_eq!(told(&path, Some(at)), (by_footer.clone(), true));
    assert!(!told(&path, Some(at - 8)).1, "a footer for more than is valid is not believed");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(at).unwrap();
    assert_eq!(told(&path, None), (by_footer, false));
}

/// Killed while it is written, or cut by a power failure: it is not synced.
#[tokio::test]
async fn a_footer_that_is_cut_short_costs_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    let (path, at) = sealed(&folder).await;
    let (expected, _) = told(&path, None);
    let size = std::fs::metadata(&path).unwrap().len();
    for length in (at..size).rev() {
        std::fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        assert_eq!(told(&path, None), (expected.clone(), false), "{length} of {size} bytes");
        assert_eq!(told(&path, Some(at)), (expected.clone(), false), "{length} of {size} bytes");
    }
}

#[tokio::test]
async fn a_footer_with_any_byte_changed_costs_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    let (path, at) = sealed(&folder).await;
    let (expected, _) = told(&path, None);
    let whole = std::fs::read(&path).unwrap();
    for byte in usize::try_from(at).unwrap()..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        let (found, believed) = told(&path, Some(at));
        assert_eq!(found, expected, "byte {byte}");
        // Four bytes of a record's head are zero and mean nothing.
        assert!(!believed || byte < usize::try_from(at).unwrap() + 32, "byte {byte}");
    }
}

#[tokio::test]
async fn recovery_reads_no_payload_where_a_footer_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = sealed(&folder).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let seen = view::view(&settings(&folder).folder, &mut |_, _| ()).unwrap();
    let dead = seen.events.iter().find(|seen| seen.record.id == event("c").record().id).unwrap();
    // Behind the record's head of 32 bytes.
    bytes[usize::try_from(dead.lies.at).unwrap() + 40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (spool, found) = Spool::open(settings(&folder), Arc::new(SystemClock)).unwrap();
    assert_eq!((found.pending, found.corrupt), (2, 0), "it was not looked at");
    let dead = spool.shared.index().tagged(format::tag(&event("c").record().id))[0];
    assert!(spool.read(dead).is_err(), "and is never delivered");
    assert_eq!(spool.stats().corrupt, 1);
}
