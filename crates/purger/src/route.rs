//! The way from the configuration to a connection.

use config::{Redis, RedisAddress, RedisServers};
use redis::{Pipeline, cmd};

use crate::cluster::Cluster;
use crate::connect::{Connected, Connector, User};
use crate::entry::Command;
use crate::{Limits, PurgeError};

/// The way to the server that holds the keys.
#[derive(Debug)]
pub(crate) struct Route {
    redis: Redis,
    connector: Connector,
}

/// The servers to ask.
#[derive(Debug)]
pub(crate) enum Link {
    /// The one that holds all keys.
    One(Connected),
    /// Those that share them.
    Cluster(Cluster),
}

impl Route {
    pub(crate) fn new(redis: &Redis, limits: Limits) -> Self {
        let limits = limits.no_shorter_than(redis.timeouts);
        let connector = Connector { tls: redis.tls.clone(), limits };
        Self { redis: redis.clone(), connector }
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.connector.limits
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
            RedisServers::Single(address) => {
                Ok(Link::One(self.connector.connect_to(address, user).await?))
            }
            RedisServers::Sentinels { master, sentinels, username, password } => {
                let asking =
                    User { name: username.as_deref(), password: password.as_ref(), database: 0 };
                let address = self.find(master, sentinels, asking).await?;
                Ok(Link::One(self.connector.connect_to(&address, user).await?))
            }
            RedisServers::Cluster(seeds) => {
                Ok(Link::Cluster(Cluster::find(&self.connector, seeds, user).await?))
            }
        }
    }

    /// Whether all servers that are written to answer.
    pub(crate) async fn ping(&self, link: &mut Link) -> Result<(), PurgeError> {
        match link {
            Link::One(connected) => connected.ping().await,
            Link::Cluster(cluster) => cluster.ping(&self.connector, self.user()).await,
        }
    }

    /// Asks for many commands; the answers are in their order.
    pub(crate) async fn ask(
        &self,
        link: &mut Link,
        commands: &[Command],
    ) -> Result<Vec<u64>, PurgeError> {
        match link {
            Link::Cluster(cluster) => cluster.ask(&self.connector, commands, self.user()).await,
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
        let mut connected = self.connector.connect_to(sentinel, user).await?;
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(master);
        let answer: Option<(String, u16)> = connected.query(&question).await?;
        Ok(answer.map(|(host, port)| RedisAddress::Network { host, port }))
    }
}
