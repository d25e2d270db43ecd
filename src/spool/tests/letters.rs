//! Many dead letters at once.

use super::*;
use std::collections::BTreeMap;

/// A spool with these events, of which the first `dead` are dead letters; their sequences.
async fn with_letters(folder: &tempfile::TempDir, names: &[&str], dead: usize) -> (Spool, Vec<u64>) {
    let spool = open(folder);
    for name in names {
        assert!(is_new(&spool.accept(event(name)).await));
    }
    let claims = spool.claim("wordpress", names.len());
    for claim in claims.iter().take(dead) {
        spool
            .settle(claim.sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
            .await
            .unwrap();
    }
    (spool, claims.iter().map(|claim| claim.sequence).collect())
}

fn letters(of: &[u64]) -> Letters {
    Letters { by: "of route orders".to_owned(), of: BTreeMap::from([("wordpress".to_owned(), of.to_vec())]) }
}

#[tokio::test]
async fn many_are_put_back_or_given_up_in_one_act() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, all) = with_letters(&folder, &["a", "b", "c", "d"], 3).await;
    let (count, act) = spool.settle_letters(Fate::Retry, &letters(&all), OPS).await.unwrap().unwrap();
    assert_eq!(
        (count, &*act.what, &*act.about),
        (3, "retry", "3 dead letters of route orders"),
        "one waits, and is none"
    );
    assert_eq!(spool.stats().destinations[0].dead, 0);
    let claims = spool.claim("wordpress", 10);
    assert_eq!(claims.len(), 3, "they are due now");
    spool
        .settle(claims[0].sequence, "wordpress", Verdict::Dead { attempts: 3, reason: "status_500".into() })
        .await
        .unwrap();
    let (count, act) = spool.settle_letters(Fate::Drop, &letters(&all), OPS).await.unwrap().unwrap();
    assert_eq!((count, &*act.what, &*act.about), (1, "drop", "1 dead letter of route orders"));
    adds_up(&spool);
    let (spool, _) = reopened(spool, &folder).await;
    let stats = spool.stats().destinations;
    assert_eq!((stats[0].dropped, stats[0].dead, stats[0].pending), (1, 0, 3));
    let view = view::view(spool.folder(), &mut |_, _| ()).unwrap();
    assert_eq!((view.acts.len(), view.breaks.len()), (2, 0));
}

#[tokio::test]
async fn what_is_no_dead_letter_any_more_is_left_alone_and_told_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, all) = with_letters(&folder, &["a"], 0).await;
    for nothing in [letters(&all), letters(&[all[0] + 7]), Letters::default()] {
        assert!(spool.settle_letters(Fate::Drop, &nothing, OPS).await.unwrap().is_none(), "{nothing:?}");
    }
    assert!(view::view(spool.folder(), &mut |_, _| ()).unwrap().acts.is_empty());
}

#[tokio::test]
async fn one_act_is_about_a_bounded_number() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, all) = with_letters(&folder, &["a"], 1).await;
    let many = letters(&vec![all[0]; LETTERS_MAX + 1]);
    assert!(spool.settle_letters(Fate::Drop, &many, OPS).await.is_err());
    assert_eq!(spool.stats().destinations[0].dead, 1, "nothing has changed");
}
