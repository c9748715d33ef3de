//! Certificates for tests, made by openssl.

use std::path::Path;
use std::process::Command;

use config::{ClientCertificate, RedisTls};

/// A root, and a certificate of 127.0.0.1 that comes from it.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    pub(crate) fn make() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        let own = Certificates { folder };
        own.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=root \
             -keyout root.key -out root.pem",
        );
        std::fs::write(own.folder.path().join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        own.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout server.key \
             -out server.csr",
        );
        own.openssl(
            "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile names \
             -out server.pem",
        );
        own
    }

    /// The path of a file: `root.pem`, `server.pem`, `server.key`.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// What a client needs that trusts the root, and proves who it is where it should.
    pub(crate) fn client(&self, proves: bool) -> RedisTls {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        RedisTls {
            client: proves.then_some(ClientCertificate { certificate, key }),
            root_certificates: vec![self.path("root.pem")],
        }
    }

    fn openssl(&self, arguments: &str) {
        run(self.folder.path(), arguments);
    }
}

fn run(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}
