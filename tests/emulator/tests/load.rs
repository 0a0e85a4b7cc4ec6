#[test]
fn the_library_loads() {
    trawl_emulator::install();
}
