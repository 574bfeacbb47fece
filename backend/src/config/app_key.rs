//! The application key of a hub with a private database: made once, kept in the data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;

use super::ConfigError;
use crate::auth::keys::MIN_KEY_BYTES;

const FILE: &str = "app_key";

/// The key in this directory; made if there is none.
pub(super) fn find_or_make(data_dir: &Path) -> Result<SecretString, ConfigError> {
    let path = data_dir.join(FILE);
    let failed = |source| ConfigError::AppKey { path: path.display().to_string(), source };
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(failed),
        read => read.map_err(failed),
    }
}

fn read(path: &Path) -> io::Result<SecretString> {
    let text = fs::read_to_string(path)?;
    let key = text.trim();
    if key.len() < MIN_KEY_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds less than 32 bytes"));
    }
    Ok(SecretString::from(key))
}

/// Writes a new key beside its place and links it there, so that of two processes at once both get the same whole key.
fn make(path: &Path) -> io::Result<SecretString> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut random = [0; 32];
    OsRng.try_fill_bytes(&mut random).map_err(io::Error::other)?;
    let draft = path.with_extension(std::process::id().to_string());
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", hex::encode(random))?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => File::open(directory)?.sync_all()?,
    }
    read(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_may_read_it() {
        let data_dir = tempfile::tempdir().unwrap();
        let first = find_or_make(data_dir.path()).unwrap();
        let second = find_or_make(data_dir.path()).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 64);
        let mode = fs::metadata(data_dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(data_dir.path()).unwrap().count(), 1, "no draft is left");
    }
}
