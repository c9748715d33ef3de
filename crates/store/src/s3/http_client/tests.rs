use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use monitor::Monitor;
use registry::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::*;
use crate::{ErrorKind, ReadStore, S3Store, StaticCredentials, StoreError};

/// A certificate for `localhost` that nobody signed, and its key.
const LOCALHOST: &[u8] = include_bytes!("localhost.pem");

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nDate: Tue, 18 Aug 2026 10:00:00 GMT\r\nContent-Length: 73\r\n\r\n\
    <ListBucketResult><IsTruncated>false</IsTruncated>    </ListBucketResult>";

/// Serves one connection over TLS, however it goes.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let chain = CertificateDer::pem_slice_iter(LOCALHOST).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(LOCALHOST).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut tls, &mut tcp);
        let mut request = [0; 4096];
        if stream.read(&mut request).is_ok() {
            stream.write_all(ANSWER).unwrap();
        }
    });
    address
}

/// Asks a server, whose certificate nobody signed, for the time.
async fn ask(change: impl FnOnce(&mut S3Config)) -> Result<Timestamp, StoreError> {
    let mut config = S3Config::new("bucket");
    config.endpoint_url = Some(format!("https://localhost:{}", serve().port()));
    config.region = Some("us-east-1".into());
    config.path_style = true;
    config.credentials = Some(StaticCredentials {
        access_key: "access".into(),
        secret_key: "secret".into(),
        session_token: None,
    });
    change(&mut config);
    S3Store::connect(config, &Arc::new(Monitor::new())).await?.now().await
}

fn file(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("bundle.pem");
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_for_good() {
    let error = ask(|_| {}).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Fatal, "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_the_bundle_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = file(folder.path(), LOCALHOST);
    let now = ask(|config| config.ca_bundle = Some(bundle)).await;
    assert_eq!(now.unwrap().to_string(), "2026-08-18T10:00:00Z");
}

#[tokio::test]
async fn any_certificate_will_do_where_the_operator_says_so() {
    let now = ask(|config| config.skip_tls_verify = true).await;
    assert_eq!(now.unwrap().to_string(), "2026-08-18T10:00:00Z");
}

#[tokio::test]
async fn nobody_answering_is_told_the_same_way_without_verification() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = |config: &mut S3Config| {
        config.skip_tls_verify = true;
        config.endpoint_url = Some(format!("https://{address}"));
    };
    assert_eq!(ask(gone).await.unwrap_err().kind, ErrorKind::Unreachable);
}

#[test]
fn a_bundle_that_is_none_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    assert!(matches!(ca_bundle(missing), Err(TlsError::Unreadable(..))));
    let crooked = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", crooked] {
        let path = file(folder.path(), text.as_bytes());
        assert!(matches!(ca_bundle(path), Err(TlsError::NoCertificate(_))), "{text}");
    }
}
