//! One connection: opened, encrypted, logged in. Whether it has ended since can be told without asking the server.

use super::{failure, tls};
use crate::{
    destination::PublishError,
    policy::{self, Server},
    secret::Secret,
};
use ::redis::{AsyncConnectionConfig, RedisConnectionInfo, aio::MultiplexedConnection};
use rustls::{ClientConfig, pki_types::ServerName};
use std::time::Instant;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// Until there is a connection, TLS and login included.
const CONNECT: Duration = Duration::from_secs(3);

/// Makes connections to one server.
pub(super) struct Connector {
    servers: Vec<Server>,
    tls: Option<Arc<ClientConfig>>,
    login: RedisConnectionInfo,
}

/// A connection in use.
pub(super) struct Live {
    pub(super) commands: MultiplexedConnection,
    /// Tells it from another one in its place.
    pub(super) number: usize,
    /// When the server was asked how it keeps things.
    pub(super) looked_at: Option<Instant>,
    /// Of an event; what is longer it answers by hanging up.
    pub(super) takes_bytes: u64,
    /// Ends when the connection does.
    driver: JoinSet<()>,
}

impl Live {
    pub(super) fn is_open(&mut self) -> bool {
        self.driver.try_join_next().is_none() && !self.driver.is_empty()
    }
}

impl Connector {
    pub(super) fn new(place: &policy::Redis, secret: Option<&Secret>) -> Result<Self, tls::BadAuthorities> {
        let broker = &place.broker;
        let tls = broker.servers.iter().any(|server| server.tls);
        let tls = tls.then(|| tls::config(broker.ca.as_deref())).transpose()?.map(Arc::new);
        let mut login = RedisConnectionInfo::default().set_db(place.database.into());
        if let Some(user) = &broker.user {
            login = login.set_username(user);
        }
        if let Some(secret) = secret {
            login = login.set_password(String::from_utf8_lossy(secret.expose()));
        }
        Ok(Self { servers: broker.servers.clone(), tls, login })
    }

    /// To the first server that can be reached.
    pub(super) async fn connect(&self, number: usize) -> Result<Live, PublishError> {
        let mut failed = failure::unreachable("there is no server");
        for server in &self.servers {
            match timeout(CONNECT, self.connect_to(server, number)).await {
                Ok(Ok(live)) => return Ok(live),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = failure::unreachable("no connection in time"),
            }
        }
        Err(failed)
    }

    async fn connect_to(&self, server: &Server, number: usize) -> Result<Live, PublishError> {
        let tcp = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(failure::unreachable)?;
        tcp.set_nodelay(true).map_err(failure::unreachable)?;
        match &self.tls {
            None => self.log_in(tcp, number).await,
            Some(config) => {
                let name = ServerName::try_from(server.host.clone()).map_err(failure::unreachable)?;
                let tls = TlsConnector::from(config.clone()).connect(name, tcp).await.map_err(failure::unreachable)?;
                self.log_in(tls, number).await
            }
        }
    }

    async fn log_in(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        number: usize,
    ) -> Result<Live, PublishError> {
        // Deadlines are those of the destination.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.login, stream, config).await;
        let (commands, work) = made.map_err(failure::before_sending)?;
        let mut driver = JoinSet::new();
        driver.spawn(work);
        Ok(Live { commands, number, looked_at: None, takes_bytes: u64::MAX, driver })
    }
}
