//! Tells cargo what else the binary is made of.

fn main() {
    // The migrations are compiled in.
    println!("cargo::rerun-if-changed=../migrations");
}
