//! The command as it was typed, so that it can be typed again.

/// This process's own command line, quoted for a POSIX shell.
#[must_use]
pub(crate) fn typed() -> String {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| quoted(&argument.to_string_lossy())).collect();
    arguments.join(" ")
}

/// `argument` in quotes where a POSIX shell needs them.
#[must_use]
pub(crate) fn quoted(argument: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("s3://bucket/a-b_c"), "s3://bucket/a-b_c");
        assert_eq!(quoted("my plan"), "'my plan'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_shell_reads_back_every_byte_that_was_quoted() {
        let odd: String = (1..127_u8).map(char::from).chain("äß日".chars()).collect();
        let script = format!("printf %s {}", quoted(&odd));
        let output = Command::new("/bin/sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), odd);
    }
}
