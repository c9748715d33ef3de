//! A cluster: several servers between which the keys are divided.
//!
//! Source: redis, "Redis cluster specification": 16,384 slots, a key's is the CRC16 (XMODEM) of its hash tag.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use config::RedisAddress;
use redis::{Pipeline, Value, cmd};

use crate::PurgeError;
use crate::connect::{Connected, Connector, User};
use crate::entry::Command;

/// The servers that keys are written to, and the connections that were needed so far.
#[derive(Debug)]
pub(crate) struct Cluster {
    shares: Vec<Share>,
    connections: BTreeMap<String, Connected>,
}

/// What one server holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Share {
    slots: RangeInclusive<u16>,
    address: RedisAddress,
}

impl Cluster {
    /// Asks one server after the other until one tells how the keys are divided.
    pub(crate) async fn find(
        connector: &Connector,
        seeds: &[RedisAddress],
        user: User<'_>,
    ) -> Result<Self, PurgeError> {
        let mut asked = Vec::new();
        for seed in seeds {
            match shares(connector, seed, user).await {
                Ok(shares) if shares.is_empty() => asked.push(format!("{seed} knows of no slots")),
                Ok(shares) => return Ok(Self { shares, connections: BTreeMap::new() }),
                Err(error) => asked.push(error.to_string()),
            }
        }
        Err(PurgeError::NoSlots { asked })
    }

    /// Whether every server that keys are written to answers.
    pub(crate) async fn ping(
        &mut self,
        connector: &Connector,
        user: User<'_>,
    ) -> Result<(), PurgeError> {
        for share in self.shares.clone() {
            self.connection(connector, &share.address, user).await?.ping().await?;
        }
        Ok(())
    }

    /// Sends each command to the server of its key; the answers are in the order of the commands.
    pub(crate) async fn ask(
        &mut self,
        connector: &Connector,
        commands: &[Command],
        user: User<'_>,
    ) -> Result<Vec<u64>, PurgeError> {
        let mut answers = vec![0; commands.len()];
        for (share, places) in self.sorted(commands)? {
            let mut pipeline = Pipeline::new();
            for at in &places {
                pipeline.add_command(commands[*at].words.clone());
            }
            let connected = self.connection(connector, &share.address, user).await?;
            for (at, answer) in places.into_iter().zip(connected.ask(&pipeline).await?) {
                answers[at] = answer;
            }
        }
        Ok(answers)
    }

    /// The places of the commands that each share gets.
    fn sorted(&self, commands: &[Command]) -> Result<Vec<(Share, Vec<usize>)>, PurgeError> {
        let mut sorted: Vec<(Share, Vec<usize>)> =
            self.shares.iter().map(|share| (share.clone(), Vec::new())).collect();
        for (at, command) in commands.iter().enumerate() {
            let slot = slot(command.key.as_bytes());
            let share = sorted.iter_mut().find(|(share, _)| share.slots.contains(&slot));
            let (_, places) = share.ok_or_else(|| self.without_server(slot))?;
            places.push(at);
        }
        sorted.retain(|(_, places)| !places.is_empty());
        Ok(sorted)
    }

    fn without_server(&self, slot: u16) -> PurgeError {
        let server = self.shares.first().map(|share| share.address.to_string());
        let message = format!("no server of the cluster has slot {slot}");
        PurgeError::NotReady { server: server.unwrap_or_default(), message }
    }

    async fn connection(
        &mut self,
        connector: &Connector,
        address: &RedisAddress,
        user: User<'_>,
    ) -> Result<&mut Connected, PurgeError> {
        let server = address.to_string();
        if !self.connections.contains_key(&server) {
            let connected = connector.connect_to(address, user).await?;
            self.connections.insert(server.clone(), connected);
        }
        let lost = || PurgeError::Unreachable { server: server.clone(), message: "lost".into() };
        self.connections.get_mut(&server).ok_or_else(lost)
    }
}

async fn shares(
    connector: &Connector,
    seed: &RedisAddress,
    user: User<'_>,
) -> Result<Vec<Share>, PurgeError> {
    let mut connected = connector.connect_to(seed, user).await?;
    let mut question = cmd("CLUSTER");
    question.arg("SLOTS");
    let answer: Value = connected.query(&question).await?;
    let strange = || PurgeError::Answer {
        server: seed.to_string(),
        message: "it does not tell how the cluster is divided".to_owned(),
    };
    parse(&answer, seed).ok_or_else(strange)
}

/// Ranges, each with the server that is written to first, and its replicas.
fn parse(answer: &Value, seed: &RedisAddress) -> Option<Vec<Share>> {
    let Value::Array(ranges) = answer else { return None };
    ranges.iter().map(|range| share(range, seed)).collect()
}

/// A server that does not know its own address leaves it empty: it is the one that was asked.
fn share(range: &Value, seed: &RedisAddress) -> Option<Share> {
    let Value::Array(fields) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(server), ..] = fields.as_slice() else {
        return None;
    };
    let [host, Value::Int(port), ..] = server.as_slice() else { return None };
    let slots = u16::try_from(*first).ok()?..=u16::try_from(*last).ok()?;
    let port = u16::try_from(*port).ok()?;
    let host = match (host, seed) {
        (Value::BulkString(host), _) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
        (Value::BulkString(_) | Value::Nil, RedisAddress::Network { host, .. }) => host.clone(),
        _ => return None,
    };
    Some(Share { slots, address: RedisAddress::Network { host, port } })
}

/// The slot of a key: of what stands between its first braces, where anything does.
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let length = rest.iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &rest[..length])
    });
    crc16(tag.unwrap_or(key)) % 16_384
}

/// CRC16, polynomial 0x1021, from 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // As a server answers to CLUSTER KEYSLOT.
        assert_eq!(slot(b"somekey"), 11_058);
        assert_eq!(slot(b"foo{hash_tag}"), 2_515);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % 16_384);
    }

    #[test]
    fn a_server_that_does_not_know_its_address_is_the_one_that_was_asked() {
        let seed = RedisAddress::Network { host: "seed".to_owned(), port: 7000 };
        let server =
            |host: &str, port| Value::Array(vec![Value::BulkString(host.into()), Value::Int(port)]);
        let range = |first, last, server| {
            Value::Array(vec![Value::Int(first), Value::Int(last), server, Value::Nil])
        };
        let answer = Value::Array(vec![
            range(0, 99, server("", 7000)),
            range(100, 16_383, server("10.0.0.1", 7001)),
        ]);
        let shares = parse(&answer, &seed).unwrap();
        let addresses: Vec<String> = shares.iter().map(|it| it.address.to_string()).collect();
        assert_eq!(addresses, ["seed:7000", "10.0.0.1:7001"]);
        assert_eq!(shares[1].slots, 100..=16_383);
        for strange in [Value::Nil, Value::Array(vec![Value::Nil]), Value::Int(1)] {
            assert_eq!(parse(&strange, &seed), None);
        }
        let too_far = Value::Array(vec![range(0, 70_000, server("a", 1))]);
        assert_eq!(parse(&too_far, &seed), None);
    }
}
