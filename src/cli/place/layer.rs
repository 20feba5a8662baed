//! The configuration as it was deployed: a file in a Lambda layer, which AWS hands out as a ZIP archive.
//! Sources: Lambda API reference, GetLayerVersionByArn; PKWARE APPNOTE.TXT 4.3, "General Format of a .ZIP file".

use std::time::Duration;

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Deserialize;

use crate::aws::call::{Called, Endpoint};
use crate::receivers::http::{self, Client};

/// The configuration's name in the layer.
pub const FILE: &str = "bridge.toml";

/// The longest archive that is read, in bytes; what `deploy/config` holds takes some thousand.
const ARCHIVE_BYTES: usize = 8 * 1024 * 1024;

/// The longest configuration, in bytes.
const TEXT_BYTES: usize = 1024 * 1024;

const DOWNLOAD_WITHIN: Duration = Duration::from_secs(15);

/// The text of the layer's configuration.
///
/// # Errors
/// Why there is none, in words without the archive's address: that is a credential.
pub async fn text(lambda: &Endpoint<'_>, arn: &str) -> Result<String, String> {
    let layer = match lambda.get("/2018-10-31/layers", &[("find", "LayerVersion"), ("Arn", arn)]).await {
        Ok(Called::Answered(layer)) => layer,
        Ok(Called::Refused(refused)) => return Err(format!("{refused}; this needs lambda:GetLayerVersion")),
        Err(error) => return Err(error.to_string()),
    };
    let layer: Layer = serde_json::from_str(&layer).map_err(|_| "Lambda's answer cannot be read".to_owned())?;
    let unreachable = |why: &dyn std::fmt::Display| format!("the layer's archive: {why}");
    let address = http::address(&layer.content.location).map_err(|why| unreachable(&why))?;
    let (status, archive) =
        Client::new().download(&address, ARCHIVE_BYTES, DOWNLOAD_WITHIN).await.map_err(|why| unreachable(&why))?;
    if status != 200 {
        return Err(unreachable(&format!("its server answered {status}")));
    }
    let file = file(&archive, FILE).ok_or_else(|| format!("the layer holds no readable {FILE}"))?;
    String::from_utf8(file).map_err(|_| format!("the layer's {FILE} is not UTF-8"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    location: String,
}

/// Signatures and fixed lengths of the records of an archive.
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;

/// A file of an archive, by the archive's directory.
fn file(archive: &[u8], name: &str) -> Option<Vec<u8>> {
    let end = archive.windows(END.len()).rposition(|window| window == END)?;
    let end = archive.get(end..end.checked_add(END_BYTES)?)?;
    let (count, mut at) = (two(end, 10)?, four(end, 16)?);
    for _ in 0..count {
        let entry = archive.get(at..)?;
        if !entry.starts_with(ENTRY) {
            return None;
        }
        let length = two(entry, 28)?;
        let named = entry.get(ENTRY_BYTES..ENTRY_BYTES.checked_add(length)?)?;
        if named == name.as_bytes() {
            return content(archive, two(entry, 10)?, four(entry, 20)?, four(entry, 42)?);
        }
        at = at.checked_add(ENTRY_BYTES)?.checked_add(length)?;
        at = at.checked_add(two(entry, 30)?)?.checked_add(two(entry, 32)?)?;
    }
    None
}

fn content(archive: &[u8], method: usize, length: usize, at: usize) -> Option<Vec<u8>> {
    let local = archive.get(at..)?;
    if !local.starts_with(LOCAL) {
        return None;
    }
    let begin = LOCAL_BYTES.checked_add(two(local, 26)?)?.checked_add(two(local, 28)?)?;
    let packed = local.get(begin..begin.checked_add(length)?)?;
    match method {
        0 if length <= TEXT_BYTES => Some(packed.to_vec()),
        8 => decompress_to_vec_with_limit(packed, TEXT_BYTES).ok(),
        _ => None,
    }
}

fn two(of: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(of.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn four(of: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(of.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by Python's zipfile: `a.txt` stored and `bridge.toml` deflated, 400 times the letter x.
    const ARCHIVE: &[u8] = include_bytes!("layer/two_files.zip");

    #[test]
    fn a_file_is_found_by_its_name_stored_or_deflated() {
        assert_eq!(file(ARCHIVE, "a.txt").as_deref(), Some(b"hello".as_slice()));
        assert_eq!(file(ARCHIVE, FILE), Some(vec![b'x'; 400]));
        assert_eq!(file(ARCHIVE, "bridge"), None);
        assert_eq!(file(b"", FILE), None);
    }

    proptest! {
        #[test]
        fn no_archive_makes_it_panic(at in 0..ARCHIVE.len(), byte in any::<u8>(), cut in 0..ARCHIVE.len()) {
            let mut archive = ARCHIVE.to_vec();
            archive[at] = byte;
            let _ = (file(&archive, FILE), file(&archive[..cut], FILE), file(&archive[cut..], FILE));
        }
    }
}
