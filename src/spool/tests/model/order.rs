//! Order keys over what happens to segments.

use super::*;

/// An event that died and was put back is carried behind a younger one of its order key: after a restart it is as new, and the
/// younger one has been tried.
#[test]
fn an_older_event_that_was_carried_behind_a_younger_one_still_goes_first() {
    let mut bed = Bed::new();
    let accept = |kib, order| Step::Accept { to: 2, kib, remember_s: 1000, keep_s: 0, order };
    bed.take(accept(1, 7));
    bed.take(accept(40, 0));
    assert_eq!(bed.claim("wordpress", 9, Instant::now()), [1, 2]);
    bed.take(Step::Settle { back: 0, to: 1, verdict: 0 });
    bed.writer().roll().unwrap();
    bed.take(accept(1, 7));
    let younger = *bed.all.last().unwrap();
    bed.take(Step::Settle { back: 2, to: 1, verdict: 4 });
    assert_eq!(bed.claim("wordpress", 9, Instant::now()), [younger], "a dead letter lets the next one go");
    bed.take(Step::Tried { back: 0, to: 1, hours: 1 });
    bed.take(Step::Settle { back: 2, to: 1, verdict: 5 });
    bed.writer().roll().unwrap();
    assert!(bed.writer().collect(true));
    assert_eq!(bed.shared().segments().numbers(), [2, 3], "the first has gone, and the event lies in the third");
    bed.restart(true);
    bed.check();
    let later = Instant::now() + HOUR * 2;
    assert_eq!(bed.claim("wordpress", 9, later), [1]);
    bed.take(Step::Settle { back: 2, to: 1, verdict: 0 });
    assert_eq!(bed.claim("wordpress", 9, later), [younger]);
}
