//! Connections to one server: address, TLS, who asks, and for how long.

use std::path::PathBuf;

use config::{ClientCertificate, RedisAddress, RedisTls, Secret};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo,
    FromRedisValue, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, TlsCertificates,
    cmd,
};

use crate::{Limits, PurgeError};

/// How all servers are connected to.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) tls: Option<RedisTls>,
    pub(crate) limits: Limits,
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

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct User<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) password: Option<&'a Secret>,
    pub(crate) database: u32,
}

impl Connector {
    pub(crate) async fn connect_to(
        &self,
        address: &RedisAddress,
        user: User<'_>,
    ) -> Result<Connected, PurgeError> {
        let server = address.to_string();
        let wrong = |error: RedisError| PurgeError::new(&server, &error);
        let info = self.info(address, user).map_err(wrong)?;
        let client = match &self.tls {
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
            RedisAddress::Network { host, port } if self.tls.is_some() => {
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
