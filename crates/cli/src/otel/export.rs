//! One request that carries a trace.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::settings::Settings;

/// Why a trace did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// The address or a header is none.
    #[error("the request for {address} cannot be made")]
    Request { address: String, source: HttpError },
    #[error("cannot reach {address}")]
    NoAnswer { address: String, source: ConnectorError },
    #[error("{address} answers {status}")]
    Refused { address: String, status: u16 },
    #[error("{address} did not answer within {} ms", .within.as_millis())]
    Late { address: String, within: Duration },
}

/// Sends a document, once.
///
/// # Errors
/// [`ExportError`].
pub(super) async fn post(settings: &Settings, document: Value) -> Result<(), ExportError> {
    let address = || settings.address.clone();
    let request = request(settings, &document)
        .map_err(|source| ExportError::Request { address: address(), source })?;
    let connector = Connector::builder()
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .build();
    let within = settings.timeout;
    let answer = tokio::time::timeout(within, connector.call(request)).await;
    let answer = answer
        .map_err(|_| ExportError::Late { address: address(), within })?
        .map_err(|source| ExportError::NoAnswer { address: address(), source })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(ExportError::Refused { address: address(), status: status.as_u16() })
}

fn request(settings: &Settings, document: &Value) -> Result<HttpRequest, HttpError> {
    let mut request = HttpRequest::new(SdkBody::from(document.to_string()));
    request.set_method("POST")?;
    request.set_uri(settings.address.clone())?;
    let agent = concat!("regsweep/", env!("CARGO_PKG_VERSION"));
    let own = [("content-type", "application/json"), ("user-agent", agent)];
    let given = settings.headers.iter().map(|(name, value)| (&**name, &**value));
    for (name, value) in own.into_iter().chain(given) {
        request.headers_mut().try_insert(name.to_ascii_lowercase(), value.to_owned())?;
    }
    Ok(request)
}
