//! TLS: the server's certificate is checked, ours is shown where it is asked for.

use config::RedisTls;
use purger::{Limits, PurgeError, Purger};

use crate::certificates::Certificates;
use crate::server::Server;

fn serve(certificates: &Certificates, clients: &str) -> Server {
    let path = |name: &str| certificates.path(name);
    Server::start_by(|port| {
        let (port, clients) = (port.to_string(), clients.to_owned());
        let arguments = [
            ("--port", "0".to_owned()),
            ("--tls-port", port),
            ("--tls-cert-file", path("server.pem")),
            ("--tls-key-file", path("server.key")),
            ("--tls-ca-cert-file", path("root.pem")),
            ("--tls-auth-clients", clients),
        ];
        arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    })
}

async fn check(redis: &config::Redis) -> Result<(), PurgeError> {
    Purger::connect(redis, Limits::default()).await?.check().await
}

#[tokio::test]
async fn roots_alone_are_enough_where_the_server_asks_for_no_certificate() {
    let certificates = Certificates::make();
    let server = serve(&certificates, "no");
    check(&server.redis_with(certificates.client(false))).await.unwrap();
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let certificates = Certificates::make();
    let server = serve(&certificates, "yes");
    check(&server.redis_with(certificates.client(true))).await.unwrap();
    let without = check(&server.redis_with(certificates.client(false))).await.unwrap_err();
    assert!(matches!(without, PurgeError::Unreachable { .. }), "{without:?}");
}

#[tokio::test]
async fn a_server_whose_certificate_comes_from_elsewhere_is_not_trusted() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let server = serve(&certificates, "no");
    for tls in [others.client(false), RedisTls::default()] {
        let failed = check(&server.redis_with(tls)).await.unwrap_err();
        assert!(failed.to_string().contains("certificate"), "{failed}");
    }
}
