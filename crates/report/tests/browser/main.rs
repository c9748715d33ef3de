//! Pages in a real browser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

#[path = "../pages/fixture.rs"]
mod fixture;

#[test]
fn write() {
    let dir = std::path::PathBuf::from(std::env::var_os("REGSWEEP_PAGES").unwrap());
    for (name, shown) in [
        ("tiny", fixture::tiny()),
        ("empty", fixture::empty()),
        ("refused", fixture::refused("")),
        ("thousands", fixture::thousands()),
        ("carried-out", fixture::carried_out()),
    ] {
        std::fs::write(dir.join(format!("{name}.html")), shown.page()).unwrap();
    }
}
