//! Recipes and directories of the store: errors are fine; panics are bugs. An encoding that is taken
//! is the only one of what it stands for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_store::{Directory, Recipe};

fuzz_target!(|data: &[u8]| {
    if let Ok(recipe) = Recipe::decode(data) {
        assert_eq!(recipe.encode(), data);
        let sum: u64 = recipe.extents().iter().map(|extent| extent.size_bytes()).sum();
        assert_eq!(recipe.size_bytes(), sum);
    }
    if let Ok(directory) = Directory::decode(data) {
        assert_eq!(directory.encode(), data);
        for (name, entry) in directory.iter() {
            assert_eq!(directory.get(name.as_str()), Some(entry));
        }
    }
});
