//! The application key of a hub with a private database. It is generated once and stored in the data
//! directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;

use super::ConfigError;
use crate::auth::keys::MIN_KEY_BYTES;

const FILE_NAME: &str = "app_key";

/// Reads the key in this directory, and generates it if there is none.
pub(super) fn find_or_create(data_dir: &Path) -> Result<SecretString, ConfigError> {
    let path = data_dir.join(FILE_NAME);
    let app_key_error = |source| ConfigError::AppKey { path: path.display().to_string(), source };
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path).map_err(app_key_error),
        read => read.map_err(app_key_error),
    }
}

fn read(path: &Path) -> io::Result<SecretString> {
    let text = fs::read_to_string(path)?;
    let key = text.trim();
    if key.len() < MIN_KEY_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it contains less than 32 bytes"));
    }
    Ok(SecretString::from(key))
}

/// Writes a new key to a temporary file and links it into place, so that two processes that do so at the same
/// time both get the same complete key.
fn create(path: &Path) -> io::Result<SecretString> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut random = [0; 32];
    OsRng.try_fill_bytes(&mut random).map_err(io::Error::other)?;
    let temporary_path = path.with_extension(std::process::id().to_string());
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary_path)?;
    writeln!(file, "{}", hex::encode(random))?;
    file.sync_all()?;
    let result = fs::hard_link(&temporary_path, path);
    fs::remove_file(&temporary_path)?;
    match result {
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
    fn the_key_is_generated_once_and_readable_only_by_its_owner() {
        let data_dir = tempfile::tempdir().unwrap();
        let first = find_or_create(data_dir.path()).unwrap();
        let second = find_or_create(data_dir.path()).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), 64);
        let mode = fs::metadata(data_dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(data_dir.path()).unwrap().count(), 1, "no temporary file is left");
    }
}
