//! Where the programs are that the tests run. Never downloads one: `scripts/install` does.

use std::path::{Path, PathBuf};

/// The program `name` (`litecoind`, `bitcoind`, `btcd`, `anvil`), or a panic that says how to get it.
///
/// In this order: the environment (`STRONGROOM_LITECOIND` and so on), the PATH, the repository's
/// `.tools`.
pub fn tool(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| {
        panic!(
            "{name} is not installed: run scripts/install, or set {} to its path",
            variable(name)
        )
    })
}

/// As [`tool`], with `None` for a program that is not there.
pub fn find(name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable(name)) {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "{} is {}, which is no file", variable(name), path.display());
        return Some(native(path));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools");
    std::env::split_paths(&path)
        .chain([tools.join("bin"), tools.join("node_modules/.bin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .map(native)
}

fn variable(name: &str) -> String {
    format!("STRONGROOM_{}", name.to_uppercase())
}

/// npm's `anvil` is a script that starts the real program as its child: killing the script would
/// leave the program running. The program itself lies in a package beside it.
fn native(path: PathBuf) -> PathBuf {
    let Ok(target) = path.canonicalize() else { return path };
    if target.extension().is_none_or(|extension| extension != "mjs") {
        return path;
    }
    let (Some(package), Some(name)) = (target.parent(), path.file_name()) else { return path };
    let Some(neighbours) = package.parent().and_then(|scope| scope.read_dir().ok()) else {
        return path;
    };
    let program = neighbours
        .flatten()
        .map(|entry| entry.path().join("bin").join(name))
        .find(|candidate| candidate.is_file());
    program.unwrap_or(path)
}
