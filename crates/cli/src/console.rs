//! What is known of the terminal; data goes to stdout, talk to stderr.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use serde_json::json;

/// Where output goes and what it can show.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Whether a person watches stderr.
    pub stderr_is_terminal: bool,
    /// Whether stdout may carry colours.
    pub stdout_has_colour: bool,
    /// Whether stderr may carry colours.
    pub stderr_has_colour: bool,
    /// In which form to talk.
    pub form: Form,
}

/// For whom the talk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Console {
    /// The console of this process: colours only on a terminal, and never where `NO_COLOR` is set to anything.
    #[must_use]
    pub fn of_this_process() -> Self {
        let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let stderr_is_terminal = io::stderr().is_terminal();
        Self {
            stderr_is_terminal,
            stdout_has_colour: wants_colour && io::stdout().is_terminal(),
            stderr_has_colour: wants_colour && stderr_is_terminal,
            form: Form::Text,
        }
    }

    /// Writes data to stdout. A reader that has gone away is no failure.
    ///
    /// # Errors
    /// Where stdout cannot be written for another reason.
    pub fn data(self, text: &str) -> io::Result<()> {
        self.stream(|stdout| stdout.write_all(text.as_bytes()))
    }

    /// The same for data that `write` writes piece by piece, since all of it may be larger than the memory.
    ///
    /// # Errors
    /// Where stdout cannot be written for another reason, and those of `write`.
    pub fn stream(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        match write(&mut stdout).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    /// Writes a line to stderr as it stands. Where nobody can hear, there is nobody to tell.
    pub fn talk(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says what goes on.
    pub fn note(self, message: &str) {
        match self.form {
            Form::Text => self.talk(&format!("regsweep: {message}")),
            Form::Json => self.talk(&json!({ "type": "note", "message": message }).to_string()),
        }
    }

    /// Says what the operator should look at.
    pub fn warn(self, message: &str) {
        match self.form {
            Form::Text => self.talk(&format!("regsweep: warning: {message}")),
            Form::Json => self.talk(&json!({ "type": "warning", "message": message }).to_string()),
        }
    }

    /// `text` in bold on stdout, where it may be.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        if self.stdout_has_colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}
