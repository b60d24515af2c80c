//! Security descriptors: the published example, what Windows writes, what is wrong, anything.

use mediabuild_formats::security::{
    AccessControl, Ace, AceBody, Acl, Descriptor, Guid, Sid, ace_kind, control,
};
use proptest::prelude::*;

/// [MS-DTYP] 2.5.1.4: the text and its binary form.
const PUBLISHED: &str = "O:BAG:BAD:P(A;CIOI;GRGX;;;BU)(A;CIOI;GA;;;BA)(A;CIOI;GA;;;SY)\
                         (A;CIOI;GA;;;CO)S:P(AU;FA;GR;;;WD)";
#[rustfmt::skip]
const PUBLISHED_BYTES: [u8; 0xb0] = [
    0x01, 0x00, 0x14, 0xb0, 0x90, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
    0x30, 0x00, 0x00, 0x00, 0x02, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x80, 0x14, 0x00,
    0x00, 0x00, 0x00, 0x80, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x60, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x03, 0x18, 0x00, 0x00, 0x00, 0x00, 0xa0,
    0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x20, 0x00, 0x00, 0x00, 0x21, 0x02, 0x00, 0x00,
    0x00, 0x03, 0x18, 0x00, 0x00, 0x00, 0x00, 0x10, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05,
    0x20, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00, 0x00, 0x03, 0x14, 0x00, 0x00, 0x00, 0x00, 0x10,
    0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x12, 0x00, 0x00, 0x00, 0x00, 0x03, 0x14, 0x00,
    0x00, 0x00, 0x00, 0x10, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x20, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00,
    0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x20, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00,
];

/// What Windows says of its own files, folders, services and directory objects.
const OF_WINDOWS: [&str; 8] = [
    "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:S-1-5-80-956008885-\
     3418522649-1831038044-1853292631-2271478464D:PAI(A;OICIIO;GA;;;CO)(A;OICIIO;GA;;;SY)\
     (A;;0x1301bf;;;SY)(A;OICIIO;GA;;;BA)(A;;0x1301bf;;;BA)(A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;BU)\
     (A;CIIO;GA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)(A;;FA;;;S-1-5-80-\
     956008885-3418522649-1831038044-1853292631-2271478464)(A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)",
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)\
     (A;;CCLCSWLOCRRC;;;SU)S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)",
    "O:BAG:SYD:AI(A;ID;FA;;;BA)(A;OICIIOID;SDGXGWGR;;;AU)",
    "O:SYG:SYD:PARAI(D;;FA;;;AN)S:AI(ML;;NW;;;HI)(ML;OICI;NWNRNX;;;LW)",
    "O:BAG:BAD:(OA;;CCDC;bf967aba-0de6-11d0-a285-00aa003049e2;;AO)\
     (OD;CIIO;RP;4c164200-20c0-11d0-a768-00aa006e0529;4828cc14-1437-45bc-9b07-ad6f015e5f28;RU)\
     (OA;;WP;;4828cc14-1437-45bc-9b07-ad6f015e5f28;PS)",
    "D:NO_ACCESS_CONTROL",
    "D:",
    "G:SYD:P(A;;FA;;;OW)(A;;KA;;;WD)(A;;KR;;;LS)(A;;0x0;;;NS)",
];

#[test]
fn the_published_example_has_the_published_bytes() {
    let descriptor = Descriptor::from_sddl(PUBLISHED).expect("SDDL");
    assert_eq!(descriptor.encode().expect("bytes"), PUBLISHED_BYTES);
    assert_eq!(Descriptor::decode(&PUBLISHED_BYTES), Ok(descriptor.clone()));
    // Windows has its own order of letters.
    let text = PUBLISHED.replace("CIOI", "OICI").replace("GRGX", "GXGR");
    assert_eq!(descriptor.to_sddl(), Ok(text));
}

#[test]
fn what_windows_writes_is_read_and_written() {
    for text in OF_WINDOWS {
        let descriptor =
            Descriptor::from_sddl(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let bytes = descriptor.encode().expect("bytes");
        assert_eq!(Descriptor::decode(&bytes).as_ref(), Ok(&descriptor));
        assert_eq!(descriptor.to_sddl().expect("a text"), text.replace(";0x0;", ";;"));
    }
    let spaced = Descriptor::from_sddl(" o:ba g:sy d:p(a; oici ;fa;;; ba ) ").expect("SDDL");
    assert_eq!(spaced.to_sddl().expect("a text"), "O:BAG:SYD:P(A;OICI;FA;;;BA)");
}

#[test]
fn null_empty_and_absent_lists_differ() {
    let list = |text| Descriptor::from_sddl(text).expect("SDDL").dacl;
    assert_eq!(list("O:BA"), AccessControl::Absent);
    assert_eq!(list("D:NO_ACCESS_CONTROL"), AccessControl::Null);
    assert_eq!(list("D:P"), AccessControl::List(Acl::default()));
    let head = |text: &str| Descriptor::from_sddl(text).expect("SDDL").encode().expect("bytes");
    assert_eq!(head("D:NO_ACCESS_CONTROL"), [[1, 0, 4, 0x80].as_slice(), &[0; 16]].concat());
    let empty =
        [1, 0, 4, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2, 0, 8, 0, 0, 0, 0, 0];
    assert_eq!(head("D:P"), empty);
}

#[test]
fn mistakes_are_named_where_they_are() {
    for (text, expected) in [
        ("", "character 1: is empty"),
        ("BA", "character 1: expected `O:`"),
        ("O:BAO:SY", "character 5: `O:` is there twice"),
        ("O:XX", "character 3: `XX` is nobody"),
        ("O:DAG:SY", "character 3: `DA` is Domain Admins of a domain"),
        ("D:Q(A;;FA;;;BA)", "character 3: `Q` is no flag of a list"),
        ("D:PA;;FA;;;BA", "character 4: `A;;FA;;;BA` is no flag of a list"),
        ("D:(A;;FA;;;BA", "character 3: expected an entry"),
        ("D:(A;;FA;;BA)", "character 4: an entry has six fields, found 5"),
        ("D:(B;;FA;;;BA)", "character 4: `B` is no kind"),
        ("D:(A;XX;FA;;;BA)", "character 6: `XX` is no flag"),
        ("D:(A;;FQ;;;BA)", "character 7: `FQ` is no right"),
        ("D:(A;;0xfffffffff;;;BA)", "character 7: `0xfffffffff` is no mask"),
        ("D:(OA;;FA;x;;BA)", "character 11: `x` is no GUID"),
        ("D:(A;;FA;bf967aba-0de6-11d0-a285-00aa003049e2;;BA)", "character 10: only `OA`"),
        ("D:(A;;FA;;;)", "character 12: `` is nobody"),
        ("D:(A;;FA;;;BA)x", "character 15: expected an entry"),
        ("D:NO_ACCESS_CONTROL(A;;FA;;;BA)", "has no entries"),
        ("D:(XA;;FA;;;BA;(@User.a==1))", "not supported yet"),
        ("ä:BA", "expected `O:`"),
        ("Oä", "expected `O:`"),
        ("O:ä:", "character 3: `` is nobody"),
    ] {
        let error = Descriptor::from_sddl(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn lists_end_at_their_limit() {
    let many = format!("D:{}", "(A;;FA;;;BA)".repeat(2730));
    Descriptor::from_sddl(&many).expect("SDDL").encode().expect("65528 bytes");
    let more = format!("{many}(A;;FA;;;BA)");
    let error = Descriptor::from_sddl(&more).expect("SDDL").encode().expect_err("too large");
    assert!(error.to_string().contains("a list of 65552 bytes"), "{error}");
}

#[test]
fn what_has_no_text_says_so() {
    let other = Ace { kind: 9, flags: 0, body: AceBody::Other(vec![1, 2, 3, 4]) };
    let descriptor = Descriptor {
        dacl: AccessControl::List(Acl { aces: vec![other] }),
        ..Descriptor::default()
    };
    let bytes = descriptor.encode().expect("bytes");
    assert_eq!(Descriptor::decode(&bytes).as_ref(), Ok(&descriptor), "it is kept all the same");
    let error = descriptor.to_sddl().expect_err("no text").to_string();
    assert_eq!(error, "security descriptor: an entry of kind 0x9 has no text in SDDL");
    let lonely = Descriptor { control: control::DACL_PROTECTED, ..Descriptor::default() };
    lonely.to_sddl().expect_err("a flag of nothing");
}

fn sid() -> impl Strategy<Value = Sid> {
    let parts = prop::collection::vec(any::<u32>(), 0..16);
    let any_sid = (0..1_u64 << 48, parts).prop_map(|(authority, parts)| {
        let parts: String = parts.iter().map(|part| format!("-{part}")).collect();
        Sid::parse(&format!("S-1-{authority}{parts}")).expect("a SID")
    });
    let known = prop::sample::select(vec!["BA", "SY", "WD", "UD", "AC"]);
    prop_oneof![any_sid, known.prop_map(|letters| Sid::parse(letters).expect("letters"))]
}

fn ace() -> impl Strategy<Value = Ace> {
    let guid = || prop::option::of(any::<[u8; 16]>().prop_map(Guid));
    let rights = (
        prop::sample::select(vec![
            ace_kind::ALLOW,
            ace_kind::DENY,
            ace_kind::AUDIT,
            ace_kind::MANDATORY_LABEL,
        ]),
        any::<u8>(),
        any::<u32>(),
        sid(),
    )
        .prop_map(|(kind, flags, mask, sid)| Ace {
            kind,
            flags,
            body: AceBody::Rights { mask, sid },
        });
    let object = (5..8_u8, any::<u8>(), any::<u32>(), guid(), guid(), sid()).prop_map(
        |(kind, flags, mask, object, inherited_object, sid)| Ace {
            kind,
            flags,
            body: AceBody::Object { mask, object, inherited_object, sid },
        },
    );
    prop_oneof![rights, object]
}

fn descriptor() -> impl Strategy<Value = Descriptor> {
    let list = || {
        prop_oneof![
            Just(AccessControl::Absent),
            Just(AccessControl::Null),
            prop::collection::vec(ace(), 0..5).prop_map(|aces| AccessControl::List(Acl { aces })),
        ]
    };
    let sids = (prop::option::of(sid()), prop::option::of(sid()));
    (any::<u16>(), sids, list(), list()).prop_map(|(bits, (owner, group), dacl, sacl)| {
        let mut control = bits & 0x3f00;
        if !matches!(dacl, AccessControl::List(_)) {
            control &= !0x1500;
        }
        if !matches!(sacl, AccessControl::List(_)) {
            control &= !0x2a00;
        }
        Descriptor { control, owner, group, dacl, sacl }
    })
}

proptest! {
    #[test]
    fn bytes_and_text_both_round_trip(descriptor in descriptor()) {
        let bytes = descriptor.encode().expect("bytes");
        prop_assert_eq!(Descriptor::decode(&bytes), Ok(descriptor.clone()));
        let text = descriptor.to_sddl().expect("a text");
        if !text.is_empty() {
            prop_assert_eq!(Descriptor::from_sddl(&text), Ok(descriptor), "{}", text);
        }
    }

    #[test]
    fn any_bytes_and_any_text_are_taken(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in ".{0,60}",
        changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6),
    ) {
        let _ = Descriptor::decode(&bytes);
        let _ = Descriptor::from_sddl(&text);
        let mut damaged = PUBLISHED_BYTES;
        let mut text = PUBLISHED.as_bytes().to_vec();
        for (index, value) in changes {
            damaged[index.index(damaged.len())] = value;
            let at = index.index(text.len());
            text[at] = value % 0x80;
        }
        if let Ok(descriptor) = Descriptor::decode(&damaged) {
            let _ = descriptor.to_sddl();
            let again = descriptor.encode().expect("not larger");
            prop_assert_eq!(Descriptor::decode(&again), Ok(descriptor));
        }
        let _ = Descriptor::from_sddl(&String::from_utf8(text).expect("ASCII"));
    }
}
