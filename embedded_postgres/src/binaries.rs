//! Finds the installed PostgreSQL programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::StartError;
use super::start_error::MIN_VERSION;

/// Directories in which distributions install several versions side by side, and the prefix of each version's
/// directory.
const PACKAGE_DIRECTORIES: [(&str, &str); 2] = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];

/// The programs of one PostgreSQL version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Binaries {
    version: u32,
    directory: PathBuf,
}

impl Binaries {
    /// Finds the programs for a cluster of version `cluster_version`, or the newest ones for a new cluster.
    pub fn find(
        configured: Option<&Path>,
        cluster_version: Option<u32>,
        data_dir: &Path,
    ) -> Result<Self, StartError> {
        let searched = match configured {
            Some(directory) => vec![directory.to_owned()],
            None => search_directories(),
        };
        let mut installed: Vec<Self> = searched.into_iter().filter_map(Self::in_directory).collect();
        installed.sort();
        installed.dedup_by_key(|binaries| binaries.version);
        let Some(newest) = installed.last().filter(|newest| newest.version >= MIN_VERSION) else {
            let searched = configured.map_or_else(
                || String::from("PATH and /usr/lib/postgresql"),
                |path| path.display().to_string(),
            );
            return Err(StartError::NotInstalled { searched });
        };
        let Some(cluster_version) = cluster_version else { return Ok(newest.clone()) };
        installed.iter().find(|binaries| binaries.version == cluster_version).cloned().ok_or_else(|| {
            let versions: Vec<String> =
                installed.iter().map(|binaries| binaries.version.to_string()).collect();
            StartError::MissingVersion {
                data_dir: data_dir.to_owned(),
                cluster_version,
                installed: versions.join(", "),
            }
        })
    }

    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Whether the programs can be executed and are still of this version.
    pub fn are_still_usable(&self) -> bool {
        Self::in_directory(self.directory.clone()).is_some_and(|found| found.version == self.version)
    }

    fn in_directory(directory: PathBuf) -> Option<Self> {
        if !directory.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?.stdout;
        let version = version(&String::from_utf8_lossy(&output))?;
        Some(Self { version, directory })
    }
}

fn search_directories() -> Vec<PathBuf> {
    let mut search_directories: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    for (parent, prefix) in PACKAGE_DIRECTORIES {
        let Ok(children) = fs::read_dir(parent) else { continue };
        let versions =
            children.flatten().filter(|child| child.file_name().to_string_lossy().starts_with(prefix));
        search_directories.extend(versions.map(|child| child.path().join("bin")));
    }
    search_directories
}

/// The major version in `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`.
fn version(output: &str) -> Option<u32> {
    let number = output.split("(PostgreSQL) ").nth(1)?;
    number.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_the_version_output() {
        assert_eq!(version("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(version("postgres: not found"), None);
    }
}
