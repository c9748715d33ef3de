//! The manual: a page for each command, made from the definition of the arguments.

use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use roff::{Inline, Roff, bold, roman};

use crate::Args;

/// What all pages are part of.
const MANUAL: &str = "Garbage collection for container registries";

/// A page of the manual.
#[derive(Debug)]
pub(crate) struct Page {
    /// The name of its file, such as `regsweep-gc.1`.
    pub(crate) file: String,
    /// Its source, for `man`.
    pub(crate) text: Vec<u8>,
}

/// Every page: that of the program, then one for each command, also for those that the short help does not name.
///
/// # Errors
/// None that is known: nothing is written but memory.
pub(crate) fn pages() -> io::Result<Vec<Page>> {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    let commands = program.get_subcommands();
    std::iter::once(&program).chain(commands).map(|command| page(command, &program)).collect()
}

fn page(command: &Command, program: &Command) -> io::Result<Page> {
    // A page has room for what the short help leaves out.
    let shown = command.clone().mut_args(|argument| argument.hide_short_help(false));
    let man = Man::new(shown.mut_subcommands(|command| command.hide(false)));
    let mut text = title(full_name(command), program);
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    rest(command, program).to_writer(&mut text)?;
    Ok(Page { file: format!("{}.1", full_name(command)), text })
}

fn full_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// What the help says after the options, each paragraph as a section; then where to read on.
fn rest(command: &Command, program: &Command) -> Roff {
    let mut roff = Roff::new();
    let after = command.get_after_long_help().or_else(|| command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    for paragraph in after.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        section(&mut roff, paragraph);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text(see_also(command, program));
    roff
}

/// The first line, which has no date: the same version makes the same page on any day.
fn title(name: &str, program: &Command) -> Vec<u8> {
    let source = format!("{} {}", program.get_name(), program.get_version().unwrap_or_default());
    let name = name.to_uppercase();
    format!(".TH \"{name}\" \"1\" \"\" \"{source}\" \"{MANUAL}\"\n").into_bytes()
}

/// A paragraph that begins with `Some words:` is a section of that name and laid out as it stands, any other is a note.
fn section(roff: &mut Roff, paragraph: &str) {
    let Some((heading, body)) = paragraph.split_once(':').filter(|(words, _)| is_heading(words))
    else {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(paragraph.replace('\n', " "))]);
        return;
    };
    roff.control("SH", [heading.to_uppercase().as_str()]);
    roff.control("nf", []);
    for line in body.trim_start_matches('\n').lines() {
        roff.text([roman(line.trim())]);
    }
    roff.control("fi", []);
}

fn is_heading(words: &str) -> bool {
    words.len() <= 20 && words.chars().all(|c| c.is_ascii_alphabetic() || c == ' ')
}

/// Every other page.
fn see_also(command: &Command, program: &Command) -> Vec<Inline> {
    let all = std::iter::once(program).chain(program.get_subcommands());
    let others = all.filter(|other| full_name(other) != full_name(command));
    let mut inlines = Vec::new();
    for other in others {
        let comma = if inlines.is_empty() { "" } else { ", " };
        inlines.extend([roman(comma), bold(full_name(other)), roman("(1)")]);
    }
    inlines
}
