//! How to reach a store.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

/// How to reach a bucket; a config.yml brings its own, and these override it.
#[derive(Clone, Debug, Default, PartialEq, Eq, ClapArgs)]
#[command(next_help_heading = "Store")]
pub struct StoreArgs {
    /// Address of an S3-compatible store
    ///
    /// Where the location is s3://…, `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` count too. Credentials come from the
    /// usual AWS variables, profiles and roles, or from the config.yml.
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Region of the bucket
    #[arg(long)]
    pub region: Option<String>,
    /// Name the bucket in the path [default with --endpoint-url]
    #[arg(long, overrides_with = "virtual_host_style", hide_short_help = true)]
    pub path_style: bool,
    /// Name the bucket in the host name [default without --endpoint-url]
    #[arg(long, overrides_with = "path_style", hide_short_help = true)]
    pub virtual_host_style: bool,
    /// Do not verify TLS certificates
    #[arg(long, hide_short_help = true)]
    pub no_verify_tls: bool,
    /// How delete requests prove that they arrived whole
    #[arg(long, value_enum, default_value = "auto", value_name = "KIND", hide_short_help = true)]
    pub delete_checksum: ChecksumKind,
    /// Requests in flight at most, for each kind of request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_in_flight: Option<u16>,
    /// How long to go on asking a store that fails or throttles [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, hide_short_help = true)]
    pub patience: Option<Duration>,
}

impl StoreArgs {
    /// What was typed now, and where nothing was, what was typed when the plan was made.
    #[must_use]
    pub fn remembered(&self, options: &BTreeMap<String, String>) -> Self {
        let text =
            |now: &Option<String>, name: &str| now.clone().or_else(|| options.get(name).cloned());
        let flag = |now: bool, name: &str| now || options.contains_key(name);
        let checksum = options
            .get("delete-checksum")
            .and_then(|name| ChecksumKind::from_str(name, false).ok());
        let has_style = self.path_style || self.virtual_host_style;
        let style = |now: bool, name: &str| if has_style { now } else { flag(now, name) };
        Self {
            endpoint_url: text(&self.endpoint_url, "endpoint-url"),
            region: text(&self.region, "region"),
            path_style: style(self.path_style, "path-style"),
            virtual_host_style: style(self.virtual_host_style, "virtual-host-style"),
            no_verify_tls: flag(self.no_verify_tls, "no-verify-tls"),
            delete_checksum: match self.delete_checksum {
                ChecksumKind::Auto => checksum.unwrap_or_default(),
                typed => typed,
            },
            max_in_flight: self.max_in_flight,
            patience: self.patience,
        }
    }

    /// What a plan has to remember so that it can be applied without typing it again; no secrets.
    #[must_use]
    pub fn options(&self) -> BTreeMap<String, String> {
        let flag = |is_set: bool| is_set.then(String::new);
        let checksum = match self.delete_checksum {
            ChecksumKind::Auto => None,
            ChecksumKind::Crc32 => Some("crc32".to_owned()),
            ChecksumKind::Md5 => Some("md5".to_owned()),
        };
        let all = [
            ("endpoint-url", self.endpoint_url.clone()),
            ("region", self.region.clone()),
            ("path-style", flag(self.path_style)),
            ("virtual-host-style", flag(self.virtual_host_style)),
            ("no-verify-tls", flag(self.no_verify_tls)),
            ("delete-checksum", checksum),
        ];
        let set = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?));
        all.into_iter().filter_map(set).collect()
    }
}

/// How a delete request proves that it arrived whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ChecksumKind {
    /// CRC32 until the store asks for something else.
    #[default]
    Auto,
    /// Always CRC32.
    Crc32,
    /// Always Content-MD5.
    Md5,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> StoreArgs {
        StoreArgs {
            endpoint_url: Some("http://store:9000".into()),
            region: Some("eu-west-1".into()),
            virtual_host_style: true,
            no_verify_tls: true,
            delete_checksum: ChecksumKind::Md5,
            ..StoreArgs::default()
        }
    }

    #[test]
    fn what_a_plan_remembers_need_not_be_typed_again() {
        assert_eq!(StoreArgs::default().remembered(&typed().options()), typed());
        let path_style = StoreArgs { path_style: true, virtual_host_style: false, ..typed() };
        assert_eq!(StoreArgs::default().remembered(&path_style.options()), path_style);
        assert!(StoreArgs::default().options().is_empty());
    }

    #[test]
    fn what_is_typed_wins_over_what_is_remembered() {
        let now = StoreArgs {
            endpoint_url: Some("http://other".into()),
            path_style: true,
            delete_checksum: ChecksumKind::Crc32,
            ..StoreArgs::default()
        };
        let both = now.remembered(&typed().options());
        assert_eq!(both.endpoint_url.as_deref(), Some("http://other"));
        assert_eq!(both.region.as_deref(), Some("eu-west-1"));
        assert!(both.path_style && !both.virtual_host_style && both.no_verify_tls);
        assert_eq!(both.delete_checksum, ChecksumKind::Crc32);
    }
}
