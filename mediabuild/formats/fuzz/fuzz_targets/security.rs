//! Security descriptors: errors are fine; panics are bugs. Bytes and text come back equal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::security::Descriptor;

fuzz_target!(|data: &[u8]| {
    if let Ok(descriptor) = Descriptor::decode(data)
        && let Ok(bytes) = descriptor.encode()
    {
        assert_eq!(Descriptor::decode(&bytes).as_ref(), Ok(&descriptor));
        check_text(&descriptor);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(descriptor) = Descriptor::from_sddl(text)
    {
        check_text(&descriptor);
        if let Ok(bytes) = descriptor.encode() {
            assert_eq!(Descriptor::decode(&bytes), Ok(descriptor));
        }
    }
});

/// A descriptor that says nothing has no text.
fn check_text(descriptor: &Descriptor) {
    if let Ok(text) = descriptor.to_sddl()
        && !text.is_empty()
    {
        assert_eq!(Descriptor::from_sddl(&text).as_ref(), Ok(descriptor), "{text}");
    }
}
