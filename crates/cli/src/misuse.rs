//! Help, and what to say of words that are no command.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::{Code, Console};

/// Shows the help that was asked for, or tells why `typed` is no command. The registry's own command knows only 0 and
/// 1 as exit codes.
pub(crate) fn tell(error: &clap::Error, typed: &[OsString], console: Console) -> ExitCode {
    let has = |word: &str| typed.iter().skip(1).any(|typed| typed == word);
    if !error.use_stderr() {
        return shown(error.print());
    }
    if has("--json") {
        console.talk(&failure(error).to_string());
    } else if let Err(error) = error.print() {
        console.talk(&error.to_string());
    }
    if has("garbage-collect") { ExitCode::FAILURE } else { Code::Usage.into() }
}

/// A reader of help that has gone away has seen enough.
fn shown(printed: io::Result<()>) -> ExitCode {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Code::Internal.into(),
        _ => Code::Done.into(),
    }
}

/// The same object as for every other failure.
fn failure(error: &clap::Error) -> Value {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    let message = paragraphs.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    json!({
        "type": "failure",
        "code": Code::Usage as u8,
        "name": Code::Usage.name(),
        "message": message,
        "causes": [],
        "hints": paragraphs.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::Args;

    #[test]
    fn machines_get_the_message_apart_from_the_advice() {
        let error = Args::try_parse_from(["regsweep", "gc", "here", "--ofline"]).unwrap_err();
        let object = failure(&error);
        assert_eq!(object["message"], "unexpected argument '--ofline' found");
        assert_eq!(object["hints"][0], "tip: a similar argument exists: '--offline'");
        assert_eq!(object["code"], 2);
    }
}
