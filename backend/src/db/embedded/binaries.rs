//! The installed programs of PostgreSQL.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Refusal;
use super::refusal::OLDEST;

/// Directories of packagers that keep several versions side by side.
const PACKAGED: [(&str, &str); 2] = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Binaries {
    version: u32,
    directory: PathBuf,
}

impl Binaries {
    /// The programs for a cluster made by this version, or the newest ones for a new cluster.
    pub fn find(configured: Option<&Path>, made_by: Option<u32>, data_dir: &Path) -> Result<Self, Refusal> {
        let searched = match configured {
            Some(directory) => vec![directory.to_owned()],
            None => places(),
        };
        let mut installed: Vec<Self> = searched.into_iter().filter_map(Self::in_directory).collect();
        installed.sort();
        installed.dedup_by_key(|binaries| binaries.version);
        let Some(newest) = installed.last().filter(|newest| newest.version >= OLDEST) else {
            let searched = configured.map_or_else(
                || String::from("PATH and /usr/lib/postgresql"),
                |path| path.display().to_string(),
            );
            return Err(Refusal::NotInstalled { searched });
        };
        let Some(made_by) = made_by else { return Ok(newest.clone()) };
        installed.iter().find(|binaries| binaries.version == made_by).cloned().ok_or_else(|| {
            let versions: Vec<String> =
                installed.iter().map(|binaries| binaries.version.to_string()).collect();
            Refusal::OtherVersion { data_dir: data_dir.to_owned(), made_by, installed: versions.join(", ") }
        })
    }

    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Whether the programs that are there now run and are of this version still.
    pub fn still_fit(&self) -> bool {
        Self::in_directory(self.directory.clone()).is_some_and(|found| found.version == self.version)
    }

    fn in_directory(directory: PathBuf) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let said = Command::new(directory.join("postgres")).arg("--version").output().ok()?.stdout;
        let version = version(&String::from_utf8_lossy(&said))?;
        Some(Self { version, directory })
    }
}

fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    for (parent, prefix) in PACKAGED {
        let Ok(children) = fs::read_dir(parent) else { continue };
        let versions =
            children.flatten().filter(|child| child.file_name().to_string_lossy().starts_with(prefix));
        places.extend(versions.map(|child| child.path().join("bin")));
    }
    places
}

/// The major version in `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`.
fn version(said: &str) -> Option<u32> {
    let number = said.split("(PostgreSQL) ").nth(1)?;
    number.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_what_the_program_says() {
        assert_eq!(version("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(version("postgres: not found"), None);
    }
}
