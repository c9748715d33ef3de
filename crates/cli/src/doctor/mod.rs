//! What a command would meet at a location, found out before it is run.
//!
//! A *check* asks for one thing that commands need, by the same functions by which the commands themselves refuse. What
//! only a write can tell is tried with an object of the program's own, and only where that was asked for.

mod check;
mod opening;
mod probe;
mod surroundings;
mod trial;

use std::time::Duration;

use self::check::Name;
pub(crate) use self::check::{Check, Found, Missing};

use crate::args::{DoctorArgs, StoreArgs};
use crate::command::Context;
use crate::identify::Truth;
use crate::open::{Access, DeletePace, Detail, with_registry};
use crate::permissions::Task;
use crate::{Code, Failure};

/// How long a store that fails is asked again: whoever waits for an answer wants to know that it fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found, in the order in which commands need it.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    /// The registry, in words.
    pub(crate) location: String,
    /// What is to be run.
    pub(crate) tasks: Vec<Task>,
    /// What was looked for.
    pub(crate) checks: Vec<Check>,
}

/// Whether a task can be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prospect {
    pub(crate) task: Task,
    pub(crate) missing: Vec<&'static str>,
    pub(crate) not_probed: Vec<&'static str>,
}

/// Looks for all that `args` ask for.
///
/// # Errors
/// Where the location cannot be understood, or the run was asked to stop. What is missing is no error.
pub(crate) async fn examine(
    args: &DoctorArgs,
    context: &Context<'_>,
) -> Result<Diagnosis, Failure> {
    let location = &context.locate(&args.location, &args.store)?;
    let patience = args.store.patience.unwrap_or(PATIENCE);
    let store = &StoreArgs { patience: Some(patience), ..args.store.clone() };
    let (deletes, detail) = (DeletePace::default(), Detail::FULL);
    let access = Access { location, store, deletes, detail, truth: truth(args) };
    let work = probe::Probing { args, location };
    let opened = Box::pin(with_registry(access, &context.watch, work)).await;
    if context.watch.stop.is_asked() {
        return Err(Failure::Stopped { is_sweeping: false });
    }
    let mut checks = match opened {
        Ok(checks) => checks,
        Err(failure) => opening::checks(&failure, args, location),
    };
    checks.extend(surroundings::checks(args, location).await);
    checks.sort_by_key(|check| check.name);
    Ok(Diagnosis { location: location.describe(), tasks: asked(args), checks })
}

/// By which truth the commands go that are to be run: only those that plan, and carry plans out, go by a list.
fn truth(args: &DoctorArgs) -> Truth {
    let go_by_list = args.tasks.iter().all(|task| Name::KeepList.tasks().contains(task));
    if args.wishes.keep_list.is_some() && go_by_list { Truth::Database } else { Truth::Links }
}

/// The tasks that were asked for, each once.
fn asked(args: &DoctorArgs) -> Vec<Task> {
    Task::ALL.into_iter().filter(|task| args.tasks.contains(task)).collect()
}

impl Diagnosis {
    /// What is to be expected of each task.
    pub(crate) fn prospects(&self) -> Vec<Prospect> {
        self.tasks.iter().map(|task| self.prospect(*task)).collect()
    }

    fn prospect(&self, task: Task) -> Prospect {
        let needed = || self.checks.iter().filter(|check| check.name.tasks().contains(&task));
        let names = |is: fn(&Found) -> bool| {
            needed().filter(|check| is(&check.found)).map(|check| check.name.text()).collect()
        };
        Prospect {
            task,
            missing: names(|found| matches!(found, Found::Missing(_))),
            not_probed: names(|found| matches!(found, Found::NotProbed(_))),
        }
    }

    /// What keeps any of the tasks from being run. The store's failures count before refusals, which may follow from
    /// them.
    ///
    /// # Errors
    /// [`Failure::NotReady`].
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let is_needed =
            |check: &&Check| self.tasks.iter().any(|task| check.name.tasks().contains(task));
        let missing = self.checks.iter().filter(is_needed).filter_map(|check| match &check.found {
            Found::Missing(missing) => Some((check.name.text(), missing.code)),
            Found::There(_) | Found::NotProbed(_) => None,
        });
        let (names, codes): (Vec<&str>, Vec<Code>) = missing.unzip();
        if names.is_empty() {
            return Ok(());
        }
        let first = codes.iter().copied().find(|code| *code == Code::Store);
        Err(Failure::NotReady { missing: names.join(", "), code: first.unwrap_or(codes[0]) })
    }
}
