//! Against an origin of bytes, and leases that tell what became of them.

use super::*;
use crate::{
    clock::Timestamp,
    edge::{Observer, Report, TurnedAway, install_crypto},
    event::Arrival,
    ledger::Known,
    policy::Policy,
    repeat::{Fingerprint, Remembered},
    secret::Secret,
    verify::Keys,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Mutex, time::Instant as StdInstant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One lease at a time, and no memory: `Again` is what a test says.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    held: bool,
    done: Option<Success>,
    settled: Vec<Settled>,
    settling_fails: bool,
}

impl Leases for Book {
    async fn lease(&self, keys: &RepeatKeys, _: Duration) -> Result<Leased, Fault> {
        loop {
            {
                let mut page = self.0.lock().unwrap();
                if page.done.is_some() {
                    return Ok(Leased::Again(Known { changed: None, success: page.done }));
                }
                if !page.held {
                    page.held = true;
                    return Ok(Leased::Held(Lease { keys: *keys, fence: 1 }));
                }
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn settle(&self, _: Lease, settled: Settled) -> Result<(), Fault> {
        let mut page = self.0.lock().unwrap();
        page.held = false;
        if let Settled::Done(success) = settled {
            page.done = Some(success);
        }
        page.settled.push(settled);
        if page.settling_fails { Err(Fault::LedgerFull) } else { Ok(()) }
    }
}

fn done(code: u16) -> Settled {
    Settled::Done(Success::of(StatusCode::from_u16(code).unwrap()).unwrap())
}

impl Book {
    fn settled(&self) -> Vec<Settled> {
        self.0.lock().unwrap().settled.clone()
    }
}

#[derive(Default)]
struct Ears(Mutex<usize>);

impl Observer for Ears {
    fn finished(&self, _: &Report) {}
    fn turned_away(&self, _: TurnedAway, _: IpAddr) {}
    fn alarm(&self, _: &Alarm) {
        *self.0.lock().unwrap() += 1;
    }
}

struct House {
    relay: Arc<Relay<Book>>,
    origin: Arc<Origin>,
    book: Book,
    ears: Arc<Ears>,
    busy: mpsc::Receiver<()>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// An origin that reads, waits and says; an empty answer is a reset. `None`: nobody listens.
async fn house(answer: Option<&'static str>, delay_ms: u64, places: usize) -> House {
    install_crypto().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::<Mutex<Vec<String>>>::default();
    if let Some(answer) = answer {
        let requests = requests.clone();
        spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let requests = requests.clone();
                spawn(async move {
                    let mut bytes = vec![0; 4096];
                    while let Ok(n @ 1..) = tcp.read(&mut bytes).await {
                        requests.lock().unwrap().push(String::from_utf8_lossy(&bytes[..n]).into_owned());
                        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                        if answer.is_empty() {
                            return tcp.set_zero_linger().unwrap();
                        }
                        tcp.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
    }
    // One authority, so that the connector does not load the system's.
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::new(["ca.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();

    let (tell, busy) = mpsc::channel(1);
    let (book, ears) = (Book::default(), Arc::new(Ears::default()));
    let relay = Relay {
        engine: book.clone(),
        outbound: PingoraOutbound::new(8, Some(ca_file.to_str().unwrap().to_owned())),
        desk: Desk::new(ears.clone()),
        busy: tell,
    };
    let origin =
        crate::policy::Origin { concurrency: places, ..crate::policy::Origin::new(&format!("http://{address}")) };
    let origin = Arc::new(Origin::new(&origin).unwrap());
    House { relay: Arc::new(relay), origin, book, ears, busy, requests }
}

impl House {
    fn errand(&self, patience_ms: u64) -> Errand<Book> {
        let mut head = RequestHeader::build("POST", b"/?wc-api=x", None).unwrap();
        head.insert_header("host", "shop.test").unwrap();
        let deadline = Instant::now() + Duration::from_millis(patience_ms);
        let policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
        let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::new());
        let arrival = Arrival { at: Timestamp::default(), request_id: "request".into() };
        let escort = Escort { policy: Arc::new(policy), keys: Arc::new(keys), arrival };
        Errand { relay: self.relay.clone(), origin: self.origin.clone(), escort, head, deadline }
    }
}

fn keys() -> RepeatKeys {
    let event = Remembered { key: Fingerprint::from_bytes([7; 16]), remember: Duration::from_secs(1) };
    RepeatKeys { event: Some(event), ..RepeatKeys::default() }
}

async fn run(errand: &Errand<Book>) -> Result<Relayed<OriginAnswer>, Fault> {
    errand.run(&keys(), errand.head.clone(), Bytes::from_static(b"{}"), true).await
}

async fn status(relayed: Result<Relayed<OriginAnswer>, Fault>) -> u16 {
    let Ok(Relayed::Answered(answer)) = relayed else { panic!("no answer") };
    answer.streaming.take(1000).await.unwrap().0.status.as_u16()
}

#[tokio::test]
async fn the_lease_hears_every_answer_before_the_sender_does() {
    for (answer, expected, settled) in [
        (OK, 200, done(200)),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, done(204)),
        ("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", 400, Settled::Released),
        ("HTTP/1.1 498 No\r\nContent-Length: 0\r\n\r\n", 498, Settled::Released),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, Settled::Released),
    ] {
        let house = house(Some(answer), 0, 4).await;
        let relayed = run(&house.errand(5000)).await;
        assert_eq!(house.book.settled(), [settled], "{answer}");
        assert_eq!(status(relayed).await, expected);
        let requests = house.requests.lock().unwrap().clone();
        assert!(requests.len() == 1 && requests[0].ends_with("\r\n\r\n{}"), "{requests:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_forgotten() {
    let house = house(Some("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), 0, 4).await;
    assert!(matches!(run(&house.errand(5000)).await, Err(Fault::OriginRedirected)));
    assert_eq!(house.book.settled(), [Settled::Released]);
}

#[tokio::test]
async fn what_was_not_sent_is_forgotten_and_what_is_unknown_is_held() {
    let away = house(None, 0, 4).await;
    assert!(matches!(run(&away.errand(5000)).await, Err(Fault::OriginUnreachable(_))));
    assert_eq!(away.book.settled(), [Settled::Released]);

    let resets = house(Some(""), 0, 4).await;
    assert!(matches!(run(&resets.errand(5000)).await, Err(Fault::OriginUnknown(_))));
    assert_eq!(resets.book.settled(), []);
    assert_eq!(resets.requests.lock().unwrap().len(), 1, "never sent twice");
    assert!(matches!(run(&resets.errand(50)).await, Err(Fault::TooLate)), "the retry waits for the lease");
    assert_eq!(resets.requests.lock().unwrap().len(), 1);
}

/// CONTRACT section 3: 504 in time, and the retry hears the origin's 2xx without a second order.
#[tokio::test]
async fn a_late_answer_is_a_result_for_the_lease_and_for_the_retry() {
    let mut house = house(Some(OK), 400, 4).await;
    let began = StdInstant::now();
    assert!(matches!(run(&house.errand(100)).await, Err(Fault::OriginUnknown(_))));
    assert!(began.elapsed() < Duration::from_millis(350), "{:?}", began.elapsed());
    assert_eq!(house.book.settled(), [], "not settled yet");
    assert!(matches!(run(&house.errand(5000)).await, Ok(Relayed::Again(_))));
    assert_eq!(house.book.settled(), [done(200)]);
    assert_eq!(house.requests.lock().unwrap().len(), 1);
    drop(house.relay);
    assert_eq!(house.busy.recv().await, None, "nothing works any more");
}

#[tokio::test]
async fn a_sender_that_leaves_does_not_stop_the_call() {
    let house = house(Some(OK), 100, 4).await;
    let errand = house.errand(5000);
    let left = timeout(Duration::from_millis(30), run(&errand)).await;
    assert!(left.is_err());
    while house.book.settled().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(house.book.settled(), [done(200)]);
}

#[tokio::test]
async fn a_full_house_is_busy_and_forgets() {
    let house = house(Some(OK), 0, 0).await;
    assert!(matches!(run(&house.errand(400)).await, Err(Fault::OriginBusy)));
    assert_eq!(house.book.settled(), [Settled::Released]);
    assert!(house.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_cannot_be_remembered_is_passed_on_with_an_alarm() {
    let house = house(Some(OK), 0, 4).await;
    house.book.0.lock().unwrap().settling_fails = true;
    assert_eq!(status(run(&house.errand(5000)).await).await, 200);
    assert_eq!(*house.ears.0.lock().unwrap(), 1);
}
