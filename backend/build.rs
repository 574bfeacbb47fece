//! Tells cargo what else the binary is made of, and packs the Hub's and the player's files into it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const DIST: &str = "../frontend/dist";
const PLAYER: &str = "../player";

fn main() -> io::Result<()> {
    // The migrations are compiled in.
    println!("cargo::rerun-if-changed=../migrations");
    // Where the Hub is not built yet, its folder's parent changes when it is.
    let is_built = Path::new(DIST).is_dir();
    println!("cargo::rerun-if-changed={}", if is_built { DIST } else { "../frontend" });
    let files = if is_built { hub_files()? } else { Vec::new() };
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut code = String::from("static FILES: &[File] = &[\n");
    for path in &files {
        writeln!(code, "    {},", pack(path, &out)?).map_err(io::Error::other)?;
    }
    code += "];\n";
    let page = fs::read_to_string(Path::new(DIST).join("index.html")).unwrap_or_default();
    writeln!(code, "const INLINE_SCRIPTS: &str = {:?};", inline_scripts(&page)).map_err(io::Error::other)?;
    fs::write(out.join("hub_files.rs"), code)?;

    println!("cargo::rerun-if-changed={PLAYER}");
    let player = Path::new(PLAYER).canonicalize()?;
    let mut code = String::new();
    for (name, file) in [("SCRIPT", "dataporter-player.js"), ("CLIP", "demo.webm")] {
        writeln!(code, "static {name}: File = {};", pack(&player.join(file), &out)?)
            .map_err(io::Error::other)?;
    }
    fs::write(out.join("player_files.rs"), code)
}

fn hub_files() -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(DIST)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path().canonicalize()?);
        }
    }
    files.sort();
    Ok(files)
}

/// The file as an expression, with its bytes plain and compressed; a video is compressed by itself.
fn pack(path: &Path, out: &Path) -> io::Result<String> {
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

/// The scripts that stand in the page itself, as sources of a Content-Security-Policy.
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
