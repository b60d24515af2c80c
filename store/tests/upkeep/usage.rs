//! Who takes how much room.

use mediabuild_store::{Output, Root, RootUsage, Store};

use crate::{commit, fixture, noise, parts, put, realise};

#[test]
fn what_is_shared_and_what_is_not_add_up() {
    let fixture = fixture();
    let store = &fixture.store;
    let both = put(store, &noise(1, 1 << 20));
    let one = put(store, &noise(2, 2 << 20));
    let container = put(store, &noise(3, 4 << 20));
    let part = parts(&noise(3, 4 << 20), 1000, 1)[0];
    commit(store, |batch| batch.put_parts(&container.digest, &[part]).unwrap());
    put(store, &noise(4, 1 << 20));
    for (name, contents) in [("a", vec![both, one]), ("b", vec![both, part.content()])] {
        let output = Output::Content(realise(store, name, &contents));
        let root = Root { name: name.to_owned(), output, detail: Vec::new() };
        store.set_root(&root).unwrap();
    }
    let usage = store.usage(&store.roots().unwrap()).unwrap();
    // A recipe of one literal byte and two contents.
    let recipe = 8 + 10 + 2 * 41;
    let expected = |name: &str, exclusive_bytes: u64| RootUsage {
        name: name.to_owned(),
        total_bytes: (1 << 20) + exclusive_bytes,
        exclusive_bytes,
        shared_bytes: 1 << 20,
    };
    assert_eq!(usage.roots, [expected("a", (2 << 20) + recipe), expected("b", 1000 + recipe)]);
    assert!(usage.all_bytes > 8 << 20);
    // The container, of which little is needed, and what nothing needs.
    assert!(usage.dead_bytes.abs_diff(5 << 20) < 2000, "{usage:?}");
}
