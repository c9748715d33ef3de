//! Who may clear.

use config::{Redis, Secret};
use purger::{Entry, Limits, PurgeError, Purger};
use registry::Digest;

use crate::server::Server;

fn with(redis: Redis, user: Option<&str>, password: &str) -> Redis {
    let (username, password) = (user.map(str::to_owned), Secret::new(password.to_owned()));
    Redis { username, password: Some(password), ..redis }
}

#[tokio::test]
async fn a_password_opens() {
    let server = Server::start(&["--requirepass", "right"]);
    let open = |password: &str| with(server.redis(), None, password);
    let mut purger = Purger::connect(&open("right"), Limits::default()).await.unwrap();
    purger.check().await.unwrap();
    let wrong = Purger::connect(&open("wrong"), Limits::default()).await.unwrap_err();
    assert!(matches!(wrong, PurgeError::Denied { .. }), "{wrong:?}");
    let mut nobody = Purger::connect(&server.redis(), Limits::default()).await.unwrap();
    let refused = nobody.check().await.unwrap_err();
    assert!(matches!(refused, PurgeError::Denied { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_user_needs_no_more_than_the_registrys_keys_and_commands() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let rules = "on >pw ~blobs::* ~repository::* +ping +srem +del +hdel";
    let () = client.say(&format!("ACL SETUSER enough {rules}")).await;
    let () = client.say(&format!("ACL SETUSER less {rules} -hdel")).await;
    let () = client.say("ACL SETUSER elsewhere on >pw ~cache:* +ping +srem +del +hdel").await;
    let digest = Digest::sha256(b"blob");
    client.remember("team/app", &digest.to_string()).await;
    for name in ["less", "elsewhere"] {
        let redis = with(server.redis(), Some(name), "pw");
        let mut purger = Purger::connect(&redis, Limits::default()).await.unwrap();
        let refused = purger.check().await.unwrap_err();
        assert!(matches!(refused, PurgeError::Denied { .. }), "{name}: {refused:?}");
    }
    assert_eq!(client.keys().await.len(), 3, "a check that fails takes nothing away");
    let redis = with(server.redis(), Some("enough"), "pw");
    let mut purger = Purger::connect(&redis, Limits::default()).await.unwrap();
    purger.check().await.unwrap();
    let refused = purger.believes(&[digest]).await.unwrap_err();
    assert!(matches!(refused, PurgeError::Denied { .. }), "{refused:?}");
    let () = client.say("ACL SETUSER enough +exists").await;
    assert_eq!(purger.believes(&[digest]).await.unwrap(), [true]);
    assert_eq!(purger.forget(&[Entry { repository: None, digest }]).await.unwrap(), 1);
    assert_eq!(purger.believes(&[digest]).await.unwrap(), [false]);
}
