//! The way from the configuration to a connection.

use std::path::PathBuf;

use config::{ClientCertificate, Redis, RedisAddress, RedisServers, RedisTls, Secret};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo,
    FromRedisValue, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, TlsCertificates,
    cmd,
};

use crate::cluster::Cluster;
use crate::entry::Command;
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
    server: String,
    connection: MultiplexedConnection,
}

impl Connected {
    /// One command, and its answer.
    pub(crate) async fn query<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
    ) -> Result<T, PurgeError> {
        let answer = command.query_async(&mut self.connection).await;
        answer.map_err(|error| PurgeError::new(&self.server, &error))
    }

    /// Many commands that are answered with numbers.
    pub(crate) async fn ask(&mut self, commands: &Pipeline) -> Result<Vec<u64>, PurgeError> {
        let answers = commands.query_async(&mut self.connection).await;
        answers.map_err(|error| PurgeError::new(&self.server, &error))
    }

    pub(crate) async fn ping(&mut self) -> Result<(), PurgeError> {
        self.query::<String>(&cmd("PING")).await.map(drop)
    }
}

/// The servers to ask.
#[derive(Debug)]
pub(crate) enum Link {
    /// The one that holds all keys.
    One(Connected),
    /// Those that share them.
    Cluster(Cluster),
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct User<'a> {
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

    fn user(&self) -> User<'_> {
        let is_cluster = matches!(self.redis.servers, RedisServers::Cluster(_));
        User {
            name: self.redis.username.as_deref(),
            password: self.redis.password.as_ref(),
            // A cluster has one database.
            database: if is_cluster { 0 } else { self.redis.database },
        }
    }

    /// Connects to the server that holds the keys; sentinels and clusters are asked anew each time, for it may have
    /// changed.
    pub(crate) async fn connect(&self) -> Result<Link, PurgeError> {
        let user = self.user();
        match &self.redis.servers {
            RedisServers::Single(address) => Ok(Link::One(self.connect_to(address, user).await?)),
            RedisServers::Sentinels { master, sentinels, username, password } => {
                let asking =
                    User { name: username.as_deref(), password: password.as_ref(), database: 0 };
                let address = self.find(master, sentinels, asking).await?;
                Ok(Link::One(self.connect_to(&address, user).await?))
            }
            RedisServers::Cluster(seeds) => {
                Ok(Link::Cluster(Cluster::find(self, seeds, user).await?))
            }
        }
    }

    /// Whether all servers that are written to answer.
    pub(crate) async fn ping(&self, link: &mut Link) -> Result<(), PurgeError> {
        match link {
            Link::One(connected) => connected.ping().await,
            Link::Cluster(cluster) => cluster.ping(self, self.user()).await,
        }
    }

    /// Asks for many commands; the answers are in their order.
    pub(crate) async fn ask(
        &self,
        link: &mut Link,
        commands: &[Command],
    ) -> Result<Vec<u64>, PurgeError> {
        match link {
            Link::Cluster(cluster) => cluster.ask(self, commands, self.user()).await,
            Link::One(connected) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command.words.clone());
                }
                connected.ask(&pipeline).await
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
            match self.ask_sentinel(master, sentinel, user).await {
                Ok(Some(address)) => return Ok(address),
                Ok(None) => asked.push(format!("{sentinel} does not know it")),
                Err(error) => asked.push(error.to_string()),
            }
        }
        Err(PurgeError::NoMaster { master: master.to_owned(), asked })
    }

    async fn ask_sentinel(
        &self,
        master: &str,
        sentinel: &RedisAddress,
        user: User<'_>,
    ) -> Result<Option<RedisAddress>, PurgeError> {
        let mut connected = self.connect_to(sentinel, user).await?;
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(master);
        let answer: Option<(String, u16)> = connected.query(&question).await?;
        Ok(answer.map(|(host, port)| RedisAddress::Network { host, port }))
    }

    pub(crate) async fn connect_to(
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
