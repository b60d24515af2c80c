//! Security versions: by what firmware, shim or a boot manager refuses older programs that are signed as
//! well as newer ones.

use super::error::Error;
use super::pe::Pe;
use super::sections::Sections;

/// A part of a program and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityVersion {
    /// The part: `bootmgr`, or as SBAT names it, `shim` or `grub`.
    pub component: String,
    /// `7.0`, or SBAT's generation.
    pub version: String,
}

/// What the resource is the version of.
const WINDOWS_COMPONENT: &str = "bootmgr";
/// The section with SBAT data (shim's SBAT.md): lines of `component,generation,…`.
const SBAT_SECTION: &[u8; 8] = b".sbat\0\0\0";
/// Lines of SBAT data; shim and GRUB have three.
const SBAT_LINE_COUNT_MAX: usize = 64;

/// The security versions that a program says it has; most say none. `windows_resource` is the name of
/// the resource in which Windows' boot manager has its own: no public document gives it, so the caller
/// answers for it.
pub fn security_versions(
    bytes: &[u8],
    windows_resource: &str,
) -> Result<Vec<SecurityVersion>, Error> {
    let pe = Pe::parse(bytes)?;
    let sections = Sections::parse(&pe, bytes)?;
    let windows = sections.resource(windows_resource, &pe, bytes)?.and_then(windows_version);
    let sbat = sections.named(SBAT_SECTION, bytes).map(sbat_versions).unwrap_or_default();
    Ok(windows.into_iter().chain(sbat).collect())
}

/// 32 bits: the major version is the upper half.
fn windows_version(resource: &[u8]) -> Option<SecurityVersion> {
    let number = u32::from_le_bytes(*resource.first_chunk()?);
    let version = format!("{}.{}", number >> 16, number & 0xffff);
    Some(SecurityVersion { component: WINDOWS_COMPONENT.to_owned(), version })
}

/// The parts that have a generation, without the line about SBAT itself. A section ends in zeros.
fn sbat_versions(section: &[u8]) -> Vec<SecurityVersion> {
    let end = section.iter().position(|byte| *byte == 0).unwrap_or(section.len());
    let text = String::from_utf8_lossy(&section[..end]);
    let lines = text.lines().take(SBAT_LINE_COUNT_MAX).filter_map(|line| {
        let (component, rest) = line.split_once(',')?;
        let generation = rest.split(',').next()?;
        let is_number = !generation.is_empty() && generation.bytes().all(|it| it.is_ascii_digit());
        let (component, version) = (component.to_owned(), generation.to_owned());
        (is_number && component != "sbat").then_some(SecurityVersion { component, version })
    });
    lines.collect()
}
