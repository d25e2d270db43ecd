//! From text to settings.

use super::{EdgeLimits, Listener, Origin, Settings, Spool};
use crate::{
    json::{Kind, Node},
    policy::{
        Overrides,
        notes::Notes,
        text::{AddressText, AdminText, EdgeText, ListenerText, NetworkText, OriginText, SpoolText, UrlText},
        units::{FlowText, SizeText, TimeText, written_size},
        url::{self, Shape},
    },
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// Where the gate listens, and where it looks for WordPress, unless the policy or the command line says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
const UPSTREAM: &str = "http://127.0.0.1:8080";

pub(in crate::policy) fn settings(overrides: &Overrides, notes: &mut Notes<'_>) -> Settings {
    let public_url = notes.find("/public_url").and_then(|node| {
        let UrlText(text) = notes.decode(node)?;
        url::read(&text, Shape::Site).map_err(|why| notes.wrong(Some(node), why)).ok()
    });
    let admin = overrides.admin.or_else(|| {
        let text: AdminText = notes.section("/admin");
        let AddressText(on) = text.on?;
        address(&on, notes.find("/admin/on"), notes)
    });
    let settings = Settings::new(LISTEN, UPSTREAM);
    let settings = Settings {
        public_url,
        listeners: listeners(overrides, notes),
        origin: origin(overrides, notes),
        trusted_proxies: trusted_proxies(notes),
        spool: spool(overrides, notes),
        admin: admin.unwrap_or(settings.admin),
        limits: limits(notes),
    };
    if settings.listeners.iter().any(|listener| meet(listener.on, settings.admin)) {
        let message =
            format!("`{}` is the address of a listener and of `admin`; give one of them another port", settings.admin);
        let place = notes.find("/admin/on").or_else(|| notes.find("/listeners"));
        notes.wrong(place, message);
    }
    let origin = origin_address(&settings.origin.url);
    if settings.listeners.iter().any(|listener| origin.is_some_and(|origin| meet(listener.on, origin))) {
        let place = notes.find("/origin/url").or_else(|| notes.find("/listeners"));
        let message =
            "this is a listener of this gate, which would ask itself without end; write where WordPress listens";
        notes.wrong(place, message);
    }
    settings
}

/// Where the origin is, if its URL says so without a look-up.
fn origin_address(url: &str) -> Option<SocketAddr> {
    let (scheme, authority) = url.split_once("://")?;
    let authority = authority.replace("localhost", "127.0.0.1");
    let port = if scheme == "https" { 443 } else { 80 };
    let ip = || authority.trim_matches(['[', ']']).parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, port));
    authority.parse().ok().or_else(ip).filter(|address: &SocketAddr| address.ip().is_loopback())
}

fn listeners(overrides: &Overrides, notes: &mut Notes<'_>) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    let none = |list: &&Node| matches!(&list.kind, Kind::Array(items) if items.is_empty());
    let written = (0..).map_while(|index| notes.find(&format!("/listeners/{index}"))).collect::<Vec<_>>();
    for node in &written {
        let Some(text) = notes.decode::<ListenerText>(node) else { continue };
        let Some(on) = address(&text.on.0, node.find("/on"), notes) else { continue };
        if let Some(other) = listeners.iter().find(|other| meet(other.on, on)) {
            let message =
                format!("another listener has `{}`, and with it this address; take one of them out", other.on);
            notes.wrong(node.find("/on"), message);
        }
        if text.http2 && text.tls.is_none() {
            let message =
                "browsers and senders speak HTTP/2 over TLS only; write `tls: { certificate: ... }`, or leave this out";
            notes.wrong(node.find("/http2"), message);
        }
        let tls = text.tls.map(|tls| vec![PathBuf::from(tls.certificate)]);
        if let Some(empty) = node.find("/tls/certificate").filter(|path| path.text() == Some("")) {
            notes.wrong(Some(empty), "write the file that holds chain and key, such as `/etc/hookwarden/tls/shop.pem`");
        }
        if let Some(nobody) = node.find("/proxy_protocol").filter(|list| none(list)) {
            let message = "nobody may open a connection with a preamble; name the networks of your load balancers, or leave this out";
            notes.wrong_form(nobody, message);
        }
        let proxy_protocol = networks(&text.proxy_protocol.unwrap_or_default(), node.find("/proxy_protocol"), notes);
        listeners.push(Listener { on, tls, http2: text.http2, proxy_protocol });
    }
    if let Some(empty) = notes.find("/listeners").filter(none) {
        notes.wrong_form(
            empty,
            "there is nothing to listen on; write `- { on: \"127.0.0.1:8000\" }`, or leave `listeners` out",
        );
    }
    let plain = |on| Listener { on, tls: None, http2: false, proxy_protocol: Vec::new() };
    if !overrides.listen.is_empty() {
        return overrides.listen.iter().copied().map(plain).collect();
    }
    if listeners.is_empty() { vec![plain(LISTEN)] } else { listeners }
}

/// Whether one of the two could not be bound. Port 0 is always another one.
fn meet(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap =
        a.ip() == b.ip() || (a.is_ipv4() == b.is_ipv4() && (a.ip().is_unspecified() || b.ip().is_unspecified()));
    a.port() == b.port() && a.port() != 0 && overlap
}

fn origin(overrides: &Overrides, notes: &mut Notes<'_>) -> Origin {
    let text: OriginText = notes.section("/origin");
    let written = text.url.and_then(|UrlText(text)| {
        url::read(&text, Shape::Origin).map_err(|why| notes.wrong(notes.find("/origin/url"), why)).ok()
    });
    let ordered = overrides.upstream.as_ref().and_then(|text| {
        let told = |why| notes.wrong(None, format!("`--upstream`: {why}"));
        url::read(text, Shape::Origin).map_err(told).ok()
    });
    let Origin { url, concurrency, websocket, first_byte } = Origin::new(UPSTREAM);
    Origin {
        url: ordered.or(written).unwrap_or(url),
        concurrency: text.concurrency.unwrap_or(concurrency),
        websocket: text.websocket.unwrap_or(websocket),
        first_byte: text.first_byte.map_or(first_byte, |TimeText(time)| time),
    }
}

fn trusted_proxies(notes: &mut Notes<'_>) -> Vec<IpNet> {
    let Some(node) = notes.find("/trusted_proxies") else { return Vec::new() };
    let written: Vec<NetworkText> = notes.decode(node).unwrap_or_default();
    networks(&written, Some(node), notes)
}

/// Networks whose word is believed; a whole address family of them believes everybody.
fn networks(written: &[NetworkText], list: Option<&Node>, notes: &mut Notes<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (index, NetworkText(text)) in written.iter().enumerate() {
        let node = list.and_then(|list| list.find(&format!("/{index}")));
        let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match parsed {
            None => {
                notes.wrong(node, format!("cannot read `{text}`; write something such as `10.0.0.0/8` or `192.0.2.7`"));
            }
            Some(network) if network.prefix_len() == 0 => {
                notes.wrong(node, "everybody could say whose request this is; name the networks of your own proxies");
            }
            Some(network) if network.trunc() != network => {
                notes.wrong(node, format!("`{text}` is an address in a network; write `{}`", network.trunc()));
            }
            Some(network) => networks.push(network),
        }
    }
    networks
}

fn address(text: &str, node: Option<&Node>, notes: &mut Notes<'_>) -> Option<SocketAddr> {
    let zeros = text.rsplit(':').next().is_some_and(|port| port.len() > 1 && port.starts_with('0'));
    let parsed = text.parse().ok().filter(|_| !zeros);
    if parsed.is_none() {
        notes.wrong(
            node,
            format!("cannot read `{text}`; write address and port, such as `127.0.0.1:8000` or `[::]:443`"),
        );
    }
    parsed
}

fn spool(overrides: &Overrides, notes: &mut Notes<'_>) -> Spool {
    let text: SpoolText = notes.section("/spool");
    let Spool { folder, bytes, free } = Spool::default();
    if text.folder.as_deref() == Some("") {
        notes.wrong(notes.find("/spool/folder"), "write the folder's path, such as `/var/lib/hookwarden`");
    }
    if text.folder.as_deref().is_some_and(|folder| folder.starts_with('~')) {
        let message =
            "nobody puts a home in the place of `~` here; write the whole path, such as `/var/lib/hookwarden`";
        notes.wrong(notes.find("/spool/folder"), message);
    }
    let bytes = text.bytes.map_or(bytes, |SizeText(bytes)| bytes);
    if bytes < SPOOL_MIN_BYTES {
        let message = format!("too little to queue in; write `{}` at least", written_size(SPOOL_MIN_BYTES));
        notes.wrong(notes.find("/spool/bytes"), message);
    }
    Spool {
        folder: overrides.spool.clone().unwrap_or_else(|| text.folder.map_or(folder, PathBuf::from)),
        bytes,
        free: text.free.map_or(free, |SizeText(free)| free),
    }
}

/// Some segments, so that there is always one to write to while an older one is being emptied.
const SPOOL_MIN_BYTES: u64 = 16 << 20;

fn limits(notes: &mut Notes<'_>) -> EdgeLimits {
    let text: EdgeText = notes.section("/edge");
    let defaults = EdgeLimits::default();
    let time = |text: Option<TimeText>, default| text.map_or(default, |TimeText(time)| time);
    let size = |text: Option<SizeText>, default| {
        text.map_or(default, |SizeText(bytes)| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    let limits = EdgeLimits {
        header: time(text.header, defaults.header),
        body_idle: time(text.body_idle, defaults.body_idle),
        body_rate_bytes_per_s: text.body_rate.map_or(defaults.body_rate_bytes_per_s, |FlowText(bytes)| bytes),
        keepalive: time(text.keepalive, defaults.keepalive),
        handshake: time(text.handshake, defaults.handshake),
        head_bytes: size(text.head, defaults.head_bytes),
        target_bytes: size(text.target, defaults.target_bytes),
        fields: text.fields.unwrap_or(defaults.fields),
        field_bytes: size(text.field, defaults.field_bytes),
        connections: text.connections.unwrap_or(defaults.connections),
        connections_per_address: text.connections_per_address.unwrap_or(defaults.connections_per_address),
        bodies_bytes: size(text.bodies, defaults.bodies_bytes),
        answer_idle: time(text.answer_idle, defaults.answer_idle),
        answers_bytes: size(text.answers, defaults.answers_bytes),
        drain: time(text.drain, defaults.drain),
    };
    for (key, part) in [("target", limits.target_bytes), ("field", limits.field_bytes)] {
        if part > limits.head_bytes {
            let place = notes.find(&format!("/edge/{key}")).or_else(|| notes.find("/edge/head"));
            let head = written_size(limits.head_bytes as u64);
            notes.wrong(place, format!("`{key}` is a part of `head`; write `{head}` at most, or raise `head`"));
        }
    }
    limits
}
