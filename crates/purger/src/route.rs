//! The way from the configuration to a connection.

use std::path::PathBuf;

use config::{ClientCertificate, Redis, RedisAddress, RedisServers, RedisTls, Secret};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates, cmd,
};

use crate::{Limits, PurgeError};

/// The way to the server that holds the keys.
#[derive(Debug)]
pub(crate) struct Route {
    redis: Redis,
    limits: Limits,
}

/// A connection, and the server that it leads to.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) server: String,
    pub(crate) connection: MultiplexedConnection,
}

/// Who asks.
#[derive(Clone, Copy)]
struct User<'a> {
    name: Option<&'a str>,
    password: Option<&'a Secret>,
    database: u32,
}

impl Route {
    pub(crate) fn new(redis: &Redis, limits: Limits) -> Self {
        Self { redis: redis.clone(), limits: limits.no_shorter_than(redis.timeouts) }
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Connects to the server that holds the keys; sentinels are asked anew each time, for it may have changed.
    pub(crate) async fn connect(&self) -> Result<Connected, PurgeError> {
        let user = User {
            name: self.redis.username.as_deref(),
            password: self.redis.password.as_ref(),
            database: self.redis.database,
        };
        match &self.redis.servers {
            RedisServers::Single(address) => self.connect_to(address, user).await,
            RedisServers::Sentinels { master, sentinels, username, password } => {
                let asking =
                    User { name: username.as_deref(), password: password.as_ref(), database: 0 };
                let address = self.find(master, sentinels, asking).await?;
                self.connect_to(&address, user).await
            }
            RedisServers::Cluster(servers) => {
                let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
                Err(PurgeError::Cluster { servers: servers.join(", ") })
            }
        }
    }

    /// Asks one sentinel after the other until one knows.
    async fn find(
        &self,
        master: &str,
        sentinels: &[RedisAddress],
        user: User<'_>,
    ) -> Result<RedisAddress, PurgeError> {
        let mut asked = Vec::new();
        for sentinel in sentinels {
            match self.ask(master, sentinel, user).await {
                Ok(Some(address)) => return Ok(address),
                Ok(None) => asked.push(format!("{sentinel} does not know it")),
                Err(error) => asked.push(error.to_string()),
            }
        }
        Err(PurgeError::NoMaster { master: master.to_owned(), asked })
    }

    async fn ask(
        &self,
        master: &str,
        sentinel: &RedisAddress,
        user: User<'_>,
    ) -> Result<Option<RedisAddress>, PurgeError> {
        let mut connected = self.connect_to(sentinel, user).await?;
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(master);
        let answer: Result<Option<(String, u16)>, RedisError> =
            question.query_async(&mut connected.connection).await;
        let answer = answer.map_err(|error| PurgeError::new(&connected.server, &error))?;
        Ok(answer.map(|(host, port)| RedisAddress::Network { host, port }))
    }

    async fn connect_to(
        &self,
        address: &RedisAddress,
        user: User<'_>,
    ) -> Result<Connected, PurgeError> {
        let server = address.to_string();
        let wrong = |error: RedisError| PurgeError::new(&server, &error);
        let info = self.info(address, user).map_err(wrong)?;
        let client = match &self.redis.tls {
            Some(tls) if is_on_the_network(address) => {
                choose_cryptography();
                let certificates = certificates(tls)?;
                Client::build_with_tls(info, certificates).map_err(|error| PurgeError::Tls {
                    server: server.clone(),
                    message: error.to_string(),
                })?
            }
            Some(_) | None => Client::open(info).map_err(wrong)?,
        };
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.limits.connect))
            .set_response_timeout(Some(self.limits.answer));
        let connection = client.get_multiplexed_async_connection_with_config(&limits).await;
        let connection = connection.map_err(wrong)?;
        Ok(Connected { server, connection })
    }

    fn info(&self, address: &RedisAddress, user: User<'_>) -> Result<ConnectionInfo, RedisError> {
        let place = match address.clone() {
            RedisAddress::Socket(path) => ConnectionAddr::Unix(path.into()),
            RedisAddress::Network { host, port } if self.redis.tls.is_some() => {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            }
            RedisAddress::Network { host, port } => ConnectionAddr::Tcp(host, port),
        };
        Ok(place.into_connection_info()?.set_redis_settings(settings(user)))
    }
}

fn is_on_the_network(address: &RedisAddress) -> bool {
    matches!(address, RedisAddress::Network { .. })
}

fn settings(user: User<'_>) -> RedisConnectionInfo {
    let settings = RedisConnectionInfo::default().set_db(user.database.into());
    let settings = settings.set_skip_set_lib_name();
    let settings = match user.name {
        Some(name) => settings.set_username(name),
        None => settings,
    };
    match user.password {
        Some(password) => settings.set_password(password.expose()),
        None => settings,
    }
}

/// The client asks rustls for the process's own choice and panics where there is none.
fn choose_cryptography() {
    // An error says that it is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Read anew for each connection: certificates are replaced while programs run.
fn certificates(tls: &RedisTls) -> Result<TlsCertificates, PurgeError> {
    let client_tls = match &tls.client {
        Some(ClientCertificate { certificate, key }) => {
            Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
        }
        None => None,
    };
    let roots: Vec<Vec<u8>> = tls.root_certificates.iter().map(read).collect::<Result<_, _>>()?;
    let root_cert = (!roots.is_empty()).then(|| roots.join(&b'\n'));
    Ok(TlsCertificates { client_tls, root_cert })
}

fn read(path: impl Into<PathBuf>) -> Result<Vec<u8>, PurgeError> {
    let path = path.into();
    std::fs::read(&path).map_err(|source| PurgeError::File { path, source })
}
