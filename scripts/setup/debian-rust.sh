#!/usr/bin/env bash
# Assembles a Rust toolchain for wasm32 from Debian's packages, for machines where rustup cannot download one.
#   debian-rust.sh FOLDER      then:  RUSTUP_TOOLCHAIN=FOLDER cargo build --target wasm32-unknown-unknown
#
# Debian backports a recent rustc for its browsers (rustc-web). It conflicts with rustup, and it has no standard library
# for wasm32-unknown-unknown. Therefore the packages are only unpacked, which needs no root, and the library is built
# from their source.
set -euo pipefail
folder=$1
work=$folder.new
ordinary=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')

fail() {
  echo "$*. If rustup can download, use: rustup target add wasm32-unknown-unknown"
  exit 1
}

# candidate PACKAGE PATTERN: the newest dependency of PACKAGE with a name that matches PATTERN.
candidate() {
  apt-cache depends "$1" | grep -oE "$2" | sort -Vu | tail -n 1 || fail "No dependency of $1 matches $2"
}

echo "Downloading Debian's rustc-web"
if [ "$(id -u)" -eq 0 ]; then
  apt-get update || echo "failed to update the package lists, continuing with the existing ones"
fi
apt-cache show rustc-web >/dev/null 2>&1 || fail "This system has no package rustc-web"
std=$(candidate libstd-rust-web-dev 'libstd-rust-web-[0-9.]+')
compiler=(rustc-web cargo-web rust-web-clippy rust-web-src libstd-rust-web-dev "$std")
# The shared libraries that the machine lacks. They are placed next to the compiler, not installed in the system.
mapfile -t libraries < <(apt-get install --simulate --no-install-recommends --no-upgrade \
  "$(candidate "$std" 'libllvm[0-9]+')" "$(candidate cargo-web 'libgit2-[0-9.]+')" | awk '$1 == "Inst" { print $2 }')
rm -rf "$work"
mkdir -p "$work/packages" "$work/libraries"
(cd "$work/packages" && apt-get -o APT::Sandbox::User=root download "${compiler[@]}" "${libraries[@]}")

echo "Unpacking"
for package in "${compiler[@]}"; do dpkg-deb -x "$work"/packages/"$package"_*.deb "$work"; done
for package in "${libraries[@]}"; do dpkg-deb -x "$work"/packages/"$package"_*.deb "$work/libraries"; done
rm -rf "$work/packages"
toolchain=$work/usr
# rustup adds a toolchain's `lib` to the library path, and rustc finds its sysroot by the location of its driver.
mv "$toolchain"/lib/*-linux-gnu/librustc_driver-*.so "$toolchain/lib/"
find "$work/libraries" -name '*.so*' -exec mv -t "$toolchain/lib" {} +
mkdir -p "$toolchain/lib/rustlib/$host/bin"
ln -s "$ordinary/lib/rustlib/$host/bin/rust-lld" "$toolchain/lib/rustlib/$host/bin/rust-lld"

echo "Building the standard library for wasm32"
source=$(echo "$toolchain"/src/rustc-*)
mkdir "$work/std"
cat >"$work/std/Cargo.toml" <<'TOML'
[package]
name = "std-for-wasm32"
edition = "2024"
[lib]
path = "lib.rs"
[profile.release]
codegen-units = 1
[workspace]
TOML
touch "$work/std/lib.rs"
(
  cd "$work/std"
  # The caller's settings must not affect the build. Bitcode lets the frontend's profile optimise across crates.
  unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTUP_TOOLCHAIN
  export CARGO_TARGET_DIR=$work/std/target LD_LIBRARY_PATH=$toolchain/lib RUSTC=$toolchain/bin/rustc
  export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cembed-bitcode=yes"
  "$toolchain/bin/cargo" build --release --offline --target wasm32-unknown-unknown \
    -Zbuild-std=std,panic_abort,proc_macro,test \
    --config 'source.crates-io.replace-with = "packaged"' \
    --config "source.packaged.directory = \"$source/library/vendor\""
)
built=$toolchain/lib/rustlib/wasm32-unknown-unknown/lib
mkdir -p "$built"
find "$work/std/target/wasm32-unknown-unknown/release/deps" -name '*.rlib' ! -name 'libstd_for_wasm32-*' \
  -exec cp -t "$built" {} +

# The source of the library stays, so that editors can go to definitions. The compiler's source is not needed.
find "$source" -mindepth 1 -maxdepth 1 ! -name library -exec rm -rf {} +
rm -rf "$folder"
mv "$toolchain" "$folder"
rm -rf "$work"
