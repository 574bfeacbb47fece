//! Tells cargo about the other inputs of the binary, and generates the code that embeds the files of the
//! frontend and the player.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const DIST_DIR: &str = "../frontend/dist";
const PLAYER_DIR: &str = "../player";

fn main() -> io::Result<()> {
    // The migrations are compiled in.
    println!("cargo::rerun-if-changed=../migrations");
    // If the frontend is not built yet, its parent directory changes when it is.
    let is_built = Path::new(DIST_DIR).is_dir();
    println!("cargo::rerun-if-changed={}", if is_built { DIST_DIR } else { "../frontend" });
    let files = if is_built { hub_files()? } else { Vec::new() };
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut code = String::from("static FILES: &[File] = &[\n");
    for path in &files {
        writeln!(code, "    {},", embed(path, &out)?).map_err(io::Error::other)?;
    }
    code += "];\n";
    let page = fs::read_to_string(Path::new(DIST_DIR).join("index.html")).unwrap_or_default();
    writeln!(code, "const INLINE_SCRIPTS: &str = {:?};", inline_scripts(&page)).map_err(io::Error::other)?;
    fs::write(out.join("hub_files.rs"), code)?;

    println!("cargo::rerun-if-changed={PLAYER_DIR}");
    let player = Path::new(PLAYER_DIR).canonicalize()?;
    let mut code = String::new();
    for (name, file) in [("SCRIPT", "dataporter-player.js"), ("CLIP", "demo.webm")] {
        writeln!(code, "static {name}: File = {};", embed(&player.join(file), &out)?)
            .map_err(io::Error::other)?;
    }
    fs::write(out.join("player_files.rs"), code)
}

fn hub_files() -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(DIST_DIR)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path().canonicalize()?);
        }
    }
    files.sort();
    Ok(files)
}

/// An expression for a file, with its bytes plain and compressed. Videos are compressed already.
fn embed(path: &Path, out: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidData)?;
    let compressed = if path.extension().is_some_and(|extension| extension == "webm") {
        "None".to_owned()
    } else {
        let file = out.join(format!("{name}.br"));
        let mut brotli = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &parameters)?;
        fs::write(&file, brotli)?;
        format!("Some(include_bytes!(r#\"{}\"#))", file.display())
    };
    let etag = STANDARD.encode(&Sha256::digest(&bytes)[..12]);
    let plain = path.display();
    Ok(format!(
        "File {{ name: {name:?}, etag: \"\\\"{etag}\\\"\", bytes: include_bytes!(r#\"{plain}\"#), brotli: {compressed} }}"
    ))
}

/// The hashes of the page's inline scripts, as sources of a Content-Security-Policy.
fn inline_scripts(page: &str) -> String {
    let mut sources = Vec::new();
    for script in page.split("<script").skip(1) {
        let Some((attributes, rest)) = script.split_once('>') else { continue };
        let Some((body, _)) = rest.split_once("</script>") else { continue };
        if !attributes.contains(" src=") && !body.is_empty() {
            let hash = STANDARD.encode(Sha256::digest(body));
            sources.push(format!(" 'sha256-{hash}'"));
        }
    }
    sources.concat()
}
