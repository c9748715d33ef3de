//! How bytes get to the server and back: one TLS stack, the system's roots and the operator's own, proxies by the usual
//! variables.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, HttpClientError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::config::S3Config;

/// Names a file of further certificates to trust, as for every AWS tool. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the
/// system's roots; the loader of these sees to that.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Why there is no way to speak TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("the certificates in `{}` cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    #[error("`{}` is not a list of certificates in PEM form", .0.display())]
    NoCertificate(PathBuf),
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    #[error("TLS cannot be set up")]
    Context(#[source] HttpClientError),
}

/// The connections for every request of a store, those for credentials included.
pub(super) fn connector(config: &S3Config) -> Result<SharedHttpConnector, TlsError> {
    let connect = config.timeouts.connect;
    if config.skip_tls_verify {
        return Unverified::new(connect).map(SharedHttpConnector::new);
    }
    let variable = || std::env::var_os(CA_BUNDLE).map(PathBuf::from);
    let bundle = config.ca_bundle.clone().or_else(variable);
    let bundle = bundle.filter(|path| !path.as_os_str().is_empty());
    verified(connect, bundle).map(SharedHttpConnector::new)
}

/// The same connections as the SDK takes them.
pub(super) fn http_client(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

fn verified(connect: Duration, bundle: Option<PathBuf>) -> Result<Connector, TlsError> {
    let mut trusted = TrustStore::default();
    if let Some(path) = bundle {
        trusted = trusted.with_pem_certificate(ca_bundle(path)?);
    }
    let context =
        TlsContext::builder().with_trust_store(trusted).build().map_err(TlsError::Context)?;
    Ok(Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(connect).build())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .tls_context(context)
        .build())
}

/// Reads a bundle, and makes sure that it is one: the client takes it on trust and panics where it is none.
fn ca_bundle(path: PathBuf) -> Result<Vec<u8>, TlsError> {
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(error) => return Err(TlsError::Unreadable(path, error)),
    };
    let mut roots = RootCertStore::empty();
    let all_fit = CertificateDer::pem_slice_iter(&pem)
        .all(|certificate| certificate.is_ok_and(|one| roots.add(one).is_ok()));
    if all_fit && !roots.is_empty() { Ok(pem) } else { Err(TlsError::NoCertificate(path)) }
}

/// Connections that are encrypted and believe any certificate, for operators who said so.
#[derive(Debug)]
struct Unverified {
    client: Client<HttpsConnector<TcpConnector>, SdkBody>,
}

impl Unverified {
    fn new(connect: Duration) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let tls = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(https.wrap_connector(tcp));
        Ok(Self { client })
    }
}

impl HttpConnector for Unverified {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            let response = answer.await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
