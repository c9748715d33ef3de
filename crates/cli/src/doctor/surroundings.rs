//! What commands need beside the store: that nobody pushes, a registry that forgets what is gone, and a list of what its
//! database knows.

use super::check::{Check, Name};
use crate::args::DoctorArgs;
use crate::carry_out::require_nobody_pushes;
use crate::clock;
use crate::keep_list::KeepList;
use crate::location::Location;
use crate::online::require_forgetting;
use crate::registry_cache::RegistryCache;
use crate::render::count;

/// Looks at the registry's configuration, and asks its cache.
pub(super) async fn checks(args: &DoctorArgs, location: &Location) -> Vec<Check> {
    let mut checks: Vec<Check> = keep_list(args, location).into_iter().collect();
    if Name::Offline.matters_to(&args.tasks) {
        let outcome = require_nobody_pushes(location, args.wishes.offline);
        checks.push(Check::of(Name::Offline, outcome, location, |()| who_says_so(location)));
    }
    if Name::Cache.matters_to(&args.tasks) {
        checks.extend(cache(args, location).await);
    }
    checks
}

/// What a database still knows, where that is to be gone by.
fn keep_list(args: &DoctorArgs, location: &Location) -> Option<Check> {
    let path =
        args.wishes.keep_list.as_deref().filter(|_| Name::KeepList.matters_to(&args.tasks))?;
    let listed = KeepList::named(Some(path), args.wishes.grace, clock::now());
    let told = |list: KeepList| {
        format!("{} digests, of {}", count(list.record.digests), list.record.modified)
    };
    Some(Check::of(Name::KeepList, listed, location, |list| list.map(told).unwrap_or_default()))
}

fn who_says_so(location: &Location) -> String {
    if location.is_readonly() {
        "the config.yml says that the registry is read-only".to_owned()
    } else {
        "you make sure that nobody pushes".to_owned()
    }
}

async fn cache(args: &DoctorArgs, location: &Location) -> Vec<Check> {
    let is_online = Name::CacheOnline.matters_to(&args.tasks);
    match RegistryCache::open(location, args.wishes.registry_cache).await {
        Err(failure) => {
            let online = is_online.then(|| {
                Check::not_probed(Name::CacheOnline, &format!("{} is missing", Name::Cache.text()))
            });
            [Check::failed(Name::Cache, &failure, location)].into_iter().chain(online).collect()
        }
        Ok(mut cache) => {
            let mut checks = vec![Check::there(Name::Cache, cache.description())];
            if is_online {
                let asked = cache.require_askable().await;
                let outcome =
                    asked.and_then(|()| require_forgetting(&cache, args.wishes.restarted_every));
                let online = Check::of(Name::CacheOnline, outcome, location, |()| String::new());
                checks.push(online);
            }
            checks
        }
    }
}
